// Timers that are read, as a program sees them. The exact times are tried out on the host; here
// only what must hold on any clock: nothing comes early, nothing is lost.
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/timerfd.h>

#include "fs/timerfd.h"
#include "irq/irq.h"
#include "tests/tap.h"
#include "tests/target/stream_requests.h"

enum { MILLISECOND = 1000000 };

static uint64_t count;

static int timer(int flags)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, flags);
    if (fd < 0)
        printf("Bail out! no timerfd\n");
    count = 0;
    return fd;
}

static int set(int fd, int flags, long value_ns, long interval_ns)
{
    struct itimerspec setting = { .it_value = { 0, value_ns }, .it_interval = { 0, interval_ns } };
    return timerfd_settime(fd, flags, &setting, NULL);
}

static uint64_t nanoseconds(struct timespec time)
{
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return nanoseconds(now);
}

static void test_once(void)
{
    int fd = timer(0);
    uint64_t begun = now_ns();
    tap_equal(set(fd, 0, MILLISECOND, 0), 0, "test_a_timer_is_set");
    tap_ok(read(fd, &count, 8) == 8 && count == 1, "test_a_read_waits_for_it");
    tap_ok(now_ns() - begun >= MILLISECOND, "test_it_is_not_early");
    struct itimerspec left;
    tap_ok(timerfd_gettime(fd, &left) == 0 && left.it_value.tv_sec == 0 &&
               left.it_value.tv_nsec == 0,
           "test_it_is_not_set_any_more");
    close(fd);
}

static void test_interval(void)
{
    int fd = timer(0);
    uint64_t begun = now_ns(), total = 0;
    set(fd, 0, MILLISECOND, MILLISECOND);
    while (total < 5) {
        read(fd, &count, 8);
        total += count;
    }
    tap_ok(now_ns() - begun >= total * MILLISECOND, "test_an_interval_is_not_early");
    usleep(5000);
    tap_ok(read(fd, &count, 8) == 8 && count >= 4, "test_missed_expirations_are_counted");
    close(fd);
}

// Goal: an interval that no clock can keep does not keep the machine from anything.
static void test_no_flood(void)
{
    int fd = timer(0);
    set(fd, 0, 1, 1);
    uint32_t before = irq_totals().taken;
    usleep(5000);
    uint32_t taken = irq_totals().taken - before;
    tap_ok(taken < 100, "test_an_interval_of_a_nanosecond_is_no_flood");
    tap_note("%u interrupts in 5 ms", (unsigned)taken);
    tap_ok(read(fd, &count, 8) == 8 && count >= 4000000, "test_and_is_counted");
    close(fd);
}

static void test_absolute(void)
{
    int fd = timer(TFD_NONBLOCK | TFD_CLOEXEC);
    struct itimerspec setting = { 0 }, old;
    uint64_t now = now_ns();
    setting.it_value.tv_sec = (time_t)(now / 1000000000) + 1000;
    uint64_t end = nanoseconds(setting.it_value);
    tap_equal(timerfd_settime(fd, TFD_TIMER_ABSTIME, &setting, NULL), 0,
              "test_a_timer_is_set_to_a_time");
    tap_equal(errno_of(read(fd, &count, 8)), EAGAIN, "test_which_has_not_come");
    setting.it_value = (struct timespec){ 0, 1 };
    timerfd_settime(fd, TFD_TIMER_ABSTIME, &setting, &old);
    uint64_t left = nanoseconds(old.it_value);
    tap_ok(left <= end - now && left >= end - now_ns(), "test_the_old_setting_is_what_is_left");
    tap_ok(read(fd, &count, 8) == 8 && count == 1, "test_a_time_that_is_past_has_come");
    close(fd);
}

static void test_blocking(void)
{
    struct io_request request = { 0 };
    int fd = timer(0);
    start(fd, &request, IO_READ, &count, 8);
    tap_ok(io_cancel(&request) == 0 && io_wait(&request) == -ECANCELED,
           "test_a_blocked_read_can_be_cancelled");
    start(fd, &request, IO_READ, &count, 8);
    set(fd, 0, 1000, 0);
    tap_ok(io_wait(&request) == 8 && count == 1, "test_a_blocked_read_gets_what_is_set_later");
    set(fd, 0, MILLISECOND, 0);
    tap_equal(ready_after_poll(fd, IO_READY_READ), IO_READY_READ, "test_a_poll_ends_with_it");
    set(fd, 0, 0, 0);
    tap_equal(ready(fd), 0, "test_a_stopped_timer_forgets");
    close(fd);
}

static volatile unsigned calls;
static struct aiocb block;

static void on_expiry(union sigval argument)
{
    (void)argument;
    aio_return(&block);
    if (++calls < 5)
        aio_read(&block);
}

static void test_callbacks(void)
{
    int fd = timer(0);
    block = aio_block(fd, &count, 8);
    aio_notify(&block, on_expiry);
    aio_read(&block);
    set(fd, 0, MILLISECOND, MILLISECOND);
    volatile unsigned computed = 0;
    while (calls < 5)
        computed++;
    tap_ok(computed > 0, "test_callbacks_read_a_timer_while_main_computes");
    close(fd);
}

static void test_refusals(void)
{
    struct itimerspec setting = { 0 };
    int fd = timer(0);
    tap_equal(errno_of(timerfd_create(99, 0)), EINVAL, "test_an_unknown_clock");
    tap_equal(errno_of(timerfd_create(CLOCK_REALTIME, 1)), EINVAL, "test_unknown_flags");
    tap_equal(errno_of(set(fd, 8, 1, 0)), EINVAL, "test_unknown_flags_of_a_setting");
    tap_equal(errno_of(set(fd, 0, 1000000000, 0)), EINVAL, "test_a_time_that_is_none");
    tap_equal(errno_of(set(fd, 0, 0, -1)), EINVAL, "test_an_interval_that_is_none");
    tap_equal(errno_of(timerfd_settime(fd, 0, NULL, NULL)), EFAULT, "test_no_setting");
    tap_equal(errno_of(timerfd_gettime(fd, NULL)), EFAULT, "test_nowhere_to_put_it");
    tap_equal(errno_of(timerfd_gettime(0, &setting)), EINVAL, "test_the_console_is_no_timer");
    tap_equal(errno_of(timerfd_gettime(99, &setting)), EBADF, "test_no_descriptor");
    tap_equal(errno_of(read(fd, &count, 7)), EINVAL, "test_a_read_of_less_than_eight_bytes");
    tap_ok(errno_of(write(fd, &count, 8)) != 0, "test_a_timer_is_not_written");
    close(fd);
}

static void test_limit(void)
{
    int all[TIMERFD_LIMIT];
    for (int i = 0; i < TIMERFD_LIMIT; i++)
        all[i] = timerfd_create(CLOCK_REALTIME, 0);
    tap_ok(all[TIMERFD_LIMIT - 1] >= 0, "test_timers_up_to_their_limit");
    tap_equal(errno_of(timerfd_create(CLOCK_MONOTONIC, 0)), ENFILE,
              "test_timers_beyond_are_enfile");
    for (int i = 0; i < TIMERFD_LIMIT; i++)
        close(all[i]);
    tap_ok((all[0] = timerfd_create(CLOCK_MONOTONIC, 0)) >= 0, "test_closed_timers_are_free_again");
    close(all[0]);
}

int main(void)
{
    tap_plan(31);
    test_once();
    test_interval();
    test_no_flood();
    test_absolute();
    test_blocking();
    test_callbacks();
    test_refusals();
    test_limit();
    return tap_done();
}
