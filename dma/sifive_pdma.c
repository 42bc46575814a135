// SiFive Platform DMA engine (FU540-C000 manual, chapter 12; the same in Microchip's PolarFire SoC,
// Technical Reference Manual 3.1.10).
//
// Memory to memory, one contiguous block at a time. A transfer is done in parts, pieces of segments
// that are mapped at a time, and a part in runs, each of which is one block for the engine; the
// interrupt of one run starts the next. A run cannot be stopped, so it is short, and a transfer
// that is given up ends with it. A paced transfer is parked between two parts.
//
// Seen on QEMU's model (icicle): a run happens inside the write of RUN, and its interrupt is
// pending before start() returns; RUN without an earlier CLAIM does nothing; after an error RUN
// stays set, and any write that has it runs again. A bad address is silent, hence the checks in
// dma.c.

#include "dma/sifive_pdma.h"

#include <errno.h>

#include "arch/assert.h"
#include "arch/container.h"
#include "arch/report.h"

enum { PDMA_INSTANCES = 1 };
static struct pdma instances[PDMA_INSTANCES];
static unsigned instance_count;

// --- Registers ---

static uintptr_t channel_register(const struct pdma_channel *channel, uintptr_t offset)
{
    return channel->dma->base + channel->number * PDMA_CHANNEL_STRIDE + offset;
}

static void control_write(const struct pdma_channel *channel, uint32_t value)
{
    write32(channel_register(channel, PDMA_CONTROL), value);
}

// DONE and ERROR, as far as they are set.
static uint32_t control_ended(const struct pdma_channel *channel)
{
    return read32(channel_register(channel, PDMA_CONTROL)) &
           (PDMA_CONTROL_DONE | PDMA_CONTROL_ERROR);
}

static void next_write(const struct pdma_channel *channel, uintptr_t offset, uint64_t value)
{
    write32(channel_register(channel, offset), (uint32_t)value);
    write32(channel_register(channel, offset + 4), (uint32_t)(value >> 32));
}

// --- From run to run ---

static void run_start(struct pdma_channel *channel)
{
    const struct pdma_run *run = &channel->run;
    pdma_run_prepare(channel);
    write32(channel_register(channel, PDMA_NEXT_CONFIG),
            PDMA_CONFIG_WSIZE(run->transaction_log2) | PDMA_CONFIG_RSIZE(run->transaction_log2));
    next_write(channel, PDMA_NEXT_BYTES, run->size);
    next_write(channel, PDMA_NEXT_DESTINATION, run->destination);
    next_write(channel, PDMA_NEXT_SOURCE, run->source);
    channel->running = true;
    // Source and pattern are in memory before the register write that makes the engine read them.
    barrier_publish();
    control_write(channel, PDMA_CONTROL_CLAIM | PDMA_CONTROL_RUN | PDMA_CONTROL_DONE_IE |
                               PDMA_CONTROL_ERROR_IE);
}

static void part_start(struct pdma_channel *channel)
{
    pdma_part_prepare(channel);
    run_start(channel);
}

// Takes the part's bytes off the pace. Result: true where the transfer has to be parked.
static bool pace_used_up(struct pdma_channel *channel)
{
    if (channel->transfer->pace_bytes == 0)
        return false;
    channel->until_pause -= channel->map.size;
    if (channel->until_pause > 0)
        return false;
    bool early = channel->pace_early;
    channel->until_pause = channel->transfer->pace_bytes;
    channel->pace_early = false;
    return !early;
}

static void transfer_finish(struct pdma_channel *channel, int status)
{
    const struct dma_transfer *transfer = channel->transfer;
    channel->transfer = NULL;
    dma_transfer_done(&channel->dma->engine, channel->number, status,
                      transfer->size - channel->moved);
}

static void run_end(struct pdma_channel *channel)
{
    pdma_run_count(channel);
    if (channel->part_moved < channel->map.size && !channel->stopping) {
        run_start(channel);
        return;
    }
    pdma_part_release(channel);
    if (channel->stopping)
        transfer_finish(channel, -ECANCELED);
    else if (pdma_transfer_at_end(channel))
        transfer_finish(channel, 0);
    else if (!pace_used_up(channel))
        part_start(channel);
}

// How far it came is not known: the run counts for nothing.
static void run_fail(struct pdma_channel *channel)
{
    report("%s: channel %u: bus error\n", dma_engine_name(&channel->dma->engine), channel->number);
    pdma_part_release(channel);
    transfer_finish(channel, channel->stopping ? -ECANCELED : -EIO);
}

// Context: isr.
static bool pdma_interrupt(void *context)
{
    struct pdma_channel *channel = context;
    uint32_t ended = control_ended(channel);
    if (!ended)
        return false;
    // DONE, ERROR, RUN and the enables are cleared at once: a RUN that an error has left set, and
    // that was written back, would start the run again.
    control_write(channel, PDMA_CONTROL_CLAIM);
    if (!channel->running)
        return true; // Not of a run of ours: a boot loader's, or a debugger's.
    channel->running = false;
    if (ended & PDMA_CONTROL_ERROR)
        run_fail(channel);
    else
        run_end(channel);
    return true;
}

