// Sleeping until a moment, and the clocks that say when it is.
// Under instruction counting, where no host is slow.
// qemu: -icount shift=0,sleep=off
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include "tests/tap.h"

enum { MILLISECOND = 1000000 };

static void handler(int number)
{
    (void)number;
}

static int64_t ns(struct timespec time)
{
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static struct timespec now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time;
}

static void test_spans(void)
{
    struct timespec span = { 0, 2 * MILLISECOND }, begun = now();
    tap_ok(clock_nanosleep(CLOCK_MONOTONIC, 0, &span, NULL) == 0 &&
               ns(now()) - ns(begun) >= 2 * MILLISECOND,
           "test_clock_nanosleep_sleeps_for_a_time");
    struct timespec until = now();
    until.tv_sec += (until.tv_nsec += MILLISECOND) / 1000000000;
    until.tv_nsec %= 1000000000;
    tap_ok(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == 0 &&
               ns(now()) >= ns(until),
           "test_clock_nanosleep_sleeps_until_a_moment");
    tap_ok(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &begun, NULL) == 0,
           "test_a_moment_that_is_past_is_no_sleep");
}

static void test_signals(void)
{
    struct timespec far = { .tv_sec = 1000 }, left = { 0, 0 };
    signal(SIGALRM, handler);
    errno = 0;
    alarm(1);
    tap_ok(clock_nanosleep(CLOCK_MONOTONIC, 0, &far, &left) == EINTR && errno == 0 &&
               left.tv_sec >= 900 && left.tv_sec < 1000,
           "test_a_signal_ends_it_and_says_what_is_left");
    left.tv_sec = 4711;
    far.tv_sec = now().tv_sec + 1000;
    alarm(1);
    tap_ok(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &far, &left) == EINTR &&
               left.tv_sec == 4711,
           "test_of_a_moment_nothing_is_left");
}

static void test_refused(void)
{
    struct timespec bad = { 0, 1000000000 }, zero = { 0, 0 };
    void *volatile nowhere = (void *)1;
    tap_ok(clock_nanosleep(CLOCK_MONOTONIC, 0, &bad, NULL) == EINVAL &&
               clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &bad, NULL) == EINVAL,
           "test_no_time_is_EINVAL");
    tap_ok(clock_nanosleep((clockid_t)99, 0, &zero, NULL) == EINVAL, "test_no_clock_is_EINVAL");
    tap_ok(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, nowhere, NULL) == EFAULT,
           "test_a_time_that_is_nowhere_is_EFAULT");
    tap_ok(clock_settime(CLOCK_REALTIME, &zero) == -1 && errno == EPERM &&
               clock_settime(CLOCK_MONOTONIC, &zero) == -1 && errno == EINVAL &&
               clock_settime(CLOCK_REALTIME, &bad) == -1 && errno == EINVAL,
           "test_clocks_cannot_be_set");
}

static void test_clock(void)
{
    clock_t before = clock();
    struct timespec span = { 0, 2 * MILLISECOND };
    nanosleep(&span, NULL);
    tap_ok(CLOCKS_PER_SEC == 1000000 && clock() - before >= 2000, "test_clock_counts_microseconds");
}

int main(void)
{
    tap_plan(10);
    test_spans();
    test_signals();
    test_refused();
    test_clock();
    return tap_done();
}
