// Signals: actions, the mask, queues, waiting. What comes from an interrupt comes from a timer
// here. Under instruction counting, where waiting for a second takes no second.
// qemu: -icount shift=0,sleep=off
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "arch/cpu.h"
#include "faces/posix/signals.h"
#include "irq/callback.h"
#include "irq/clock.h"
#include "tests/tap.h"

enum { LOG = 16, SOON_NS = 50000 };

static volatile unsigned calls;
static int numbers[LOG];
static siginfo_t infos[LOG];
static enum level levels[LOG];
static sigset_t mask_in_handler;

static void plain(int number)
{
    levels[calls] = level_current();
    numbers[calls++] = number;
}

static void informed(int number, siginfo_t *info, void *context)
{
    (void)context;
    infos[calls] = *info;
    sigprocmask(SIG_BLOCK, NULL, &mask_in_handler);
    plain(number);
}

static void act(int number, int flags, sigset_t mask)
{
    struct sigaction action = { .sa_sigaction = informed,
                                .sa_mask = mask,
                                .sa_flags = flags | SA_SIGINFO };
    sigaction(number, &action, NULL);
}

static sigset_t set_of(int a, int b)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, a);
    sigaddset(&set, b);
    return set;
}

static void reset(void)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    calls = 0;
}

// A signal that an interrupt brings, after a while.
static int number_to_come;
static void expired(struct timer *timer)
{
    (void)timer;
    posix_signal_send_plain(number_to_come, SI_KERNEL);
}
static struct timer timer = { .expired = expired };
static void send_soon(int number)
{
    number_to_come = number;
    timer_arm(&timer, clock_now_ns() + SOON_NS);
}

static void test_raise(void)
{
    reset();
    tap_ok(signal(SIGUSR1, plain) == SIG_DFL, "test_signal_returns_the_default_before");
    raise(SIGUSR1);
    tap_ok(calls == 1 && numbers[0] == SIGUSR1 && levels[0] == LEVEL_MAIN,
           "test_raise_runs_the_handler_before_it_returns");
    tap_ok(signal(SIGUSR1, SIG_IGN) == plain, "test_signal_returns_the_handler_before");
    tap_ok(raise(SIGUSR1) == 0 && calls == 1, "test_ignored_signal_does_nothing");
    tap_ok(kill(getpid(), 0) == 0 && calls == 1, "test_kill_with_0_only_asks");
    tap_ok(kill(4711, SIGUSR1) == -1 && errno == ESRCH, "test_kill_of_another_process_is_ESRCH");
    tap_ok(raise(NSIG) == -1 && errno == EINVAL, "test_raise_of_no_signal_is_EINVAL");
    tap_ok(signal(SIGKILL, plain) == SIG_ERR && errno == EINVAL,
           "test_SIGKILL_cannot_have_a_handler");
}

static void test_from_interrupt(void)
{
    reset();
    act(SIGUSR1, 0, 0);
    send_soon(SIGUSR1);
    while (calls == 0)
        ;
    tap_ok(levels[0] == LEVEL_CALLBACK && infos[0].si_code == SI_KERNEL,
           "test_handler_of_an_interrupts_signal_runs_at_callback_level");
    tap_ok(sigismember(&mask_in_handler, SIGUSR1) == 1,
           "test_signal_is_blocked_while_its_handler_runs");
    sigset_t mask;
    sigprocmask(SIG_BLOCK, NULL, &mask);
    tap_ok(mask == 0, "test_mask_is_as_before_when_the_handler_has_returned");
}

