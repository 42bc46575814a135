// The callback level: where the user's completion callbacks, timer and signal handlers run.
//
// A callback preempts main at the end of an interrupt, with interrupts open again, on a stack of
// its own. One runs at a time, never nested. After CALLBACK_BUDGET of them main has the CPU to
// itself for a quarter of the time that they took, at least CALLBACK_PAUSE_NS. Main that waits
// looks after CALLBACK_BUDGET_WAITING of them whether it need wait any longer, and they go on. So
// main always advances, whatever the flood.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { CALLBACK_BUDGET = 32, CALLBACK_BUDGET_WAITING = 64, CALLBACK_PAUSE_NS = 10000 };

enum level { LEVEL_MAIN, LEVEL_CALLBACK, LEVEL_ISR };

struct callback {
    struct callback *next; // NULL while it does not wait.
    void (*run)(struct callback *callback);
};

// The level this code runs at.
// Context: any.
enum level level_current(void);

// Puts a callback at the end of the queue; its next was zeroed before its first use. The caller
// keeps the storage until run is called; from then on the callback may be posted again. One that
// already waits stays where it is.
// Context: any.
void callback_post(struct callback *callback);

// The same at isr level, whose tail enters the callback level, for a callback that does not wait.
// Context: isr.
void callback_post_isr(struct callback *callback);

// Keep callbacks off until the matching release; calls nest. Interrupts go on, requests complete,
// only callbacks wait. At callback level both do nothing visible: no other callback could run
// anyway.
// Context: main | callback.
void callbacks_hold(void);
void callbacks_release(void);

// Sleeps until an interrupt has been handled. Call it with interrupts masked after finding that
// what is waited for has not come; look again when it returns, still masked.
//     uint32_t flags = irq_save();
//     while (!ready)
//         level_sleep_locked();
//     irq_restore(flags);
// Context: main | callback, interrupts masked.
void level_sleep_locked(void);

// What a face needs around the callback level: a variable that has another value there (newlib's
// _impure_ptr, which leads to errno and the streams). Main's is the one that it has now.
// Context: boot.
void callback_level_context(void **variable, void *value);

// And a function that tidies up after a turn's last callback; it serves from the turn under way on.
// Context: boot | callback.
void callback_level_at_end(void (*tidy)(void));

// Leaves the callback level for good, out of the callback that calls this: main goes on in
// resume(argument), on its own stack below what was interrupted there, which it must not return to.
// Callbacks that wait run at the next chance.
// Context: callback.
_Noreturn void callback_level_leave(void (*resume)(void *), void *argument);

struct callback_totals {
    uint32_t run;    // Callbacks run in all.
    uint32_t turns;  // Times the level was entered.
    uint32_t pauses; // Times the budget ran out and main was given its share.
};

// Totals since boot; what the turn under way has run is added when it ends, or half of
// CALLBACK_BUDGET has run.
// Context: any.
struct callback_totals callback_totals(void);

// Is there something for the callback level to do, and may it be entered?
// Context: isr.
bool callback_level_wanted(void);

// Runs waiting callbacks until none is left or the budget is used up. Called by arch/ only, on the
// callback stack.
// Context: callback, interrupts masked on entry and on return.
void callback_level_run(void);
