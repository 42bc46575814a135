// The bench on which the PDMA driver is tested: a model of the chip, and all that the driver calls.
// Included by one suite at a time.
//
// The chip can be as quick as QEMU's (a run happens inside the write of RUN) or as slow as silicon:
// it happens when the test lets it. It is stricter than either: transactions must be aligned and
// fill the length, RUN and ERROR are cleared together, a run must not be disturbed.
#pragma once

#include "dma/sifive_pdma.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "arch/report.h"
#include "tests/tap.h"

extern const struct driver dma_sifive_pdma;

enum { BASE = 0x3000000, SIZE = 40000 };

static uint8_t source[SIZE], expected[SIZE];
static _Alignas(64) uint8_t destination[SIZE];

static const char *complaint; // The first rule that was broken.

static inline void rule(bool kept, const char *broken)
{
    if (!kept && !complaint)
        complaint = broken;
}

// --- The chip ---

static struct chip_channel {
    uint32_t control, config;
    uint64_t bytes, destination, source;
    unsigned runs;
} chip[PDMA_CHANNELS];
static bool slow;                        // Runs happen by let_run() only.
static unsigned fail_in;                 // So many runs from now one ends in an error.
static uint64_t chip_limit = UINT64_MAX; // What NextBytes can hold.
static uint64_t chip_moved;              // Bytes of all runs.
static unsigned chip_transactions;       // Of the last run.

static inline void chip_check(const struct chip_channel *c)
{
    unsigned wsize = c->config >> 24 & 0xf, rsize = c->config >> 28;
    uint64_t mask = (UINT64_C(1) << wsize) - 1;
    rule(wsize == rsize && wsize <= 6, "wsize and rsize differ or are too large");
    rule(((c->destination | c->source | c->bytes) & mask) == 0, "a transaction is not aligned");
    rule(c->bytes > 0 && c->bytes <= chip_limit, "a run is empty or too long");
    rule(c->destination >= c->source + c->bytes || c->source >= c->destination + c->bytes,
         "a run overlaps itself");
}

static inline void let_run(unsigned n)
{
    struct chip_channel *c = &chip[n];
    if (!(c->control & PDMA_CONTROL_RUN) || c->control & PDMA_CONTROL_ERROR)
        return;
    c->runs++;
    chip_check(c);
    if (fail_in > 0 && --fail_in == 0) {
        c->control |= PDMA_CONTROL_ERROR; // And RUN stays.
        return;
    }
    memcpy((void *)(uintptr_t)c->destination, (const void *)(uintptr_t)c->source, c->bytes);
    chip_moved += c->bytes;
    chip_transactions = (unsigned)(c->bytes >> (c->config >> 28));
    c->control = (c->control & ~PDMA_CONTROL_RUN) | PDMA_CONTROL_DONE;
}

static inline void control_write(unsigned n, uint32_t value)
{
    struct chip_channel *c = &chip[n];
    bool claimed = c->control & PDMA_CONTROL_CLAIM;
    bool runs = c->control & PDMA_CONTROL_RUN && !(c->control & PDMA_CONTROL_ERROR);
    rule(!runs, "the control register is written while the channel runs");
    if (c->control & PDMA_CONTROL_ERROR)
        rule(!(value & (PDMA_CONTROL_ERROR | PDMA_CONTROL_RUN)),
             "RUN and ERROR are not cleared together");
    rule(claimed || !(value & PDMA_CONTROL_RUN), "RUN without CLAIM");
    if (!claimed && value & PDMA_CONTROL_CLAIM)
        c->config = c->bytes = c->destination = c->source = 0;
    c->control = value;
    if (!slow)
        let_run(n);
}

static inline uint64_t *chip_wide(struct chip_channel *c, uintptr_t offset)
{
    return offset == PDMA_NEXT_BYTES         ? &c->bytes
           : offset == PDMA_NEXT_DESTINATION ? &c->destination
           : offset == PDMA_NEXT_SOURCE      ? &c->source
                                             : NULL;
}

