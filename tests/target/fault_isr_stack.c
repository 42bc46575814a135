// A handler that needs too much of the isr stack meets the guard below it, and the report says so.
// exit: 139
// stderr: the isr stack has overflowed.*, at isr level
#include "irq/clock.h"
#include "tests/tap.h"

static volatile unsigned deepest = 1u << 30; // More than any stack holds.

static unsigned overflow(unsigned depth)
{
    volatile char frame[512];
    frame[depth % sizeof frame] = 1;
    if (depth == deepest)
        return 0;
    return overflow(depth + 1) + (unsigned)frame[depth % sizeof frame];
}

static void overflow_here(struct timer *timer)
{
    (void)timer;
    overflow(0);
}

int main(void)
{
    static struct timer timer = { .expired = overflow_here };
    tap_plan(1);
    // Nobody could say it afterwards: the exit status and the report tell.
    tap_ok(true, "test_an_overflow_of_the_isr_stack_is_reported");
    fflush(stdout);
    timer_arm(&timer, clock_now_ns());
    for (volatile unsigned count = 0;; count++) {}
}
