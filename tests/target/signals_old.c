// Signals by their older names, one at a time, and what is there of processes: this one.
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/tap.h"

static volatile int calls;
static sigset_t mask_in_handler;

static void handler(int number)
{
    (void)number;
    calls++;
    sigprocmask(SIG_BLOCK, NULL, &mask_in_handler);
}

static bool is_blocked(int number)
{
    sigset_t mask;
    sigprocmask(SIG_BLOCK, NULL, &mask);
    return sigismember(&mask, number) == 1;
}

static bool is_pending(int number)
{
    sigset_t set;
    sigpending(&set);
    return sigismember(&set, number) == 1;
}

static void test_hold(void)
{
    signal(SIGUSR1, handler);
    tap_ok(sighold(SIGUSR1) == 0 && raise(SIGUSR1) == 0 && calls == 0 && is_pending(SIGUSR1),
           "test_sighold_blocks_a_signal");
    tap_ok(sigrelse(SIGUSR1) == 0 && calls == 1 && !is_blocked(SIGUSR1),
           "test_sigrelse_delivers_it_before_it_returns");
    tap_ok(sighold(NSIG) == -1 && errno == EINVAL && sigrelse(0) == -1 && errno == EINVAL,
           "test_no_signal_is_EINVAL");
    tap_ok(sigignore(SIGUSR1) == 0 && raise(SIGUSR1) == 0 && calls == 1, "test_sigignore");
    tap_ok(sigignore(SIGKILL) == -1 && errno == EINVAL, "test_SIGKILL_cannot_be_ignored");
}

static void test_sigset(void)
{
    calls = 0;
    signal(SIGUSR2, SIG_DFL);
    tap_ok(sigset(SIGUSR2, handler) == SIG_DFL && raise(SIGUSR2) == 0 && calls == 1 &&
               sigismember(&mask_in_handler, SIGUSR2) && !is_blocked(SIGUSR2),
           "test_sigset_sets_a_handler_that_runs_with_its_signal_blocked");
    tap_ok(sigset(SIGUSR2, SIG_HOLD) == handler && is_blocked(SIGUSR2) && raise(SIGUSR2) == 0 &&
               calls == 1,
           "test_SIG_HOLD_blocks_and_leaves_the_handler");
    tap_ok(sigset(SIGUSR2, SIG_HOLD) == SIG_HOLD,
           "test_the_answer_is_SIG_HOLD_when_it_was_blocked");
    tap_ok(sigset(SIGUSR2, handler) == SIG_HOLD && calls == 2 && !is_blocked(SIGUSR2),
           "test_sigset_lets_through_what_waited");
    tap_ok(sigset(SIGKILL, SIG_IGN) == SIG_ERR && errno == EINVAL &&
               sigset(SIGUSR1, SIG_ERR) == SIG_ERR && errno == EINVAL &&
               sigset(-1, handler) == SIG_ERR && errno == EINVAL,
           "test_sigset_refuses");
}

static void test_waits(void)
{
    calls = 0;
    sighold(SIGUSR2);
    raise(SIGUSR2);
    tap_ok(sigpause(SIGUSR2) == -1 && errno == EINTR && calls == 1 && is_blocked(SIGUSR2),
           "test_sigpause_lets_one_signal_through_while_it_waits");
    sigrelse(SIGUSR2);
    tap_ok(sigpause(NSIG) == -1 && errno == EINVAL, "test_sigpause_of_no_signal_is_EINVAL");
    struct sigaction action;
    signal(SIGUSR2, handler);
    siginterrupt(SIGUSR2, 1);
    sigaction(SIGUSR2, NULL, &action);
    int interrupting = action.sa_flags & SA_RESTART;
    siginterrupt(SIGUSR2, 0);
    sigaction(SIGUSR2, NULL, &action);
    tap_ok(!interrupting && action.sa_flags & SA_RESTART && action.sa_handler == handler,
           "test_siginterrupt");
}

static void test_thread_mask(void)
{
    sigset_t set, before;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    errno = 0;
    tap_ok(pthread_sigmask(SIG_BLOCK, &set, &before) == 0 && is_blocked(SIGUSR1) &&
               pthread_sigmask(SIG_SETMASK, &before, NULL) == 0 && !is_blocked(SIGUSR1),
           "test_pthread_sigmask");
    tap_ok(pthread_sigmask(99, &set, NULL) == EINVAL && errno == 0,
           "test_pthread_sigmask_returns_its_error");
}

static void test_group(void)
{
    calls = 0;
    signal(SIGUSR2, handler);
    tap_ok(killpg(getpgrp(), SIGUSR2) == 0 && calls == 1 && killpg(0, 0) == 0,
           "test_killpg_reaches_oneself");
    tap_ok(killpg(999999, SIGUSR2) == -1 && errno == ESRCH && killpg(getpgrp(), -1) == -1 &&
               errno == EINVAL && killpg(-1, SIGUSR2) == -1 && errno == EINVAL && calls == 1,
           "test_killpg_refuses");
}

// The calls are there to be linked, and say what there is not.
static void test_refused(void)
{
    int status;
    stack_t stack = { .ss_size = SIGSTKSZ };
    tap_ok(fork() == -1 && errno == ENOSYS, "test_fork_is_ENOSYS");
    tap_ok(wait(&status) == -1 && errno == ECHILD && waitpid(-1, &status, WNOHANG) == -1 &&
               errno == ECHILD,
           "test_there_are_no_children");
    tap_ok(system(NULL) == 0 && system("true") == -1 && errno == ENOSYS, "test_there_is_no_shell");
    tap_ok(sigaltstack(&stack, NULL) == -1 && errno == ENOSYS, "test_sigaltstack_is_ENOSYS");
}

int main(void)
{
    tap_plan(21);
    test_hold();
    test_sigset();
    test_waits();
    test_thread_mask();
    test_group();
    test_refused();
    return tap_done();
}
