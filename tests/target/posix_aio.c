// POSIX AIO as a program sees it: aio_read, aio_write, aio_error, aio_return, aio_suspend, with
// SIGEV_NONE and SIGEV_THREAD, on the RAM disk, the SD card and the streams that are always there.
// The console is never typed at: what reads from it waits. What is waited for is waited for without
// a limit: how long the host takes for a disk is its own affair, and the suite's time-out ends it.
// sd: 8M
// stdin: x
// stdin-after: this is never printed
#include <aio.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "board/board.h"
#include "drivers/device.h"
#include "irq/callback.h"
#include "tests/tap.h"
#include "tests/target/aio_blocks.h"
#include "tests/target/board_find.h"

enum { SLOTS = AIO_MAX, BLOCK = 4096 };

static char buffer[BLOCK], pattern[BLOCK];
static volatile int calls, value_seen, level_seen, error_seen;

static void on_complete(union sigval value)
{
    calls++;
    value_seen = value.sival_int;
    level_seen = level_current();
}

static void test_write_and_read_back(int ram)
{
    struct aiocb block = block_for(ram, pattern, BLOCK, 12345);
    tap_equal(aio_write(&block), 0, "test_aio_write_is_accepted");
    tap_ok(wait_for(&block) == 0 && aio_return(&block) == BLOCK, "test_aio_write_writes_all");
    block = block_for(ram, buffer, BLOCK, 12345);
    block.aio_sigevent = event_by_function(on_complete, 42);
    calls = 0;
    aio_read(&block);
    while (calls == 0) {}
    tap_ok(calls == 1 && value_seen == 42, "test_the_callback_runs_once_with_its_value");
    tap_equal(level_seen, LEVEL_CALLBACK, "test_the_callback_runs_at_callback_level");
    tap_equal(aio_return(&block), BLOCK, "test_aio_read_reads_all");
    tap_ok(memcmp(buffer, pattern, BLOCK) == 0, "test_aio_read_brings_what_was_written");
    tap_ok(lseek(ram, 0, SEEK_CUR) == 0, "test_the_file_position_is_not_moved");
}

static void test_status(int ram)
{
    struct aiocb never = block_for(ram, buffer, BLOCK, 0);
    errno = 0;
    tap_ok(aio_error(&never) == -1 && errno == EINVAL, "test_aio_error_of_a_block_never_submitted");
    tap_ok(aio_return(&never) == -1 && errno == EINVAL,
           "test_aio_return_of_a_block_never_submitted");
    struct aiocb block = block_for(ram, buffer, BLOCK, 0);
    aio_read(&block);
    wait_for(&block);
    tap_ok(aio_error(&block) == 0 && aio_error(&block) == 0, "test_aio_error_can_be_asked_again");
    struct aiocb copy = block;
    tap_ok(aio_error(&copy) == -1, "test_a_copied_block_is_not_the_request");
    aio_return(&block);
    tap_ok(aio_return(&block) == -1 && errno == EINVAL, "test_aio_return_retrieves_only_once");
    tap_ok(aio_read(&block) == 0 && wait_for(&block) == 0 && aio_return(&block) == BLOCK,
           "test_the_block_can_be_used_again");
}

static int refused(struct aiocb block)
{
    errno = 0;
    return aio_read(&block) == -1 ? errno : 0;
}

static void test_refusals(int ram)
{
    struct aiocb block = block_for(ram, buffer, BLOCK, 0);
    block.aio_reqprio = -1;
    tap_equal(refused(block), EINVAL, "test_a_negative_priority");
    block.aio_reqprio = 8;
    tap_equal(refused(block), EINVAL, "test_a_priority_beyond_the_most");
    tap_equal(refused(block_for(ram, buffer, BLOCK, -1)), EINVAL, "test_a_negative_offset");
    tap_equal(refused(block_for(ram, buffer, (size_t)-1, 0)), EINVAL,
              "test_a_size_beyond_ssize_max");
    tap_equal(refused(block_for(ram, NULL, BLOCK, 0)), EFAULT, "test_a_null_buffer");
    tap_equal(refused(block_for(ram, (void *)test_refusals, BLOCK, 0)), EFAULT,
              "test_a_buffer_in_text");
    tap_equal(refused(block_for(ram, (void *)board.mmio[0].base, BLOCK, 0)), EFAULT,
              "test_a_buffer_in_registers");
    block = block_for(ram, buffer, BLOCK, 0);
    block.aio_sigevent = event_by_function(NULL, 0);
    tap_equal(refused(block), EINVAL, "test_a_notification_without_a_function");
    errno = 0;
    tap_ok(aio_read(NULL) == -1 && errno == EINVAL, "test_no_control_block");
    block = block_for(77, buffer, BLOCK, 0);
    tap_ok(aio_read(&block) == 0 && wait_for(&block) == EBADF && aio_return(&block) == -1,
           "test_a_bad_descriptor_fails_the_request");
    int reader = open("/dev/ram0", O_RDONLY);
    block = block_for(reader, buffer, BLOCK, 0);
    tap_ok(aio_write(&block) == 0 && wait_for(&block) == EBADF,
           "test_a_wrong_mode_fails_the_request");
    close(reader);
}

