// Registers for host tests: each access is reported, then answered by the test's chip model.
#pragma once

#include <stdint.h>

#include "cpu_arch.h"

// The chip model of the test: bytes is 1, 2 or 4.
uint32_t fake_read(uintptr_t address, unsigned bytes);
void fake_write(uintptr_t address, unsigned bytes, uint32_t value);

static inline uint32_t fake_read_reported(uintptr_t address, unsigned bytes)
{
    uint32_t value = fake_read(address, bytes);
    fake_event(FAKE_READ, address, value);
    return value;
}
static inline void fake_write_reported(uintptr_t address, unsigned bytes, uint32_t value)
{
    fake_event(FAKE_WRITE, address, value);
    fake_write(address, bytes, value);
}
static inline uint8_t read8(uintptr_t a)
{
    return (uint8_t)fake_read_reported(a, 1);
}
static inline uint16_t read16(uintptr_t a)
{
    return (uint16_t)fake_read_reported(a, 2);
}
static inline uint32_t read32(uintptr_t a)
{
    return fake_read_reported(a, 4);
}
static inline void write8(uintptr_t a, uint8_t v)
{
    fake_write_reported(a, 1, v);
}
static inline void write16(uintptr_t a, uint16_t v)
{
    fake_write_reported(a, 2, v);
}
static inline void write32(uintptr_t a, uint32_t v)
{
    fake_write_reported(a, 4, v);
}
