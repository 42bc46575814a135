// Cache maintenance on RISC-V: harts without the Zicbom extension have no instructions for it, and
// the chips here need none: all bus masters of a PolarFire SoC reach its cached DDR window at
// 0x80000000 through the coherent level-2 cache (MSS Technical Reference Manual, "L2 Cache"), and a
// board says so of each (hardware->coherent). What is left of the contract is its barrier.
#include "arch/cpu.h"

void cache_clean(uintptr_t address, size_t size)
{
    (void)address;
    (void)size;
    barrier_full();
}

void cache_invalidate(uintptr_t address, size_t size)
{
    (void)address;
    (void)size;
    barrier_full();
}

void cache_clean_invalidate(uintptr_t address, size_t size)
{
    (void)address;
    (void)size;
    barrier_full();
}
