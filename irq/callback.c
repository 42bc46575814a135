// The callback level: a queue, and the rules of when it may be entered. The switch of stacks is in
// arch/.
#include "irq/callback.h"

#include <stddef.h>

#include "arch/assert.h"
#include "arch/cpu.h"
#include "irq/clock.h"
#include "irq/controller.h"

// Why the level may not be entered just now: 0, or these and the number of holds.
enum {
    CLOSED_ACTIVE = 0x10000,
    CLOSED_PAUSED = 0x20000, // Until the pause's timer expires, or main waits.
    CLOSED_LOOK = 0x40000,   // Until main, which waits, has been woken to look.
    CLOSED_HOLDS = 0xffff,
};

enum { HALF_BUDGET = CALLBACK_BUDGET / 2 };
_Static_assert(CALLBACK_BUDGET_WAITING % HALF_BUDGET == 0, "looked at after each half only");

static void *no_variable;

// All in one struct, so that an interrupt's tail reaches it with one address.
static struct {
    struct callback ends;  // The queue is a ring: ends.next is the first of those that wait, and
    struct callback *last; // ends comes behind the last one, or it is itself the last.
    unsigned closed;
    bool main_waits;    // In level_sleep_locked().
    uint8_t halves_run; // Halves of CALLBACK_BUDGET that this turn has run.
    struct callback_totals totals;
    struct callback *rest; // Of the list whose callbacks are being run.
    void **variable;       // Of the face: see callback_level_context().
    void *value_of_main;
    void *value;
    void (*tidy)(void);
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
    if (!callback->next)
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
static void begin_pause(void)
{
    uint64_t now = clock_now_ns();
    uint64_t share = (now - level.half_time_ns) / 2;
    level.closed |= CLOSED_PAUSED;
    level.totals.pauses++;
    pause_timer.expired = end_pause;
    timer_arm(&pause_timer, now + (share > CALLBACK_PAUSE_NS ? share : CALLBACK_PAUSE_NS));
}

// Callbacks that were kept off for main run at the next chance.
static __attribute__((noinline)) void reopen_locked(void)
{
    timer_cancel(&pause_timer);
    level.closed &= ~(unsigned)(CLOSED_PAUSED | CLOSED_LOOK);
    if (callback_level_wanted())
        irq_controller_raise_software();
}

void level_sleep_locked(void)
{
    assert(irq_masked() && !cpu_in_isr());
    if (level.closed & CLOSED_ACTIVE) {
        cpu_wait_for_interrupt();
        irq_open_once();
        return;
    }
    // Main that waits needs no share of the CPU.
    if (level.closed & CLOSED_PAUSED)
        reopen_locked();
    level.main_waits = true;
    cpu_wait_for_interrupt();
    irq_open_once();
    level.main_waits = false;
    // The interrupt that this raises stays pending while main looks.
    if (level.closed & CLOSED_LOOK)
        reopen_locked();
}

void callback_level_context(void **variable, void *value)
{
    level.variable = variable;
    level.value = value;
    level.value_of_main = *variable;
}

void callback_level_at_end(void (*tidy)(void))
{
    level.tidy = tidy;
}

struct callback_totals callback_totals(void)
{
    return level.totals;
}

// Puts what is left of a list back in front of what has been posted meanwhile.
static __attribute__((noinline)) void put_back(struct callback *first, struct callback *last)
{
    last->next = level.ends.next;
    if (!somebody_waits())
        level.last = last;
    level.ends.next = first;
    level.rest = &level.ends;
}

// Result: true: the turn is over.
static __attribute__((noinline)) bool half_has_run(void)
{
    unsigned most = level.main_waits ? CALLBACK_BUDGET_WAITING : CALLBACK_BUDGET;
    level.totals.run += HALF_BUDGET;
    if (++level.halves_run * HALF_BUDGET >= most)
        return true;
    if (!level.main_waits)
        level.half_time_ns = clock_now_ns(); // Only in a flood: it costs a register access.
    return false;
}

// Runs what waits now. The list is taken as a whole, so that interrupts need not be masked for each
// callback: what they post goes to a new one. left: callbacks until half of the budget has run.
// Result: the same, afterwards; 0: the turn is over.
static inline unsigned run_list(unsigned left)
{
    struct callback *next = level.ends.next, *last = level.last;
    level.ends.next = level.last = &level.ends;
    irq_unmask();
    do {
        struct callback *callback = next;
        level.rest = next = callback->next;
        callback->next = NULL;
        callback->run(callback);
        if (--left == 0) {
            if (half_has_run())
                break;
            left = HALF_BUDGET;
        }
    } while (next != &level.ends);
    irq_mask();
    if (next != &level.ends)
        put_back(next, last);
    return left;
}

// The budget is used up.
static __attribute__((noinline)) void let_main_go_on(void)
{
    if (level.main_waits)
        level.closed |= CLOSED_LOOK; // The interrupt that has led here has woken it.
    else
        begin_pause();
}

void callback_level_run(void)
{
    unsigned left = HALF_BUDGET;
    level.closed = CLOSED_ACTIVE; // It was 0.
    level.halves_run = 0;
    *level.variable = level.value;
    do {
        left = run_list(left);
        if (level.tidy && (!somebody_waits() || left == 0)) {
            // It may do I/O and wait for it; what that brings has its turn too.
            irq_unmask();
            level.tidy();
            irq_mask();
        }
    } while (somebody_waits() && left > 0);
    *level.variable = level.value_of_main;
    // Counted behind the callbacks, which are waited for.
    level.totals.turns++;
    level.totals.run += (HALF_BUDGET - left) % HALF_BUDGET;
    level.closed &= ~(unsigned)CLOSED_ACTIVE;
    if (somebody_waits())
        let_main_go_on();
}

static struct callback *last_of(struct callback *list)
{
    while (list->next != &level.ends)
        list = list->next;
    return list;
}

_Noreturn void callback_level_leave(void (*resume)(void *), void *argument)
{
    irq_mask();
    assert(level.closed & CLOSED_ACTIVE);
    if (level.rest != &level.ends)
        put_back(level.rest, last_of(level.rest));
    *level.variable = level.value_of_main;
    level.totals.turns++;
    level.main_waits = false; // It is taken out of what it waited for.
    level.closed = 0; // A callback that leaves while it holds others off holds them no more.
    if (somebody_waits())
        irq_controller_raise_software();
    cpu_leave_callbacks(resume, argument);
}
