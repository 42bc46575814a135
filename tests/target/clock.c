// The clock and its timers on the real counter: order, never early, cancelling, many at once.
#include <stdlib.h>

#include "arch/cpu.h"
#include "irq/clock.h"
#include "tests/tap.h"

enum { TIMERS = 500 };

static struct timer timers[TIMERS];
static uint64_t expired_at[TIMERS];
static unsigned sequence[TIMERS];
static volatile unsigned expired_count;

static void on_expiry(struct timer *timer)
{
    unsigned i = (unsigned)(timer - timers);
    expired_at[i] = clock_now_ns();
    sequence[i] = expired_count++;
}

static void wait_until(uint64_t ns)
{
    while (clock_now_ns() < ns)
        ;
}

// The interrupt may come late: on a busy host QEMU's timers lag behind its clock. So it is waited
// for, not assumed; the suite's time-out is the limit.
static void wait_for(unsigned count)
{
    while (expired_count < count) {}
}

static void test_never_back(void)
{
    uint64_t before = clock_now_ns();
    bool right = true;
    for (int i = 0; i < 20000; i++) {
        uint64_t now = clock_now_ns();
        right &= now >= before;
        before = now;
    }
    tap_ok(right, "test_the_clock_never_goes_back");
}

// Spans from nothing to some milliseconds, so that every level up to the third of the wheel is
// used. However long the host takes meanwhile, all are in the future as the wheel sees it: it does
// not turn while interrupts are masked and it is not empty. Those that are past have no order.
static void test_many(void)
{
    static struct timer later;
    bool early = false, once = true, ordered = true;
    srand(1);
    irq_mask();
    timer_arm(&later, UINT64_MAX / 2);
    uint64_t begun = clock_now_ns(), last = begun;
    for (int i = 0; i < TIMERS; i++) {
        timers[i].expired = on_expiry;
        uint64_t at = begun + 1000000 + (uint64_t)(rand() % 20000) * 1000;
        if (at > last)
            last = at;
        timer_arm(&timers[i], at);
    }
    irq_unmask();
    wait_until(last);
    wait_for(TIMERS);
    timer_cancel(&later);
    for (int i = 0; i < TIMERS; i++) {
        once &= !timer_armed(&timers[i]) && expired_at[i] != 0;
        early |= expired_at[i] < timers[i].expires_ns;
        for (int k = 0; k < TIMERS; k += 7)
            if (timers[i].expires_ns + 2 * CLOCK_TICK_NS < timers[k].expires_ns)
                ordered &= sequence[i] < sequence[k];
    }
    tap_ok(once && expired_count == TIMERS, "test_every_timer_expires_once");
    tap_ok(!early, "test_no_timer_expires_early");
    tap_ok(ordered, "test_timers_expire_in_order");
}

static void test_cancel(void)
{
    expired_count = 0;
    uint64_t now = clock_now_ns();
    irq_mask(); // None expires in between, however long the host takes.
    timer_arm(&timers[0], now + 1000000);
    timer_arm(&timers[1], now + 1000000);
    bool first = timer_cancel(&timers[0]), second = timer_cancel(&timers[0]);
    irq_unmask();
    tap_ok(first, "test_cancelling_an_armed_timer_says_so");
    tap_ok(!second, "test_cancelling_it_again_says_no");
    wait_for(1);
    wait_until(now + 3000000);
    tap_equal(expired_count, 1, "test_a_cancelled_timer_does_not_expire");
}

static void test_move(void)
{
    expired_count = 0;
    uint64_t now = clock_now_ns();
    irq_mask();
    timer_arm(&timers[0], now + 1000000);
    timer_arm(&timers[0], now + 4000000);
    irq_unmask();
    wait_for(1);
    wait_until(now + 6000000);
    tap_ok(expired_count == 1 && expired_at[0] >= now + 4000000,
           "test_arming_an_armed_timer_moves_it");
}

static void test_past(void)
{
    expired_count = 0;
    timer_arm(&timers[0], 0);
    wait_for(1);
    tap_equal(expired_count, 1, "test_a_time_that_is_past_expires_at_once");
}

int main(void)
{
    tap_plan(9);
    test_never_back();
    test_many();
    test_cancel();
    test_move();
    test_past();
    return tap_done();
}
