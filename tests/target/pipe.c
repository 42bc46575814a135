// Pipes as a program sees them: pipe(), read(), write(), aio, from main and from callbacks;
// requests that are cancelled, and what a pipe is ready for.
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>

#include "faces/posix/descriptors.h"
#include "fs/pipe.h"
#include "fs/ring.h"
#include "tests/tap.h"
#include "tests/target/stream_requests.h"

enum { BIG = 256 * 1024 };

static int fds[2];
static char data[BIG], got[BIG];

static void open_pipe(int flags)
{
    if (pipe2(fds, flags) != 0)
        printf("Bail out! no pipe\n");
    memset(got, 0, sizeof got);
}

static void close_pipe(void)
{
    close(fds[0]);
    close(fds[1]);
}

static void test_calls(void)
{
    int bad[2];
    tap_ok(pipe(fds) == 0 && fds[0] >= 0 && fds[1] > fds[0], "test_pipe_gives_two_descriptors");
    tap_ok(write(fds[1], "hello", 5) == 5 && read(fds[0], got, 99) == 5 &&
               memcmp(got, "hello", 5) == 0,
           "test_what_is_written_is_read");
    tap_equal(errno_of(write(fds[0], "x", 1)), EBADF, "test_the_reading_end_is_not_written");
    tap_equal(errno_of(read(fds[1], got, 1)), EBADF, "test_the_writing_end_is_not_read");
    tap_equal(errno_of(lseek(fds[0], 0, SEEK_CUR)), ESPIPE, "test_a_pipe_does_not_seek");
    tap_equal(errno_of(read(fds[0], (void *)test_calls, 1)), EFAULT, "test_a_bad_buffer_is_efault");
    tap_equal(errno_of(pipe2(bad, O_APPEND)), EINVAL, "test_pipe2_knows_its_flags");
    write(fds[1], "rest", 4);
    close(fds[1]);
    tap_ok(read(fds[0], got, 99) == 4 && read(fds[0], got, 99) == 0,
           "test_pipe_reader_gets_zero_after_close");
    close(fds[0]);
    open_pipe(0);
    close(fds[0]);
    tap_equal(errno_of(write(fds[1], "x", 1)), EPIPE, "test_a_closed_peer_is_epipe");
    close(fds[1]);
}

static void test_nonblocking(void)
{
    open_pipe(O_NONBLOCK | O_CLOEXEC);
    tap_equal(errno_of(read(fds[0], got, 1)), EAGAIN, "test_nonblocking_read_is_eagain");
    tap_equal(write(fds[1], data, BIG), RING_SIZE, "test_nonblocking_write_may_be_partly_done");
    tap_equal(errno_of(write(fds[1], data, 1)), EAGAIN, "test_nonblocking_write_is_eagain");
    close_pipe();
}

static void test_cancel(void)
{
    struct io_request reading = { 0 }, writing = { 0 }, queued = { 0 };
    open_pipe(0);
    start(fds[0], &reading, IO_READ, got, 10);
    tap_equal(io_cancel(&reading), 0, "test_a_blocked_read_can_be_cancelled");
    tap_equal(io_wait(&reading), -ECANCELED, "test_and_says_so");
    start(fds[1], &writing, IO_WRITE, data, BIG);
    while (ready(fds[0]) == 0)
        usleep(10);
    start(fds[1], &queued, IO_WRITE, data, 10);
    tap_equal(io_cancel(&writing), -EBUSY, "test_a_started_write_cannot_be_cancelled");
    tap_equal(io_cancel(&queued), 0, "test_the_write_behind_it_can");
    // Until the pipe is full: the reader then goes away for good.
    while (read(fds[0], got, RING_SIZE) < RING_SIZE) {}
    while (ready(fds[1]) & IO_READY_WRITE)
        usleep(10);
    close(fds[0]);
    ssize_t result = io_wait(&writing);
    tap_ok(result >= 2 * RING_SIZE && result < BIG && writing.moved == (size_t)result,
           "test_a_partly_done_write_reports_its_count");
    tap_equal(io_wait(&queued), -ECANCELED, "test_the_cancelled_write_says_so");
    close(fds[1]);
}

static volatile unsigned calls, wrong_level;
static struct aiocb writing, reading;

static void on_written(union sigval value)
{
    (void)value;
    calls++;
    wrong_level += level_current() != LEVEL_CALLBACK;
}

static void test_aio(void)
{
    open_pipe(0);
    for (size_t i = 0; i < BIG; i++)
        data[i] = (char)(i * 2654435761u >> 11);
    writing = aio_block(fds[1], data, BIG);
    reading = aio_block(fds[0], got, BIG);
    aio_notify(&writing, on_written);
    tap_ok(aio_read(&reading) == 0 && aio_write(&writing) == 0, "test_aio_on_a_pipe_is_accepted");
    size_t received = 0;
    ssize_t piece = 0;
    do {
        piece = aio_finish(&reading);
        received += piece > 0 ? (size_t)piece : 0;
        reading.aio_buf = got + received;
        reading.aio_nbytes = BIG - received;
    } while (piece > 0 && received < BIG && aio_read(&reading) == 0);
    tap_ok(received == BIG && memcmp(got, data, BIG) == 0, "test_aio_reads_all_that_aio_writes");
    tap_equal(aio_finish(&writing), BIG, "test_aio_write_is_one_write");
    while (calls == 0)
        usleep(10);
    tap_ok(calls == 1 && wrong_level == 0, "test_its_callback_runs_once_at_callback_level");
    close_pipe();
}

static volatile ssize_t sent_inside;

// A blocking write in a callback: it waits until main reads, whom interrupts still reach.
static void on_read(union sigval value)
{
    (void)value;
    sent_inside = write(fds[1], data, RING_SIZE / 2);
    calls++;
}

