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
    struct callback ends;  // The queue is a ring: ends.next is the first of those that wait, and
    struct callback *last; // ends comes behind the last one, or it is itself the last.
    unsigned closed;
    struct callback_totals totals;
    void **variable; // Of the face: see callback_level_context().
    void *value;
    void (*leave)(void);
    uint64_t half_time_ns; // When half of this turn's budget was left.
} level = { .ends.next = &level.ends, .last = &level.ends, .variable = &no_variable };

static struct timer pause_timer;

enum level level_current(void)
{
    if (cpu_in_isr())
        return LEVEL_ISR;
    return level.closed & CLOSED_ACTIVE ? LEVEL_CALLBACK : LEVEL_MAIN;
}

static inline bool somebody_waits(void)
{
    return level.ends.next != &level.ends;
}

bool callback_level_wanted(void)
{
    return somebody_waits() && level.closed == 0;
}

void callback_post_isr(struct callback *callback)
{
    callback->next = &level.ends;
    level.last->next = callback;
    level.last = callback;
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

// Puts what the budget left of a list back in front of what has been posted meanwhile.
static __attribute__((noinline)) void put_back(struct callback *first, struct callback *last)
{
    last->next = level.ends.next;
    if (!somebody_waits())
        level.last = last;
    level.ends.next = first;
}

// So many callbacks of a turn have run: half of the budget, or all of it.
// Result: true: the turn is over.
static __attribute__((noinline)) bool half_has_run(unsigned run)
{
    if (run == CALLBACK_BUDGET)
        return true;
    level.half_time_ns = clock_now_ns(); // Only in a flood: it costs a register access.
    return false;
}

// Runs what waits now. The list is taken as a whole, so that interrupts need not be masked for each
// callback: what they post goes to a new one. run: callbacks of this turn so far.
// Result: the same, afterwards.
static inline unsigned run_list(unsigned run)
{
    struct callback *next = level.ends.next, *last = level.last;
    level.ends.next = level.last = &level.ends;
    irq_unmask();
    do {
        struct callback *callback = next;
        next = callback->next;
        callback->next = NULL;
        callback->run(callback);
        if (++run % (CALLBACK_BUDGET / 2) == 0 && half_has_run(run)) {
            irq_mask();
            if (next != &level.ends)
                put_back(next, last);
            return run;
        }
    } while (next != &level.ends);
    irq_mask();
    return run;
}

void callback_level_run(void)
{
    unsigned run = 0;
    void *value_of_main = *level.variable;
    level.closed = CLOSED_ACTIVE; // It was 0.
    *level.variable = level.value;
    do {
        run = run_list(run);
        if (level.leave && (!somebody_waits() || run == CALLBACK_BUDGET)) {
            // It may do I/O and wait for it; what that brings has its turn too.
            irq_unmask();
            level.leave();
            irq_mask();
        }
    } while (somebody_waits() && run < CALLBACK_BUDGET);
    *level.variable = value_of_main;
    // Counted behind the callbacks, which are waited for.
    level.totals.turns++;
    level.totals.run += run;
    level.closed &= ~(unsigned)CLOSED_ACTIVE;
    if (somebody_waits())
        begin_pause();
}
