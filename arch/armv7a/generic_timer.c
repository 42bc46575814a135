// The generic timer's coprocessor registers (ARM ARM B8.1 and, one by one, B4.1). A CPU without it,
// as the Cortex-A9, treats these instructions as undefined: only boards that have one link the
// driver.
#include "arch/generic_timer.h"

uint32_t generic_timer_frequency(void)
{
    uint32_t hz;
    __asm__ volatile("mrc p15, 0, %0, c14, c0, 0" : "=r"(hz)); // CNTFRQ
    return hz;
}

uint64_t generic_timer_count(void)
{
    // Without the barrier the counter may be read ahead of what comes before it (B8.1).
    uint64_t count;
    __asm__ volatile("isb\n\tmrrc p15, 1, %Q0, %R0, c14" : "=r"(count)::"memory"); // CNTVCT
    return count;
}

void generic_timer_set_comparator(uint64_t count)
{
    __asm__ volatile("mcrr p15, 3, %Q0, %R0, c14" ::"r"(count)); // CNTV_CVAL
}

uint32_t generic_timer_control(void)
{
    uint32_t control;
    __asm__ volatile("mrc p15, 0, %0, c14, c3, 1" : "=r"(control)); // CNTV_CTL
    return control;
}

void generic_timer_set_control(uint32_t control)
{
    __asm__ volatile("mcr p15, 0, %0, c14, c3, 1\n\tisb" ::"r"(control) : "memory"); // CNTV_CTL
}