uint32_t fake_read(uintptr_t address, unsigned bytes)
{
    unsigned n = (unsigned)(address - BASE) / PDMA_CHANNEL_STRIDE;
    uintptr_t offset = (address - BASE) % PDMA_CHANNEL_STRIDE;
    rule(bytes == 4 && n < PDMA_CHANNELS, "no such register");
    if (offset == PDMA_CONTROL)
        return chip[n].control;
    const uint64_t *wide = chip_wide(&chip[n], offset & ~(uintptr_t)4);
    rule(wide != NULL, "a read of no register");
    return wide ? (uint32_t)(*wide >> (offset & 4 ? 32 : 0)) : 0;
}

void fake_write(uintptr_t address, unsigned bytes, uint32_t value)
{
    unsigned n = (unsigned)(address - BASE) / PDMA_CHANNEL_STRIDE;
    uintptr_t offset = (address - BASE) % PDMA_CHANNEL_STRIDE;
    rule(bytes == 4 && n < PDMA_CHANNELS, "no such register");
    if (offset == PDMA_CONTROL) {
        control_write(n, value);
        return;
    }
    rule(chip[n].control & PDMA_CONTROL_CLAIM, "a channel is written to that was not claimed");
    if (offset == PDMA_NEXT_CONFIG) {
        chip[n].config = value;
        return;
    }
    uint64_t *wide = chip_wide(&chip[n], offset & ~(uintptr_t)4);
    rule(wide != NULL, "a write of no register");
    unsigned shift = offset & 4 ? 32 : 0;
    if (!wide)
        return;
    *wide = (*wide & ~(UINT64_C(0xffffffff) << shift)) | (uint64_t)value << shift;
    if (wide == &chip[n].bytes && *wide > chip_limit)
        *wide = 0; // An illegal value; what is read is legal.
}

// --- What the driver calls ---

static struct dma_engine *engine;
static unsigned registered;

void dma_engine_register(struct dma_engine *e)
{
    engine = e;
    registered++;
}

static int done_status[PDMA_CHANNELS];
static size_t done_residue[PDMA_CHANNELS];
static unsigned dones[PDMA_CHANNELS];
static struct dma_transfer *waiting; // Started on the channel that becomes free.

void dma_transfer_done(struct dma_engine *e, unsigned channel, int status, size_t residue)
{
    rule(e == engine && fake_in_isr, "the end is told at a wrong level");
    done_status[channel] = status;
    done_residue[channel] = residue;
    dones[channel]++;
    struct dma_transfer *next = waiting;
    waiting = NULL;
    if (next)
        engine->ops->start(engine, channel, next);
}

const char *dma_engine_name(const struct dma_engine *e)
{
    return e->hardware->name;
}

static struct {
    irq_handler *handler;
    void *context;
    bool enabled;
} lines[20];
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

static struct irq_work *deferred;

void irq_defer(struct irq_work *work)
{
    rule(deferred == NULL, "work is deferred that waits already");
    deferred = work;
}

static const struct hardware hardware = { .name = "dma0",
                                          .base = BASE,
                                          .irqs = { 5, 6, 7, 8, 9, 10, 11, 12 } };

static inline bool interrupt(unsigned irq)
{
    fake_in_isr = fake_irqs_masked = true;
    bool claimed = lines[irq].handler(lines[irq].context);
    fake_in_isr = fake_irqs_masked = false;
    return claimed;
}

static inline void software_interrupt(void)
{
    struct irq_work *work = deferred;
    deferred = NULL;
    fake_in_isr = true;
    work->run(work);
    fake_in_isr = false;
}

// Bit 0: channel n's done interrupt is raised, bit 1: its error interrupt.
static inline unsigned raised(unsigned n)
{
    uint32_t enabled = chip[n].control << 16; // DONE and ERROR are 16 bits above their enables.
    return (chip[n].control & enabled & (PDMA_CONTROL_DONE | PDMA_CONTROL_ERROR)) >> 30;
}

