// The clock and its timers (irq/clock.h), for host tests: time stands still until the test moves
// it.
#pragma once

#include "arch/cpu.h"
#include "irq/clock.h"

static struct {
    uint64_t now_ns, look_ns; // Each look at the clock moves it by look_ns: 0, unless the test
                              // says.
    struct timer *timers;     // The armed ones, the next one first.
    unsigned expirations;
} fake_clock;

uint64_t clock_now_ns(void)
{
    fake_clock.now_ns += fake_clock.look_ns;
    return fake_clock.now_ns;
}

bool timer_cancel(struct timer *timer)
{
    if (!timer_armed(timer))
        return false;
    *timer->link = timer->next;
    if (timer->next)
        timer->next->link = timer->link;
    timer->link = NULL;
    return true;
}

void timer_arm(struct timer *timer, uint64_t expires_ns)
{
    timer_cancel(timer);
    struct timer **link = &fake_clock.timers;
    while (*link && (*link)->expires_ns <= expires_ns)
        link = &(*link)->next;
    timer->expires_ns = expires_ns;
    timer->next = *link;
    timer->link = link;
    if (timer->next)
        timer->next->link = &timer->next;
    *link = timer;
}

// The next timer's moment comes, unless it is over already. Result: false: none is armed.
static inline bool fake_timer_expires(void)
{
    struct timer *timer = fake_clock.timers;
    if (!timer)
        return false;
    if (timer->expires_ns > fake_clock.now_ns)
        fake_clock.now_ns = timer->expires_ns;
    timer_cancel(timer);
    fake_clock.expirations++;
    fake_enter_isr();
    timer->expired(timer);
    fake_leave_isr();
    return true;
}

// Moves the clock in one leap, after which those timers expire that are due, also such as are armed
// meanwhile.
static inline void fake_clock_leap(uint64_t ns)
{
    fake_clock.now_ns += ns;
    while (fake_clock.timers && fake_clock.timers->expires_ns <= fake_clock.now_ns)
        fake_timer_expires();
}

// Nothing is armed, and time begins at 0.
static inline void fake_clock_reset(void)
{
    while (fake_clock.timers)
        timer_cancel(fake_clock.timers);
    fake_clock.now_ns = fake_clock.expirations = 0;
}
