// A fault in a timer's handler is reported as one at isr level.
// exit: 139
// stderr: cannot write 0x0+: null pointer.*, at isr level
#include "irq/clock.h"
#include "tests/tap.h"

static volatile uintptr_t null; // The compiler must not see what it is.

static void write_null(struct timer *timer)
{
    (void)timer;
    *(volatile int *)null = 1;
}

int main(void)
{
    static struct timer timer = { .expired = write_null };
    tap_plan(1);
    // Nobody could say it afterwards: the exit status and the report tell.
    tap_ok(true, "test_a_fault_at_isr_level_is_reported_as_such");
    fflush(stdout);
    timer_arm(&timer, clock_now_ns());
    for (volatile unsigned count = 0;; count++) {}
}
