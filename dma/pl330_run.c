// From a transfer to PL330 programs: a transfer is done in runs, each of which is one program of a
// few parts.
//
// A run covers at most PL330_PARTS parts and PL330_RUN_BYTES bytes, so programs, bounce lines and
// the time spent on the caches have fixed limits; the interrupt of one run starts the next. A short
// copy is one run of one part.
//
// A paced transfer stops in its program after each chunk, by DMAWFE. Its first run moves nothing:
// it removes an event that was sent to this channel's last transfer too late to be used.

#include "arch/assert.h"
#include "arch/smaller.h"
#include "dma/pl330.h"

// A part's code at most: a body, a bounced head and tail, and the pause.
enum { PART_BYTES = PL330_COPY_BYTES + 2 * PL330_SHORT_COPY_BYTES + PL330_PAUSE_BYTES };
_Static_assert(PL330_PARTS *PART_BYTES + PL330_FINISH_BYTES <= PL330_PROGRAM_BYTES,
               "every run fits");

bool pl330_transfer_at_end(const struct pl330_channel *channel)
{
    return channel->segment == channel->transfer->segment_count;
}

void pl330_transfer_prepare(struct pl330_channel *channel, struct dma_transfer *transfer)
{
    channel->transfer = transfer;
    channel->segment = 0;
    channel->offset = 0;
    channel->moved = 0;
    channel->part_count = 0;
    channel->until_pause = transfer->pace_bytes;
    channel->draining = transfer->pace_bytes > 0;
    channel->pace_early = false;
    channel->stopping = false;
    channel->killing = false;
    dma_skip_finished(channel->transfer, &channel->segment, &channel->offset);
    if (transfer->operation == DMA_FILL) {
        for (unsigned i = 0; i < sizeof channel->pattern; i++)
            channel->pattern[i] = transfer->fill;
    }
}

static bool coherent(const struct pl330_channel *channel)
{
    return channel->dma->engine.hardware->coherent;
}

// Adds the code that moves one part, piece by piece, to the places that the map gives.
static void part_code(struct pl330_channel *channel, struct pl330_program *program,
                      const struct pl330_part *part, uintptr_t source)
{
    for (unsigned i = 0; i < part->map.count; i++) {
        const struct dma_piece *piece = &part->map.pieces[i];
        uint32_t destination = (uint32_t)piece->address;
        uint32_t size = (uint32_t)piece->size;
        if (channel->transfer->operation == DMA_FILL)
            pl330_fill(program, destination, (uint32_t)(uintptr_t)channel->pattern, size);
        else
            pl330_copy(program, destination, (uint32_t)source, size);
        source += piece->size;
    }
}

static void part_map(struct pl330_channel *channel, struct pl330_part *part,
                     const struct dma_segment *segment, size_t size)
{
    struct dma_map source;
    if (channel->transfer->operation == DMA_FILL)
        dma_map(&source, (uintptr_t)channel->pattern, sizeof channel->pattern, DMA_TO_DEVICE,
                coherent(channel), NULL);
    else
        dma_map(&source, segment->source + channel->offset, size, DMA_TO_DEVICE, coherent(channel),
                NULL);
    dma_map(&part->map, segment->destination + channel->offset, size, DMA_FROM_DEVICE,
            coherent(channel), &channel->bounce[channel->part_count]);
}

// A chunk is complete: the program waits there, unless the transfer ends there anyway.
static void part_pause(struct pl330_channel *channel, struct pl330_program *program,
                       struct pl330_part *part)
{
    channel->until_pause -= part->map.size;
    if (channel->until_pause > 0)
        return;
    channel->until_pause = channel->transfer->pace_bytes;
    if (pl330_transfer_at_end(channel))
        return;
    part->pauses = true;
    part->pause_offset = pl330_pause(program, pl330_pace_event(channel));
}

// Adds the next part, of at most budget bytes, to the run. Result: its size in bytes.
static size_t part_append(struct pl330_channel *channel, struct pl330_program *program,
                          size_t budget)
{
    const struct dma_segment *segment = &channel->transfer->segments[channel->segment];
    struct pl330_part *part = &channel->parts[channel->part_count];
    bool paced = channel->transfer->pace_bytes > 0;
    size_t size = smaller(segment->size - channel->offset, budget);
    if (paced)
        size = smaller(size, channel->until_pause);

    part_map(channel, part, segment, size);
    part_code(channel, program, part, segment->source + channel->offset);
    part->pauses = false;
    channel->part_count++;
    channel->offset += size;
    dma_skip_finished(channel->transfer, &channel->segment, &channel->offset);
    if (paced)
        part_pause(channel, program, part);
    return size;
}

void pl330_run_prepare(struct pl330_channel *channel)
{
    struct pl330_program program;
    size_t budget = PL330_RUN_BYTES;
    pl330_begin(&program, channel->program, sizeof channel->program, &channel->dma->port);
    channel->part_count = 0;
    if (channel->draining) {
        pl330_drain(&program, pl330_pace_event(channel));
    } else {
        while (budget > 0 && channel->part_count < PL330_PARTS && !pl330_transfer_at_end(channel))
            budget -= part_append(channel, &program, budget);
    }
    int error = pl330_finish(&program, channel->number);
    assert(error == 0);
    if (!coherent(channel))
        cache_clean((uintptr_t)channel->program, program.size);
    // Program, pattern and sources are in memory before the register write that makes the
    // controller fetch them.
    barrier_publish();
}

unsigned pl330_run_parts_done(const struct pl330_channel *channel, uint32_t counter)
{
    // A pause stands behind a DMAWMB: a channel that has reached it has stored everything before.
    // Past the last pause reached, stores may still be on their way, so nothing is counted.
    unsigned done = 0;
    size_t offset = counter - (uint32_t)(uintptr_t)channel->program;
    for (unsigned i = 0; i < channel->part_count; i++) {
        if (channel->parts[i].pauses && offset >= channel->parts[i].pause_offset &&
            offset <= PL330_PROGRAM_BYTES)
            done = i + 1;
    }
    return done;
}

void pl330_run_release(struct pl330_channel *channel, unsigned parts_done)
{
    for (unsigned i = 0; i < channel->part_count; i++) {
        struct dma_map *map = &channel->parts[i].map;
        size_t moved = i < parts_done ? map->size : 0;
        dma_unmap(map, moved);
        channel->moved += moved;
    }
    channel->part_count = 0;
}
