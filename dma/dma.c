// What all DMA engines have in common: checks, the queue behind busy channels, completion,
// statistics.
//
// A transfer that the engine has taken ends by dma_transfer_done() from its interrupt. One that
// never reaches the engine (0 bytes, terminated while queued) ends by deferred work, so that done()
// always runs at isr level and never inside dma_submit(): a done() that submits again does not
// recurse.

#include "dma/dma.h"

#include <errno.h>

#include "arch/assert.h"
#include "arch/container.h"
#include "arch/cpu.h"
#include "arch/memory.h"
#include "dma/engine.h"

static struct dma_engine *engines; // In the order of registration.

void dma_engine_register(struct dma_engine *engine)
{
    assert(engine->capabilities->channels >= 1);
    assert(engine->capabilities->channels <= DMA_CHANNELS);
    struct dma_engine **end = &engines;
    while (*end)
        end = &(*end)->next;
    *end = engine;
}

static int range_check(const struct dma_engine *engine, uintptr_t address, size_t size,
                       enum memory_access access)
{
    int error = memory_check(address, size, access);
    if (error)
        return error;
    uintptr_t last = address + size - 1; // Does not wrap: memory_check() has looked.
    return ((address | last) & ~engine->capabilities->address_mask) != 0 ? -EFAULT : 0;
}

static int segment_check(const struct dma_engine *engine, const struct dma_transfer *transfer,
                         const struct dma_segment *segment)
{
    bool kernel = transfer->kernel_buffers;
    if (segment->size == 0)
        return 0;
    if (transfer->operation == DMA_COPY) {
        int error = range_check(engine, segment->source, segment->size,
                                kernel ? MEMORY_KERNEL_SOURCE : MEMORY_SOURCE);
        if (error)
            return error;
    }
    return range_check(engine, segment->destination, segment->size,
                       kernel ? MEMORY_KERNEL_DESTINATION : MEMORY_DESTINATION);
}

static int segments_check(const struct dma_engine *engine, const struct dma_transfer *transfer,
                          size_t *total)
{
    *total = 0;
    for (unsigned i = 0; i < transfer->segment_count; i++) {
        const struct dma_segment *segment = &transfer->segments[i];
        int error = segment_check(engine, transfer, segment);
        if (error)
            return error;
        if (__builtin_add_overflow(*total, segment->size, total))
            return -EINVAL; // The residue could not be told.
    }
    return 0;
}

// Everything that can be wrong with a transfer, found before anything is changed.
static int transfer_check(const struct dma_engine *engine, const struct dma_transfer *transfer,
                          size_t *total)
{
    const struct dma_capabilities *can = engine->capabilities;
    if (!transfer->done || !transfer->segments || transfer->segment_count == 0)
        return -EINVAL;
    if (transfer->operation != DMA_COPY && transfer->operation != DMA_FILL)
        return -EINVAL;
    if (transfer->operation == DMA_FILL && !can->fill)
        return -ENOTSUP;
    if (transfer->pace_bytes > 0 && !can->paced)
        return -ENOTSUP;
    return segments_check(engine, transfer, total);
}

static void queue_append(struct dma_engine *engine, struct dma_transfer *transfer)
{
    transfer->state = DMA_QUEUED;
    transfer->next = NULL;
    transfer->previous = engine->tail;
    if (engine->tail)
        engine->tail->next = transfer;
    else
        engine->head = transfer;
    engine->tail = transfer;

    struct dma_statistics *statistics = &engine->statistics;
    statistics->queued++;
    if (statistics->queued > statistics->queued_most)
        statistics->queued_most = statistics->queued;
}

static void queue_remove(struct dma_engine *engine, struct dma_transfer *transfer)
{
    if (transfer->previous)
        transfer->previous->next = transfer->next;
    else
        engine->head = transfer->next;
    if (transfer->next)
        transfer->next->previous = transfer->previous;
    else
        engine->tail = transfer->previous;
    engine->statistics.queued--;
}

static void channel_start(struct dma_engine *engine, unsigned channel,
                          struct dma_transfer *transfer)
{
    // Everything is in its place before the engine is touched: its interrupt may fire inside
    // start().
    transfer->state = DMA_RUNNING;
    transfer->channel = channel;
    engine->running[channel] = transfer;
    engine->statistics.running++;
    engine->ops->start(engine, channel, transfer);
}

