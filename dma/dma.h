// DMA: copies and fills in memory that an engine does while the CPU computes.
//
// A transfer is queued on an engine, starts when a channel is free, and ends by the engine's
// interrupt. The caller owns the storage of the transfer and its segments; both are the engine's
// from dma_submit() until done().
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "arch/hardware.h"
#include "irq/irq.h"

enum dma_operation { DMA_COPY, DMA_FILL };

struct dma_segment {
    uintptr_t destination;
    uintptr_t source; // Of a copy; ignored by a fill.
    size_t size;      // Bytes, any number.
};

// ENDING: over without the engine (0 bytes, terminated while queued); done() is on its way to isr
// level.
enum dma_state { DMA_IDLE, DMA_QUEUED, DMA_RUNNING, DMA_TERMINATING, DMA_ENDING };

// Zeroed before its first use.
struct dma_transfer {
    // Set by the owner before dma_submit().
    enum dma_operation operation;
    uint8_t fill;        // The byte that a fill writes.
    bool kernel_buffers; // Its memory may be the kernel's own data.
    size_t pace_bytes;   // 0: as fast as it goes. Else it stops after each so many bytes
                         // until dma_pace().
    const struct dma_segment *segments; // Done in this order; no segment's source overlaps any
                                        // destination.
    unsigned segment_count;
    void (*done)(struct dma_transfer *); // isr level. The transfer may be submitted again from
                                         // inside.

    // Set when it is done.
    int status;     // 0, -EIO: the engine reported an error, -ECANCELED: terminated.
    size_t residue; // Bytes at its end not known to have been moved.

    // The engine's.
    enum dma_state state;
    size_t size; // Bytes of all segments.
    struct dma_engine *engine;
    unsigned channel;                     // While it runs.
    struct dma_transfer *next, *previous; // In the queue.
    struct irq_work work;                 // While it is ending.
};

struct dma_capabilities {
    const char *name;
    unsigned channels;      // Transfers that run at a time; more are queued.
    uintptr_t address_mask; // Bits of an address that the engine has.
    bool fill;              // Fills by itself (else -ENOTSUP).
    bool paced;             // Knows pace_bytes (else -ENOTSUP).
    // A terminated transfer's residue is exact where the transfer had stopped at its pace;
    // elsewhere, and where this is false, at most so much is missing.
    bool residue;
    bool asynchronous;        // The CPU is free meanwhile; false: the CPU copies, in slices.
    bool detects_bad_address; // An unmapped address ends in -EIO.
};

// Queues a transfer. It may be done before this returns. The transfer must be idle (asserted).
// A transfer of 0 bytes in all is fine and is done at once, by a software interrupt.
// Result: 0, or the reason why nothing happened: -EINVAL (no done, no segments, a bad operation,
// more bytes in all than a size_t counts), -ENOTSUP (not a capability of this engine), -EFAULT (a
// segment outside RAM, wrapping, beyond the address mask, over the kernel's data).
// Context: any.
int dma_submit(struct dma_engine *engine, struct dma_transfer *transfer);

// Gives up a transfer. Result: 0: done() follows with -ECANCELED and the residue, once the engine
// has let go of the memory; -EALREADY: it is done or its completion is on the way.
// Context: any.
int dma_terminate(struct dma_transfer *transfer);

// Lets a paced transfer go on for pace_bytes more. A call while it is still moving is remembered
// once.
// Result: 0, or -EINVAL when the transfer is not running or not paced.
// Context: any.
int dma_pace(struct dma_transfer *transfer);

// Context: any.
const struct dma_capabilities *dma_capabilities(const struct dma_engine *engine);

struct dma_statistics {
    uint32_t submitted, completed, failed, terminated;
    unsigned running, queued, queued_most;
    uint64_t bytes; // Known to have been moved.
};
// Context: any.
struct dma_statistics dma_statistics(const struct dma_engine *engine);

// The engine of that name, or with NULL the first one registered: the board's fastest. NULL when
// there is none.
// Context: any.
struct dma_engine *dma_engine_find(const char *name);
const char *dma_engine_name(const struct dma_engine *engine);
struct dma_engine *dma_engine_next(const struct dma_engine *engine); // NULL gives the first, and
                                                                     // ends the list.