static void test_ends(int fd, off_t size, const char *name)
{
    struct aiocb block = block_for(fd, buffer, BLOCK, size - 100);
    aio_read(&block);
    int short_read = wait_for(&block) == 0 && aio_return(&block) == 100;
    block = block_for(fd, buffer, BLOCK, size);
    aio_read(&block);
    int at_end = wait_for(&block) == 0 && aio_return(&block) == 0;
    block = block_for(fd, pattern, BLOCK, size + 5);
    aio_write(&block);
    tap_ok(short_read && at_end && wait_for(&block) == ENOSPC, name);
}

static void test_suspend(int sd)
{
    struct aiocb block = block_for(STDIN_FILENO, buffer, 1, 0);
    const struct aiocb *none[] = { NULL, NULL };
    const struct timespec short_time = { 0, 2000000 }, poll = { 0, 0 }, bad = { 0, 1000000000 };
    errno = 0;
    tap_ok(aio_suspend(none, 2, &short_time) == -1 && errno == EAGAIN,
           "test_suspend_on_nothing_times_out");
    tap_ok(aio_suspend(none, 2, &poll) == -1 && errno == EAGAIN, "test_suspend_with_no_time_polls");
    tap_ok(aio_suspend(none, 2, &bad) == -1 && errno == EINVAL,
           "test_suspend_refuses_a_bad_timeout");
    tap_ok(aio_suspend(none, -1, NULL) == -1 && errno == EINVAL,
           "test_suspend_refuses_a_bad_count");
    block = block_for(sd, buffer, BLOCK, 0);
    const struct aiocb *list[] = { NULL, &block };
    aio_read(&block);
    tap_ok(aio_suspend(list, 2, NULL) == 0 && aio_error(&block) == 0,
           "test_suspend_ends_with_the_request");
    tap_ok(aio_suspend(list, 2, NULL) == 0 && aio_return(&block) == BLOCK,
           "test_suspend_of_a_done_one_returns_and_retires_nothing");
}

// A callback that waits for I/O of its own, by suspend and by a blocking read; another callback
// waits meanwhile.
static int nested_fd, nested_result;

static void on_complete_nested(union sigval value)
{
    static char mine[512];
    struct aiocb block = block_for(nested_fd, mine, sizeof mine, 512);
    const struct aiocb *list[] = { &block };
    (void)value;
    if (aio_read(&block) == 0 && aio_suspend(list, 1, NULL) == 0 &&
        aio_return(&block) == sizeof mine)
        nested_result++;
    lseek(nested_fd, 0, SEEK_SET);
    if (read(nested_fd, mine, sizeof mine) == sizeof mine)
        nested_result++;
    calls++;
}

static void test_waiting_in_a_callback(int sd)
{
    struct aiocb blocks[2];
    nested_fd = sd;
    nested_result = calls = 0;
    for (int i = 0; i < 2; i++) {
        blocks[i] = block_for(sd, pattern + i * 2048, 512, i * 512);
        blocks[i].aio_sigevent = event_by_function(on_complete_nested, 0);
        aio_read(&blocks[i]);
    }
    while (calls < 2) {}
    tap_ok(calls == 2 && nested_result == 4, "test_a_callback_may_wait_for_io");
}

// The notification of one block waits while another's callback retrieves that block's result and
// submits it anew.
static struct aiocb first, second;
static bool resubmitted;

