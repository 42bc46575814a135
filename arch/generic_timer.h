// The registers of ARM's generic timer (ARM ARM chapter B8), which lie in a coprocessor, not in
// memory: the virtual counter and its comparator. Kept by the architectures that have them.
#pragma once

#include <stdint.h>

// Bits of the control register, CNTV_CTL.
enum {
    CNTV_CTL_ENABLE = 1,
    CNTV_CTL_IMASK = 2,
    CNTV_CTL_ISTATUS = 4, // The counter has reached the comparator. Only read; true while enabled.
};

// CNTFRQ: ticks per second as the firmware has put them there; 0 where it has not.
// Context: any.
uint32_t generic_timer_frequency(void);

// CNTVCT, read after everything before the call.
// Context: any.
uint64_t generic_timer_count(void);

// CNTV_CVAL: the count from which on the timer's condition is met.
// Context: any.
void generic_timer_set_comparator(uint64_t count);

// CNTV_CTL. What is written holds when the call returns: an interrupt that it switches off is gone.
// Context: any.
uint32_t generic_timer_control(void);
void generic_timer_set_control(uint32_t control);
