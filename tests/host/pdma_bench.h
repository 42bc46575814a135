// The PDMA's chip on the bench on which its driver is tested. Included by one suite at a time.
//
// The chip can be as quick as QEMU's (a run happens inside the write of RUN) or as slow as silicon:
// it happens when the test lets it. It is stricter than either: transactions must be aligned and
// fill the length, RUN and ERROR are cleared together, a run must not be disturbed.
#pragma once

#include "dma/sifive_pdma.h"

#include "tests/host/dma_bench.h"
#include "tests/host/fake/work.h"

extern const struct driver dma_sifive_pdma;

enum { BASE = 0x3000000, BIG = 3 * PDMA_PART_BYTES };

static struct chip_channel {
    uint32_t control, config;
    uint64_t bytes, destination, source;
    unsigned runs;
} chip[PDMA_CHANNELS];
static unsigned fail_in;                 // So many runs from now one ends in an error.
static uint64_t chip_limit = UINT64_MAX; // What NextBytes can hold.
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

static const struct hardware hardware = { .name = "dma0",
                                          .base = BASE,
                                          .irqs = { 5, 6, 7, 8, 9, 10, 11, 12 } };

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
        any = fake_run_one();
        for (unsigned n = 0; n < PDMA_CHANNELS; n++) {
            if (slow)
                let_run(n);
            unsigned line = raised(n);
            if (!line)
                continue;
            rule(fake_interrupt(hardware.irqs[2 * n + (line == 2)]), "an interrupt is not claimed");
            taken++;
            any = true;
        }
    }
    return taken;
}

// The first write of RUN to channel 0 from a place on.
static inline unsigned find_run(unsigned from)
{
    unsigned i = fake_log_find(FAKE_WRITE, BASE + PDMA_CONTROL, from);
    while (i < FAKE_LOG && !(fake_log.entries[i].value & PDMA_CONTROL_RUN))
        i = fake_log_find(FAKE_WRITE, BASE + PDMA_CONTROL, i + 1);
    return i;
}
