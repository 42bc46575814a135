// timer_create() and its family: nothing comes early, what is missed is counted, and no setting
// keeps main from going on.
// Under instruction counting, where no host is slow.
// qemu: -icount shift=0,sleep=off
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "irq/callback.h"
#include "tests/tap.h"

enum { MILLISECOND = 1000000 };

static volatile int calls, overruns;
static siginfo_t last;
static enum level level;
static timer_t created;

static void handler(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    last = *info;
    overruns = timer_getoverrun(created);
    calls++;
}

static void function(union sigval value)
{
    level = level_current();
    last.si_value = value;
    calls++;
}

static int64_t ns(struct timespec time)
{
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return ns(time);
}

static timer_t make(int notify, int signo)
{
    struct sigevent event = { .sigev_notify = notify,
                              .sigev_signo = signo,
                              .sigev_value.sival_int = 4711,
                              .sigev_notify_function = function };
    struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
    if (signo)
        sigaction(signo, &action, NULL);
    calls = 0;
    timer_create(CLOCK_MONOTONIC, &event, &created);
    return created;
}

static int set(timer_t timer, int flags, int64_t value, int64_t interval)
{
    struct itimerspec setting = {
        .it_value = { (time_t)(value / 1000000000), (long)(value % 1000000000) },
        .it_interval = { (time_t)(interval / 1000000000), (long)(interval % 1000000000) },
    };
    return timer_settime(timer, flags, &setting, NULL);
}

static void sleep_ns(long span_ns)
{
    int64_t end = now_ns() + span_ns;
    while (now_ns() < end)
        ;
}

static void block(int how, int number)
{
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, number);
    sigprocmask(how, &mask, NULL);
}

static bool is_set(timer_t timer)
{
    struct itimerspec left;
    return timer_gettime(timer, &left) == 0 && ns(left.it_value) != 0;
}

static void test_once(void)
{
    timer_t timer = make(SIGEV_SIGNAL, SIGRTMIN);
    int64_t begun = now_ns();
    bool good = set(timer, 0, 2 * MILLISECOND, 0) == 0;
    while (calls == 0)
        pause();
    tap_ok(good && now_ns() - begun >= 2 * MILLISECOND, "test_a_signal_comes_and_not_early");
    tap_ok(last.si_code == SI_TIMER && last.si_value.sival_int == 4711 && overruns == 0,
           "test_it_says_what_it_is_and_brings_its_value");
    sleep_ns(3 * MILLISECOND);
    tap_ok(calls == 1 && !is_set(timer), "test_it_comes_once");
    good = set(timer, TIMER_ABSTIME, 1, 0) == 0;
    while (calls == 1)
        ;
    tap_ok(good, "test_a_moment_that_is_past_is_due_at_once");
    struct itimerspec left = { .it_value = { 0, 0 } };
    set(timer, TIMER_ABSTIME, now_ns() + 2 * MILLISECOND, 0);
    timer_gettime(timer, &left);
    tap_ok(ns(left.it_value) > 0 && ns(left.it_value) <= 2 * MILLISECOND,
           "test_a_moment_to_come_is_no_span");
    set(timer, 0, MILLISECOND, 0);
    tap_ok(is_set(timer) && set(timer, 0, 0, 0) == 0 && !is_set(timer),
           "test_a_value_of_0_stops_it");
    sleep_ns(2 * MILLISECOND);
    tap_ok(calls == 2, "test_stopped_it_tells_nobody");
    tap_ok(timer_delete(timer) == 0 && timer_delete(timer) == -1 && errno == EINVAL,
           "test_deleted_it_is_none");
}

static void test_without_event(void)
{
    timer_t first = make(SIGEV_SIGNAL, SIGALRM), second;
    timer_create(CLOCK_REALTIME, NULL, &second);
    set(second, 0, MILLISECOND, 0);
    while (calls == 0)
        pause();
    tap_ok(first != second && last.si_signo == SIGALRM && last.si_value.sival_int == (int)second,
           "test_without_an_event_it_is_SIGALRM_with_the_timers_number");
    timer_delete(first);
    timer_delete(second);
}

static void test_interval(void)
{
    timer_t timer = make(SIGEV_THREAD, 0);
    int64_t begun = now_ns();
    set(timer, 0, MILLISECOND, MILLISECOND);
    while (calls < 5)
        ;
    tap_ok(now_ns() - begun >= 5 * MILLISECOND && level == LEVEL_CALLBACK &&
               last.si_value.sival_int == 4711,
           "test_a_function_runs_each_time_at_callback_level");
    timer_delete(timer);
    int before = calls;
    sleep_ns(3 * MILLISECOND);
    tap_ok(calls == before, "test_deleted_it_is_quiet");
}

