// What the files of the RAM file system share: ramfs.c (devices and calls), ramfs_tree.c (inodes
// and names), ramfs_blocks.c (the block pool), ramfs_queue.c (whose turn it is), ramfs_io.c (what
// is moved). Everything is done with interrupts masked, at any level.
#pragma once

#include "dma/dma.h"
#include "fs/call.h"
#include "fs/ramfs.h"

// ---- Blocks

// What is known of one block; its bytes lie elsewhere.
struct ramfs_block {
    struct ramfs_block *next, *previous; // In its file, in the order of taking; of a free block
                                         // only next.
    struct ramfs_block *chain;           // In its bucket.
    uint64_t key;                        // Which contents it belongs, or belonged to; 0: none.
    uint32_t index;                      // Which of their blocks it is.
};

// Blocks are found by a hash of key and index, so a hole takes nothing and a file may be as sparse
// as it likes. A key is never used twice: contents are thrown away at once, however large, by
// taking another key; their blocks leave the buckets when they are taken again.
struct ramfs_pool {
    uintptr_t data;                     // Of the table's first block.
    struct ramfs_block *table, *unused; // From `unused` on no block has ever been taken.
    struct ramfs_block *free;           // Those that have been given back.
    struct ramfs_block **buckets;
    uint32_t bucket_mask;
    unsigned count, free_count;
    uint64_t last_key;
};

// The blocks of one file.
struct ramfs_contents {
    uint64_t key;
    struct ramfs_block *first, *last;
    unsigned count;
};

// buckets: as many as the result of ramfs_bucket_count(count).
uint32_t ramfs_bucket_count(unsigned count);
void ramfs_pool_init(struct ramfs_pool *pool, struct ramfs_block *table, unsigned count,
                     struct ramfs_block **buckets, uintptr_t data);

// Makes contents that are nothing but a hole.
void ramfs_contents_init(struct ramfs_pool *pool, struct ramfs_contents *contents);

// Result: the block, or NULL: a hole.
struct ramfs_block *ramfs_block_find(const struct ramfs_pool *pool,
                                     const struct ramfs_contents *contents, uint32_t index);

// Takes a block for a hole; its bytes are whatever they were. Result: the block, now the last one
// taken, or NULL: none is free.
struct ramfs_block *ramfs_block_add(struct ramfs_pool *pool, struct ramfs_contents *contents,
                                    uint32_t index);
void ramfs_block_remove(struct ramfs_pool *pool, struct ramfs_contents *contents,
                        struct ramfs_block *block);

// Gives all blocks back, however many.
void ramfs_contents_clear(struct ramfs_pool *pool, struct ramfs_contents *contents);

// Looks at RAMFS_SLICE blocks, from one of them (at first the last) back, and gives back those from
// index on. Result: the block to go on from; NULL: it was the whole file. Nobody may take or give
// back blocks of the file in between.
struct ramfs_block *ramfs_contents_cut(struct ramfs_pool *pool, struct ramfs_contents *contents,
                                       struct ramfs_block *from, uint32_t index);

uintptr_t ramfs_block_address(const struct ramfs_pool *pool, const struct ramfs_block *block);

// ---- Inodes

// A file or a directory, and its one name: there are no links by other names. Its size is the
// device's size_bytes. Bytes of a block past the file's end may be anything: who moves the end
// writes zeros over what comes to lie before it.
struct ramfs_inode {
    struct device device; // First: what opening gives is the inode.
    struct ramfs *fs;
    uint32_t mode, links; // links: 0: unlinked, or on its way to be born.
    int64_t modified_ns;
    bool open;     // Somebody has been given the device, and it has not been released.
    unsigned pins; // Other reasons to stay: calls by path that wait, a place in the run list.

    struct ramfs_inode *parent;          // NULL: the root, or unlinked.
    struct ramfs_inode *next, *previous; // In the directory, by place. In the list of free inodes:
                                         // next.
    struct ramfs_inode *first, *last;    // A directory's entries.
    uint64_t place;                      // In the directory: larger for what came later.
    struct ramfs_inode *name_chain;      // In its name's bucket.
    char name[FS_NAME_LIMIT + 1];

    // A directory's: the entry that was told last, or, if it has gone, the one before it; and the
    // search for one behind another that has gone.
    uint64_t told_place;
    struct ramfs_inode *told; // NULL: all entries lie behind it.
    struct io_request *search;
    struct ramfs_inode *search_from; // The next entry to look at.
    struct irq_work search_work;

    // A file's.
    struct ramfs_contents contents;
    struct io_fifo waiting;               // For their turn.
    uint8_t waiting_count[IO_PRIORITIES]; // How many of each priority,
    uint32_t waiting_priorities;          // bit p: there are any.
    unsigned reading;                     // Reads that have started,
    bool writing;                         // or the one of the others that has.
    bool runnable;                        // In the run list of run_priority:
    uint8_t run_priority;
    struct ramfs_inode *run_next, *run_previous;
};

