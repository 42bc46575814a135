// The block pool of the RAM file system: which block holds which piece of which file.
//
// Contents that are given back as a whole go back to the front of the free list in the order in
// which they were taken: blocks that lay one behind the other do so again in the next file, and one
// DMA segment covers many.
#include "fs/ramfs_internal.h"

uint32_t ramfs_bucket_count(unsigned count)
{
    uint32_t buckets = 1;
    while (buckets * 2 <= count)
        buckets *= 2;
    return buckets;
}

void ramfs_pool_init(struct ramfs_pool *pool, struct ramfs_block *table, unsigned count,
                     struct ramfs_block **buckets, uintptr_t data)
{
    pool->data = data;
    pool->table = pool->unused = table;
    pool->free = NULL;
    pool->buckets = buckets;
    pool->bucket_mask = ramfs_bucket_count(count) - 1;
    pool->count = pool->free_count = count;
    pool->last_key = 0;
    for (uint32_t i = 0; i <= pool->bucket_mask; i++)
        buckets[i] = NULL;
}

void ramfs_contents_init(struct ramfs_pool *pool, struct ramfs_contents *contents)
{
    contents->key = ++pool->last_key;
    contents->first = contents->last = NULL;
    contents->count = 0;
}

uintptr_t ramfs_block_address(const struct ramfs_pool *pool, const struct ramfs_block *block)
{
    return pool->data + (uintptr_t)(block - pool->table) * RAMFS_BLOCK_BYTES;
}

// Blocks of one file take neighbouring buckets, and files begin all over the place: the factor is
// 2^32 divided by the golden ratio.
static struct ramfs_block **bucket(const struct ramfs_pool *pool, uint64_t key, uint32_t index)
{
    uint32_t hash = (uint32_t)key * UINT32_C(0x9e3779b1) + index;
    return &pool->buckets[hash & pool->bucket_mask];
}

struct ramfs_block *ramfs_block_find(const struct ramfs_pool *pool,
                                     const struct ramfs_contents *contents, uint32_t index)
{
    struct ramfs_block *block = *bucket(pool, contents->key, index);
    while (block && (block->key != contents->key || block->index != index))
        block = block->chain;
    return block;
}

static void hash_remove(struct ramfs_pool *pool, struct ramfs_block *block)
{
    struct ramfs_block **link = bucket(pool, block->key, block->index);
    while (*link != block)
        link = &(*link)->chain;
    *link = block->chain;
    block->key = 0;
}

static void hash_add(struct ramfs_pool *pool, struct ramfs_block *block, uint64_t key,
                     uint32_t index)
{
    struct ramfs_block **first = bucket(pool, key, index);
    block->key = key;
    block->index = index;
    block->chain = *first;
    *first = block;
}

// Result: a block in no bucket, or NULL.
static struct ramfs_block *pool_take(struct ramfs_pool *pool)
{
    struct ramfs_block *block = pool->free;
    if (pool->free_count == 0)
        return NULL;
    pool->free_count--;
    if (!block)
        return pool->unused++;
    pool->free = block->next;
    if (block->key != 0)
        hash_remove(pool, block);
    return block;
}

struct ramfs_block *ramfs_block_add(struct ramfs_pool *pool, struct ramfs_contents *contents,
                                    uint32_t index)
{
    struct ramfs_block *block = pool_take(pool);
    if (!block)
        return NULL;
    hash_add(pool, block, contents->key, index);
    block->next = NULL;
    block->previous = contents->last;
    if (contents->last)
        contents->last->next = block;
    else
        contents->first = block;
    contents->last = block;
    contents->count++;
    return block;
}

void ramfs_block_remove(struct ramfs_pool *pool, struct ramfs_contents *contents,
                        struct ramfs_block *block)
{
    hash_remove(pool, block);
    if (block->previous)
        block->previous->next = block->next;
    else
        contents->first = block->next;
    if (block->next)
        block->next->previous = block->previous;
    else
        contents->last = block->previous;
    contents->count--;
    block->next = pool->free;
    pool->free = block;
    pool->free_count++;
}

// The list becomes the front of the free list, and the key is forgotten.
void ramfs_contents_clear(struct ramfs_pool *pool, struct ramfs_contents *contents)
{
    if (contents->first) {
        contents->last->next = pool->free;
        pool->free = contents->first;
        pool->free_count += contents->count;
    }
    ramfs_contents_init(pool, contents);
}

// From the last one taken back, so that the free list offers them in the order of taking.
struct ramfs_block *ramfs_contents_cut(struct ramfs_pool *pool, struct ramfs_contents *contents,
                                       struct ramfs_block *from, uint32_t index)
{
    for (unsigned looked = 0; from && looked < RAMFS_SLICE; looked++) {
        struct ramfs_block *block = from;
        from = block->previous;
        if (block->index >= index)
            ramfs_block_remove(pool, contents, block);
    }
    return from;
}
