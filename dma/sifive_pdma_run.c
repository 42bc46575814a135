// From a transfer to blocks that a PDMA can move: parts, which are mapped at a time, and runs,
// which the engine does at a time. Pure but for the caches: no register is touched here.
//
// wsize and rsize give the size and the alignment of the engine's transactions. They are always the
// same, and both addresses and the length are multiples of them: nothing says what happens else.
// What two addresses of different alignment have in common may be one byte, which is slow but
// right.
//
// The engine does not fill: a fill copies from a line of the pattern, then from what it has filled
// already, so each run doubles what is there.

#include "arch/smaller.h"
#include "dma/sifive_pdma.h"

// The largest transaction that all bits of what is added up in `bits` are aligned to.
static unsigned transaction_log2(uintptr_t bits)
{
    return (unsigned)__builtin_ctzl(bits | PDMA_TRANSACTION_BYTES);
}

// The next of a copy's bytes, at most left: a short copy as it is; of a longer one the bytes up to
// the alignment that both addresses can have, then all but the last few.
static size_t copy_size(uintptr_t destination, uintptr_t source, size_t left)
{
    size_t transaction = (size_t)1 << transaction_log2(destination ^ source);
    size_t head = -destination & (transaction - 1);
    if (left <= PDMA_SHORT_BYTES)
        return left;
    return head > 0 ? head : left & ~(transaction - 1);
}

// The next of a fill's bytes: up to a line, then from line to line as many as there are to copy
// from.
static void fill_run(const struct pdma_channel *channel, struct pdma_run *run, size_t left)
{
    size_t into_line = run->destination % PDMA_TRANSACTION_BYTES;
    size_t most = into_line > 0 ? PDMA_TRANSACTION_BYTES - into_line : channel->stock_size;
    run->source = channel->stock;
    run->size = smaller(left, most);
    if (run->size > PDMA_TRANSACTION_BYTES)
        run->size -= run->size % PDMA_TRANSACTION_BYTES;
}

// What a fill has filled is copied from from now on, where it is more. It is in memory, and the CPU
// does not touch it before the transfer is done. A bounced end is less than a line, and so never
// more.
static void stock_grow(struct pdma_channel *channel)
{
    const struct pdma_run *run = &channel->run;
    if (run->destination == channel->stock + channel->stock_size) {
        channel->stock_size += run->size;
    } else if (run->size >= channel->stock_size - channel->stock_size % PDMA_TRANSACTION_BYTES) {
        // Runs are whole lines, so the odd bytes at the stock's end do not count.
        channel->stock = run->destination;
        channel->stock_size = run->size;
    }
}

void pdma_run_prepare(struct pdma_channel *channel)
{
    const struct dma_piece *piece = &channel->map.pieces[channel->piece];
    struct pdma_run *run = &channel->run;
    size_t left = piece->size - channel->piece_offset;
    run->destination = piece->address + channel->piece_offset;
    if (channel->transfer->operation == DMA_FILL) {
        fill_run(channel, run, left);
    } else {
        run->source = channel->source + channel->part_moved;
        run->size = copy_size(run->destination, run->source, left);
    }
    run->transaction_log2 = transaction_log2(run->destination | run->source | run->size);
    run->size = smaller(run->size, (size_t)PDMA_RUN_TRANSACTIONS << run->transaction_log2);
    run->size = smaller(run->size, channel->dma->run_bytes);
}

void pdma_run_count(struct pdma_channel *channel)
{
    if (channel->transfer->operation == DMA_FILL)
        stock_grow(channel);
    channel->part_moved += channel->run.size;
    channel->piece_offset += channel->run.size;
    if (channel->piece_offset == channel->map.pieces[channel->piece].size) {
        channel->piece++;
        channel->piece_offset = 0;
    }
}

static bool coherent(const struct pdma_channel *channel)
{
    return channel->dma->engine.hardware->coherent;
}

static void map_to_device(const struct pdma_channel *channel, uintptr_t address, size_t size)
{
    struct dma_map source;
    dma_map(&source, address, size, DMA_TO_DEVICE, coherent(channel), NULL);
}

bool pdma_transfer_at_end(const struct pdma_channel *channel)
{
    return channel->segment == channel->transfer->segment_count;
}

void pdma_part_prepare(struct pdma_channel *channel)
{
    const struct dma_transfer *transfer = channel->transfer;
    const struct dma_segment *segment = &transfer->segments[channel->segment];
    uintptr_t destination = segment->destination + channel->offset;
    // The part after this one begins at a line.
    size_t size = smaller(segment->size - channel->offset,
                          PDMA_PART_BYTES - destination % PDMA_TRANSACTION_BYTES);
    if (transfer->pace_bytes > 0)
        size = smaller(size, channel->until_pause);

    channel->source = segment->source + channel->offset;
    if (transfer->operation == DMA_COPY)
        map_to_device(channel, channel->source, size);
    dma_map(&channel->map, destination, size, DMA_FROM_DEVICE, coherent(channel), &channel->bounce);
    channel->piece = 0;
    channel->piece_offset = 0;
    channel->part_moved = 0;
    channel->offset += size;
    dma_skip_finished(channel->transfer, &channel->segment, &channel->offset);
}

void pdma_part_release(struct pdma_channel *channel)
{
    dma_unmap(&channel->map, channel->part_moved);
    channel->moved += channel->part_moved;
}

void pdma_transfer_prepare(struct pdma_channel *channel, struct dma_transfer *transfer)
{
    channel->transfer = transfer;
    channel->segment = 0;
    channel->offset = 0;
    channel->until_pause = transfer->pace_bytes;
    channel->moved = 0;
    channel->stock = (uintptr_t)channel->pattern;
    channel->stock_size = sizeof channel->pattern;
    channel->pace_early = false;
    channel->stopping = false;
    dma_skip_finished(channel->transfer, &channel->segment, &channel->offset);
    if (transfer->operation == DMA_FILL) {
        for (unsigned i = 0; i < sizeof channel->pattern; i++)
            channel->pattern[i] = transfer->fill;
        map_to_device(channel, (uintptr_t)channel->pattern, sizeof channel->pattern);
    }
}
