// Between dma.c, which checks, queues and completes transfers, and an engine's driver, which moves
// bytes.
#pragma once

#include "dma/dma.h"
#include "irq/irq.h"

// An engine's operations. All are called with interrupts masked.
struct dma_engine_ops {
    // Starts a transfer of at least one byte on a free channel. dma_transfer_done() follows exactly
    // once, never from inside start(), though an interrupt of the engine's may be pending before
    // start() has returned.
    void (*start)(struct dma_engine *engine, unsigned channel, struct dma_transfer *transfer);
    // Asks a running channel to stop. Result: 0: dma_transfer_done() follows with -ECANCELED once
    // the channel is quiet, never from inside; -EALREADY: the transfer has ended and its completion
    // is on the way.
    int (*terminate)(struct dma_engine *engine, unsigned channel);
    void (*pace)(struct dma_engine *engine, unsigned channel); // NULL where capabilities say so.
};

enum { DMA_CHANNELS = 8 }; // Of one engine, at most.

struct dma_engine {
    const struct dma_engine_ops *ops;
    const struct dma_capabilities *capabilities;
    const struct hardware *hardware;

    // dma.c's; zero before dma_engine_register().
    struct dma_transfer *running[DMA_CHANNELS];
    struct dma_transfer *head, *tail; // Waiting for a channel.
    struct dma_statistics statistics;
    struct dma_engine *next;
};

// Leaves the segments behind that are done or empty: segment is where a transfer goes on, offset
// bytes into it.
// Context: any.
static inline void dma_skip_finished(const struct dma_transfer *transfer, unsigned *segment,
                                     size_t *offset)
{
    while (*segment < transfer->segment_count && *offset == transfer->segments[*segment].size) {
        (*segment)++;
        *offset = 0;
    }
}

// Makes an engine known. Engines are offered in this order: the fastest one first.
// Context: boot.
void dma_engine_register(struct dma_engine *engine);

// A channel's transfer has ended with status; starts the next one that waits and calls done().
// Context: isr.
void dma_transfer_done(struct dma_engine *engine, unsigned channel, int status, size_t residue);

struct dma_interrupt {
    irq_handler *handler;
    void *context;
};

// Installs and enables the first count of hardware->irqs, in this order; all of them or none.
// Result: 0, or as irq_install().
// Context: boot.
int dma_interrupts_install(const struct hardware *hardware, const struct dma_interrupt *interrupts,
                           unsigned count);
