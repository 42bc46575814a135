// What floor, core and posix have in common, so that their figures can be compared: which blocks
// they read, in which order, and between which two reads they count.
//
// A round keeps `depth` reads of 4 KiB in flight: whoever is told that one has ended starts the
// next. After READS_BEFORE of them the span begins that is measured, READS_COUNTED later it ends;
// then no new ones are started, and the last of those in flight ends the round. In the span there
// is everything that the CPU does: starting, the interrupt, being told, and how main waits.
//
// Results are kept and printed when all rounds are over: what is printed costs interrupts too.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
    READ_BYTES = 4096,
    READ_BLOCKS = 2048, // Of a disk of 8 MiB or more.
    READ_DEPTHS = 4,
    READ_DEPTH_MOST = 256,
    READ_ROUNDS = 3,
    READ_RESULTS = READ_DEPTHS * READ_ROUNDS,
    READS_BEFORE = 512,
    READS_COUNTED = 1024,
};

static const unsigned read_depths[READ_DEPTHS] = { 1, 8, 64, READ_DEPTH_MOST };

struct read_result {
    unsigned depth, reads;
    uint32_t instructions, microseconds, interrupts; // For these reads.
};
#define READ_RESULT_FORMAT "read depth=%u reads=%u instructions=%u microseconds=%u interrupts=%u\n"
#define READ_RESULT_FIELDS(result)                                      \
    (result)->depth, (result)->reads, (unsigned)(result)->instructions, \
        (unsigned)(result)->microseconds, (unsigned)(result)->interrupts

static struct read_result read_results[READ_RESULTS];

static struct {
    struct read_result *result;
    int left;          // Reads until the next turn; not above 0 while no new ones are started.
    unsigned draining; // Reads that are still in flight then.
    enum { READS_WARM, READS_COUNT, READS_DRAIN, READS_OVER } stage;
    unsigned long seed;
    uint64_t begun_ns;
} reads = { .seed = 1 };

// A mark: what has been counted so far. Defined by the program.
struct read_mark {
    uint32_t instructions, interrupts;
    uint64_t ns;
};
static struct read_mark read_mark(void);

static inline bool reads_over(void)
{
    return *(volatile const typeof(reads.stage) *)&reads.stage == READS_OVER;
}

// Offset in bytes of the next read: any block of the disk.
static inline unsigned long reads_next_offset(void)
{
    reads.seed = reads.seed * 69069 + 1;
    return (reads.seed >> 16 & (READ_BLOCKS - 1)) * READ_BYTES;
}

static inline void reads_begin(unsigned round)
{
    unsigned depth = read_depths[round / READ_ROUNDS];
    reads.result = &read_results[round];
    reads.result->depth = depth;
    reads.result->reads = READS_COUNTED;
    reads.left = READS_BEFORE;
    reads.stage = READS_WARM;
}

// A stage is over: rare, and not part of the span.
static void reads_turn(void)
{
    struct read_result *result = reads.result;
    if (reads.stage == READS_WARM) {
        struct read_mark mark = read_mark();
        reads.begun_ns = mark.ns;
        result->instructions = mark.instructions;
        result->interrupts = mark.interrupts;
        reads.left = READS_COUNTED;
        reads.stage = READS_COUNT;
    } else if (reads.stage == READS_COUNT) {
        struct read_mark mark = read_mark();
        result->instructions = mark.instructions - result->instructions;
        result->interrupts = mark.interrupts - result->interrupts;
        result->microseconds = (uint32_t)(mark.ns - reads.begun_ns) / 1000;
        reads.draining = result->depth - 1;
        reads.stage = READS_DRAIN;
    } else {
        reads.draining--;
    }
    if (reads.stage == READS_DRAIN && reads.draining == 0)
        reads.stage = READS_OVER;
}

#ifndef READS_TURN
#define READS_TURN() reads_turn()
#endif

// A read has ended. Result: true: its place takes the next one.
static inline bool reads_another(void)
{
    if (__builtin_expect(--reads.left > 0, true))
        return true;
    READS_TURN();
    return reads.left > 0;
}
