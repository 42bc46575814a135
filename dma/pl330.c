// PL330 DMA engine: each channel runs a small program fetched from RAM (ARM DDI 0424, Zynq UG585
// chapter 9).
//
// Memory to memory. One transfer per channel, completed by the interrupt of the channel's own
// event: channel n ends its programs with event n, and a paced transfer waits for event channels +
// n. An error comes by the abort interrupt; DMAKILL makes the channel usable again.
//
// The manager is driven through the debug registers, which take one instruction at a time. What
// they cannot take yet (registers busy, or a channel that has sent its event but not reached its
// DMAEND) stays wanted and is given by a timer, so nothing here waits.
//
// Seen on QEMU's model (zynq): a whole program runs inside the write to DBGCMD, up to its end or a
// DMAWFE, and its interrupt is pending before start() returns. A bad address is silent, hence the
// checks in dma.c.

#include "dma/pl330.h"

#include <errno.h>

#include "arch/assert.h"
#include "arch/container.h"
#include "arch/report.h"

enum {
    IRQ_ABORT = 0,   // In hardware->irqs;
    IRQ_EVENT_0 = 1, // the others follow.
};

enum { PL330_INSTANCES = 1 };
static struct pl330 instances[PL330_INSTANCES];
static unsigned instance_count;

static struct pl330 *to_pl330(struct dma_engine *engine)
{
    return container_of(engine, struct pl330, engine);
}

static uint32_t channel_read(const struct pl330_channel *channel, uintptr_t first, uintptr_t stride)
{
    return read32(channel->dma->base + first + channel->number * stride);
}

static bool channel_stopped(const struct pl330_channel *channel)
{
    return PL330_CSR_STATE(channel_read(channel, PL330_CSR0, PL330_CSR_STRIDE)) ==
           PL330_STATE_STOPPED;
}

// The channel's program has come to its end and its interrupt has not been handled yet.
static bool event_pending(const struct pl330_channel *channel)
{
    return (read32(channel->dma->base + PL330_INTMIS) & BIT(channel->number)) != 0;
}

static void event_clear(const struct pl330_channel *channel)
{
    write32(channel->dma->base + PL330_INTCLR, BIT(channel->number));
}

// --- The debug registers ---

static void debug_execute(const struct pl330 *dma, uint32_t instruction0, uint32_t instruction1)
{
    write32(dma->base + PL330_DBGINST0, instruction0);
    write32(dma->base + PL330_DBGINST1, instruction1);
    write32(dma->base + PL330_DBGCMD, 0);
}

static bool debug_busy(const struct pl330 *dma)
{
    return (read32(dma->base + PL330_DBGSTATUS) & PL330_DBGSTATUS_BUSY) != 0;
}

static void channel_go(struct pl330_channel *channel)
{
    const struct pl330 *dma = channel->dma;
    unsigned opcode = PL330_DMAGO | (dma->port.nonsecure ? PL330_DMAGO_NONSECURE : 0u);
    channel->wanted &= ~(unsigned)PL330_WANT_GO;
    debug_execute(dma, PL330_DBGINST0_MANAGER | PL330_DBGINST0_BYTES(opcode, channel->number),
                  (uint32_t)(uintptr_t)channel->program);
}

static void channel_kill(struct pl330_channel *channel)
{
    channel->wanted = 0; // Whatever else was wanted was meant for the killed program.
    debug_execute(channel->dma,
                  PL330_DBGINST0_CHANNEL(channel->number) | PL330_DBGINST0_BYTES(PL330_DMAKILL, 0),
                  0);
}

static void channel_send_pace(struct pl330_channel *channel)
{
    unsigned event = pl330_pace_event(channel);
    channel->wanted &= ~(unsigned)PL330_WANT_SEV;
    debug_execute(
        channel->dma,
        PL330_DBGINST0_MANAGER | PL330_DBGINST0_BYTES(PL330_DMASEV, event << PL330_EVENT_SHIFT), 0);
}

// Gives the controller what is wanted of a channel, as far as it takes it. Result: true when
// nothing is left.
static bool channel_pump(struct pl330_channel *channel)
{
    while (channel->wanted) {
        if (debug_busy(channel->dma))
            return false;
        if (channel->wanted & PL330_WANT_KILL)
            channel_kill(channel);
        else if (!(channel->wanted & PL330_WANT_GO))
            channel_send_pace(channel);
        else if (channel_stopped(channel))
            channel_go(channel); // On a channel that has not stopped the manager would take it for
                                 // a DMANOP.
        else
            return false;
    }
    return true;
}

static void channel_want(struct pl330_channel *channel, enum pl330_wanted wanted)
{
    channel->wanted |= wanted;
    if (!channel_pump(channel))
        timer_arm(&channel->dma->poll, clock_now_ns() + PL330_POLL_NS);
}

// --- From run to run ---