static void on_second(union sigval value)
{
    (void)value;
    calls++;
}

static void on_first(union sigval value)
{
    (void)value;
    calls++;
    while (aio_error(&second) == EINPROGRESS)
        ; // Completed at isr level; only its callback is kept waiting by this one.
    if (aio_return(&second) == BLOCK && aio_read(&second) == 0)
        resubmitted = true;
}

static void test_resubmit(int ram)
{
    calls = 0;
    first = block_for(ram, buffer, BLOCK, 0);
    second = block_for(ram, pattern, BLOCK, 0);
    first.aio_sigevent = event_by_function(on_first, 0);
    second.aio_sigevent = event_by_function(on_second, 0);
    callbacks_hold();
    aio_read(&first);
    aio_read(&second);
    callbacks_release();
    while (calls < 3) {}
    tap_ok(resubmitted && calls == 3 && aio_return(&second) == BLOCK,
           "test_a_block_resubmitted_while_its_notification_waits");
}

// Reads of the console, where all of them wait.
static void test_pool(int console)
{
    static struct aiocb blocks[2 * SLOTS];
    static char byte[2 * SLOTS];
    int submitted_count = 0, in_progress = 0;
    errno = 0;
    while (submitted_count < 2 * SLOTS) {
        struct aiocb *block = &blocks[submitted_count];
        *block = block_for(console, &byte[submitted_count], 1, 0);
        if (aio_read(block) != 0)
            break;
        submitted_count++;
    }
    int refusal = errno;
    uint32_t counted = device_find("console")->statistics.refused;
    for (int i = 0; i < submitted_count; i++)
        in_progress += aio_error(&blocks[i]) == EINPROGRESS;
    tap_equal(counted, 1, "test_a_refused_request_is_counted");
    tap_ok(in_progress == SLOTS && refusal == EAGAIN,
           "test_the_request_beyond_AIO_MAX_is_refused_with_eagain");
    tap_ok(aio_error(&blocks[submitted_count]) == -1, "test_the_refused_block_is_as_it_was");
    tap_ok(aio_read(&blocks[submitted_count - 1]) == -1 && errno == EBUSY,
           "test_a_block_in_progress_is_busy");
}

static void on_error_number(union sigval value)
{
    (void)value;
    errno = ENOENT;
    error_seen = errno;
    calls++;
}

static void test_errno(int ram)
{
    struct aiocb block = block_for(ram, buffer, BLOCK, 0);
    block.aio_sigevent = event_by_function(on_error_number, 0);
    calls = 0;
    errno = EDOM;
    aio_read(&block);
    while (calls == 0) {}
    tap_ok(errno == EDOM && error_seen == ENOENT, "test_a_callbacks_errno_is_its_own");
    aio_return(&block);
}

// An odd number of bytes at an odd address; those around it stay.
static void test_zeros(int zero)
{
    memset(buffer, 1, BLOCK);
    struct aiocb block = block_for(zero, buffer + 1, BLOCK - 4, 0);
    aio_read(&block);
    int right = wait_for(&block) == 0 && aio_return(&block) == BLOCK - 4;
    for (int i = 0; i < BLOCK; i++)
        right &= buffer[i] == (i < 1 || i >= BLOCK - 3);
    tap_ok(right, "test_dev_zero_is_filled_by_dma");
}

// Runs last: the reads that it leaves behind wait for ever.
int main(void)
{
    int ram = open("/dev/ram0", O_RDWR), sd = open("/dev/disk", O_RDWR),
        zero = open("/dev/zero", O_RDWR);
    tap_plan(41);
    for (int i = 0; i < BLOCK; i++)
        pattern[i] = (char)(i * 7 + i / 256);
    tap_ok(ram >= 3 && sd > ram && zero > sd, "test_the_devices_open");
    test_write_and_read_back(ram);
    test_status(ram);
    test_refusals(ram);
    test_ends(ram, lseek(ram, 0, SEEK_END), "test_the_ram_disk_ends_where_it_ends");
    test_ends(sd, lseek(sd, 0, SEEK_END), "test_the_card_ends_where_it_ends");
    test_suspend(sd);
    test_waiting_in_a_callback(sd);
    test_resubmit(ram);
    test_errno(ram);
    test_zeros(zero);
    test_pool(STDIN_FILENO);
    return tap_done();
}
