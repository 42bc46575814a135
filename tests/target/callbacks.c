// The callback level: when it is entered, that it never nests, that main goes on, and that neither
// level disturbs the other's registers, errno or streams.
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/cpu.h"
#include "irq/callback.h"
#include "irq/clock.h"
#include "tests/tap.h"

enum { ROUNDS = 3000, CALLBACKS_LEAST = 11 }; // Of main's computation, and meanwhile.

static volatile unsigned runs, depth, deepest;
static volatile bool stop;
static enum level seen_level;
static volatile bool seen_masked;

static void plain(struct callback *callback)
{
    (void)callback;
    seen_level = level_current();
    seen_masked = irq_masked();
    runs++;
}

static void spin(unsigned iterations)
{
    for (volatile unsigned i = 0; i < iterations; i++)
        ;
}

static void test_runs_at_once(void)
{
    static struct callback callback = { .run = plain };
    runs = 0;
    tap_equal(level_current(), LEVEL_MAIN, "test_main_runs_at_main_level");
    callback_post(&callback);
    spin(100);
    tap_equal(runs, 1, "test_a_posted_callback_preempts_main");
    tap_equal(seen_level, LEVEL_CALLBACK, "test_a_callback_runs_at_callback_level");
    tap_ok(!seen_masked, "test_a_callback_runs_with_interrupts_open");
}

static void test_held(void)
{
    static struct callback callback = { .run = plain };
    runs = 0;
    callbacks_hold();
    callbacks_hold();
    callback_post(&callback);
    callback_post(&callback);
    spin(1000);
    unsigned while_held = runs;
    callbacks_release();
    spin(1000);
    unsigned half_held = runs;
    callbacks_release();
    spin(100);
    tap_ok(while_held == 0 && half_held == 0, "test_no_callback_while_held");
    tap_equal(runs, 1, "test_a_held_callback_runs_on_the_last_release_and_once");
}

static struct callback nested[3];

static void nesting(struct callback *callback)
{
    if (++depth > deepest)
        deepest = depth;
    if (callback < &nested[2])
        callback_post(callback + 1);
    spin(2000);
    runs++;
    depth--;
}

static void test_never_nested(void)
{
    runs = depth = deepest = 0;
    for (int i = 0; i < 3; i++)
        nested[i].run = nesting;
    callback_post(&nested[0]);
    while (runs < 3) {}
    tap_ok(runs == 3 && deepest == 1, "test_callbacks_never_nest");
}

// Each callback posts itself again: without a budget main would not see another instruction.
static void flood(struct callback *callback)
{
    runs++;
    if (!stop)
        callback_post(callback);
}

// The timer that ends a pause may come late on a busy host: it is waited for, not assumed.
static void test_flood(void)
{
    static struct callback callback = { .run = flood };
    volatile unsigned progress = 0;
    unsigned pauses = callback_totals().pauses;
    runs = 0;
    stop = false;
    callback_post(&callback);
    while (progress < 100000 || callback_totals().pauses - pauses < 2)
        progress++;
    stop = true;
    spin(1000000);
    tap_note("%u callbacks while main counted to %u, %u pauses", runs, progress,
             (unsigned)(callback_totals().pauses - pauses));
    tap_ok(runs > CALLBACK_BUDGET && callback_totals().pauses - pauses > 1,
           "test_main_advances_under_a_flood_of_callbacks");
}

// Main that waits needs no share: what it waits for may be at the flood's end.
static void flood_1000(struct callback *callback)
{
    if (++runs < 1000)
        callback_post(callback);
}

static void test_flood_while_waiting(void)
{
    static struct callback callback = { .run = flood_1000 };
    unsigned looks = 0, pauses = callback_totals().pauses;
    runs = 0;
    uint32_t flags = irq_save();
    callback_post(&callback);
    for (; runs < 1000; looks++)
        level_sleep_locked();
    irq_restore(flags);
    tap_ok(runs == 1000 && callback_totals().pauses - pauses == 0,
           "test_a_waiting_main_does_not_slow_callbacks_down");
    tap_ok(looks >= 1000 / CALLBACK_BUDGET_WAITING, "test_and_looks_after_each_budget");
}

static struct timer tick;
static struct callback tick_callback;
static volatile unsigned ticks;
static double callback_sum;
static bool callback_failed;

static void tick_expired(struct timer *timer)
{
    (void)timer;
    callback_post(&tick_callback);
}

// Uses every kind of register, the heap, printf's doubles, errno.
static void tick_run(struct callback *callback)
{
    char text[40];
    (void)callback;
    callback_sum += sqrt((double)++ticks);
    snprintf(text, sizeof text, "%.6f", callback_sum);
    if (fabs(strtod(text, NULL) - callback_sum) > 1e-6)
        callback_failed = true;
    errno = ERANGE;
    char *memory = malloc(100 + ticks % 1000);
    if (!memory)
        callback_failed = true;
    else
        memset(memory, 0x55, 100);
    free(memory);
    if (ticks % 16 == 0)
        printf("# callback %u: sum %.3f\n", ticks, callback_sum);
    if (!stop)
        timer_arm(&tick, clock_now_ns() + 20000);
}

// Main computes with doubles, prints and allocates while callbacks do the same. It goes on until
// enough of them have come: on a busy host the timer may be late.
static void test_both_levels_compute(void)
{
    bool right = true, errno_kept = true;
    stop = false;
    tick.expired = tick_expired;
    tick_callback.run = tick_run;
    timer_arm(&tick, clock_now_ns() + 20000);
    for (int i = 1; i <= ROUNDS || (ticks < CALLBACKS_LEAST && i <= 1000 * ROUNDS); i++) {
        char text[64], expected[16];
        errno = EDOM;
        double a = (double)(i % ROUNDS) / 7.0, b = sqrt(a * a + 1.0), c = b * b - a * a;
        snprintf(text, sizeof text, "%.9f %d", c, i);
        snprintf(expected, sizeof expected, "1.00000000");
        right &= fabs(c - 1.0) < 1e-6 &&
                 (strncmp(text, "1.000000", 8) == 0 || strncmp(text, "0.999999", 8) == 0);
        char *memory = malloc((size_t)(i % 500) + 1);
        right &= memory != NULL;
        if (memory)
            memset(memory, 0xaa, (size_t)(i % 500) + 1);
        free(memory);
        errno_kept &= errno == EDOM;
        if (i <= ROUNDS && i % 500 == 0)
            printf("# main %d: %.6f\n", i, c);
    }
    stop = true;
    while (timer_armed(&tick))
        clock_now_ns(); // The compiler must look at the timer again.
    tap_note("%u callbacks meanwhile", ticks);
    tap_ok(right && ticks >= CALLBACKS_LEAST,
           "test_main_computes_right_while_callbacks_use_floating_point");
    tap_ok(!callback_failed, "test_callbacks_print_doubles_and_allocate");
    tap_ok(errno_kept, "test_errno_of_main_is_not_the_callbacks");
}

int main(void)
{
    tap_plan(13);
    test_runs_at_once();
    test_held();
    test_never_nested();
    test_flood();
    test_flood_while_waiting();
    test_both_levels_compute();
    return tap_done();
}