static void test_mask(void)
{
    reset();
    sigset_t usr = set_of(SIGUSR1, SIGUSR2), pending, before;
    act(SIGUSR1, 0, 0);
    act(SIGUSR2, SA_NODEFER, set_of(SIGALRM, SIGTERM));
    sigprocmask(SIG_BLOCK, &usr, NULL);
    raise(SIGUSR2);
    raise(SIGUSR1);
    raise(SIGUSR1);
    sigpending(&pending);
    tap_ok(calls == 0 && pending == usr, "test_blocked_signals_wait");
    sigprocmask(SIG_UNBLOCK, &usr, &before);
    tap_ok(calls == 2 && numbers[0] == SIGUSR1 && numbers[1] == SIGUSR2 && before == usr,
           "test_unblocking_delivers_each_once_lowest_first_before_it_returns");
    tap_ok(mask_in_handler == set_of(SIGALRM, SIGTERM),
           "test_sa_mask_is_blocked_and_with_SA_NODEFER_the_signal_is_not");
    tap_ok(sigprocmask(99, &usr, NULL) == -1 && errno == EINVAL, "test_bad_how_is_EINVAL");
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    sigprocmask(SIG_BLOCK, NULL, &before);
    tap_ok(!sigismember(&before, SIGKILL) && !sigismember(&before, SIGSTOP) &&
               sigismember(&before, SIGRTMAX),
           "test_SIGKILL_and_SIGSTOP_cannot_be_blocked");
}

// Until interrupts are open it cannot be delivered.
static void test_pending(void)
{
    reset();
    sigset_t pending;
    act(SIGUSR1, 0, 0);
    uint32_t flags = irq_save();
    posix_signal_send_plain(SIGUSR1, SI_KERNEL);
    sigpending(&pending);
    irq_restore(flags);
    tap_ok(pending == 0 && calls == 1, "test_sigpending_names_blocked_signals_only");
}

// Somebody may yet wait for it.
static void test_ignored(void)
{
    reset();
    sigset_t usr = set_of(SIGUSR1, SIGUSR1), pending;
    siginfo_t info;
    signal(SIGUSR1, SIG_IGN);
    sigprocmask(SIG_BLOCK, &usr, NULL);
    raise(SIGUSR1);
    sigpending(&pending);
    tap_ok(pending == usr && sigwaitinfo(&usr, &info) == SIGUSR1 && info.si_code == SI_USER &&
               info.si_pid == getpid(),
           "test_a_signal_that_is_ignored_waits_while_it_is_blocked");
    raise(SIGUSR1);
    reset();
    sigpending(&pending);
    tap_ok(pending == 0, "test_and_is_dropped_when_it_is_let_through");
    const int harmless[] = { SIGCHLD, SIGCONT, SIGURG, SIGWINCH };
    int sent = 0;
    for (unsigned i = 0; i < sizeof harmless / sizeof harmless[0]; i++)
        sent += signal(harmless[i], SIG_DFL) == SIG_DFL && kill(-1, harmless[i]) == 0;
    tap_equal(sent, 4, "test_SIGCHLD_SIGCONT_SIGURG_and_SIGWINCH_do_nothing_by_default");
}

static void test_queue(void)
{
    reset();
    sigset_t set = set_of(SIGRTMIN, SIGRTMIN + 1), pending;
    act(SIGRTMIN, 0, 0);
    act(SIGRTMIN + 1, 0, 0);
    sigprocmask(SIG_BLOCK, &set, NULL);
    for (int i = 0; i < 3; i++) {
        sigqueue(getpid(), SIGRTMIN + 1, (union sigval){ .sival_int = 10 + i });
        sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = i });
    }
    tap_ok(sigpending(&pending) == 0 && pending == set, "test_sigpending_names_realtime_signals");
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    bool ordered = calls == 6;
    for (int i = 0; i < 3; i++)
        ordered &= numbers[i] == SIGRTMIN && infos[i].si_value.sival_int == i &&
                   numbers[3 + i] == SIGRTMIN + 1 && infos[3 + i].si_value.sival_int == 10 + i;
    tap_ok(ordered, "test_realtime_signals_are_queued_with_values_lower_number_first");
    tap_ok(infos[0].si_code == SI_QUEUE && infos[0].si_pid == getpid(),
           "test_sigqueue_is_SI_QUEUE_of_the_sender");

    sigprocmask(SIG_BLOCK, &set, NULL);
    unsigned accepted = 0;
    while (accepted < 100000 && sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = 0 }) == 0)
        accepted++;
    tap_ok(accepted == 256 && errno == EAGAIN, "test_full_queue_is_EAGAIN");
    signal(SIGRTMIN, SIG_IGN);
    sigpending(&pending);
    tap_ok(pending == 0, "test_ignoring_a_signal_drops_what_waits_of_it");
    tap_ok(sigqueue(getpid(), SIGRTMIN + 1, (union sigval){ .sival_int = 0 }) == 0,
           "test_its_places_are_free_again");
    reset();
}

