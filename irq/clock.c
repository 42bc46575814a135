// The clock and its timers over one hardware counter. The alarm is only ever moved forward to an
// earlier expiry; a cancelled timer leaves its alarm, which then finds nothing to do.
#include "irq/clock.h"

#include "arch/assert.h"
#include "arch/cpu.h"
#include "irq/wheel.h"

enum { CLOCK_SHIFT = 20, EXPIRED_BUDGET = 32 };

static const uint64_t NANOSECONDS = 1000000000;
static const uint64_t NO_ALARM = UINT64_MAX;

static uint64_t boot_ticks;   // The counter when the clock began.
static uint32_t ns_per_tick;  // Fixed point: nanoseconds << CLOCK_SHIFT.
static uint64_t ticks_per_ns; // Fixed point: ticks << 32.
static struct wheel wheel;
static uint64_t alarm_tick = UINT64_MAX; // The wheel's tick that the hardware will wake us for.

void clock_init(uint32_t hz)
{
    ns_per_tick = (uint32_t)((NANOSECONDS << CLOCK_SHIFT) / hz);
    ticks_per_ns = ((uint64_t)hz << 32) / NANOSECONDS;
    boot_ticks = clock_counter();
}

uint32_t clock_ticks(void)
{
    return clock_counter_low();
}

uint64_t clock_ticks_to_ns(uint64_t ticks)
{
    // In halves, so that no product passes 64 bits.
    uint64_t high = (ticks >> 32) * ns_per_tick;
    uint64_t low = (uint32_t)ticks * (uint64_t)ns_per_tick;
    return (high << (32 - CLOCK_SHIFT)) + (low >> CLOCK_SHIFT);
}

uint64_t clock_now_ns(void)
{
    return clock_ticks_to_ns(clock_counter() - boot_ticks);
}

// Sets the hardware alarm for a tick of the wheel. The distance is converted, not the date, so
// rounding stays small.
static void set_alarm_locked(uint64_t tick)
{
    uint64_t now = clock_counter();
    uint64_t now_ns = clock_ticks_to_ns(now - boot_ticks);
    uint64_t at_ns = tick > UINT64_MAX / CLOCK_TICK_NS ? UINT64_MAX : tick * CLOCK_TICK_NS;
    uint64_t distance_ns = at_ns > now_ns ? at_ns - now_ns : 0;
    uint64_t distance = (distance_ns >> 32) * ticks_per_ns +
                        ((uint32_t)distance_ns * ticks_per_ns >> 32);
    alarm_tick = tick;
    clock_counter_set_alarm(now + distance + 1);
}

void timer_arm(struct timer *timer, uint64_t expires_ns)
{
    uint32_t flags = irq_save();
    if (timer_armed(timer))
        wheel_remove(&wheel, timer);
    if (wheel_next(&wheel) == UINT64_MAX)
        wheel.now = clock_now_ns() / CLOCK_TICK_NS; // An empty wheel may be turned freely: fewer
                                                    // moves later.
    timer->expires_ns = expires_ns;
    uint64_t tick = wheel_insert(&wheel, timer);
    if (tick < alarm_tick)
        set_alarm_locked(tick);
    irq_restore(flags);
}

bool timer_cancel(struct timer *timer)
{
    uint32_t flags = irq_save();
    bool armed = timer_armed(timer);
    if (armed)
        wheel_remove(&wheel, timer);
    irq_restore(flags);
    return armed;
}

void clock_alarm(void)
{
    uint64_t now = clock_now_ns() / CLOCK_TICK_NS;
    alarm_tick = NO_ALARM;
    for (unsigned budget = EXPIRED_BUDGET; budget > 0; budget--) {
        struct timer *timer = wheel_expire(&wheel, now);
        if (!timer)
            break;
        timer->expired(timer);
    }
    uint64_t next = wheel_next(&wheel);
    if (next == UINT64_MAX)
        clock_counter_clear_alarm();
    else
        set_alarm_locked(next);
}
