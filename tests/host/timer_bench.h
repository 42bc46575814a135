// The bench on which drivers of hardware timers are tested: what irq/clock.c is to them, and what
// alarms have in common. Included by one suite at a time.
#pragma once

#include "irq/clock.h"
#include "tests/host/fake/irq_lines.h"
#include "tests/tap.h"

static uint32_t clock_hz;
static unsigned alarms;
static uint64_t next_alarm; // Set by what expires; 0: nothing more.

void clock_init(uint32_t hz)
{
    clock_hz = hz;
}

void clock_alarm(void)
{
    alarms++;
    if (next_alarm != 0)
        clock_counter_set_alarm(next_alarm);
    else
        clock_counter_clear_alarm();
    next_alarm = 0;
}

// count is the model's counter; take() takes interrupts as long as there are any and says how many.
static inline void test_alarm(uint64_t *count, unsigned (*take)(void))
{
    *count = UINT64_C(0x1fffffff0);
    tap_ok(clock_counter() == *count && clock_counter_low() == 0xfffffff0,
           "test_counts_in_64_bits");
    clock_counter_set_alarm(*count + 32);
    alarms = 0;
    *count += 31;
    tap_equal(take(), 0, "test_alarm_is_not_early");
    ++*count;
    tap_ok(take() == 1 && alarms == 1, "test_alarm_comes_once");
    clock_counter_set_alarm(*count - 1);
    tap_equal(take(), 1, "test_alarm_in_the_past_comes_at_once");
    next_alarm = *count + 10;
    clock_counter_set_alarm(*count);
    take();
    *count += 10;
    tap_equal(take(), 1, "test_alarm_set_by_an_alarm_comes");
    clock_counter_set_alarm(*count + 5);
    clock_counter_clear_alarm();
    *count = UINT64_MAX - 1;
    tap_equal(take(), 0, "test_cleared_alarm_does_not_come");
}