// --- The engine's operations ---

static struct pdma_channel *to_channel(struct dma_engine *engine, unsigned number)
{
    return &container_of(engine, struct pdma, engine)->channel[number];
}

static void pdma_start(struct dma_engine *engine, unsigned number, struct dma_transfer *transfer)
{
    struct pdma_channel *channel = to_channel(engine, number);
    assert(channel->transfer == NULL);
    control_write(channel, PDMA_CONTROL_CLAIM); // Whoever else uses the chip may have given it up.
    pdma_transfer_prepare(channel, transfer);
    part_start(channel);
}

// The last run is over, or one has failed: its interrupt will say so.
static bool transfer_over(const struct pdma_channel *channel)
{
    bool last = channel->part_moved + channel->run.size == channel->map.size &&
                pdma_transfer_at_end(channel);
    uint32_t ended = channel->running ? control_ended(channel) : 0;
    return (ended & PDMA_CONTROL_ERROR) != 0 || (ended != 0 && last);
}

static int pdma_terminate(struct dma_engine *engine, unsigned number)
{
    struct pdma_channel *channel = to_channel(engine, number);
    if (transfer_over(channel))
        return -EALREADY;
    channel->stopping = true;
    if (!channel->running)
        irq_defer(&channel->work);
    return 0;
}

// Context: isr.
static void parked_end(struct irq_work *work)
{
    transfer_finish(container_of(work, struct pdma_channel, work), -ECANCELED);
}

static void pdma_pace(struct dma_engine *engine, unsigned number)
{
    struct pdma_channel *channel = to_channel(engine, number);
    if (channel->running)
        channel->pace_early = true;
    else
        part_start(channel);
}

static const struct dma_engine_ops pdma_ops = {
    .start = pdma_start,
    .terminate = pdma_terminate,
    .pace = pdma_pace,
};

// --- Boot ---

// A channel needs both of its interrupts; those that the board does not list are left alone.
static unsigned channels_with_interrupts(const struct hardware *hardware)
{
    unsigned listed = 0;
    while (listed < PDMA_CHANNELS && hardware->irqs[2 * listed] != 0 &&
           hardware->irqs[2 * listed + 1] != 0)
        listed++;
    return listed;
}

// Whatever a boot loader has left is forgotten. A first CLAIM only claims on QEMU's model; with the
// second one it takes its interrupts back as well.
static void channels_reset(struct pdma *dma)
{
    for (unsigned i = 0; i < dma->channels; i++) {
        struct pdma_channel *channel = &dma->channel[i];
        channel->dma = dma;
        channel->number = i;
        channel->work.run = parked_end;
        control_write(channel, PDMA_CONTROL_CLAIM);
        control_write(channel, PDMA_CONTROL_CLAIM);
    }
}

// The most bytes of one run that NextBytes can hold, which is for the chip to say (WARL). Result:
// true when there is an answer.
static bool run_bytes_read(struct pdma *dma)
{
    const struct pdma_channel *channel = &dma->channel[0];
    size_t bytes = PDMA_PART_BYTES;
    while (bytes >= PDMA_TRANSACTION_BYTES) {
        next_write(channel, PDMA_NEXT_BYTES, bytes);
        if (read32(channel_register(channel, PDMA_NEXT_BYTES)) == bytes)
            break;
        bytes /= 2;
    }
    dma->run_bytes = bytes;
    return bytes >= PDMA_TRANSACTION_BYTES;
}

static int interrupts_install(struct pdma *dma, const struct hardware *hardware)
{
    struct dma_interrupt interrupts[2 * PDMA_CHANNELS];
    for (unsigned i = 0; i < 2 * dma->channels; i++)
        interrupts[i] = (struct dma_interrupt){ pdma_interrupt, &dma->channel[i / 2] };
    return dma_interrupts_install(hardware, interrupts, 2 * dma->channels);
}

static void capabilities_set(struct pdma *dma)
{
    struct dma_capabilities *can = &dma->capabilities;
    can->name = "PDMA";
    can->channels = dma->channels;
    can->address_mask = UINTPTR_MAX;
    can->fill = true;
    can->paced = true;
    can->residue = true;
    can->asynchronous = true;
    can->detects_bad_address = false; // On silicon it does; QEMU's model stays silent.
}

static int pdma_take(const struct hardware *hardware)
{
    if (instance_count == PDMA_INSTANCES)
        return -ENOMEM;
    struct pdma *dma = &instances[instance_count];
    dma->base = hardware->base;
    dma->engine.ops = &pdma_ops;
    dma->engine.hardware = hardware;
    dma->engine.capabilities = &dma->capabilities;
    dma->channels = channels_with_interrupts(hardware);
    if (dma->channels == 0)
        return -EINVAL;
    capabilities_set(dma);
    channels_reset(dma);
    if (!run_bytes_read(dma))
        return -ENODEV;
    int error = interrupts_install(dma, hardware);
    if (error)
        return error;
    instance_count++;
    dma_engine_register(&dma->engine);
    return 0;
}

const struct driver dma_sifive_pdma = { .start = pdma_take };