// Takes interrupts until none is left. Result: those of the chip.
static inline unsigned settle(void)
{
    unsigned taken = 0;
    for (bool any = true; any && taken < 100000;) {
        any = deferred != NULL;
        if (any)
            software_interrupt();
        for (unsigned n = 0; n < PDMA_CHANNELS; n++) {
            if (slow)
                let_run(n);
            unsigned line = raised(n);
            if (!line)
                continue;
            rule(interrupt(hardware.irqs[2 * n + (line == 2)]), "an interrupt is not claimed");
            taken++;
            any = true;
        }
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
    for (unsigned i = from; i < event_count && i < EVENTS; i++) {
        uint64_t size = event == FAKE_WRITE || event == FAKE_PUBLISH || event == FAKE_CONSUME
                            ? 1
                            : events[i].value;
        if (events[i].event == event && address - events[i].address < size)
            return i;
    }
    return EVENTS;
}

// The first write of RUN to channel 0 from a place on.
static inline unsigned find_run(unsigned from)
{
    unsigned i = find(FAKE_WRITE, BASE + PDMA_CONTROL, from);
    while (i < EVENTS && !(events[i].value & PDMA_CONTROL_RUN))
        i = find(FAKE_WRITE, BASE + PDMA_CONTROL, i + 1);
    return i;
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
    chip_moved = 0;
    slow = false;
}

static inline void prepare_fill(size_t to, uint8_t byte, size_t size)
{
    prepare(to, 0, size);
    transfer.operation = DMA_FILL;
    transfer.fill = byte;
    segments[0].source = 1; // Ignored.
    memset(expected + to, byte, size);
}

static inline unsigned done_count(void)
{
    return dones[0] + dones[1] + dones[2] + dones[3];
}

static inline void start(unsigned channel)
{
    unsigned before = done_count();
    engine->ops->start(engine, channel, &transfer);
    rule(done_count() == before, "start() tells the end itself");
}

static inline int terminate(unsigned channel)
{
    unsigned before = done_count();
    int result = engine->ops->terminate(engine, channel);
    rule(done_count() == before, "terminate() tells the end itself");
    return result;
}

static inline void pace(unsigned channel)
{
    engine->ops->pace(engine, channel);
}

static inline bool done_well(unsigned channel)
{
    return dones[channel] == 1 && done_status[channel] == 0 && done_residue[channel] == 0 &&
           memcmp(destination, expected, SIZE) == 0;
}

// The first moved bytes have arrived and no more; the residue says so.
static inline bool given_up(unsigned channel, int status, size_t to, size_t moved)
{
    memset(expected + to + moved, 0xee, SIZE - to - moved);
    return dones[channel] == 1 && done_status[channel] == status &&
           done_residue[channel] == transfer.size - moved &&
           memcmp(destination, expected, SIZE) == 0;
}

enum { BIG = 3 * PDMA_PART_BYTES };
static _Alignas(64) uint8_t big_source[BIG + 64];
static _Alignas(64) uint8_t big_destination[BIG + 64];

static inline void prepare_big(size_t to, size_t from, size_t size)
{
    prepare(0, 0, 0);
    for (size_t i = 0; i < sizeof big_source; i++)
        big_source[i] = (uint8_t)(i * 13 + i / 251);
    memset(big_destination, 0xee, sizeof big_destination);
    segments[0] = (struct dma_segment){ (uintptr_t)big_destination + to,
                                        (uintptr_t)big_source + from, size };
    transfer.size = size;
}

// Result: true when the first size bytes have arrived and no more.
static inline bool big_arrived(size_t to, size_t from, size_t size)
{
    return memcmp(big_destination + to, big_source + from, size) == 0 &&
           big_destination[to + size] == 0xee && (to == 0 || big_destination[to - 1] == 0xee);
}

// Fills the sources and takes the chip into use. Result: as the driver's start().
static inline int bench_start(void)
{
    for (size_t i = 0; i < SIZE; i++)
        source[i] = (uint8_t)(i * 7 + i / 256 + 1);
    return dma_sifive_pdma.start(&hardware);
}
