// Counting instructions on target: under `-icount shift=5` an instruction takes 32 ns of the
// machine's time, whatever the host does, and the clock is exact. (At shift=0 Zynq's timer resolves
// only ten instructions.)
#pragma once

#include <stdint.h>

#include "irq/clock.h"

enum { ICOUNT_SHIFT = 5 };

// Instructions between two readings of clock_ticks(), the second reading's own not counted.
static inline uint32_t instructions(uint32_t from, uint32_t to)
{
    uint64_t ns = clock_ticks_to_ns(to - from);
    return (uint32_t)((ns + (1u << ICOUNT_SHIFT) / 2) >> ICOUNT_SHIFT) - 1;
}