static void run_start(struct pl330_channel *channel)
{
    pl330_run_prepare(channel);
    channel_want(channel, PL330_WANT_GO);
}

static void transfer_finish(struct pl330_channel *channel, int status)
{
    const struct dma_transfer *transfer = channel->transfer;
    channel->transfer = NULL;
    channel->killing = false;
    dma_transfer_done(&channel->dma->engine, channel->number, status,
                      transfer->size - channel->moved);
}

// The run under way has ended by itself.
static void run_end(struct pl330_channel *channel)
{
    bool drained = channel->draining;
    channel->draining = false;
    pl330_run_release(channel, channel->part_count);
    if (channel->stopping) {
        transfer_finish(channel, -ECANCELED);
    } else if (pl330_transfer_at_end(channel)) {
        transfer_finish(channel, 0);
    } else {
        run_start(channel);
        if (drained && channel->pace_early)
            channel_want(channel, PL330_WANT_SEV);
    }
}

// Stops the channel. The transfer ends with status once the controller says that it has stopped.
static void run_kill(struct pl330_channel *channel, int status)
{
    // A program that has not been started has moved nothing, whatever its predecessor left in the
    // program counter.
    bool started = !(channel->wanted & PL330_WANT_GO);
    channel->killing = true;
    channel->status = status;
    channel->parts_done = started ? pl330_run_parts_done(channel, channel_read(channel, PL330_CPC0,
                                                                               PL330_CSR_STRIDE))
                                  : 0;
    channel_want(channel, PL330_WANT_KILL);
}

static void run_killed(struct pl330_channel *channel)
{
    if (event_pending(channel)) {
        // It came to its end in the last moment. The event must not be taken for the next
        // transfer's.
        event_clear(channel);
        channel->parts_done = channel->part_count;
    }
    pl330_run_release(channel, channel->parts_done);
    transfer_finish(channel, channel->status);
}

// Context: isr.
static void poll(struct pl330 *dma)
{
    bool again = false;
    for (unsigned i = 0; i < dma->channels; i++) {
        struct pl330_channel *channel = &dma->channel[i];
        bool pumped = channel_pump(channel);
        if (pumped && channel->killing && channel_stopped(channel))
            run_killed(channel);
        again |= !pumped || channel->killing;
    }
    if (again)
        timer_arm(&dma->poll, clock_now_ns() + PL330_POLL_NS);
}

static void poll_expired(struct timer *timer)
{
    poll(container_of(timer, struct pl330, poll));
}

// --- The engine's operations ---

static void pl330_start(struct dma_engine *engine, unsigned number, struct dma_transfer *transfer)
{
    struct pl330_channel *channel = &to_pl330(engine)->channel[number];
    pl330_transfer_prepare(channel, transfer);
    run_start(channel);
}

static int pl330_terminate(struct dma_engine *engine, unsigned number)
{
    struct pl330_channel *channel = &to_pl330(engine)->channel[number];
    bool last = !channel->draining && pl330_transfer_at_end(channel);
    bool ended = event_pending(channel);
    if (channel->killing || (last && ended))
        return -EALREADY;
    channel->stopping = true;
    if (!ended) {
        run_kill(channel, -ECANCELED);
        timer_arm(&channel->dma->poll, clock_now_ns()); // At once, but at isr level.
    }
    return 0;
}

static void pl330_pace(struct dma_engine *engine, unsigned number)
{
    struct pl330_channel *channel = &to_pl330(engine)->channel[number];
    if (channel->draining)
        channel->pace_early = true; // Sent now, it would be drained.
    else
        channel_want(channel, PL330_WANT_SEV);
}

static const struct dma_engine_ops pl330_ops = {
    .start = pl330_start,
    .terminate = pl330_terminate,
    .pace = pl330_pace,
};

// --- Interrupts ---

static bool pl330_event(void *context)
{
    struct pl330_channel *channel = context;
    if (!event_pending(channel))
        return false;
    event_clear(channel);
    if (channel->transfer && !channel->killing)
        run_end(channel);
    else if (channel->transfer)
        channel->parts_done = channel->part_count; // The end came before the kill.
    return true;
}

static void channel_fault(struct pl330_channel *channel)
{
    report("%s: channel %u stopped by fault %08lx\n", dma_engine_name(&channel->dma->engine),
           channel->number, (unsigned long)channel_read(channel, PL330_FTR0, PL330_FTR_STRIDE));
    if (channel->transfer && !channel->killing)
        run_kill(channel, -EIO);
    else
        channel_want(channel, PL330_WANT_KILL); // The interrupt stays until then.
}

static void manager_fault(struct pl330 *dma)
{
    report("%s: manager stopped by fault %08lx\n", dma_engine_name(&dma->engine),
           (unsigned long)read32(dma->base + PL330_FTRD));
    if (!debug_busy(dma)) // Else the interrupt, which stays, brings us here again.
        debug_execute(dma, PL330_DBGINST0_MANAGER | PL330_DBGINST0_BYTES(PL330_DMAKILL, 0), 0);
}

