// What the DMA suites share: each of them runs on every engine that the board has, and on the CPU's
// own copy.
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "arch/cpu.h"
#include "dma/dma.h"
#include "irq/callback.h"
#include "tests/tap.h"

extern const struct driver dma_cpu_copy;

static struct dma_engine *engine; // The one under test.

// The claim together with the engine that it was tested on.
static inline const char *claim(const char *name)
{
    static char text[160];
    snprintf(text, sizeof text, "%s (%s)", name, dma_engine_name(engine));
    return text;
}

// Runs the tests once on each engine. Result: the suite's exit status.
static inline int on_every_engine(void (*tests)(void), unsigned count)
{
    static const struct hardware copy = { .name = "cpu_copy", .driver = &dma_cpu_copy };
    unsigned engines = 0;
    dma_cpu_copy.start(&copy); // A board without a DMA controller has started it already, under its
                               // own name.
    for (engine = dma_engine_next(NULL); engine; engine = dma_engine_next(engine))
        engines++;
    tap_plan(engines * count);
    for (engine = dma_engine_next(NULL); engine; engine = dma_engine_next(engine))
        tests();
    return tap_done();
}

static volatile unsigned dones;       // Transfers that have ended,
static volatile unsigned outside_isr; // and how many of them at a wrong level.

static inline void count_done(struct dma_transfer *transfer)
{
    (void)transfer;
    outside_isr += level_current() != LEVEL_ISR;
    dones++;
}

// Sleeps until count transfers have ended.
static inline void wait_for_dones(unsigned count)
{
    uint32_t flags = irq_save();
    while (dones < count)
        level_sleep_locked();
    irq_restore(flags);
}

// Submits a transfer and waits for its end. Result: as dma_submit(), or the transfer's status.
static inline int run(struct dma_transfer *transfer)
{
    dones = 0;
    transfer->done = count_done;
    int error = dma_submit(engine, transfer);
    if (error)
        return error;
    wait_for_dones(1);
    return transfer->status;
}
