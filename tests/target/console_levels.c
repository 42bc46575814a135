// printf from main and from callbacks at the same time: every line is whole. What comes out is TAP,
// so a torn or lost line is a missing or broken result, and fails the suite.
#include <stdio.h>

#include "irq/callback.h"
#include "irq/clock.h"
#include "tests/tap.h"

enum { RESULTS = 200, PERIOD_NS = 20000 };

static volatile unsigned from_main, from_callback;

// Without a number, since either level may be the next to print.
static void print_result(volatile unsigned *count, const char *name)
{
    printf("ok - %s\n", name);
    ++*count;
}

static void print_in_callback(struct callback *callback)
{
    (void)callback;
    if (from_callback < RESULTS)
        print_result(&from_callback, "test_console_line_of_a_callback_is_whole");
}

static struct callback callback = { .run = print_in_callback };
static struct timer timer;

static void tick(struct timer *expired)
{
    callback_post(&callback);
    if (from_callback < RESULTS)
        timer_arm(expired, clock_now_ns() + PERIOD_NS);
}

int main(void)
{
    tap_plan(2 * RESULTS + 1);
    timer.expired = tick;
    timer_arm(&timer, clock_now_ns() + PERIOD_NS);
    while (from_main < RESULTS)
        print_result(&from_main, "test_console_line_of_main_is_whole");
    while (from_callback < RESULTS) {}
    tap_count = from_main + from_callback;
    tap_ok(tap_count == 2 * RESULTS, "test_console_lines_of_both_levels_are_all_there");
    return tap_done();
}
