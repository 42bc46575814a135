// Access to device registers: one load or store each, never merged, never torn, in program order
// among themselves. Ordering against RAM is the caller's: barrier_publish() and barrier_consume()
// in arch/cpu.h. Host tests answer these calls with a fake chip.
#pragma once

#include <stdint.h>

#define BIT(n) (UINT32_C(1) << (n))

#include "mmio_arch.h"

// Context: any.
static inline uint8_t read8(uintptr_t address);
static inline uint16_t read16(uintptr_t address);
static inline uint32_t read32(uintptr_t address);
static inline void write8(uintptr_t address, uint8_t value);
static inline void write16(uintptr_t address, uint16_t value);
static inline void write32(uintptr_t address, uint32_t value);
