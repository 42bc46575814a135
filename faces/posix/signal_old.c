// Signals by their older names: those that take one signal instead of a set, threads' names where
// main is the only thread, and process groups, of which there is one.
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <unistd.h>

#include "faces/posix/posix.h"

static bool set_of(sigset_t *set, int number)
{
    return sigemptyset(set) == 0 && sigaddset(set, number) == 0;
}

static int change_mask(int how, int number)
{
    sigset_t set;
    return set_of(&set, number) ? sigprocmask(how, &set, NULL) : -1;
}

int sighold(int number)
{
    return change_mask(SIG_BLOCK, number);
}

int sigrelse(int number)
{
    return change_mask(SIG_UNBLOCK, number);
}

int sigignore(int number)
{
    const struct sigaction action = { .sa_handler = SIG_IGN };
    return sigaction(number, &action, NULL);
}

// The action is set before the signal is let through, so that what waited meets the new one.
_sig_func_ptr sigset(int number, _sig_func_ptr handler)
{
    struct sigaction before;
    const struct sigaction action = { .sa_handler = handler };
    const bool holds = handler == SIG_HOLD;
    sigset_t set, mask;
    if (handler == SIG_ERR) {
        errno = EINVAL;
        return SIG_ERR;
    }
    if (!set_of(&set, number) || sigaction(number, holds ? NULL : &action, &before) != 0 ||
        sigprocmask(holds ? SIG_BLOCK : SIG_UNBLOCK, &set, &mask) != 0)
        return SIG_ERR;
    return sigismember(&mask, number) ? SIG_HOLD : before.sa_handler;
}

int sigpause(int number)
{
    sigset_t mask;
    sigprocmask(SIG_BLOCK, NULL, &mask);
    return sigdelset(&mask, number) == 0 ? sigsuspend(&mask) : -1;
}

int siginterrupt(int number, int interrupts)
{
    struct sigaction action;
    if (sigaction(number, NULL, &action) != 0)
        return -1;
    action.sa_flags = interrupts ? action.sa_flags & ~SA_RESTART : action.sa_flags | SA_RESTART;
    return sigaction(number, &action, NULL);
}

// An error is the result; errno stays.
int pthread_sigmask(int how, const sigset_t *restrict set, sigset_t *restrict before)
{
    int kept = errno, error = sigprocmask(how, set, before) == 0 ? 0 : errno;
    errno = kept;
    return error;
}

// The handlers' stack: callbacks have their own, and what main sends itself runs on main's.
int sigaltstack(const stack_t *restrict stack, stack_t *restrict before)
{
    (void)stack;
    (void)before;
    return posix_fail(ENOSYS);
}

pid_t getpgrp(void)
{
    return getpid();
}

int killpg(pid_t group, int number)
{
    if (group < 0)
        return posix_fail(EINVAL);
    return kill(group == getpgrp() ? 0 : -group, number);
}
