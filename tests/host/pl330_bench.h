// The bench on which the PL330 driver is tested: a controller made of the model's channels, and all
// that the driver calls. Included by one suite at a time.
//
// The controller can be as quick as QEMU's (a program runs inside the write to DBGCMD) or as slow
// as silicon: the debug registers stay busy for a while, a channel runs when the test lets it, a
// kill takes effect when the test says so.
#pragma once

#include "dma/pl330.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "arch/report.h"
#include "tests/host/pl330_model.h"
#include "tests/tap.h"

extern const struct driver dma_pl330;

enum { BASE = 0x1000, CHANNELS = 8, SIZE = 40000 };

static uint8_t source[SIZE], expected[SIZE];
static _Alignas(64) uint8_t destination[SIZE];

// --- The chip ---

static struct model model;
static struct model_channel channels[CHANNELS];
static uint32_t dbginst[2], faults;
static bool slow;           // Channels run by let_run() only.
static unsigned busy_reads; // DBGSTATUS says busy so many times.
static unsigned kill_delay; // A killed channel reads as killing so many times.
static unsigned broken_rules;

// Registers have 32 bits; addresses on this computer have more. All that the controller sees lies
// near this array.
static inline uint8_t *memory(uint32_t address)
{
    uintptr_t anchor = (uintptr_t)source;
    return (uint8_t *)(anchor + (uintptr_t)(intptr_t)(int32_t)(address - (uint32_t)anchor));
}

static inline void let_run(unsigned n)
{
    model_run(&model, &channels[n]);
    if (channels[n].state == MODEL_FAULTING)
        faults |= 1u << n;
    broken_rules += model.complaint != NULL;
}

static inline void let_all_run(void)
{
    for (unsigned n = 0; n < CHANNELS; n++)
        let_run(n);
}

static inline void chip_kill(unsigned n)
{
    channels[n].state = MODEL_STOPPED;
    channels[n].fifo_used = 0;
    faults &= ~(1u << n);
}

static inline void chip_debug_command(void)
{
    unsigned opcode = dbginst[0] >> 16 & 0xff, operand = dbginst[0] >> 24,
             thread = dbginst[0] >> 8 & 7;
    if (opcode == 0xa0 && channels[operand].state == MODEL_STOPPED) { // On a channel that runs it
                                                                      // does nothing.
        channels[operand].pc = dbginst[1];
        channels[operand].state = MODEL_EXECUTING;
    } else if (opcode == 0x01 && dbginst[0] & 1) {
        chip_kill(thread);
    } else if (opcode == 0x34) {
        model_send(&model, operand >> 3);
    } else {
        broken_rules++;
    }
    if (!slow)
        let_all_run();
}

static inline uint32_t channel_state(unsigned n)
{
    if (kill_delay > 0 && channels[n].state == MODEL_STOPPED) {
        kill_delay--;
        return 8; // Killing.
    }
    return channels[n].state;
}

uint32_t fake_read(uintptr_t address, unsigned bytes)
{
    uintptr_t offset = address - BASE;
    broken_rules += bytes != 4;
    if (offset == PL330_CR0)
        return 15u << 17 | (CHANNELS - 1) << 4;
    if (offset == PL330_CRD)
        return 127u << 20 | 3;
    if (offset == PL330_INTMIS)
        return model.pending;
    if (offset == PL330_FSRC)
        return faults;
    if (offset == PL330_DBGSTATUS)
        return busy_reads > 0 && busy_reads-- > 0;
    if (offset >= PL330_FTR0 && offset < PL330_FTR0 + 4 * CHANNELS)
        return faults >> (offset - PL330_FTR0) / 4 & 1;
    if (offset >= PL330_CSR0 && offset < PL330_CSR0 + 8 * CHANNELS) {
        unsigned n = (unsigned)(offset - PL330_CSR0) / 8;
        return offset & 4 ? channels[n].pc : channel_state(n);
    }
    return 0;
}

void fake_write(uintptr_t address, unsigned bytes, uint32_t value)
{
    uintptr_t offset = address - BASE;
    broken_rules += bytes != 4;
    if (offset == PL330_INTEN)
        model.interrupts = value;
    else if (offset == PL330_INTCLR)
        model.pending &= ~value;
    else if (offset == PL330_DBGINST0)
        dbginst[0] = value;
    else if (offset == PL330_DBGINST1)
        dbginst[1] = value;
    else if (offset == PL330_DBGCMD)
        chip_debug_command();
    else
        broken_rules++;
}

// --- What the driver calls ---

static struct dma_engine *engine;
static unsigned registered;

void dma_engine_register(struct dma_engine *e)
{
    engine = e;
    registered++;
}

static int done_status[CHANNELS];
static size_t done_residue[CHANNELS];
static unsigned dones[CHANNELS];
static bool inside_start;

void dma_transfer_done(struct dma_engine *e, unsigned channel, int status, size_t residue)
{
    broken_rules += e != engine || inside_start || !fake_in_isr;
    done_status[channel] = status;
    done_residue[channel] = residue;
    dones[channel]++;
}

const char *dma_engine_name(const struct dma_engine *e)
{
    return e->hardware->name;
}

static struct {
    irq_handler *handler;
    void *context;
    bool enabled;
} lines[100];
static int refuse_irq = -1;

int irq_install(unsigned irq, const char *name, irq_handler *handler, void *context)
{
    (void)name;
    if ((int)irq == refuse_irq)
        return -EBUSY;
    lines[irq].handler = handler;
    lines[irq].context = context;
    return 0;
}

