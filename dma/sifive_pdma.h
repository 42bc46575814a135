// The SiFive Platform DMA engine as its driver sees it: registers, a channel's state. For
// dma/sifive_pdma.c and its tests only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/cpu.h"
#include "arch/mmio.h"
#include "dma/coherence.h"
#include "dma/engine.h"

// Registers of a channel (FU540-C000 manual 12.3). Those of Bytes, Destination and Source have 64
// bits, the low half first.
enum {
    PDMA_CONTROL = 0x000,
    PDMA_NEXT_CONFIG = 0x004,
    PDMA_NEXT_BYTES = 0x008,
    PDMA_NEXT_DESTINATION = 0x010,
    PDMA_NEXT_SOURCE = 0x018,
    PDMA_EXEC_BYTES = 0x108,

    PDMA_CHANNEL_STRIDE = 0x1000,
};

#define PDMA_CONTROL_CLAIM BIT(0)
#define PDMA_CONTROL_RUN BIT(1)
#define PDMA_CONTROL_DONE_IE BIT(14)
#define PDMA_CONTROL_ERROR_IE BIT(15)
#define PDMA_CONTROL_DONE BIT(30)
#define PDMA_CONTROL_ERROR BIT(31)

// The size of a transaction is 1 << wsize bytes written, 1 << rsize bytes read.
#define PDMA_CONFIG_WSIZE(log2) ((uint32_t)(log2) << 24)
#define PDMA_CONFIG_RSIZE(log2) ((uint32_t)(log2) << 28)

enum {
    PDMA_CHANNELS = 4,
    PDMA_TRANSACTION_BYTES = 64, // At most.
    // A run is at most so many transactions: bounds the time until a transfer that is given up
    // ends, since a run cannot be stopped.
    PDMA_RUN_TRANSACTIONS = 1024,
    // Mapped at a time. Bounds the cache maintenance that is done with interrupts masked.
    PDMA_PART_BYTES = PDMA_RUN_TRANSACTIONS * PDMA_TRANSACTION_BYTES,
    // A copy that is not longer is one run, though in smaller transactions than a run each for its
    // unaligned ends would allow: an interrupt costs more.
    PDMA_SHORT_BYTES = 256,
};

// What the engine does from one RUN to its interrupt.
struct pdma_run {
    uintptr_t destination, source;
    size_t size;
    unsigned transaction_log2;
};

struct pdma_channel {
    // What the engine reads and writes by itself lies in cache lines of its own.
    _Alignas(CPU_CACHE_LINE_MAX) uint8_t pattern[PDMA_TRANSACTION_BYTES];
    struct dma_bounce bounce;

    struct pdma *dma;
    unsigned number;
    struct irq_work work;          // Ends a transfer that is given up while it is parked.
    struct dma_transfer *transfer; // NULL: idle.
    unsigned segment;              // Where the next part begins:
    size_t offset;                 // segment and bytes into it.
    size_t until_pause;            // Bytes, of a paced transfer.
    size_t moved;                  // By the parts that have ended.

    // The part under way.
    struct dma_map map;
    uintptr_t source;    // Of its first byte.
    unsigned piece;      // Where the next run begins:
    size_t piece_offset; // piece of the map and bytes into it.
    size_t part_moved;

    // What a fill copies from: the pattern, then whatever it has filled itself. Begins at a
    // line.
    uintptr_t stock;
    size_t stock_size;

    struct pdma_run run;
    bool running;    // RUN was given and its interrupt has not been handled; else parked or idle.
    bool pace_early; // dma_pace() was called while it was still moving.
    bool stopping;   // The transfer ends with the run under way.
};

struct pdma {
    struct dma_engine engine; // First: the engine's operations get a pointer to it.
    struct dma_capabilities capabilities;
    uintptr_t base;
    unsigned channels;
    size_t run_bytes; // Of one run, at most; a power of two.
    struct pdma_channel channel[PDMA_CHANNELS];
};

// sifive_pdma_run.c: from a transfer to parts, from a part to runs.

// Prepares a channel for a transfer, before its first part.
void pdma_transfer_prepare(struct pdma_channel *channel, struct dma_transfer *transfer);
// True when no part is left to do.
bool pdma_transfer_at_end(const struct pdma_channel *channel);
// Maps the transfer's next part.
void pdma_part_prepare(struct pdma_channel *channel);
// Takes the part's buffers back, of which the runs that were counted have been moved.
void pdma_part_release(struct pdma_channel *channel);
// Cuts the part's next run.
void pdma_run_prepare(struct pdma_channel *channel);
// The run has moved its bytes.
void pdma_run_count(struct pdma_channel *channel);
