// Signals: which are pending, which are blocked, what is done for each, and the handlers' turn.
//
// A pending signal lies in storage of whoever made it; those below SIGRTMIN, of which one at a time
// can be pending, in a static place each. So sending one never fails, but for sigqueue()
// (signal_send.c).
#include "faces/posix/signals.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "arch/cpu.h"
#include "arch/fault.h"
#include "arch/report.h"
#include "faces/posix/pointers.h"
#include "faces/posix/posix.h"
#include "fs/file.h"
#include "fs/tty.h"
#include "irq/callback.h"

// BY_SIGNAL: a flag of our own for actions set by signal(), of which it is not said what restarts:
// reads and writes do, and who waits for requests is woken.
enum { EXIT_SIGNAL = 128, BY_SIGNAL = 1 << 30 };

volatile struct posix_signals_counts posix_signals_counts;

static struct {
    sigset_t pending, blocked;
    sigset_t awaited; // Somebody waits for these, who gets them instead of their handlers.
    struct posix_signal *first[NSIG], *last[NSIG]; // Of each number, in the order of arrival.
    struct sigaction actions[NSIG];
    bool posted; // The callback is on its way.
    struct posix_signal plain[SIGRTMIN];
} signals;

static inline sigset_t bit(int number)
{
    return (sigset_t)1 << (number - 1);
}

static const sigset_t never_blocked = (sigset_t)1 << (SIGKILL - 1) | (sigset_t)1 << (SIGSTOP - 1);

static bool valid(int number)
{
    return number > 0 && number < NSIG;
}

// ---- Pending ----

static sigset_t deliverable(void)
{
    return signals.pending & ~(signals.blocked | signals.awaited);
}

static bool ignored(int number)
{
    _sig_func_ptr handler = signals.actions[number].sa_handler;
    return handler == SIG_IGN || (handler == SIG_DFL && (number == SIGCHLD || number == SIGURG ||
                                                         number == SIGWINCH || number == SIGCONT));
}

static void append_locked(struct posix_signal *signal)
{
    int number = signal->info.si_signo;
    signal->next = NULL;
    if (signals.first[number])
        signals.last[number]->next = signal;
    else
        signals.first[number] = signal;
    signals.last[number] = signal;
    signals.pending |= bit(number);
}

static struct posix_signal *remove_first_locked(int number)
{
    struct posix_signal *signal = signals.first[number];
    signals.first[number] = signal->next;
    if (!signal->next)
        signals.pending &= ~bit(number);
    return signal;
}

static void let_go_locked(struct posix_signal *signal)
{
    if (signal->taken)
        signal->taken(signal);
}

bool posix_signals_take_locked(sigset_t set, siginfo_t *info)
{
    sigset_t ready = signals.pending & set;
    if (!ready)
        return false;
    struct posix_signal *signal = remove_first_locked(__builtin_ctzll(ready) + 1);
    *info = signal->info;
    let_go_locked(signal);
    return true;
}

static void run_callback(struct callback *callback)
{
    (void)callback;
    signals.posted = false;
    posix_signals_deliver();
}

// Has what waits delivered at the callback level.
static void post_locked(void)
{
    static struct callback callback = { .run = run_callback };
    if (signals.posted || !deliverable())
        return;
    signals.posted = true;
    callback_post(&callback);
}

void posix_signals_post(void)
{
    uint32_t flags = irq_save();
    post_locked();
    irq_restore(flags);
}

// A signal that nobody wants is dropped here, unless it is blocked: then somebody may yet wait for
// it.
void posix_signal_send_locked(struct posix_signal *signal)
{
    int number = signal->info.si_signo;
    bool twice = number < SIGRTMIN && signals.pending & bit(number);
    if (twice || (ignored(number) && !(signals.blocked & bit(number)))) {
        let_go_locked(signal);
        return;
    }
    append_locked(signal);
}

void posix_signal_send(struct posix_signal *signal)
{
    uint32_t flags = irq_save();
    posix_signal_send_locked(signal);
    post_locked();
    irq_restore(flags);
}

void posix_signal_send_plain_locked(int number, int code)
{
    struct posix_signal *signal = &signals.plain[number];
    if (signals.pending & bit(number))
        return;
    signal->info = (siginfo_t){ .si_signo = number, .si_code = code, .si_pid = getpid() };
    posix_signal_send_locked(signal);
}

void posix_signal_send_plain(int number, int code)
{
    uint32_t flags = irq_save();
    posix_signal_send_plain_locked(number, code);
    post_locked();
    irq_restore(flags);
}

// ---- Delivered ----

_Noreturn void posix_signals_end_by(int number)
{
    if (number != SIGINT)
        report("ended by signal %d\n", number);
    posix_end(EXIT_SIGNAL + number);
}

static void count(int flags)
{
    posix_signals_counts.handled++;
    posix_signals_counts.ending_waits += !(flags & SA_RESTART) || flags & BY_SIGNAL;
    posix_signals_counts.ending_io += !(flags & SA_RESTART);
}

static void call(const struct sigaction *action, siginfo_t *info)
{
    if (action->sa_flags & SA_SIGINFO)
        action->sa_sigaction(info->si_signo, info, NULL);
    else
        action->sa_handler(info->si_signo);
}