static void test_reset(void)
{
    reset();
    act(SIGUSR1, SA_RESETHAND, 0);
    raise(SIGUSR1);
    struct sigaction now;
    sigaction(SIGUSR1, NULL, &now);
    tap_ok(calls == 1 && now.sa_handler == SIG_DFL, "test_SA_RESETHAND_runs_the_handler_once");
    tap_ok(mask_in_handler == set_of(SIGUSR1, SIGUSR1),
           "test_with_SA_RESETHAND_the_signal_is_blocked_meanwhile_as_ever");
    signal(SIGUSR1, plain);
    sigaction(SIGUSR1, NULL, &now);
    tap_ok(now.sa_handler == plain && now.sa_flags == SA_RESTART && now.sa_mask == 0,
           "test_sigaction_says_what_signal_has_set");
}

static sigjmp_buf *place_to_leave_for;
static void leave_the_wait(int number)
{
    (void)number;
    siglongjmp(*place_to_leave_for, 1);
}

static void test_wait_for(void)
{
    reset();
    sigset_t set = set_of(SIGUSR1, SIGRTMAX);
    siginfo_t info;
    const struct timespec moment = { .tv_nsec = 1000 }, no_time = { .tv_nsec = 0 };
    sigprocmask(SIG_BLOCK, &set, NULL);
    tap_ok(sigtimedwait(&set, &info, &no_time) == -1 && errno == EAGAIN,
           "test_sigtimedwait_of_no_time_is_EAGAIN_at_once");
    tap_ok(sigtimedwait(&set, &info, &moment) == -1 && errno == EAGAIN,
           "test_sigtimedwait_ends_with_its_time");
    sigqueue(getpid(), SIGRTMAX, (union sigval){ .sival_ptr = &info });
    tap_ok(sigwaitinfo(&set, &info) == SIGRTMAX && info.si_value.sival_ptr == &info,
           "test_sigwaitinfo_takes_what_waits_with_its_value");
    send_soon(SIGUSR1);
    tap_ok(sigwaitinfo(&set, NULL) == SIGUSR1 && calls == 0,
           "test_sigwaitinfo_waits_and_no_handler_runs");
    int number = 0;
    send_soon(SIGUSR1);
    tap_ok(sigwait(&set, &number) == 0 && number == SIGUSR1, "test_sigwait_says_which");
    signal(SIGUSR2, plain);
    send_soon(SIGUSR2);
    tap_ok(sigwaitinfo(&set, NULL) == -1 && errno == EINTR && calls == 1,
           "test_another_signals_handler_ends_sigwaitinfo_with_EINTR");
}

// POSIX leaves open what becomes of signals that are waited for and not blocked; this is Linux.
static void test_wait_for_unblocked(void)
{
    static sigjmp_buf place;
    reset();
    const struct timespec moment = { .tv_nsec = 1000 };
    sigset_t set = set_of(SIGUSR1, SIGUSR1);
    act(SIGUSR1, 0, 0);
    send_soon(SIGUSR1);
    tap_ok(sigwaitinfo(&set, NULL) == SIGUSR1 && calls == 0,
           "test_sigwaitinfo_takes_an_unblocked_signal_before_its_handler");
    tap_ok(raise(SIGUSR1) == 0 && calls == 1, "test_the_handler_has_it_again_afterwards");
    sigtimedwait(&set, NULL, &moment);
    tap_ok(raise(SIGUSR1) == 0 && calls == 2, "test_and_when_the_time_is_over");
    signal(SIGUSR2, leave_the_wait);
    place_to_leave_for = &place;
    if (sigsetjmp(place, 1) == 0) {
        send_soon(SIGUSR2);
        sigwaitinfo(&set, NULL);
    }
    tap_ok(raise(SIGUSR1) == 0 && calls == 3, "test_and_when_the_wait_has_been_left_by_a_jump");
}

