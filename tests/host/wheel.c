// The timer wheel against a plain list: the same timers, armed, cancelled and moved at random over
// spans from one tick to years, must expire at the same ticks.
// sources: irq/wheel.c
#include <stdlib.h>
#include <string.h>

#include "arch/cpu.h"
#include "irq/wheel.h"
#include "tests/tap.h"

enum { TIMERS = 300, ROUNDS = 200000 };

static struct wheel wheel;
static struct timer timers[TIMERS];
static uint64_t due[TIMERS]; // By the plain list: the tick of expiry; 0: not armed.

static uint64_t random_span(void)
{
    uint64_t bits = ((uint64_t)rand() << 31 | (uint64_t)rand()) << 1;
    return bits >> (rand() % 62 + 2); // Every order of magnitude equally often.
}

static void arm(unsigned i, uint64_t now)
{
    uint64_t tick = now + random_span() % (UINT64_C(1) << 46);
    if (timer_armed(&timers[i]))
        wheel_remove(&wheel, &timers[i]);
    timers[i].expires_ns = tick * CLOCK_TICK_NS - (uint64_t)rand() % CLOCK_TICK_NS * (tick > now);
    wheel_insert(&wheel, &timers[i]);
    due[i] = tick;
}

static uint64_t list_next(void)
{
    uint64_t next = UINT64_MAX;
    for (unsigned i = 0; i < TIMERS; i++)
        if (due[i] != 0 && due[i] < next)
            next = due[i];
    return next;
}

// Advances both to `now`. Result: false when they disagree.
static bool expire_all(uint64_t now)
{
    struct timer *timer;
    uint64_t last = 0;
    while ((timer = wheel_expire(&wheel, now)) != NULL) {
        unsigned i = (unsigned)(timer - timers);
        if (due[i] == 0 || due[i] > now || due[i] < last || timer_armed(timer))
            return false;
        last = due[i];
        due[i] = 0;
    }
    return list_next() > now;
}

static bool random_rounds(void)
{
    uint64_t now = 1;
    wheel.now = now;
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned i = (unsigned)rand() % TIMERS;
        switch (rand() % 4) {
        case 0:
        case 1:
            arm(i, now);
            break;
        case 2:
            if (timer_armed(&timers[i])) {
                wheel_remove(&wheel, &timers[i]);
                due[i] = 0;
            }
            break;
        case 3:
            // To the next expiry, or somewhere on the way.
            if (list_next() != UINT64_MAX && rand() % 2)
                now = list_next();
            else
                now += random_span() % 5000;
            if (!expire_all(now))
                return false;
            if (wheel_next(&wheel) > list_next())
                return false; // The hardware would be woken too late.
            break;
        }
    }
    return true;
}

static void test_far_future(void)
{
    static struct wheel far;
    static struct timer timer;
    timer.expires_ns = UINT64_MAX;
    wheel_insert(&far, &timer);
    tap_ok(wheel_next(&far) != UINT64_MAX && timer_armed(&timer),
           "test_a_timer_beyond_the_wheel_is_kept");
    wheel_remove(&far, &timer);
    tap_ok(wheel_next(&far) == UINT64_MAX, "test_an_empty_wheel_has_nothing_to_do");
}

static void test_rounding(void)
{
    static struct wheel one;
    static struct timer timer;
    timer.expires_ns = 10 * CLOCK_TICK_NS + 1;
    wheel_insert(&one, &timer);
    bool early = wheel_expire(&one, 10) != NULL;
    tap_ok(!early && wheel_expire(&one, 11) == &timer,
           "test_a_timer_between_two_ticks_waits_for_the_second");
}

static void test_past(void)
{
    static struct wheel one;
    static struct timer timer;
    one.now = 1000;
    timer.expires_ns = 5;
    tap_equal((long long)wheel_insert(&one, &timer), 1000,
              "test_a_timer_in_the_past_is_due_at_once");
    tap_ok(wheel_expire(&one, 1000) == &timer, "test_it_expires_without_time_going_on");
}

int main(void)
{
    tap_plan(6);
    srand(7);
    tap_ok(random_rounds(), "test_the_wheel_agrees_with_a_plain_list");
    test_far_future();
    test_rounding();
    test_past();
    return tap_done();
}
