// A timer stands at the level of the highest base-64 digit in which its expiry differs from the
// wheel's time, in the slot that this digit names; one that is due stands in the current slot of
// level 0. So no occupied slot lies behind the current digit of its level, and the lowest occupied
// level holds what comes next.
#include "irq/wheel.h"

#include <stddef.h>

#include "arch/assert.h"

static const uint64_t WHEEL_END = (UINT64_C(1) << (WHEEL_BITS * WHEEL_LEVELS)) - 1;

static uint64_t expiry_tick(const struct timer *timer)
{
    // Rounded up: never early.
    uint64_t tick = timer->expires_ns / CLOCK_TICK_NS + (timer->expires_ns % CLOCK_TICK_NS != 0);
    return tick < WHEEL_END ? tick : WHEEL_END;
}

static unsigned digit(uint64_t tick, unsigned level)
{
    return tick >> (WHEEL_BITS * level) & (WHEEL_SLOTS - 1);
}

// The first tick of a slot that does not lie behind the wheel's time.
static uint64_t slot_tick(const struct wheel *wheel, unsigned level, unsigned slot)
{
    unsigned shift = WHEEL_BITS * level;
    uint64_t above = wheel->now >> (shift + WHEEL_BITS) << (shift + WHEEL_BITS);
    return above | (uint64_t)slot << shift;
}

uint64_t wheel_insert(struct wheel *wheel, struct timer *timer)
{
    uint64_t tick = expiry_tick(timer);
    if (tick < wheel->now)
        tick = wheel->now;
    uint64_t differing = (tick ^ wheel->now) | 1; // The 1 makes level 0 of a timer that is due.
    unsigned level = (63u - (unsigned)__builtin_clzll(differing)) / WHEEL_BITS;
    assert(level < WHEEL_LEVELS);
    unsigned slot = digit(tick, level);
    struct timer **head = &wheel->slots[level][slot];
    timer->next = *head;
    timer->link = head;
    if (*head)
        (*head)->link = &timer->next;
    *head = timer;
    wheel->occupied[level] |= UINT64_C(1) << slot;
    return slot_tick(wheel, level, slot);
}

void wheel_remove(struct wheel *wheel, struct timer *timer)
{
    *timer->link = timer->next;
    if (timer->next) {
        timer->next->link = timer->link;
    } else {
        // The last of its list: if it was also the first, its link points into the array of slots.
        struct timer **first = &wheel->slots[0][0];
        struct timer **end = first + WHEEL_LEVELS * WHEEL_SLOTS;
        if (timer->link >= first && timer->link < end) {
            size_t index = (size_t)(timer->link - first);
            wheel->occupied[index / WHEEL_SLOTS] &= ~(UINT64_C(1) << index % WHEEL_SLOTS);
        }
    }
    timer->link = NULL;
}

// The slot that time enters next. Result: false when the wheel is empty.
static bool next_slot(const struct wheel *wheel, unsigned *level, unsigned *slot)
{
    for (*level = 0; *level < WHEEL_LEVELS; ++*level)
        if (wheel->occupied[*level]) {
            *slot = (unsigned)__builtin_ctzll(wheel->occupied[*level]);
            return true;
        }
    return false;
}

uint64_t wheel_next(const struct wheel *wheel)
{
    unsigned level, slot;
    return next_slot(wheel, &level, &slot) ? slot_tick(wheel, level, slot) : UINT64_MAX;
}

// Time has entered a slot of a higher level: its timers move down, those for this very tick to
// level 0.
static void cascade(struct wheel *wheel, unsigned level, unsigned slot)
{
    struct timer *timer = wheel->slots[level][slot];
    wheel->slots[level][slot] = NULL;
    wheel->occupied[level] &= ~(UINT64_C(1) << slot);
    while (timer) {
        struct timer *next = timer->next;
        wheel_insert(wheel, timer);
        timer = next;
    }
}

struct timer *wheel_expire(struct wheel *wheel, uint64_t now)
{
    unsigned level, slot;
    while (next_slot(wheel, &level, &slot) && slot_tick(wheel, level, slot) <= now) {
        wheel->now = slot_tick(wheel, level, slot);
        if (level > 0) {
            cascade(wheel, level, slot);
            continue;
        }
        struct timer *timer = wheel->slots[level][slot];
        wheel_remove(wheel, timer);
        return timer;
    }
    if (now > wheel->now)
        wheel->now = now;
    return NULL;
}