// Where a path leads.
struct ramfs_place {
    struct ramfs_inode *directory; // NULL: the path is the root's.
    const char *name;
    size_t length;
    struct ramfs_inode *inode; // NULL: there is no such name in the directory.
};

// buckets: as many as the result of ramfs_bucket_count(inodes).
void ramfs_names_init(struct ramfs *fs, struct ramfs_inode **buckets, uint32_t count);

// Result: 0, -ENOENT or -ENOTDIR on the way there, -ENAMETOOLONG.
int ramfs_find(struct ramfs *fs, const char *path, struct ramfs_place *place);

// A new inode of that mode, with a name where place says so. Result: 0 or -ENOSPC.
int ramfs_create(struct ramfs *fs, const struct ramfs_place *place, uint32_t mode,
                 struct ramfs_inode **created);

// The calls that need nothing but names. Result: 0 or -errno.
int ramfs_unlink(struct ramfs *fs, const struct fs_call *call);
int ramfs_make_directory(struct ramfs *fs, const struct fs_call *call);
int ramfs_remove_directory(struct ramfs *fs, const struct fs_call *call);
int ramfs_rename(struct ramfs *fs, const struct fs_call *call);

// FS_NEXT_ENTRY: completes the call, perhaps inside. One at a time of a directory.
void ramfs_next_entry(struct ramfs_inode *directory, struct fs_call *call);

// Frees an inode that neither a name nor anybody else holds; any other is left alone.
void ramfs_let_go(struct ramfs_inode *inode);

// What serves an inode's device.
extern const struct device_ops ramfs_inode_ops;

// By words, in a loop: libc's memset is not for isr level. size: of whole words.
static inline void ramfs_clear(void *memory, size_t size)
{
    typedef uintptr_t __attribute__((may_alias)) word;
    for (size_t i = 0; i < size / sizeof(word); i++)
        ((word *)memory)[i] = 0;
}

static inline bool ramfs_is_directory(const struct ramfs_inode *inode)
{
    return inode->device.kind == DEVICE_DIRECTORY;
}

// ---- Transfers

enum {
    RAMFS_SEGMENTS = 16,        // Of a transfer: pieces of memory that lie together.
    RAMFS_ROUND_BYTES = 1 << 20 // Of a transfer, about: so many blocks are looked up in one go.
};

// A request on its way: one transfer after another.
struct ramfs_slot {
    struct dma_transfer transfer; // First: done() gets back from it to the slot.
    struct dma_segment segments[RAMFS_SEGMENTS];
    struct ramfs_inode *inode;
    struct io_request *request; // NULL: the slot is free.
    struct ramfs_slot *next;    // In the list of free slots.
    uint64_t offset;            // Where the request's bytes go or come from,
    size_t size;                // how many there are,
    size_t moved;               // and how many of them earlier transfers have moved.
    bool cancelled;
    struct ramfs_block *cut_from; // While the file is being made shorter: how far that is.
    struct irq_work cutting;

    // The transfer that is under way.
    size_t zeros;             // Bytes at its beginning that are not the request's.
    size_t data;              // Bytes after these that are.
    struct ramfs_block *last; // The file's last block before the transfer took any.
};

// Takes a request of a file, or an opening with O_TRUNC of it, to start it in its turn; it
// completes, perhaps inside.
void ramfs_enqueue(struct ramfs_inode *inode, struct io_request *request);

// As ops->cancel.
int ramfs_cancel(struct ramfs_inode *inode, struct io_request *request);

// Of ramfs_queue.c: starts what may be started. A slot's request is over: the slot is free, and
// others may have their turn.
void ramfs_run(struct ramfs *fs);
void ramfs_turn_over(struct ramfs_slot *slot);

// Of ramfs_io.c: moves what the slot's request wants.
void ramfs_start(struct ramfs_slot *slot);
void ramfs_io_init(struct ramfs *fs);

// An opening is done: gives the device to the caller.
void ramfs_give(struct fs_call *call, struct ramfs_inode *inode);

struct ramfs {
    struct device device; // First: the file system is a device.
    struct ramfs_pool pool;
    struct ramfs_inode *inodes, *inodes_unused, *inodes_free;
    unsigned inode_count, inode_free_count;
    uint64_t last_place;
    struct ramfs_inode **names; // Buckets: who is named so in which directory.
    uint32_t name_mask;
    struct ramfs_inode *root;
    struct dma_engine *engine;
    struct ramfs_slot slots[RAMFS_IN_FLIGHT];
    struct ramfs_slot *slots_free;
    // Inodes that may have something to start, by the most urgent of it. Bit p: run[p] has any.
    struct {
        struct ramfs_inode *first, *last;
    } run[IO_PRIORITIES];
    uint32_t run_priorities;
};

// Tells an inode from the others that exist; small, since newlib's ino_t has 16 bits.
static inline uint64_t ramfs_inode_number(const struct ramfs_inode *inode)
{
    return (uint64_t)(inode - inode->fs->inodes) + 1;
}
