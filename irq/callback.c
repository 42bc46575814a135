// The callback level: a queue, and the rules of when it may be entered. The switch of stacks is in
// arch/.
#include "irq/callback.h"

#include <stddef.h>

#include "arch/assert.h"
#include "arch/cpu.h"
#include "irq/clock.h"
#include "irq/controller.h"

// Why the level may not be entered just now: 0, or these and the number of holds.
enum { CLOSED_ACTIVE = 0x10000, CLOSED_PAUSED = 0x20000, CLOSED_HOLDS = 0xffff };

static void *no_variable;

// All in one struct, so that an interrupt's tail reaches it with one address.
static struct {
    struct callback *head, **tail;
    unsigned closed;
    struct callback_totals totals;
    void **variable; // Of the face: see callback_level_context().
    void *value;
    void (*leave)(void);
    uint64_t half_time_ns; // When half of this turn's budget was left.
} level = { .tail = &level.head, .variable = &no_variable };

static struct timer pause_timer;

enum level level_current(void)
{
    if (cpu_in_isr())
        return LEVEL_ISR;
    return level.closed & CLOSED_ACTIVE ? LEVEL_CALLBACK : LEVEL_MAIN;
}

bool callback_level_wanted(void)
{
    return level.head && level.closed == 0;
}

void callback_post_isr(struct callback *callback)
{
    callback->next = NULL;
    *level.tail = callback;
    level.tail = &callback->next;
}

void callback_post(struct callback *callback)
{
    uint32_t flags = irq_save();
    callback_post_isr(callback);
    // At isr level the tail of this very interrupt enters the callback level.
    if (!cpu_in_isr() && callback_level_wanted())
        irq_controller_raise_software();
    irq_restore(flags);
}

void callbacks_hold(void)
{
    assert(!cpu_in_isr());
    uint32_t flags = irq_save();
    level.closed++;
    irq_restore(flags);
}

void callbacks_release(void)
{
    assert(!cpu_in_isr() && (level.closed & CLOSED_HOLDS) != 0);
    uint32_t flags = irq_save();
    level.closed--;
    if (callback_level_wanted())
        irq_controller_raise_software();
    irq_restore(flags);
}

static void end_pause(struct timer *timer)
{
    (void)timer;
    // Callbacks that wait run at the tail of the timer's interrupt.
    level.closed &= ~(unsigned)CLOSED_PAUSED;
}

// Main has the CPU to itself for a quarter of the turn's time: half of the time since half of the
// budget was left.
static __attribute__((noinline)) void begin_pause(void)
{
    uint64_t now = clock_now_ns();
    uint64_t share = (now - level.half_time_ns) / 2;
    level.closed |= CLOSED_PAUSED;
    level.totals.pauses++;
    pause_timer.expired = end_pause;
    timer_arm(&pause_timer, now + (share > CALLBACK_PAUSE_NS ? share : CALLBACK_PAUSE_NS));
}

void level_sleep_locked(void)
{
    assert(irq_masked() && !cpu_in_isr());
    // Main that waits needs no share of the CPU: callbacks that were kept off for it run now.
    if (level.closed & CLOSED_PAUSED && !(level.closed & CLOSED_ACTIVE)) {
        timer_cancel(&pause_timer);
        end_pause(&pause_timer);
        if (callback_level_wanted())
            irq_controller_raise_software();
    }
    cpu_wait_for_interrupt();
    irq_open_once();
}

void callback_level_context(void **variable, void *value, void (*leave)(void))
{
    level.variable = variable;
    level.value = value;
    level.leave = leave;
}

struct callback_totals callback_totals(void)
{
    return level.totals;
}

static inline void run_first(void)
{
    struct callback *callback = level.head;
    level.head = callback->next;
    if (!level.head)
        level.tail = &level.head;
    irq_unmask();
    callback->run(callback);
    irq_mask();
}

void callback_level_run(void)
{
    unsigned budget = CALLBACK_BUDGET;
    void *value_of_main = *level.variable;
    level.closed = CLOSED_ACTIVE; // It was 0.
    *level.variable = level.value;
    do {
        run_first();
        budget--;
        if (level.leave && (!level.head || budget == 0)) {
            // It may do I/O and wait for it; what that brings has its turn too.
            irq_unmask();
            level.leave();
            irq_mask();
        }
        // The clock is only looked at in a flood: it costs a register access.
        if (level.head && budget == CALLBACK_BUDGET / 2)
            level.half_time_ns = clock_now_ns();
    } while (level.head && budget > 0);
    *level.variable = value_of_main;
    // Counted behind the callbacks, which are waited for.
    level.totals.turns++;
    level.totals.run += CALLBACK_BUDGET - budget;
    level.closed &= ~(unsigned)CLOSED_ACTIVE;
    if (level.head)
        begin_pause();
}