static bool pl330_abort(void *context)
{
    struct pl330 *dma = context;
    uint32_t channels = read32(dma->base + PL330_FSRC);
    uint32_t manager = read32(dma->base + PL330_FSRD) & PL330_FSRD_MANAGER;
    for (unsigned i = 0; i < dma->channels; i++) {
        if (channels & BIT(i) && !(dma->channel[i].wanted & PL330_WANT_KILL))
            channel_fault(&dma->channel[i]);
    }
    if (manager)
        manager_fault(dma);
    poll(dma);
    return channels || manager;
}

// --- Boot ---

// Reads what this controller was built with.
static void configuration_read(struct pl330 *dma)
{
    uint32_t cr0 = read32(dma->base + PL330_CR0);
    uint32_t crd = read32(dma->base + PL330_CRD);
    unsigned events = PL330_CR0_EVENTS(cr0);
    unsigned channels = PL330_CR0_CHANNELS(cr0);

    // The widest beat of which a full burst fits into a channel's share of the FIFO: no load then
    // waits for another channel's store (DDI 0424 B.3: a FIFO that all have filled locks up).
    // QEMU's FIFO has as many bytes as this register says lines; that is enough, since its
    // channels take turns at their waits and ends only, where they hold nothing.
    unsigned width = PL330_CRD_WIDTH_BYTES(crd);
    unsigned fifo = PL330_CRD_FIFO_LINES(crd) * width;
    unsigned beat = width;
    while (beat > 1 && beat * PL330_BEATS * channels > fifo)
        beat /= 2;
    dma->port.beat_bytes = beat;
    dma->port.nonsecure = (read32(dma->base + PL330_DSR) & PL330_DSR_NONSECURE) != 0;
    dma->channels = channels < events ? channels : events;
    dma->capabilities.paced = events >= 2 * dma->channels;
}

// A channel needs an interrupt of its own; those that the board does not list are left alone.
static void channels_with_interrupts(struct pl330 *dma, const struct hardware *hardware)
{
    unsigned listed = 0;
    while (listed < dma->channels && hardware->irqs[IRQ_EVENT_0 + listed] != 0)
        listed++;
    dma->channels = listed;
}

// Whatever a boot loader has left: events are forgotten, channels that still run are killed before
// their first use.
static void channels_reset(struct pl330 *dma)
{
    write32(dma->base + PL330_INTEN, UINT32_MAX); // INTCLR works on events that are interrupts (DDI
                                                  // 0424 3.3.7).
    write32(dma->base + PL330_INTCLR, UINT32_MAX);
    write32(dma->base + PL330_INTEN, BIT(dma->channels) - 1);
    for (unsigned i = 0; i < dma->channels; i++) {
        struct pl330_channel *channel = &dma->channel[i];
        channel->dma = dma;
        channel->number = i;
        if (!channel_stopped(channel))
            channel_want(channel, PL330_WANT_KILL);
    }
}

static int interrupts_install(struct pl330 *dma, const struct hardware *hardware)
{
    struct dma_interrupt interrupts[HARDWARE_IRQS];
    interrupts[IRQ_ABORT] = (struct dma_interrupt){ pl330_abort, dma };
    for (unsigned i = 0; i < dma->channels; i++)
        interrupts[IRQ_EVENT_0 + i] = (struct dma_interrupt){ pl330_event, &dma->channel[i] };
    return dma_interrupts_install(hardware, interrupts, IRQ_EVENT_0 + dma->channels);
}

static void capabilities_set(struct pl330 *dma)
{
    struct dma_capabilities *can = &dma->capabilities; // paced is known from the configuration.
    can->name = "PL330";
    can->channels = dma->channels;
    can->address_mask = UINT32_MAX;
    can->fill = true;
    can->residue = true;
    can->asynchronous = true;
    can->detects_bad_address = false; // On silicon it does; QEMU's model stays silent.
}

static int pl330_take(const struct hardware *hardware)
{
    if (instance_count == PL330_INSTANCES)
        return -ENOMEM;
    struct pl330 *dma = &instances[instance_count];
    dma->base = hardware->base;
    dma->engine.ops = &pl330_ops;
    dma->engine.hardware = hardware;
    dma->engine.capabilities = &dma->capabilities;
    dma->poll.expired = poll_expired;
    configuration_read(dma);
    channels_with_interrupts(dma, hardware);
    if (dma->channels == 0)
        return -EINVAL;
    capabilities_set(dma);
    channels_reset(dma);
    int error = interrupts_install(dma, hardware);
    if (error)
        return error;
    instance_count++;
    dma_engine_register(&dma->engine);
    return 0;
}

const struct driver dma_pl330 = { .start = pl330_take };
