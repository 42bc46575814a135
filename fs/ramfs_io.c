// Reading, writing and truncating files of the RAM file system: what a DMA engine has to move for a
// request whose turn it is.
//
// A request is done in transfers of RAMFS_SEGMENTS pieces at most, one after another, each about
// RAMFS_ROUND_BYTES long: looking blocks up takes a bounded time at isr level. A file's end moves
// with each of them, so whoever asks sees what is there already.
//
// A hole is copied from a block of zeros, and so are the bytes of a new block that a write does not
// cover and the bytes between the file's old end and a write behind it. So one transfer does all in
// the order of the file: how far a cancelled one came is told by its residue, and no engine has to
// know how to fill. Where a transfer fails, blocks taken for it and not filled by it are holes
// again, and the request's count stops before the first of them.
#include <errno.h>

#include "arch/assert.h"
#include "arch/container.h"
#include "arch/cpu.h"
#include "fs/ramfs_internal.h"
#include "irq/clock.h"

static _Alignas(CPU_CACHE_LINE_MAX) uint8_t zeros[RAMFS_BLOCK_BYTES];

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint32_t block_index(uint64_t offset)
{
    return (uint32_t)(offset / RAMFS_BLOCK_BYTES);
}

static size_t in_block(uint64_t offset)
{
    return (size_t)(offset % RAMFS_BLOCK_BYTES);
}

static size_t left_in_block(uint64_t offset)
{
    return RAMFS_BLOCK_BYTES - in_block(offset);
}

// ---- One transfer's segments

// Result: the address of a file's byte, or 0: it is in a hole.
static uintptr_t address_of(const struct ramfs_inode *inode, uint64_t offset)
{
    const struct ramfs_pool *pool = &inode->fs->pool;
    const struct ramfs_block *block = ramfs_block_find(pool, &inode->contents, block_index(offset));
    return block ? ramfs_block_address(pool, block) + in_block(offset) : 0;
}

// Adds a piece; one that goes on where the last one ended becomes part of that.
static void segment_add(struct ramfs_slot *slot, uintptr_t destination, uintptr_t source,
                        size_t size)
{
    struct dma_segment *segment = &slot->segments[slot->transfer.segment_count];
    if (size == 0)
        return;
    if (slot->transfer.segment_count > 0 &&
        segment[-1].destination + segment[-1].size == destination &&
        segment[-1].source + segment[-1].size == source) {
        segment[-1].size += size;
        return;
    }
    assert(slot->transfer.segment_count < RAMFS_SEGMENTS);
    segment->destination = destination;
    segment->source = source;
    segment->size = size;
    slot->transfer.segment_count++;
}

// Is there room for `more` pieces, and time for another block?
static bool segments_left(const struct ramfs_slot *slot, unsigned more)
{
    return slot->moved + slot->data < slot->size && slot->data < RAMFS_ROUND_BYTES &&
           slot->transfer.segment_count + more <= RAMFS_SEGMENTS;
}

static void build_read(struct ramfs_slot *slot)
{
    uintptr_t buffer = (uintptr_t)slot->request->buffer;
    while (segments_left(slot, 1)) {
        size_t done = slot->moved + slot->data;
        uint64_t offset = slot->offset + done;
        uintptr_t address = address_of(slot->inode, offset);
        size_t size = (size_t)smaller(slot->size - done, left_in_block(offset));
        segment_add(slot, buffer + done, address ? address : (uintptr_t)zeros, size);
        slot->data += size;
    }
}

// The file's end is about to move to or past `offset`: what its last block holds behind the old end
// has never been written.
static void build_gap(struct ramfs_slot *slot, uint64_t offset)
{
    uint64_t end = slot->inode->device.size_bytes;
    if (offset <= end || in_block(end) == 0)
        return;
    uintptr_t address = address_of(slot->inode, end);
    if (!address)
        return;
    slot->zeros = (size_t)smaller(offset - end, left_in_block(end));
    segment_add(slot, address, (uintptr_t)zeros, slot->zeros);
}

// Takes a block for a write that begins at offset, or goes on there. Result: the address of that
// byte, or 0: no block is free. What lies before it in the block is made zeros.
static uintptr_t add_block(struct ramfs_slot *slot, uint64_t offset)
{
    struct ramfs_inode *inode = slot->inode;
    struct ramfs_pool *pool = &inode->fs->pool;
    const struct ramfs_block *block = ramfs_block_add(pool, &inode->contents, block_index(offset));
    if (!block)
        return 0;
    uintptr_t address = ramfs_block_address(pool, block);
    segment_add(slot, address, (uintptr_t)zeros, in_block(offset));
    slot->zeros += in_block(offset); // Only of a write's first block, so all zeros come first.
    return address + in_block(offset);
}

