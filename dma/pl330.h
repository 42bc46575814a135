// The PL330 as its driver sees it: registers, a channel's state. For dma/pl330*.c and their host
// tests only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/cpu.h"
#include "arch/mmio.h"
#include "dma/coherence.h"
#include "dma/engine.h"
#include "dma/pl330_program.h"
#include "irq/clock.h"

// Registers (ARM DDI 0424, chapter 3).
enum {
    PL330_DSR = 0x000,
    PL330_INTEN = 0x020,
    PL330_INTMIS = 0x028,
    PL330_INTCLR = 0x02c,
    PL330_FSRD = 0x030,
    PL330_FSRC = 0x034,
    PL330_FTRD = 0x038,
    PL330_FTR0 = 0x040,
    PL330_CSR0 = 0x100,
    PL330_CPC0 = 0x104,
    PL330_DBGSTATUS = 0xd00,
    PL330_DBGCMD = 0xd04,
    PL330_DBGINST0 = 0xd08,
    PL330_DBGINST1 = 0xd0c,
    PL330_CR0 = 0xe00,
    PL330_CRD = 0xe14,

    PL330_FTR_STRIDE = 4, // From channel to channel.
    PL330_CSR_STRIDE = 8, // Of CSR and CPC.
};

#define PL330_DSR_NONSECURE BIT(9)
#define PL330_FSRD_MANAGER BIT(0)
#define PL330_CSR_STATE(csr) ((csr)&0xf)
#define PL330_DBGSTATUS_BUSY BIT(0)
#define PL330_CR0_CHANNELS(cr0) (((cr0) >> 4 & 0x7) + 1)
#define PL330_CR0_EVENTS(cr0) (((cr0) >> 17 & 0x1f) + 1)
#define PL330_CRD_WIDTH_BYTES(crd) (1u << ((crd)&0x7)) // 2: 32 bits, 3: 64, 4: 128
#define PL330_CRD_FIFO_LINES(crd) (((crd) >> 20 & 0x3ff) + 1)

enum { PL330_STATE_STOPPED = 0 };

// DBGINST0 (DDI 0424 3.3.21): whose instruction, and its first two bytes.
#define PL330_DBGINST0_CHANNEL(channel) (BIT(0) | (uint32_t)(channel) << 8)
#define PL330_DBGINST0_MANAGER 0u
#define PL330_DBGINST0_BYTES(first, second) ((uint32_t)(first) << 16 | (uint32_t)(second) << 24)

// The instructions that the debug registers take.
enum {
    PL330_DMAKILL = 0x01,
    PL330_DMASEV = 0x34,
    PL330_DMAGO = 0xa0,
    PL330_DMAGO_NONSECURE = 0x02,
    PL330_EVENT_SHIFT = 3,
};

enum {
    // A program does so many parts; each part is mapped on its own, with its own bounce lines.
    PL330_PARTS = 8,
    // Bytes moved by one program. Bounds the cache maintenance that is done with interrupts masked.
    PL330_RUN_BYTES = 256 * 1024,
    PL330_PROGRAM_BYTES = 3072,
    PL330_POLL_NS = 10000,
};

// A piece of a segment: ends with it, with the run, or where the transfer has to pause.
struct pl330_part {
    struct dma_map map;
    bool pauses;
    size_t pause_offset; // In the program: of the waiting instruction.
};

// What still has to be given to the debug registers for a channel.
enum pl330_wanted { PL330_WANT_KILL = 1, PL330_WANT_GO = 2, PL330_WANT_SEV = 4 };

struct pl330_channel {
    // What the controller reads and writes by itself lies in cache lines of its own.
    _Alignas(CPU_CACHE_LINE_MAX) uint8_t program[PL330_PROGRAM_BYTES];
    _Alignas(CPU_CACHE_LINE_MAX) uint8_t pattern[CPU_CACHE_LINE_MAX];
    struct dma_bounce bounce[PL330_PARTS];

    struct pl330 *dma;
    unsigned number;
    unsigned wanted;               // enum pl330_wanted.
    struct dma_transfer *transfer; // NULL: idle.
    unsigned segment;              // Where the next run goes on:
    size_t offset;                 // segment and bytes into it.
    size_t until_pause;            // Bytes, of a paced transfer.
    size_t moved;                  // By the runs that have ended.
    unsigned part_count;           // Of the run that is under way.
    struct pl330_part parts[PL330_PARTS];

    bool draining;       // The run under way only removes a stale pace event.
    bool pace_early;     // dma_pace() was called meanwhile.
    bool stopping;       // The transfer ends with the run under way, or
    bool killing;        // as soon as the channel has stopped,
    int status;          // with this status.
    unsigned parts_done; // Known to be in memory when the channel was killed.
};

struct pl330 {
    struct dma_engine engine; // First: the engine's operations get a pointer to it.
    struct dma_capabilities capabilities;
    uintptr_t base;
    struct pl330_port port;
    unsigned channels;
    struct timer poll; // While a channel is being killed or the debug registers are busy.
    struct pl330_channel channel[DMA_CHANNELS];
};

// pl330_run.c: from a transfer to programs.

// Prepares a channel for a transfer, before its first run.
void pl330_transfer_prepare(struct pl330_channel *channel, struct dma_transfer *transfer);
// True when no run is left to do.
bool pl330_transfer_at_end(const struct pl330_channel *channel);
// Writes the next run's program and hands program and buffers over to the controller.
void pl330_run_prepare(struct pl330_channel *channel);
// Parts of the run under way that are known to be in memory, from the channel's program counter.
unsigned pl330_run_parts_done(const struct pl330_channel *channel, uint32_t counter);
// Takes the buffers back of which the first parts_done parts have been moved.
void pl330_run_release(struct pl330_channel *channel, unsigned parts_done);

static inline unsigned pl330_pace_event(const struct pl330_channel *channel)
{
    return channel->dma->channels + channel->number;
}