static void test_suspend(void)
{
    reset();
    sigset_t usr = set_of(SIGUSR1, SIGUSR1), other = set_of(SIGUSR2, SIGUSR2), none, after;
    sigemptyset(&none);
    act(SIGUSR1, 0, 0);
    sigprocmask(SIG_BLOCK, &usr, NULL);
    raise(SIGUSR1);
    tap_ok(sigsuspend(&none) == -1 && errno == EINTR && calls == 1,
           "test_sigsuspend_lets_through_what_waits");
    raise(SIGUSR1);
    sigsuspend(&other);
    tap_ok(calls == 2 && mask_in_handler == (usr | other),
           "test_sigsuspend_blocks_what_is_in_its_mask_and_nothing_else");
    sigprocmask(SIG_BLOCK, NULL, &after);
    tap_ok(after == usr, "test_sigsuspend_restores_the_mask");
    send_soon(SIGUSR1);
    tap_ok(sigsuspend(&none) == -1 && calls == 3, "test_sigsuspend_waits_for_a_handler");
    reset();
    send_soon(SIGUSR1);
    tap_ok(pause() == -1 && errno == EINTR && calls == 1, "test_pause_ends_when_a_handler_has_run");
}

static void test_alarm(void)
{
    reset();
    signal(SIGALRM, plain);
    tap_ok(alarm(2) == 0, "test_first_alarm_has_none_before");
    tap_equal(alarm(1), 2, "test_alarm_says_what_was_left_of_the_one_before");
    pause();
    tap_ok(calls == 1 && numbers[0] == SIGALRM, "test_alarm_raises_SIGALRM");
    alarm(1);
    const uint64_t due = clock_now_ns() + 1000000000;
    nanosleep(&(struct timespec){ .tv_nsec = 999900000 }, NULL);
    uint32_t flags = irq_save();
    while (clock_now_ns() <= due)
        ;
    unsigned left = alarm(5);
    irq_restore(flags);
    tap_ok(left == 0 && calls == 2, "test_alarm_that_is_due_comes_though_another_is_set");
    alarm(0);
    calls = 1;
    alarm(5);
    tap_ok(alarm(0) == 5 && sleep(6) == 0 && calls == 1, "test_alarm_of_0_cancels");
    alarm(5);
    alarm(1);
    pause();
    tap_ok(calls == 2 && sleep(6) == 0 && calls == 2,
           "test_alarm_takes_the_place_of_the_one_before");
    alarm(1);
    tap_equal(sleep(10), 9, "test_handler_ends_sleep_and_the_rest_is_told");
}

// ---- In callbacks ----

static volatile bool over;
static int result_in_callback;
static unsigned calls_in_callback;

static void pause_in_callback(struct callback *callback)
{
    (void)callback;
    send_soon(SIGUSR1);
    result_in_callback = pause();
    calls_in_callback = calls;
    over = true;
}

static void test_in_callback(void)
{
    static struct callback callback = { .run = pause_in_callback };
    reset();
    act(SIGUSR1, 0, 0);
    callback_post(&callback);
    while (!over)
        ;
    tap_ok(result_in_callback == -1 && calls_in_callback == 1,
           "test_wait_in_a_callback_runs_handlers_itself");
}

static void test_broken_pipe(void)
{
    int fds[2];
    reset();
    signal(SIGPIPE, plain);
    pipe(fds);
    close(fds[0]);
    tap_ok(write(fds[1], "x", 1) == -1 && errno == EPIPE && calls == 1 && numbers[0] == SIGPIPE,
           "test_writing_to_a_broken_pipe_is_EPIPE_and_SIGPIPE");
    close(fds[1]);
}

static void test_sets(void)
{
    sigset_t set;
    sigfillset(&set);
    tap_ok(sigismember(&set, 1) == 1 && sigismember(&set, 64) == 1, "test_full_set_has_64");
    tap_ok(sigaddset(&set, 0) == -1 && sigdelset(&set, NSIG) == -1 && sigismember(&set, -1) == -1 &&
               errno == EINVAL,
           "test_numbers_out_of_range_are_EINVAL");
}

int main(void)
{
    tap_plan(55);
    test_raise();
    test_from_interrupt();
    test_mask();
    test_pending();
    test_ignored();
    test_queue();
    test_reset();
    test_wait_for();
    test_wait_for_unblocked();
    test_suspend();
    test_alarm();
    test_in_callback();
    test_broken_pipe();
    test_sets();
    return tap_done();
}