// Adds what a write puts into the block at offset. Result: false: no block is free.
static bool build_block(struct ramfs_slot *slot, uint64_t offset)
{
    size_t done = slot->moved + slot->data;
    size_t size = (size_t)smaller(slot->size - done, left_in_block(offset));
    uint64_t end = slot->inode->device.size_bytes;
    uintptr_t address = address_of(slot->inode, offset);
    bool hole = address == 0;
    if (hole)
        address = add_block(slot, offset);
    if (address == 0)
        return false;
    segment_add(slot, address, (uintptr_t)slot->request->buffer + done, size);
    slot->data += size;
    // In the middle of a file, what was a hole behind the write stays zeros.
    if (hole && offset + size < end)
        segment_add(slot, address + size, (uintptr_t)zeros,
                    (size_t)smaller(end - offset - size, left_in_block(offset) - size));
    return true;
}

static int build_write(struct ramfs_slot *slot)
{
    enum { PIECES = 3 }; // Of one block: zeros, bytes, zeros.
    build_gap(slot, slot->offset + slot->moved);
    while (segments_left(slot, PIECES))
        if (!build_block(slot, slot->offset + slot->moved + slot->data))
            return slot->moved + slot->data > 0 ? 0 : -ENOSPC;
    return 0;
}

// ---- From transfer to transfer

static const struct fs_call *call_of(const struct io_request *request)
{
    return (const struct fs_call *)request;
}

static int build(struct ramfs_slot *slot)
{
    slot->transfer.segment_count = 0;
    slot->zeros = slot->data = 0;
    slot->last = slot->inode->contents.last;
    switch (slot->request->op) {
    case IO_READ:
        build_read(slot);
        return 0;
    case IO_WRITE:
        return build_write(slot);
    default:
        build_gap(slot, slot->offset);
        return 0;
    }
}

// Blocks taken for this transfer in which bytes from `offset` on lie are holes again. Result: true:
// the one at `offset` was among them. Blocks are taken in the order of the file.
static bool drop_blocks(struct ramfs_slot *slot, uint64_t offset)
{
    struct ramfs_contents *contents = &slot->inode->contents;
    bool first = false;
    while (contents->last != slot->last && contents->last->index >= block_index(offset)) {
        first |= contents->last->index == block_index(offset);
        ramfs_block_remove(&slot->inode->fs->pool, contents, contents->last);
    }
    return first;
}

// How many of the request's bytes a transfer has moved for good that ended early after so many of
// its own.
static size_t moved_early(struct ramfs_slot *slot, size_t transferred)
{
    uint64_t start = slot->offset + slot->moved;
    size_t moved = transferred < slot->zeros ? 0 : transferred - slot->zeros;
    if (slot->request->op != IO_WRITE || slot->data == 0)
        return moved;
    // With all bytes moved but not the zeros behind them, the last block is not complete either.
    moved = (size_t)smaller(moved, slot->data);
    uint64_t block = (start + moved) / RAMFS_BLOCK_BYTES * RAMFS_BLOCK_BYTES;
    if (drop_blocks(slot, start + moved))
        moved = block > start ? (size_t)(block - start) : 0;
    return moved;
}

static void count_moved(struct ramfs_slot *slot, size_t moved)
{
    struct ramfs_inode *inode = slot->inode;
    slot->moved += moved;
    if (slot->request->op != IO_WRITE || moved == 0)
        return;
    uint64_t end = slot->offset + slot->moved;
    if (end > inode->device.size_bytes)
        inode->device.size_bytes = end;
    inode->modified_ns = (int64_t)clock_now_ns();
}

// The last step of every request that had a slot. The inode may be gone afterwards.
static void end(struct ramfs_slot *slot, int error)
{
    struct ramfs_inode *inode = slot->inode;
    struct io_request *request = slot->request;
    ramfs_turn_over(slot);
    request->moved = slot->moved;
    if (!error && request->op == IO_CALL && call_of(request)->operation == FS_OPEN) {
        inode->pins--;
        ramfs_give((struct fs_call *)request, inode);
    } else {
        device_complete(request, error ? error : (ssize_t)slot->moved);
    }
}

