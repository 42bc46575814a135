// Waiting for signals; sets of them.
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include "arch/container.h"
#include "arch/cpu.h"
#include "faces/posix/pointers.h"
#include "faces/posix/posix.h"
#include "faces/posix/signals.h"
#include "irq/callback.h"
#include "irq/clock.h"

int sigsuspend(const sigset_t *mask)
{
    if (!posix_can_read(mask, 1))
        return posix_fail(EFAULT);
    uint32_t flags = irq_save();
    sigset_t before = posix_signals_mask_locked();
    unsigned handled = posix_signals_counts.handled;
    posix_signals_set_mask_locked(*mask);
    irq_restore(flags);
    posix_signals_deliver(); // What waited behind the old mask.
    flags = irq_save();
    while (posix_signals_counts.handled == handled)
        if (!posix_signals_deliver_in_wait())
            level_sleep_locked();
    posix_signals_set_mask_locked(before);
    irq_restore(flags);
    posix_signals_deliver();
    return posix_fail(EINTR);
}

int pause(void)
{
    uint32_t flags = irq_save();
    sigset_t mask = posix_signals_mask_locked();
    irq_restore(flags);
    return sigsuspend(&mask);
}

// What sigtimedwait() has changed while it waits.
struct awaiting {
    struct unwind unwind;
    sigset_t before;
};

static void await_no_more(struct unwind *unwind)
{
    struct awaiting *awaiting = container_of(unwind, struct awaiting, unwind);
    posix_signals_awaited_before_locked(awaiting->before);
}

static void await(struct awaiting *awaiting, sigset_t set)
{
    uint32_t flags = irq_save();
    unwind_push(&awaiting->unwind, await_no_more);
    awaiting->before = posix_signals_await_locked(set);
    irq_restore(flags);
}

// As on Linux it gets a signal that is not blocked, too, and before its handler.
int sigtimedwait(const sigset_t *restrict set, siginfo_t *restrict info,
                 const struct timespec *restrict timeout)
{
    struct posix_wait wait;
    struct awaiting awaiting;
    siginfo_t taken;
    bool good = posix_can_read(set, 1) && posix_may_write(info);
    int error = good ? posix_wait_begin(&wait, timeout) : EFAULT;
    if (error)
        return posix_fail(error);
    await(&awaiting, *set);
    uint32_t flags = irq_save();
    bool found;
    while (!(found = posix_signals_take_locked(*set, &taken)) &&
           (error = posix_wait_over(&wait)) == 0)
        posix_wait_sleep_locked(&wait);
    irq_restore(flags);
    unwind_end(&awaiting.unwind);
    posix_wait_end(&wait);
    posix_signals_deliver(); // Another of the set may have come.
    if (!found)
        return posix_fail(error == ETIMEDOUT ? EAGAIN : error);
    if (info)
        *info = taken;
    return taken.si_signo;
}

int sigwaitinfo(const sigset_t *restrict set, siginfo_t *restrict info)
{
    return sigtimedwait(set, info, NULL);
}

// Unlike the two above it returns its error, and no handler ends it.
int sigwait(const sigset_t *restrict set, int *restrict number)
{
    int taken;
    if (!posix_can_read(set, 1) || !posix_can_write(number, 1))
        return EFAULT;
    do
        taken = sigtimedwait(set, NULL, NULL);
    while (taken < 0 && errno == EINTR);
    *number = taken;
    return 0;
}

// ---- Sets ----

int sigemptyset(sigset_t *set)
{
    if (!posix_can_write(set, 1))
        return posix_fail(EFAULT);
    *set = 0;
    return 0;
}

int sigfillset(sigset_t *set)
{
    if (!posix_can_write(set, 1))
        return posix_fail(EFAULT);
    *set = ~(sigset_t)0;
    return 0;
}

static int change(sigset_t *set, int number, bool in)
{
    if (number <= 0 || number >= NSIG)
        return posix_fail(EINVAL);
    if (!posix_can_write(set, 1))
        return posix_fail(EFAULT);
    sigset_t bit = (sigset_t)1 << (number - 1);
    *set = in ? *set | bit : *set & ~bit;
    return 0;
}

int sigaddset(sigset_t *set, int number)
{
    return change(set, number, true);
}

int sigdelset(sigset_t *set, int number)
{
    return change(set, number, false);
}

int sigismember(const sigset_t *set, int number)
{
    if (number <= 0 || number >= NSIG)
        return posix_fail(EINVAL);
    if (!posix_can_read(set, 1))
        return posix_fail(EFAULT);
    return (*set >> (number - 1) & 1) != 0;
}