// The last step of every transfer. The owner may use it again from inside done().
static void transfer_end(struct dma_transfer *transfer, int status, size_t residue)
{
    struct dma_statistics *statistics = &transfer->engine->statistics;
    assert(residue <= transfer->size);
    transfer->status = status;
    transfer->residue = residue;
    statistics->bytes += transfer->size - residue;
    if (status == 0)
        statistics->completed++;
    else if (status == -ECANCELED)
        statistics->terminated++;
    else
        statistics->failed++;
    transfer->state = DMA_IDLE;
    transfer->done(transfer);
}

static void transfer_end_deferred(struct irq_work *work)
{
    struct dma_transfer *transfer = container_of(work, struct dma_transfer, work);
    transfer_end(transfer, transfer->status, transfer->size);
}

// Ends a transfer of which no byte was moved, without the engine.
static void transfer_end_later(struct dma_transfer *transfer, int status)
{
    transfer->state = DMA_ENDING;
    transfer->status = status;
    transfer->work.run = transfer_end_deferred;
    irq_defer(&transfer->work);
}

// Gives the transfer to a free channel, or lets it wait for one.
static void transfer_start(struct dma_engine *engine, struct dma_transfer *transfer)
{
    for (unsigned channel = 0; channel < engine->capabilities->channels; channel++) {
        if (!engine->running[channel]) {
            channel_start(engine, channel, transfer);
            return;
        }
    }
    queue_append(engine, transfer);
}

int dma_submit(struct dma_engine *engine, struct dma_transfer *transfer)
{
    assert(transfer->state == DMA_IDLE);
    size_t size;
    int error = transfer_check(engine, transfer, &size);
    if (error)
        return error;

    uint32_t flags = irq_save();
    transfer->engine = engine;
    transfer->size = size;
    engine->statistics.submitted++;
    if (size == 0)
        transfer_end_later(transfer, 0);
    else
        transfer_start(engine, transfer);
    irq_restore(flags);
    return 0;
}

int dma_terminate(struct dma_transfer *transfer)
{
    int result = -EALREADY;
    uint32_t flags = irq_save();
    if (transfer->state == DMA_QUEUED) {
        queue_remove(transfer->engine, transfer);
        transfer_end_later(transfer, -ECANCELED);
        result = 0;
    } else if (transfer->state == DMA_RUNNING) {
        result = transfer->engine->ops->terminate(transfer->engine, transfer->channel);
        if (result == 0)
            transfer->state = DMA_TERMINATING;
    }
    irq_restore(flags);
    return result;
}

int dma_pace(struct dma_transfer *transfer)
{
    int result = -EINVAL;
    uint32_t flags = irq_save();
    if (transfer->state == DMA_RUNNING && transfer->pace_bytes > 0) {
        transfer->engine->ops->pace(transfer->engine, transfer->channel);
        result = 0;
    }
    irq_restore(flags);
    return result;
}

void dma_transfer_done(struct dma_engine *engine, unsigned channel, int status, size_t residue)
{
    struct dma_transfer *transfer = engine->running[channel];
    assert(cpu_in_isr());
    assert(transfer != NULL);
    engine->running[channel] = NULL;
    engine->statistics.running--;

    // The next transfer first: the engine works while done() runs, and whoever waits longest goes
    // before whatever done() submits.
    struct dma_transfer *next = engine->head;
    if (next) {
        queue_remove(engine, next);
        channel_start(engine, channel, next);
    }
    transfer_end(transfer, status, residue);
}

const struct dma_capabilities *dma_capabilities(const struct dma_engine *engine)
{
    return engine->capabilities;
}

struct dma_statistics dma_statistics(const struct dma_engine *engine)
{
    uint32_t flags = irq_save();
    const struct dma_statistics *from = &engine->statistics;
    // Field by field: a struct this size would be copied by libc's memcpy.
    struct dma_statistics copy = {
        .submitted = from->submitted,
        .completed = from->completed,
        .failed = from->failed,
        .terminated = from->terminated,
        .running = from->running,
        .queued = from->queued,
        .queued_most = from->queued_most,
        .bytes = from->bytes,
    };
    irq_restore(flags);
    return copy;
}

const char *dma_engine_name(const struct dma_engine *engine)
{
    return engine->hardware->name;
}

static bool names_equal(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

struct dma_engine *dma_engine_find(const char *name)
{
    struct dma_engine *engine = engines;
    while (name && engine && !names_equal(dma_engine_name(engine), name))
        engine = engine->next;
    return engine;
}

struct dma_engine *dma_engine_next(const struct dma_engine *engine)
{
    return engine ? engine->next : engines;
}
