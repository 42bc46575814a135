// A hierarchical timer wheel: arming and cancelling cost the same however many timers there are.
// Pure data: it knows neither hardware nor interrupts, and the caller keeps calls apart.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "irq/clock.h"

// Eight levels of 64 slots, by the eight lowest base-64 digits of the expiry: 2^48 ticks, nine
// years of CLOCK_TICK_NS. A timer beyond that expires there.
enum { WHEEL_BITS = 6, WHEEL_SLOTS = 1 << WHEEL_BITS, WHEEL_LEVELS = 8 };

struct wheel {
    uint64_t now;                    // Ticks; no timer in the wheel expires before.
    uint64_t occupied[WHEEL_LEVELS]; // Bit s: slot s holds a timer.
    struct timer *slots[WHEEL_LEVELS][WHEEL_SLOTS];
};

// Puts a timer that is not armed into the wheel; one whose time is past is due at once.
// Result: the tick at which the wheel has to be advanced for its sake, at the latest.
uint64_t wheel_insert(struct wheel *wheel, struct timer *timer);

// Takes an armed timer out.
void wheel_remove(struct wheel *wheel, struct timer *timer);

// Result: the next tick at which the wheel has something to do, or UINT64_MAX.
uint64_t wheel_next(const struct wheel *wheel);

// Goes on towards tick `now` as far as the next timer that expires, and takes that one out.
// Result: the timer, or NULL when none expires up to `now`.
struct timer *wheel_expire(struct wheel *wheel, uint64_t now);
