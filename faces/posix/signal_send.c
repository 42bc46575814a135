// Signals that the program sends to itself. Those that are queued, with a value, take a place until
// somebody has taken them, and there are SIGQUEUE_MAX; all others have storage of their own.
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "arch/cpu.h"
#include "faces/posix/posix.h"
#include "faces/posix/signals.h"

enum { SELF = 1 };

static struct {
    struct posix_signal queued[SIGQUEUE_MAX], *free;
    unsigned used_once; // Of queued, those from here on have never been used.
} pool;

int raise(int number)
{
    return kill(SELF, number);
}

static struct posix_signal *queued_allocate_locked(void)
{
    struct posix_signal *signal = pool.free;
    if (signal)
        pool.free = signal->next;
    else if (pool.used_once < SIGQUEUE_MAX)
        signal = &pool.queued[pool.used_once++];
    return signal;
}

static void queued_taken(struct posix_signal *signal)
{
    signal->next = pool.free;
    pool.free = signal;
}

// Result: 0, or EAGAIN: SIGQUEUE_MAX signals are queued.
static int queue_locked(int number, int code, union sigval value)
{
    struct posix_signal *signal = queued_allocate_locked();
    if (!signal)
        return EAGAIN;
    signal->info = (siginfo_t){
        .si_signo = number, .si_code = code, .si_pid = SELF, .si_value = value
    };
    signal->taken = queued_taken;
    posix_signal_send_locked(signal);
    return 0;
}

static int send_to(pid_t process, int number, int code, union sigval value)
{
    if (number < 0 || number >= NSIG)
        return posix_fail(EINVAL);
    if (process != SELF && process != 0 && process != -1)
        return posix_fail(ESRCH);
    if (number == 0)
        return 0;
    uint32_t flags = irq_save();
    int error = 0;
    if (number < SIGRTMIN && code == SI_USER)
        posix_signal_send_plain_locked(number, code);
    else
        error = queue_locked(number, code, value);
    irq_restore(flags);
    if (error)
        return posix_fail(error);
    posix_signals_deliver();
    return 0;
}

int kill(pid_t process, int number)
{
    return send_to(process, number, SI_USER, (union sigval){ .sival_ptr = NULL });
}

int sigqueue(pid_t process, int number, const union sigval value)
{
    return send_to(process, number, SI_QUEUE, value);
}

pid_t getpid(void)
{
    return SELF;
}

// Ends the program even where the signal is blocked, ignored, or has a handler that returns.
void abort(void)
{
    uint32_t flags = irq_save();
    sigset_t mask = posix_signals_mask_locked();
    sigdelset(&mask, SIGABRT);
    posix_signals_set_mask_locked(mask);
    irq_restore(flags);
    raise(SIGABRT);
    posix_signals_end_by(SIGABRT);
}
