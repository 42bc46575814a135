// Counting instructions on target, in a suite that runs with `// icount: exact`: by the CPU's own
// counter where it has one. Where it has none (zynq), by the clock: at `-icount shift=5` an
// instruction takes 32 ns of the machine's time, whatever the host does, and a clock that resolves
// half of that is exact.
#pragma once

#include <stdint.h>

#include "arch/cpu.h"
#include "irq/clock.h"

enum { CLOCK_ICOUNT_SHIFT = 5 };

// A reading, for instructions() below.
static inline uint32_t count_now(void)
{
    uint32_t count = cpu_instructions();
    return count != 0 ? count : clock_ticks();
}

// Instructions between two readings. What the readings themselves cost is among them: the same
// number each time.
static inline uint32_t instructions(uint32_t from, uint32_t to)
{
    if (cpu_instructions() != 0)
        return to - from;
    uint64_t ns = clock_ticks_to_ns(to - from);
    return (uint32_t)((ns + (1u << CLOCK_ICOUNT_SHIFT) / 2) >> CLOCK_ICOUNT_SHIFT);
}