// Takes the next signal and blocks what is blocked while its handler runs.
// Result: false: nothing is to be delivered.
static bool next_delivery(siginfo_t *info, struct sigaction *action, sigset_t *before)
{
    uint32_t flags = irq_save();
    bool found = posix_signals_take_locked(deliverable(), info);
    if (found) {
        int number = info->si_signo;
        *action = signals.actions[number];
        *before = signals.blocked;
        if (action->sa_flags & SA_RESETHAND)
            signals.actions[number].sa_handler = SIG_DFL;
        if (action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN) {
            signals.blocked |= action->sa_mask & ~never_blocked;
            signals.blocked |= action->sa_flags & SA_NODEFER ? 0 : bit(number);
        }
    }
    irq_restore(flags);
    return found;
}

void posix_signals_deliver(void)
{
    siginfo_t info;
    struct sigaction action;
    sigset_t before;
    while (next_delivery(&info, &action, &before)) {
        if (action.sa_handler == SIG_IGN)
            continue;
        if (action.sa_handler == SIG_DFL) {
            if (!ignored(info.si_signo))
                posix_signals_end_by(info.si_signo);
            continue;
        }
        call(&action, &info);
        uint32_t flags = irq_save();
        signals.blocked = before;
        count(action.sa_flags);
        irq_restore(flags);
    }
}

bool posix_signals_deliver_in_wait(void)
{
    if (!deliverable() || level_current() != LEVEL_CALLBACK)
        return false;
    uint32_t flags = irq_save();
    irq_unmask();
    posix_signals_deliver();
    irq_restore(flags);
    return true;
}

// ---- Actions and the mask ----

int sigaction(int number, const struct sigaction *restrict action,
              struct sigaction *restrict before)
{
    if (!valid(number) || (action && never_blocked & bit(number)))
        return posix_fail(EINVAL);
    if (!posix_may_read(action) || !posix_may_write(before))
        return posix_fail(EFAULT);
    uint32_t flags = irq_save();
    struct sigaction old = signals.actions[number];
    if (action)
        signals.actions[number] = *action;
    // What waits and is ignored from now on is dropped.
    while (ignored(number) && signals.first[number])
        let_go_locked(remove_first_locked(number));
    irq_restore(flags);
    old.sa_flags &= ~BY_SIGNAL;
    if (before)
        *before = old;
    return 0;
}

_sig_func_ptr signal(int number, _sig_func_ptr handler)
{
    struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART | BY_SIGNAL }, before;
    if (handler == SIG_ERR) {
        errno = EINVAL;
        return SIG_ERR;
    }
    return sigaction(number, &action, &before) == 0 ? before.sa_handler : SIG_ERR;
}

sigset_t posix_signals_mask_locked(void)
{
    return signals.blocked;
}

void posix_signals_set_mask_locked(sigset_t mask)
{
    signals.blocked = mask & ~never_blocked;
}

sigset_t posix_signals_await_locked(sigset_t set)
{
    sigset_t before = signals.awaited;
    signals.awaited |= set & ~never_blocked;
    return before;
}

void posix_signals_awaited_before_locked(sigset_t before)
{
    signals.awaited = before;
}

sigset_t posix_signals_exchange_mask(sigset_t mask)
{
    uint32_t flags = irq_save();
    sigset_t before = signals.blocked;
    posix_signals_set_mask_locked(mask);
    irq_restore(flags);
    posix_signals_deliver();
    return before;
}

int sigprocmask(int how, const sigset_t *restrict set, sigset_t *restrict before)
{
    if (!posix_may_read(set) || !posix_may_write(before))
        return posix_fail(EFAULT);
    uint32_t flags = irq_save();
    sigset_t old = signals.blocked;
    int error = 0;
    if (set && how == SIG_BLOCK)
        posix_signals_set_mask_locked(old | *set);
    else if (set && how == SIG_UNBLOCK)
        posix_signals_set_mask_locked(old & ~*set);
    else if (set && how == SIG_SETMASK)
        posix_signals_set_mask_locked(*set);
    else if (set)
        error = EINVAL;
    irq_restore(flags);
    if (error)
        return posix_fail(error);
    if (before)
        *before = old;
    if (set)
        posix_signals_deliver();
    return 0;
}

int sigpending(sigset_t *set)
{
    if (!posix_can_write(set, 1))
        return posix_fail(EFAULT);
    uint32_t flags = irq_save();
    *set = signals.pending & signals.blocked;
    irq_restore(flags);
    return 0;
}

// ---- ^C ----

// At isr level. Without a handler the program ends here and now, even if it hangs in a callback.
static void console_interrupt(void)
{
    if (signals.actions[SIGINT].sa_handler == SIG_DFL && !(signals.blocked & bit(SIGINT)))
        machine_exit(EXIT_SIGNAL + SIGINT);
    posix_signal_send_plain(SIGINT, SI_KERNEL);
}

static unsigned interruptions(void)
{
    posix_signals_deliver_in_wait();
    return posix_signals_counts.ending_io;
}

void posix_signals_init(void)
{
    file_on_interruption(interruptions);
    tty_on_interrupt(console_interrupt);
}
