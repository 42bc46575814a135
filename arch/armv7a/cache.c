// Cache maintenance by address to the point of coherency (ARM ARM B2.2.7): what DMA needs.
// Only the level-1 caches are in use. The PL310 level-2 cache of Zynq is off after reset and stays
// off: with it on, each range would have to go through its own registers as well.
#include "arch/cpu.h"

// The line size is a constant of the build: reading CTR here would cost more than a short range
// itself. Unrolled, since a buffer has thousands of lines: two instructions a line instead of four.
#define FOR_EACH_LINE(line, address, size)                                                      \
    _Pragma("GCC unroll 8") for (uintptr_t line = (address) & ~(uintptr_t)(CPU_CACHE_LINE - 1), \
                                 end = (address) + (size);                                      \
                                 line < end; line += CPU_CACHE_LINE)

void cache_clean(uintptr_t address, size_t size)
{
    FOR_EACH_LINE (line, address, size)
        __asm__ volatile("mcr p15, 0, %0, c7, c10, 1" ::"r"(line) : "memory"); // DCCMVAC
    // The barrier ends the maintenance before anything that follows it, a doorbell above all.
    __asm__ volatile("dsb" ::: "memory");
}

void cache_invalidate(uintptr_t address, size_t size)
{
    FOR_EACH_LINE (line, address, size)
        __asm__ volatile("mcr p15, 0, %0, c7, c6, 1" ::"r"(line) : "memory"); // DCIMVAC
    __asm__ volatile("dsb" ::: "memory");
}

void cache_clean_invalidate(uintptr_t address, size_t size)
{
    FOR_EACH_LINE (line, address, size)
        __asm__ volatile("mcr p15, 0, %0, c7, c14, 1" ::"r"(line) : "memory"); // DCCIMVAC
    __asm__ volatile("dsb" ::: "memory");
}
