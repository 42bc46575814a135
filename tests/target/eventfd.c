// Event counters as a program sees them, and the kernel's own way to signal one.
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "fs/eventfd.h"
#include "irq/irq.h"
#include "tests/tap.h"
#include "tests/target/stream_requests.h"

static uint64_t value;

static int counter(unsigned count, int flags)
{
    int fd = eventfd(count, flags);
    if (fd < 0)
        printf("Bail out! no eventfd\n");
    value = 0;
    return fd;
}

static void test_counts(void)
{
    int fd = counter(3, 0);
    eventfd_write(fd, 4);
    tap_ok(eventfd_read(fd, &value) == 0 && value == 7, "test_a_read_gives_the_sum");
    eventfd_write(fd, 1);
    tap_ok(read(fd, &value, 8) == 8 && value == 1, "test_and_leaves_nothing");
    close(fd);
    fd = counter(2, EFD_SEMAPHORE | EFD_NONBLOCK);
    tap_ok(eventfd_read(fd, &value) == 0 && value == 1 && eventfd_read(fd, &value) == 0,
           "test_a_semaphore_gives_one_at_a_time");
    tap_equal(errno_of(eventfd_read(fd, &value)), EAGAIN, "test_and_then_eagain");
    close(fd);
}

static void test_refusals(void)
{
    char eight[9] = { 0 };
    int fd = counter(1, EFD_NONBLOCK | EFD_CLOEXEC);
    tap_equal(errno_of(eventfd(0, 2)), EINVAL, "test_unknown_flags");
    tap_equal(errno_of(read(fd, &value, 7)), EINVAL, "test_a_read_of_less_than_eight_bytes");
    tap_equal(errno_of(write(fd, &value, 7)), EINVAL, "test_a_write_of_less_than_eight_bytes");
    tap_equal(errno_of(eventfd_write(fd, UINT64_MAX)), EINVAL, "test_a_write_of_all_ones");
    tap_equal(errno_of(eventfd_write(fd, UINT64_MAX - 1)), EAGAIN,
              "test_a_write_past_the_end_is_eagain");
    tap_equal(eventfd_write(fd, UINT64_MAX - 2), 0, "test_a_write_up_to_the_end");
    tap_ok(read(fd, eight + 1, 8) == 8 && (uint8_t)eight[1] == 0xfe && (uint8_t)eight[8] == 0xff,
           "test_a_buffer_may_lie_anywhere");
    tap_equal(errno_of(lseek(fd, 0, SEEK_CUR)), ESPIPE, "test_a_counter_does_not_seek");
    close(fd);
}

static void test_blocking(void)
{
    struct io_request reading = { 0 }, second = { 0 }, writing = { 0 };
    uint64_t more = 0, large = UINT64_MAX - 1;
    int fd = counter(0, 0);
    start(fd, &reading, IO_READ, &value, 8);
    start(fd, &second, IO_READ, &more, 8);
    eventfd_write(fd, 5);
    tap_ok(io_wait(&reading) == 8 && value == 5 && io_in_flight(&second),
           "test_a_write_wakes_the_first_reader");
    eventfd_write(fd, 6);
    tap_ok(io_wait(&second) == 8 && more == 6, "test_the_next_write_the_next_one");
    start(fd, &reading, IO_READ, &value, 8);
    tap_ok(io_cancel(&reading) == 0 && io_wait(&reading) == -ECANCELED,
           "test_a_blocked_read_can_be_cancelled");
    eventfd_write(fd, 1);
    start(fd, &writing, IO_WRITE, &large, 8);
    tap_ok(io_in_flight(&writing), "test_a_write_past_the_end_waits");
    tap_ok(read(fd, &value, 8) == 8 && value == 1 && io_wait(&writing) == 8,
           "test_until_somebody_reads");
    tap_ok(read(fd, &value, 8) == 8 && value == large, "test_and_then_counts");
    eventfd_write(fd, 1);
    start(fd, &writing, IO_WRITE, &large, 8);
    tap_ok(io_cancel(&writing) == 0 && io_wait(&writing) == -ECANCELED,
           "test_a_blocked_write_can_be_cancelled");
    close(fd);
}

static int from_callback;
static volatile unsigned calls;

static void on_read(union sigval argument)
{
    (void)argument;
    calls++;
    eventfd_write(from_callback, 10);
}

static void test_callbacks(void)
{
    uint64_t trigger = 0;
    int fd = counter(0, 0);
    from_callback = counter(0, 0);
    struct aiocb block = aio_block(fd, &trigger, 8);
    aio_notify(&block, on_read);
    aio_read(&block);
    eventfd_write(fd, 2);
    tap_ok(read(from_callback, &value, 8) == 8 && value == 10 && calls == 1 && trigger == 2,
           "test_main_sleeps_until_a_callback_signals");
    close(fd);
    close(from_callback);
}

static struct device *signalled;

static void signal_at_isr(struct irq_work *work)
{
    (void)work;
    eventfd_signal(signalled, 3);
}

static void test_kernel_signal(void)
{
    struct irq_work work = { .run = signal_at_isr };
    int fd = counter(0, EFD_NONBLOCK);
    signalled = file_snapshot(fd).device;
    irq_defer(&work);
    tap_equal(ready_after_poll(fd, IO_READY_READ), IO_READY_READ | 0,
              "test_a_signal_from_isr_level_ends_a_poll");
    eventfd_read(fd, &value);
    tap_ok(value == 3, "test_and_is_counted");
    eventfd_signal(signalled, UINT64_MAX - 5);
    eventfd_signal(signalled, 100);
    tap_equal(ready(fd), IO_READY_READ | IO_READY_ERROR, "test_signals_past_the_end_are_an_error");
    eventfd_read(fd, &value);
    tap_ok(value == UINT64_MAX, "test_which_is_read_as_all_ones");
    tap_equal(ready(fd), IO_READY_WRITE, "test_and_is_over_then");
    tap_ok(eventfd_is(signalled) && !eventfd_is(file_snapshot(0).device),
           "test_counters_are_known_by_their_device");
    close(fd);
}

static void test_readiness(void)
{
    int fd = counter(0, 0);
    tap_equal(ready(fd), IO_READY_WRITE, "test_a_counter_of_0_is_writable");
    eventfd_write(fd, UINT64_MAX - 1);
    tap_equal(ready(fd), IO_READY_READ, "test_a_full_one_is_readable");
    close(fd);
}

static void test_limit(void)
{
    int all[EVENTFD_LIMIT], last;
    for (int i = 0; i < EVENTFD_LIMIT; i++)
        all[i] = eventfd(0, 0);
    tap_ok(all[EVENTFD_LIMIT - 1] >= 0, "test_counters_up_to_their_limit");
    tap_equal(errno_of(eventfd(0, 0)), ENFILE, "test_counters_beyond_are_enfile");
    close(all[7]);
    last = eventfd(9, EFD_NONBLOCK);
    tap_ok(last >= 0 && eventfd_read(last, &value) == 0 && value == 9,
           "test_a_closed_one_is_free_again");
    all[7] = last;
    for (int i = 0; i < EVENTFD_LIMIT; i++)
        close(all[i]);
}

int main(void)
{
    tap_plan(31);
    test_counts();
    test_refusals();
    test_blocking();
    test_callbacks();
    test_kernel_signal();
    test_readiness();
    test_limit();
    return tap_done();
}