static void test_overruns(void)
{
    timer_t timer = make(SIGEV_SIGNAL, SIGRTMIN);
    block(SIG_BLOCK, SIGRTMIN);
    set(timer, 0, MILLISECOND, MILLISECOND);
    sleep_ns(6 * MILLISECOND);
    set(timer, 0, 0, 0);
    block(SIG_UNBLOCK, SIGRTMIN);
    tap_ok(calls == 1 && overruns == 0, "test_a_blocked_signal_waits_once");
    block(SIG_BLOCK, SIGRTMIN);
    set(timer, 0, MILLISECOND, MILLISECOND);
    sleep_ns(6 * MILLISECOND + MILLISECOND / 2);
    block(SIG_UNBLOCK, SIGRTMIN);
    tap_ok(calls == 2 && overruns == 5, "test_what_was_missed_is_counted");
    set(timer, 0, 1, 1);
    while (calls < 10)
        ;
    tap_ok(set(timer, 0, 0, 0) == 0, "test_the_shortest_interval_lets_main_go_on");
    signal(SIGRTMIN, SIG_IGN);
    set(timer, 0, 1, 1);
    sleep_ns(MILLISECOND);
    tap_ok(set(timer, 0, 0, 0) == 0, "test_nor_does_an_ignored_signal_keep_it");
    timer_delete(timer);
}

// The signal lies in the timer until it is taken.
static void test_delete_pending(void)
{
    timer_t timer = make(SIGEV_SIGNAL, SIGRTMIN), other;
    block(SIG_BLOCK, SIGRTMIN);
    set(timer, 0, 1, 0);
    sleep_ns(MILLISECOND);
    timer_delete(timer);
    tap_ok(!is_set(timer) && timer_create(CLOCK_REALTIME, NULL, &other) == 0 && other != timer,
           "test_a_deleted_timers_signal_keeps_its_place");
    block(SIG_UNBLOCK, SIGRTMIN);
    timer_delete(other);
    timer_create(CLOCK_REALTIME, NULL, &other);
    tap_ok(calls == 1 && other == timer, "test_taken_the_place_is_free");
    timer_delete(other);
}

static void test_asking(void)
{
    struct itimerspec left, setting = { .it_value = { 1000, 0 }, .it_interval = { 7, 8 } };
    timer_t timer = make(SIGEV_NONE, 0);
    timer_settime(timer, 0, &setting, NULL);
    tap_ok(timer_gettime(timer, &left) == 0 && left.it_value.tv_sec >= 900 &&
               left.it_value.tv_sec <= 1000 && left.it_interval.tv_sec == 7 &&
               left.it_interval.tv_nsec == 8,
           "test_timer_gettime_says_what_is_left");
    setting.it_value.tv_sec = 2000;
    tap_ok(timer_settime(timer, 0, &setting, &left) == 0 && left.it_value.tv_sec >= 900 &&
               left.it_value.tv_sec <= 1000,
           "test_timer_settime_says_what_was_left");
    set(timer, 0, MILLISECOND, 1000000000);
    sleep_ns(2 * MILLISECOND);
    timer_gettime(timer, &left);
    tap_ok(ns(left.it_value) > 2 * MILLISECOND && ns(left.it_value) <= 1000000000,
           "test_SIGEV_NONE_goes_on_with_its_interval");
    set(timer, 0, MILLISECOND, 0);
    sleep_ns(2 * MILLISECOND);
    tap_ok(!is_set(timer), "test_SIGEV_NONE_ends");
    timer_delete(timer);
}

static bool refused(struct sigevent event)
{
    errno = 0;
    return timer_create(CLOCK_MONOTONIC, &event, &created) == -1 && errno == EINVAL;
}

