// A DMA engine for boards that have none: the CPU copies, in slices, behind the same contract.
//
// One channel. A slice is done by deferred work at isr level and gives itself up after SLICE_BYTES,
// so that interrupts and callbacks get their turn between two slices. Nothing here is asynchronous,
// and the capabilities say so.

#include <errno.h>

#include "arch/assert.h"
#include "arch/container.h"
#include "arch/smaller.h"
#include "dma/engine.h"

enum { SLICE_BYTES = 4096 };

struct cpu_copy {
    struct dma_engine engine;
    struct irq_work work; // One slice; waiting whenever the transfer runs and is not paused.
    struct dma_transfer *transfer;
    unsigned segment; // Where the next slice goes on:
    size_t offset;    // segment and bytes into it.
    size_t moved;
    size_t until_pause; // Bytes, of a paced transfer.
    bool paused;
    bool pace_early; // dma_pace() was called while it was still moving.
    bool stopping;
};

static const struct dma_capabilities capabilities = {
    .name = "CPU copy",
    .channels = 1,
    .address_mask = UINTPTR_MAX,
    .fill = true,
    .paced = true,
    .residue = true,
    .asynchronous = false,
    .detects_bad_address = false, // A bad address faults the kernel: dma.c checks.
};

static struct cpu_copy instance;

typedef uint32_t __attribute__((may_alias)) word;

// Loops, not libc: its memcpy uses NEON registers, which are main's at this level.
static void bytes_copy(uintptr_t to, uintptr_t from, size_t size)
{
    size_t i = 0;
    if ((to | from) % sizeof(word) == 0) {
        for (; i + sizeof(word) <= size; i += sizeof(word))
            *(word *)(to + i) = *(const word *)(from + i);
    }
    for (; i < size; i++)
        *(uint8_t *)(to + i) = *(const uint8_t *)(from + i);
}

static void bytes_fill(uintptr_t to, uint8_t value, size_t size)
{
    size_t i = 0;
    if (to % sizeof(word) == 0) {
        for (; i + sizeof(word) <= size; i += sizeof(word))
            *(word *)(to + i) = value * UINT32_C(0x01010101);
    }
    for (; i < size; i++)
        *(uint8_t *)(to + i) = value;
}

// Moves up to limit bytes of the segment at hand. Result: bytes moved, 0 where the segment is done.
static size_t step(struct cpu_copy *copy, size_t limit)
{
    const struct dma_transfer *transfer = copy->transfer;
    const struct dma_segment *segment = &transfer->segments[copy->segment];
    size_t size = smaller(segment->size - copy->offset, limit);
    if (transfer->operation == DMA_FILL)
        bytes_fill(segment->destination + copy->offset, transfer->fill, size);
    else
        bytes_copy(segment->destination + copy->offset, segment->source + copy->offset, size);
    copy->offset += size;
    copy->moved += size;
    if (copy->offset == segment->size) {
        copy->segment++;
        copy->offset = 0;
    }
    return size;
}

static bool at_end(const struct cpu_copy *copy)
{
    return copy->moved == copy->transfer->size;
}

// Takes a chunk's bytes off the pace, and stops where it is used up.
static void pace_count(struct cpu_copy *copy, size_t size)
{
    if (copy->transfer->pace_bytes == 0)
        return;
    copy->until_pause -= size;
    if (copy->until_pause > 0)
        return;
    copy->until_pause = copy->transfer->pace_bytes;
    copy->paused = !copy->pace_early;
    copy->pace_early = false;
}

static void slice_move(struct cpu_copy *copy)
{
    size_t budget = SLICE_BYTES;
    while (budget > 0 && !at_end(copy) && !copy->paused) {
        size_t limit = copy->transfer->pace_bytes > 0 ? smaller(budget, copy->until_pause) : budget;
        size_t size = step(copy, limit);
        pace_count(copy, size);
        budget -= size;
    }
}

static void transfer_finish(struct cpu_copy *copy, int status)
{
    const struct dma_transfer *transfer = copy->transfer;
    copy->transfer = NULL;
    dma_transfer_done(&copy->engine, 0, status, transfer->size - copy->moved);
}

// Context: isr.
static void slice(struct irq_work *work)
{
    struct cpu_copy *copy = container_of(work, struct cpu_copy, work);
    if (!copy->stopping)
        slice_move(copy);
    if (at_end(copy) && !copy->stopping)
        transfer_finish(copy, 0);
    else if (copy->stopping)
        transfer_finish(copy, -ECANCELED);
    else if (!copy->paused)
        irq_defer(&copy->work);
}

static struct cpu_copy *to_cpu_copy(struct dma_engine *engine)
{
    return container_of(engine, struct cpu_copy, engine);
}

static void cpu_copy_start(struct dma_engine *engine, unsigned channel,
                           struct dma_transfer *transfer)
{
    struct cpu_copy *copy = to_cpu_copy(engine);
    assert(channel == 0);
    assert(copy->transfer == NULL);
    copy->transfer = transfer;
    copy->segment = 0;
    copy->offset = 0;
    copy->moved = 0;
    copy->until_pause = transfer->pace_bytes;
    copy->paused = copy->pace_early = copy->stopping = false;
    irq_defer(&copy->work);
}

static int cpu_copy_terminate(struct dma_engine *engine, unsigned channel)
{
    struct cpu_copy *copy = to_cpu_copy(engine);
    assert(channel == 0);
    copy->stopping = true;
    if (copy->paused)
        irq_defer(&copy->work); // Else the next slice, which waits already, finds it.
    return 0;
}

static void cpu_copy_pace(struct dma_engine *engine, unsigned channel)
{
    struct cpu_copy *copy = to_cpu_copy(engine);
    assert(channel == 0);
    if (copy->paused)
        irq_defer(&copy->work);
    else
        copy->pace_early = true;
    copy->paused = false;
}

static const struct dma_engine_ops ops = {
    .start = cpu_copy_start,
    .terminate = cpu_copy_terminate,
    .pace = cpu_copy_pace,
};

static int cpu_copy_take(const struct hardware *hardware)
{
    if (instance.engine.hardware)
        return -EBUSY;
    instance.engine.ops = &ops;
    instance.engine.capabilities = &capabilities;
    instance.engine.hardware = hardware;
    instance.work.run = slice;
    dma_engine_register(&instance.engine);
    return 0;
}

const struct driver dma_cpu_copy = { .start = cpu_copy_take };
