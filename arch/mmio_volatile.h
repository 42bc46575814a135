// Register access where a volatile access is enough: the CPU or its memory map keeps accesses to
// registers in order.
#pragma once

#include <stdint.h>

static inline uint8_t read8(uintptr_t address)
{
    return *(volatile uint8_t *)address;
}
static inline uint16_t read16(uintptr_t address)
{
    return *(volatile uint16_t *)address;
}
static inline uint32_t read32(uintptr_t address)
{
    return *(volatile uint32_t *)address;
}
static inline void write8(uintptr_t address, uint8_t value)
{
    *(volatile uint8_t *)address = value;
}
static inline void write16(uintptr_t address, uint16_t value)
{
    *(volatile uint16_t *)address = value;
}
static inline void write32(uintptr_t address, uint32_t value)
{
    *(volatile uint32_t *)address = value;
}