static void test_refusals(void)
{
    struct itimerspec bad = { .it_value = { 0, 1000000000 } };
    timer_t timers[TIMER_MAX + 1];
    int made = 0;
    tap_ok(refused((struct sigevent){ .sigev_notify = 99 }) &&
               refused((struct sigevent){ .sigev_notify = SIGEV_SIGNAL, .sigev_signo = NSIG }) &&
               refused((struct sigevent){ .sigev_notify = SIGEV_THREAD }),
           "test_a_notification_that_is_none_is_EINVAL");
    void (*volatile data)(union sigval) = (void (*)(union sigval))(uintptr_t)&last;
    tap_ok(
        refused((struct sigevent){ .sigev_notify = SIGEV_THREAD, .sigev_notify_function = data }),
        "test_a_function_that_is_data_is_EINVAL");
    tap_ok(timer_create((clockid_t)99, NULL, &created) == -1 && errno == EINVAL,
           "test_a_clock_that_is_none_is_EINVAL");
    while (made <= TIMER_MAX && timer_create(CLOCK_MONOTONIC, NULL, &timers[made]) == 0)
        made++;
    tap_ok(made == TIMER_MAX && errno == EAGAIN, "test_more_than_TIMER_MAX_are_EAGAIN");
    tap_ok(timer_settime(timers[0], 0, &bad, NULL) == -1 && errno == EINVAL,
           "test_a_time_that_is_none_is_EINVAL");
    for (int i = 0; i < made; i++)
        timer_delete(timers[i]);
    tap_ok(timer_gettime(timers[0], &bad) == -1 && errno == EINVAL &&
               timer_getoverrun((timer_t)-1) == -1 && errno == EINVAL &&
               timer_settime(TIMER_MAX, 0, &(struct itimerspec){ 0 }, NULL) == -1 &&
               errno == EINVAL,
           "test_a_timer_that_is_none_is_EINVAL");
    void *volatile nowhere = (void *)1;
    tap_ok(timer_create(CLOCK_MONOTONIC, NULL, nowhere) == -1 && errno == EFAULT &&
               timer_create(CLOCK_MONOTONIC, nowhere, &created) == -1 && errno == EFAULT,
           "test_pointers_to_nowhere_are_EFAULT");
}

static void count(int number)
{
    (void)number;
    calls++;
}

// alarm(), ualarm() and setitimer() set one timer.
static void test_real(void)
{
    const struct itimerval millisecond = { { 0, 1000 }, { 0, 2000 } },
                           none = { { 0, 0 }, { 0, 0 } };
    struct itimerval now, before;
    calls = 0;
    signal(SIGALRM, count);
    int64_t begin = now_ns();
    setitimer(ITIMER_REAL, &millisecond, NULL);
    getitimer(ITIMER_REAL, &now);
    tap_ok(now.it_value.tv_sec == 0 && now.it_value.tv_usec > 0 && now.it_value.tv_usec <= 2000 &&
               now.it_interval.tv_usec == 1000,
           "test_getitimer_says_what_is_left");
    while (calls < 3)
        pause();
    tap_ok(now_ns() - begin >= 4 * MILLISECOND, "test_setitimer_raises_SIGALRM_again_and_again");
    tap_equal(alarm(5), 1, "test_alarm_says_what_was_left_of_setitimer");
    tap_ok(setitimer(ITIMER_REAL, &none, &before) == 0 && before.it_value.tv_sec == 4 &&
               before.it_interval.tv_usec == 0,
           "test_setitimer_says_what_was_left_of_alarm");
    calls = 0;
    tap_ok(getitimer(ITIMER_REAL, &now) == 0 && now.it_value.tv_usec == 0 && sleep(6) == 0 &&
               calls == 0,
           "test_setitimer_of_0_stops");
    tap_ok(ualarm(2000, 0) == 0 && ualarm(1000, 0) > 1000 && pause() == -1 && calls == 1 &&
               ualarm(0, 0) == 0,
           "test_ualarm");
}

static void test_real_refusals(void)
{
    const struct itimerval long_usec = { { 0, 0 }, { 0, 1000000 } },
                           negative = { { -1, 0 }, { 1, 0 } };
    struct itimerval now;
    errno = 0;
    tap_ok(setitimer(ITIMER_REAL, &long_usec, NULL) == -1 && errno == EINVAL &&
               setitimer(ITIMER_REAL, &negative, NULL) == -1 && errno == EINVAL,
           "test_setitimer_of_no_time_is_EINVAL");
    tap_ok(setitimer(ITIMER_PROF, &negative, NULL) == -1 && errno == EINVAL &&
               getitimer(ITIMER_VIRTUAL, &now) == -1 && errno == EINVAL,
           "test_timers_of_CPU_time_are_EINVAL");
    tap_ok(setitimer(ITIMER_REAL, NULL, NULL) == -1 && errno == EFAULT &&
               getitimer(ITIMER_REAL, NULL) == -1 && errno == EFAULT && alarm(0) == 0,
           "test_itimers_at_no_address_are_EFAULT");
}

int main(void)
{
    tap_plan(37);
    test_once();
    test_without_event();
    test_interval();
    test_overruns();
    test_delete_pending();
    test_asking();
    test_refusals();
    test_real();
    test_real_refusals();
    return tap_done();
}
