// A 64-bit counter that is read in halves of 32 bits.
#pragma once

#include <stdint.h>

#include "arch/mmio.h"

// Reads it high, low, high: a carry in between shows as a changed high half (ARM DDI 0407, 4.3.1;
// RISC-V Privileged Architecture, 3.2.1).
// Context: any.
static inline uint64_t split_counter_read(uintptr_t low_register, uintptr_t high_register)
{
    uint32_t high = read32(high_register);
    for (;;) {
        uint32_t low = read32(low_register);
        uint32_t again = read32(high_register);
        if (again == high)
            return (uint64_t)high << 32 | low;
        high = again;
    }
}
