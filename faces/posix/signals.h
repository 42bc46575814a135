// Signals inside the POSIX face: how the rest of it makes them, and what waits need to know.
#pragma once

#include <signal.h>
#include <stdbool.h>

// A signal on its way, in its maker's storage: nothing is allocated, so none is lost.
struct posix_signal {
    struct posix_signal *next;
    siginfo_t info; // si_signo says which.
    // The storage is the maker's again; interrupts are masked. May be NULL.
    void (*taken)(struct posix_signal *);
};

// Makes a signal pending, and has its handler run at the callback level if it is not blocked. One
// below SIGRTMIN that is pending already is taken at once: such a signal is there or not.
// Context: any.
void posix_signal_send(struct posix_signal *signal);

// The same with storage of this module's: for signals below SIGRTMIN, which come with nothing but
// their number.
// Context: any.
void posix_signal_send_plain(int number, int code);

// Runs the handlers of all signals that wait and are not blocked, here and now.
// Context: main | callback.
void posix_signals_deliver(void);

// The same at the callback level, soon.
// Context: any.
void posix_signals_post(void);

// Handlers run so far: waits that see one of these change end with EINTR.
extern volatile struct posix_signals_counts {
    unsigned handled;      // All: they end what POSIX says is never restarted.
    unsigned ending_waits; // Without SA_RESTART, and those of signal(): they end aio_suspend(),
                           // lio_listio() and sem_wait() too,
    unsigned ending_io;    // Without SA_RESTART: and reads and writes.
} posix_signals_counts;

// Inside a wait: at the callback level no other callback can run, so what has become deliverable is
// delivered by the one that waits; interrupts are open meanwhile, and as before when it returns.
// Result: true: that has taken time, and what is waited for may have come.
// Context: main | callback.
bool posix_signals_deliver_in_wait(void);

// Sets the mask, and has what it lets through delivered here and now. Result: the mask before.
// Context: main | callback.
sigset_t posix_signals_exchange_mask(sigset_t mask);

// ---- Between signal.c, signal_send.c and signal_wait.c ----

// As without _locked, but nothing is delivered yet.
void posix_signal_send_locked(struct posix_signal *signal);
void posix_signal_send_plain_locked(int number, int code);

// The default action of nearly every signal.
_Noreturn void posix_signals_end_by(int number);

sigset_t posix_signals_mask_locked(void);
void posix_signals_set_mask_locked(sigset_t mask);

// Has the signals of this set, too, wait for posix_signals_take_locked() as if they were blocked.
// Result: those that were awaited before, which the second function goes back to.
sigset_t posix_signals_await_locked(sigset_t set);
void posix_signals_awaited_before_locked(sigset_t before);

// Takes the lowest pending signal of a set. Result: false: there is none.
bool posix_signals_take_locked(sigset_t set, siginfo_t *info);
