// Time: a 64-bit monotonic clock and timers on a timer wheel. Tickless: the hardware alarm is set
// for the next expiry.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct timer {
    struct timer *next, **link; // In its wheel slot; link is NULL while the timer is not armed.
    uint64_t expires_ns;
    void (*expired)(struct timer *timer);
};

// Nanoseconds since boot; never goes back, does not wrap in 584 years.
// Context: any.
uint64_t clock_now_ns(void);

// Arms the timer: at expires_ns (on the clock of clock_now_ns), or at once if that is past,
// expired(timer) runs at isr level, never early, and at most CLOCK_TICK_NS and one tick of the
// counter late beyond the interrupt's own delay. The timer is free again before it is called.
// Arming an armed timer moves it.
// Context: any.
void timer_arm(struct timer *timer, uint64_t expires_ns);

// Disarms the timer. Result: true when it was armed, false when it had expired or was never armed.
// Context: any.
bool timer_cancel(struct timer *timer);

static inline bool timer_armed(const struct timer *timer)
{
    return timer->link != 0;
}

enum { CLOCK_TICK_NS = 1024 }; // The wheel's resolution.

// The low half of the hardware counter, for measuring short spans cheaply, and what such a span
// means.
// Context: any.
uint32_t clock_ticks(void);
uint64_t clock_ticks_to_ns(uint64_t ticks);

// The clock has been started by its driver, which counts at hz.
// Context: boot.
void clock_init(uint32_t hz);

// The alarm has gone off: runs what has expired and sets the next alarm.
// Context: isr.
void clock_alarm(void);

// What the clock asks of a hardware counter. One is linked per board (drivers/timer), so the calls
// are direct.
// Context: any; set_alarm and clear_alarm with interrupts masked.
uint64_t clock_counter(void);                 // Ticks since some moment before boot.
uint32_t clock_counter_low(void);             // The low half of the same.
void clock_counter_set_alarm(uint64_t ticks); // clock_alarm() is called once the counter has
                                              // reached ticks, at once if it has.
void clock_counter_clear_alarm(void);