void irq_remove(unsigned irq)
{
    lines[irq].handler = NULL;
}

void irq_enable(unsigned irq)
{
    lines[irq].enabled = true;
}

static unsigned reports;

void report(const char *format, ...)
{
    (void)format;
    reports++;
}

static uint64_t now;
static struct timer *armed;

uint64_t clock_now_ns(void)
{
    return now;
}

void timer_arm(struct timer *timer, uint64_t expires_ns)
{
    broken_rules += armed && armed != timer;
    armed = timer;
    timer->expires_ns = expires_ns;
}

static inline bool timer_expires(void)
{
    struct timer *timer = armed;
    armed = NULL;
    if (timer) {
        now = timer->expires_ns > now ? timer->expires_ns : now;
        fake_in_isr = fake_irqs_masked = true;
        timer->expired(timer);
        fake_in_isr = fake_irqs_masked = false;
    }
    return timer != NULL;
}

static inline bool interrupt(unsigned irq)
{
    fake_in_isr = fake_irqs_masked = true;
    bool claimed = lines[irq].handler(lines[irq].context);
    fake_in_isr = fake_irqs_masked = false;
    return claimed;
}

static const struct hardware hardware = { .name = "dma0",
                                          .base = BASE,
                                          .irqs = { 45, 46, 47, 48, 49, 72, 73, 74, 75 } };

// Takes the interrupts that the chip raises, and the timer, until nothing is left. Result:
// interrupts taken.
static inline unsigned settle(void)
{
    unsigned taken = 0;
    for (bool any = true; any && taken < 10000;) {
        any = false;
        for (unsigned n = 0; n < CHANNELS; n++) {
            if (model.pending >> n & 1) {
                broken_rules += !interrupt(hardware.irqs[1 + n]);
                taken++;
                any = true;
            }
        }
        if (faults) {
            broken_rules += !interrupt(hardware.irqs[0]);
            taken++;
            any = true;
        }
        any |= timer_expires();
        if (slow)
            let_all_run();
        any |= model.pending != 0;
    }
    return taken;
}

// --- What happened, in order ---

enum { EVENTS = 400 };
static struct {
    enum fake_event event;
    uintptr_t address;
    uint64_t value;
} events[EVENTS];
static unsigned event_count;

void fake_event(enum fake_event event, uintptr_t address, uint64_t value)
{
    if (event_count < EVENTS) {
        events[event_count].event = event;
        events[event_count].address = address;
        events[event_count].value = value;
    }
    event_count++;
}

// The first event of this kind that touches address, from a place on; EVENTS if there is none.
static inline unsigned find(enum fake_event event, uintptr_t address, unsigned from)
{
    unsigned i = from;
    while (i < event_count && i < EVENTS) {
        bool sized = event == FAKE_CLEAN || event == FAKE_INVALIDATE ||
                     event == FAKE_CLEAN_INVALIDATE;
        if (events[i].event == event && address >= events[i].address &&
            address < events[i].address + (sized ? events[i].value : 1))
            return i;
        i++;
    }
    return EVENTS;
}

// --- Transfers ---

static struct dma_transfer transfer;
static struct dma_segment segments[12];

static inline void prepare(size_t to, size_t from, size_t size)
{
    memset(destination, 0xee, SIZE);
    memset(expected, 0xee, SIZE);
    memcpy(expected + to, source + from, size);
    segments[0] = (struct dma_segment){ (uintptr_t)destination + to, (uintptr_t)source + from,
                                        size };
    transfer = (struct dma_transfer){ .segments = segments, .segment_count = 1, .size = size };
    memset(dones, 0, sizeof dones);
    event_count = 0;
    slow = false;
}

static inline void start(unsigned channel)
{
    uint32_t flags = irq_save();
    inside_start = true;
    engine->ops->start(engine, channel, &transfer);
    inside_start = false;
    irq_restore(flags);
}

static inline int terminate(unsigned channel)
{
    uint32_t flags = irq_save();
    inside_start = true;
    int result = engine->ops->terminate(engine, channel);
    inside_start = false;
    irq_restore(flags);
    return result;
}

static inline void pace(unsigned channel)
{
    uint32_t flags = irq_save();
    engine->ops->pace(engine, channel);
    irq_restore(flags);
}

static inline bool done_well(unsigned channel)
{
    return dones[channel] == 1 && done_status[channel] == 0 && done_residue[channel] == 0 &&
           memcmp(destination, expected, SIZE) == 0;
}

enum { BIG = 3 * PL330_RUN_BYTES };
static uint8_t big_source[BIG];
static _Alignas(64) uint8_t big_destination[BIG];

static inline void prepare_big(size_t size)
{
    prepare(0, 0, 0);
    memset(big_source, (int)(size % 251), BIG);
    memset(big_destination, 0xee, BIG);
    segments[0] = (struct dma_segment){ (uintptr_t)big_destination + 3, (uintptr_t)big_source + 11,
                                        size };
    transfer.size = size;
}

// Result: true when the first size bytes have arrived and no more.
static inline bool big_arrived(size_t size)
{
    return memcmp(big_destination + 3, big_source, size) == 0 && big_destination[3 + size] == 0xee;
}

// Fills the sources and takes the controller into use. Result: as the driver's start().
static inline int bench_start(void)
{
    for (size_t i = 0; i < SIZE; i++)
        source[i] = (uint8_t)(i * 7 + i / 256 + 1);
    model.memory = memory;
    return dma_pl330.start(&hardware);
}