static void truncated(struct ramfs_slot *slot)
{
    slot->inode->device.size_bytes = slot->offset;
    slot->inode->modified_ns = (int64_t)clock_now_ns();
    end(slot, 0);
}

// Result: false: there is more to cut.
static bool cut_slice(struct ramfs_slot *slot)
{
    struct ramfs_inode *inode = slot->inode;
    uint32_t index = block_index(slot->offset + RAMFS_BLOCK_BYTES - 1);
    slot->cut_from = ramfs_contents_cut(&inode->fs->pool, &inode->contents, slot->cut_from, index);
    return !slot->cut_from;
}

static void cut_on(struct irq_work *work)
{
    struct ramfs_slot *slot = container_of(work, struct ramfs_slot, cutting);
    struct ramfs *fs = slot->inode->fs;
    if (!cut_slice(slot)) {
        irq_defer(work);
        return;
    }
    truncated(slot);
    ramfs_run(fs);
}

// Makes the file as long as the slot's call says. What was the gap to a later end is zeros already.
static void truncate(struct ramfs_slot *slot)
{
    struct ramfs_contents *contents = &slot->inode->contents;
    slot->cut_from = contents->last;
    slot->cutting.run = cut_on;
    if (slot->offset == 0)
        ramfs_contents_clear(&slot->inode->fs->pool, contents);
    if (slot->offset == 0 || slot->offset >= slot->inode->device.size_bytes || cut_slice(slot))
        truncated(slot);
    else
        irq_defer(&slot->cutting); // The file is the slot's until it comes to its end.
}

static void finish(struct ramfs_slot *slot, int error)
{
    if (!error && slot->request->op == IO_CALL)
        truncate(slot);
    else
        end(slot, error);
}

// Starts the next transfer, or ends the request where there is none.
static void advance(struct ramfs_slot *slot)
{
    int error = build(slot);
    if (!error && slot->transfer.segment_count > 0) {
        error = dma_submit(slot->inode->fs->engine, &slot->transfer);
        if (!error)
            return;
        moved_early(slot, 0); // For the blocks' sake.
    }
    finish(slot, error);
}

// Where and how many bytes. Result: 0 or -errno.
static int measure(struct ramfs_slot *slot)
{
    struct io_request *request = slot->request;
    uint64_t end = slot->inode->device.size_bytes;
    if (request->op == IO_CALL) {
        const struct fs_call *call = call_of(request);
        slot->offset = call->operation == FS_TRUNCATE ? call->size : 0;
        slot->size = 0;
        return slot->offset > RAMFS_FILE_LIMIT ? -EFBIG : 0;
    }
    if (request->op == IO_WRITE && request->flags & IO_APPEND)
        request->offset = end;
    slot->offset = request->offset;
    uint64_t limit = request->op == IO_READ ? end : RAMFS_FILE_LIMIT;
    slot->size = slot->offset < limit ? (size_t)smaller(request->size, limit - slot->offset) : 0;
    return request->op == IO_WRITE && slot->size == 0 && request->size > 0 ? -EFBIG : 0;
}

void ramfs_start(struct ramfs_slot *slot)
{
    int error = measure(slot);
    // Nothing to move is done at once; a truncation may have a gap.
    if (error || (slot->size == 0 && slot->request->op != IO_CALL))
        finish(slot, error);
    else
        advance(slot);
}

static void transfer_done(struct dma_transfer *transfer)
{
    struct ramfs_slot *slot = (struct ramfs_slot *)transfer;
    struct ramfs *fs = slot->inode->fs;
    int error = transfer->status;
    size_t transferred = transfer->size - transfer->residue;
    bool early = transfer->residue > 0;
    count_moved(slot, early ? moved_early(slot, transferred) : slot->data);
    if (!error && slot->cancelled)
        error = -ECANCELED;
    if (error || slot->data == 0 || slot->moved == slot->size)
        finish(slot, error);
    else
        advance(slot);
    ramfs_run(fs);
}

void ramfs_io_init(struct ramfs *fs)
{
    fs->slots_free = NULL;
    for (unsigned i = 0; i < RAMFS_IN_FLIGHT; i++) {
        struct ramfs_slot *slot = &fs->slots[i];
        slot->transfer.operation = DMA_COPY;
        slot->transfer.kernel_buffers = true; // Blocks are; the core has checked the buffer.
        slot->transfer.segments = slot->segments;
        slot->transfer.done = transfer_done;
        slot->next = fs->slots_free;
        fs->slots_free = slot;
    }
}