static void test_blocking_in_a_callback(void)
{
    char first;
    open_pipe(0);
    reading = aio_block(fds[0], &first, 1);
    aio_notify(&reading, on_read);
    calls = 0;
    aio_read(&reading);
    write(fds[1], "1", 1);
    while (calls == 0)
        usleep(10);
    tap_ok(sent_inside == RING_SIZE / 2 && read(fds[0], got, RING_SIZE) == RING_SIZE / 2,
           "test_a_callback_may_write_to_a_pipe");
    close_pipe();
}

static struct aiocb closing;

static void on_first_byte(union sigval value)
{
    (void)value;
    write(fds[1], "2", 1);
}

// Main sleeps in read() while a callback brings what it waits for.
static void test_main_waits_for_a_callback(void)
{
    char first = 0, second = 0;
    open_pipe(0);
    closing = aio_block(fds[0], &first, 1);
    aio_notify(&closing, on_first_byte);
    aio_read(&closing);
    struct aiocb trigger = aio_block(fds[1], (void *)"1", 1);
    aio_write(&trigger);
    tap_ok(read(fds[0], &second, 1) == 1 && first == '1' && second == '2',
           "test_main_sleeps_until_a_callback_writes");
    aio_finish(&trigger);
    close_pipe();
}

static void test_close_while_reading(void)
{
    struct io_request request = { 0 };
    open_pipe(0);
    start(fds[0], &request, IO_READ, got, 10);
    close(fds[0]);
    write(fds[1], "late", 4);
    tap_equal(io_wait(&request), 4, "test_a_read_goes_on_after_its_descriptor_is_closed");
    tap_equal(errno_of(write(fds[1], "x", 1)), EPIPE, "test_and_is_the_last");
    close(fds[1]);
}

static void test_readiness(void)
{
    open_pipe(0);
    tap_ok(ready(fds[0]) == 0 && ready(fds[1]) == IO_READY_WRITE, "test_an_empty_pipe_is_writable");
    struct aiocb block = aio_block(fds[1], data, RING_SIZE);
    aio_write(&block);
    tap_equal(ready_after_poll(fds[0], IO_READY_READ), IO_READY_READ,
              "test_a_poll_ends_when_bytes_come");
    aio_finish(&block);
    tap_equal(ready(fds[1]), 0, "test_a_full_pipe_is_not_writable");
    block = aio_block(fds[0], got, PIPE_ATOMIC);
    aio_read(&block);
    tap_equal(ready_after_poll(fds[1], IO_READY_WRITE), IO_READY_WRITE,
              "test_a_poll_ends_when_pipe_buf_fits");
    aio_finish(&block);
    close(fds[1]);
    tap_equal(ready_after_poll(fds[0], 0), IO_READY_HANGUP, "test_a_poll_ends_with_hangup");
    close(fds[0]);
    open_pipe(0);
    close(fds[0]);
    tap_equal(ready_after_poll(fds[1], 0), IO_READY_ERROR, "test_a_poll_ends_with_error");
    close(fds[1]);
}

static void test_limit(void)
{
    int all[PIPE_LIMIT][2], more[2];
    int error = 0;
    for (int i = 0; i < PIPE_LIMIT; i++)
        error |= pipe(all[i]);
    tap_equal(error, 0, "test_pipes_up_to_their_limit");
    tap_equal(errno_of(pipe(more)), ENFILE, "test_pipes_beyond_are_enfile");
    for (int i = 0; i < PIPE_LIMIT; i++) {
        close(all[i][0]);
        close(all[i][1]);
    }
    tap_equal(pipe(more), 0, "test_closed_pipes_are_free_again");
    close(more[0]);
    close(more[1]);
    int dups[FILE_LIMIT], count = 0;
    while (count < FILE_LIMIT - 4 && (dups[count] = open("/dev/null", O_RDONLY)) >= 0)
        count++;
    tap_equal(errno_of(pipe(more)), EMFILE, "test_pipe_with_one_descriptor_left_is_emfile");
    tap_ok((dups[count] = open("/dev/null", O_RDONLY)) >= 0, "test_and_leaves_that_one_free");
    while (count >= 0)
        close(dups[count--]);
}

static int freed;

// A device whose release gives a descriptor back, as a callback might at that moment.
static void release_and_free(struct device *device)
{
    (void)device;
    file_close(freed);
}

static unsigned releases;

static void count_release(struct device *device)
{
    (void)device;
    releases++;
}

static void test_two_descriptors_or_none(void)
{
    static const struct device_ops first_ops = { .release = release_and_free };
    static const struct device_ops second_ops = { .release = count_release };
    static struct device first = { .name = "first", .ops = &first_ops };
    static struct device second = { .name = "second", .ops = &second_ops };
    struct device *const devices[2] = { &first, &second };
    int copies[FILE_LIMIT], count = 0, both[2];
    while ((copies[count] = dup(0)) >= 0)
        count++;
    freed = copies[--count];
    tap_equal(posix_install_two(devices, (const int[]){ O_RDONLY, O_WRONLY }, both), -EMFILE,
              "test_two_descriptors_are_refused_when_the_first_is");
    tap_equal(releases, 1, "test_both_devices_are_closed_then");
    tap_equal(dup(0), freed, "test_a_number_that_is_freed_meanwhile_stays_free");
    close(freed);
    while (count > 0)
        close(copies[--count]);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    tap_plan(40);
    test_calls();
    test_nonblocking();
    test_cancel();
    test_aio();
    test_blocking_in_a_callback();
    test_main_waits_for_a_callback();
    test_close_while_reading();
    test_readiness();
    test_limit();
    test_two_descriptors_or_none();
    return tap_done();
}
