// POSIX AIO, statement by statement (27 to 36): aio_cancel and aio_fsync. Each test is named after
// its number. The console is never typed at: what reads from it waits.
// sd: 8M
// stdin: x
// stdin-after: this is never printed
#include <fcntl.h>
#include <unistd.h>

#include "tests/tap.h"
#include "tests/target/aio_blocks.h"
#include "tests/target/held_device.h"

#pragma weak pipe
#pragma weak socketpair
int socketpair(int domain, int type, int protocol, int ends[2]);

enum { BLOCK = 4096, BIG = 1 << 20, QUEUED = 4, UNIX = 1, STREAM = 1 };

static char buffer[BLOCK];
static struct held_device held;
static volatile int calls;
static int values;

static void on_complete(union sigval value)
{
    values += value.sival_int;
    calls++;
}

// One that is started and QUEUED - 1 that wait behind it.
static struct aiocb blocks[QUEUED];

static void submit_all(int fd, int (*submit)(struct aiocb *))
{
    for (int i = 0; i < QUEUED; i++) {
        blocks[i] = block_for(fd, buffer + i, 1, 0);
        submit(&blocks[i]);
    }
}

// Result: how many, from the one of this index on, are cancelled; their results are retrieved.
static int cancelled_from(int first)
{
    int count = 0;
    for (int i = first; i < QUEUED; i++)
        count += failed_with(&blocks[i], ECANCELED);
    return count;
}

static int cancel_errno(int fd, struct aiocb *block)
{
    errno = 0;
    return aio_cancel(fd, block) == -1 ? errno : 0;
}

static void test_bad_descriptor(void)
{
    struct aiocb block = block_for(77, buffer, 1, 0);
    tap_equal(cancel_errno(77, &block), EBADF, "test_statement_27_bad_descriptor_is_EBADF");
    tap_ok(cancel_errno(77, NULL) == EBADF && cancel_errno(-1, NULL) == EBADF,
           "test_statement_27_bad_descriptor_without_a_block_is_EBADF");
}

static void test_cancel_all(void)
{
    int fd = held_open(&held, DEVICE_BLOCK, O_RDWR);
    submit_all(fd, aio_read);
    tap_ok(aio_cancel(fd, NULL) == AIO_CANCELED && cancelled_from(0) == QUEUED,
           "test_statement_28_all_of_a_descriptor_are_cancelled");
    tap_equal(held.started, 1, "test_statement_28_none_is_started_meanwhile");
    submit_all(fd, aio_read);
    tap_ok(aio_cancel(fd, &blocks[2]) == AIO_CANCELED && failed_with(&blocks[2], ECANCELED),
           "test_statement_28_one_is_cancelled");
    tap_ok(aio_cancel(fd, &blocks[0]) == AIO_CANCELED && failed_with(&blocks[0], ECANCELED),
           "test_statement_28_one_that_has_started_is_cancelled");
    held_end_all(&held);
    tap_ok(done_with(&blocks[1], 1) && done_with(&blocks[3], 1),
           "test_statement_32_the_others_are_left_as_they_were");
    close(fd);
}

static void test_not_cancelled(void)
{
    int fd = held_open(&held, DEVICE_BLOCK, O_RDWR);
    held.keeps = true;
    calls = 0;
    for (int i = 0; i < QUEUED; i++) {
        blocks[i] = block_for(fd, buffer + i, 1, 0);
        blocks[i].aio_sigevent = event_by_function(on_complete, 1);
        aio_read(&blocks[i]);
    }
    tap_equal(aio_cancel(fd, &blocks[0]), AIO_NOTCANCELED,
              "test_statement_29_one_that_stays_in_progress_is_AIO_NOTCANCELED");
    tap_ok(aio_cancel(fd, NULL) == AIO_NOTCANCELED && cancelled_from(1) == QUEUED - 1,
           "test_statement_29_one_of_many_that_stays_is_AIO_NOTCANCELED");
    tap_equal(aio_error(&blocks[0]), EINPROGRESS,
              "test_statement_32_a_request_not_cancelled_is_in_progress");
    bool whole = held_end_all_over_a_pattern(&held);
    tap_ok(done_with(&blocks[0], 1) && reaches(&calls, QUEUED),
           "test_statement_32_it_ends_as_if_nothing_had_been_asked");
    tap_ok(whole, "test_statement_32_it_forgets_the_call_that_has_not_cancelled_it");
    close(fd);
}

static void test_all_done(int ram)
{
    struct aiocb block = block_for(ram, buffer, BLOCK, 0);
    tap_equal(aio_cancel(ram, NULL), AIO_ALLDONE,
              "test_statement_30_a_descriptor_without_requests_is_AIO_ALLDONE");
    tap_equal(aio_cancel(ram, &block), AIO_ALLDONE,
              "test_statement_30_a_block_never_submitted_is_AIO_ALLDONE");
    aio_read(&block);
    wait_for(&block);
    tap_ok(aio_cancel(ram, &block) == AIO_ALLDONE && aio_cancel(ram, NULL) == AIO_ALLDONE &&
               done_with(&block, BLOCK),
           "test_statement_30_requests_that_are_done_are_AIO_ALLDONE");
}

static void test_notification(void)
{
    int fd = held_open(&held, DEVICE_BLOCK, O_RDWR);
    struct aiocb *list[QUEUED];
    calls = values = 0;
    for (int i = 0; i < QUEUED; i++) {
        blocks[i] = block_for(fd, buffer + i, 1, 0);
        blocks[i].aio_sigevent = event_by_function(on_complete, 1);
        list[i] = &blocks[i];
    }
    aio_read(&blocks[0]);
    aio_read(&blocks[1]);
    aio_cancel(fd, NULL);
    tap_ok(reaches(&calls, 2) && failed_with(&blocks[0], ECANCELED) &&
               failed_with(&blocks[1], ECANCELED) && errno == ECANCELED,
           "test_statement_31_cancelled_requests_are_notified_of");
    struct sigevent event = event_by_function(on_complete, 100);
    calls = values = 0;
    lio_listio(LIO_NOWAIT, list, QUEUED, &event);
    aio_cancel(fd, NULL);
    tap_ok(reaches(&calls, QUEUED + 1) && values == 100 + QUEUED && cancelled_from(0) == QUEUED,
           "test_statement_31_the_count_of_a_cancelled_requests_list_goes_down");
    close(fd);
}

// ---- 33: whose is it?

static void test_descriptors(int ram)
{
    int fd = held_open(&held, DEVICE_STREAM, O_RDWR), copy = dup(fd);
    submit_all(fd, aio_read);
    tap_ok(cancel_errno(ram, &blocks[0]) == EINVAL && aio_error(&blocks[0]) == EINPROGRESS,
           "test_statement_33_a_block_of_another_descriptor_is_EINVAL");
    tap_ok(aio_cancel(copy, NULL) == AIO_ALLDONE && cancel_errno(copy, &blocks[1]) == EINVAL,
           "test_statement_33_a_duplicate_has_not_its_requests");
    close(fd);
    tap_equal(cancel_errno(fd, NULL), EBADF, "test_statement_27_a_closed_descriptor_is_EBADF");
    int again = dup(copy);
    tap_ok(again == fd && aio_cancel(again, NULL) == AIO_ALLDONE &&
               cancel_errno(again, &blocks[0]) == EINVAL,
           "test_statement_33_a_number_used_again_has_not_the_requests_of_before");
    held_end_all(&held);
    bool done = true;
    for (int i = 0; i < QUEUED; i++)
        done &= done_with(&blocks[i], 1);
    tap_ok(done, "test_statement_32_requests_of_a_closed_descriptor_complete");
    submit_all(again, aio_read);
    dup2(ram, again);
    tap_equal(aio_cancel(again, NULL), AIO_ALLDONE,
              "test_statement_33_a_descriptor_led_elsewhere_has_no_requests");
    held_end_all(&held);
    close(copy);
    close(again);
}

// ---- 33a: what can be cancelled

static void test_started(void)
{
    int fd = held_open(&held, DEVICE_STREAM, O_RDWR);
    submit_all(fd, aio_write);
    tap_ok(aio_cancel(fd, &blocks[0]) == AIO_NOTCANCELED && held.request != NULL,
           "test_statement_33a_a_write_that_has_started_is_not_cancelled");
    tap_ok(aio_cancel(fd, NULL) == AIO_NOTCANCELED && cancelled_from(1) == QUEUED - 1,
           "test_statement_33a_writes_that_wait_are_cancelled");
    held_end(&held, 1);
    tap_ok(done_with(&blocks[0], 1), "test_statement_33a_the_started_write_completes");
    struct aiocb block = block_for(fd, buffer, BLOCK, 0);
    block.aio_sigevent = event_by_function(on_complete, 1);
    held.moved = 100;
    calls = 0;
    aio_read(&block);
    tap_ok(aio_cancel(fd, &block) == AIO_NOTCANCELED && reaches(&calls, 1) &&
               done_with(&block, 100),
           "test_statement_33a_a_partly_done_request_reports_its_short_count");
    close(fd);
}

static void test_console(void)
{
    struct aiocb first = block_for(STDIN_FILENO, buffer, 10, 0), second = first;
    second.aio_sigevent = event_by_function(on_complete, 1);
    calls = 0;
    aio_read(&first);
    aio_read(&second);
    tap_ok(aio_cancel(STDIN_FILENO, &first) == AIO_CANCELED && failed_with(&first, ECANCELED),
           "test_statement_33a_a_blocked_read_of_the_console_is_cancelled");
    tap_ok(aio_cancel(STDIN_FILENO, NULL) == AIO_CANCELED && failed_with(&second, ECANCELED) &&
               reaches(&calls, 1),
           "test_statement_33a_the_next_read_of_the_console_too");
}

// A read that waits for bytes, and a write of more than fits in.
static void test_stream(int reader, int writer, const char *blocked, const char *partly)
{
    static char big[BIG];
    struct aiocb block = block_for(reader, buffer, BLOCK, 0);
    aio_read(&block);
    tap_ok(aio_cancel(reader, NULL) == AIO_CANCELED && failed_with(&block, ECANCELED), blocked);
    struct aiocb started = block_for(writer, big, BIG, 0), queued = started;
    aio_write(&started);
    aio_write(&queued);
    bool answer = aio_cancel(writer, NULL) == AIO_NOTCANCELED && failed_with(&queued, ECANCELED) &&
                  aio_error(&started) == EINPROGRESS;
    read(reader, buffer, BLOCK);
    close(reader); // The writer's other end.
    ssize_t moved = wait_for(&started) == 0 ? aio_return(&started) : -1;
    tap_ok(answer && moved > 0 && moved < BIG, partly);
    close(writer);
}

static void test_pipe(void)
{
    int ends[2];
    const char *blocked = "test_statement_33a_a_blocked_read_of_a_pipe_is_cancelled",
               *partly = "test_statement_33a_a_started_write_to_a_pipe_reports_its_short_count";
    if (pipe && pipe(ends) == 0) {
        test_stream(ends[0], ends[1], blocked, partly);
    } else {
        tap_skip(blocked, "there is no pipe()");
        tap_skip(partly, "there is no pipe()");
    }
}

static void test_socket(void)
{
    int ends[2];
    const char *blocked = "test_statement_33a_a_blocked_read_of_a_socket_is_cancelled",
               *partly = "test_statement_33a_a_started_write_to_a_socket_reports_its_short_count";
    if (socketpair && socketpair(UNIX, STREAM, 0, ends) == 0) {
        test_stream(ends[0], ends[1], blocked, partly);
    } else {
        tap_skip(blocked, "there is no socketpair()");
        tap_skip(partly, "there is no socketpair()");
    }
}

// ---- 34 to 36: aio_fsync

static int fsync_errno(int operation, struct aiocb *block)
{
    errno = 0;
    return aio_fsync(operation, block) == -1 ? errno : 0;
}

static void test_fsync_refusals(int ram)
{
    struct aiocb block = block_for(ram, NULL, 0, 0);
    tap_ok(fsync_errno(-1, &block) == EINVAL && fsync_errno(O_RDWR, &block) == EINVAL &&
               fsync_errno(O_SYNC | O_DSYNC, &block) == EINVAL && aio_error(&block) == -1,
           "test_statement_34_another_operation_is_EINVAL");
    tap_ok(fsync_errno(O_SYNC, &block) == 0 && wait_for(&block) == 0 && done_with(&block, 0) &&
               fsync_errno(O_DSYNC, &block) == 0 && wait_for(&block) == 0 && done_with(&block, 0),
           "test_statement_34_O_SYNC_and_O_DSYNC_are_accepted");
    block.aio_fildes = 77;
    tap_ok(fsync_errno(O_SYNC, &block) == EBADF && aio_error(&block) == -1,
           "test_statement_35_bad_descriptor_is_EBADF_at_once");
}

static void test_fsync_covers(void)
{
    int fd = held_open(&held, DEVICE_FILE, O_RDWR), copy = dup(fd);
    submit_all(fd, aio_write);
    struct aiocb sync = block_for(copy, (void *)1, (size_t)-1, -1), later;
    sync.aio_reqprio = -5;
    sync.aio_sigevent = event_by_function(on_complete, 1);
    calls = 0;
    tap_equal(aio_fsync(O_SYNC, &sync), 0,
              "test_statement_36_buffer_count_offset_and_priority_are_ignored");
    later = block_for(fd, buffer, 1, 0);
    aio_write(&later);
    bool waits = true;
    for (int i = 0; i < QUEUED; i++) {
        waits &= aio_error(&sync) == EINPROGRESS && held.request->op == IO_WRITE;
        held_end(&held, 1);
    }
    tap_ok(waits && held.request->op == IO_FLUSH && calls == 0,
           "test_statement_36_every_request_queued_before_is_done_first");
    held_end(&held, 0);
    tap_ok(reaches(&calls, 1) && done_with(&sync, 0),
           "test_statement_36_it_is_notified_of_and_returns_0");
    held_end(&held, 1);
    submit_all(fd, aio_write);
    aio_fsync(O_DSYNC, &sync);
    tap_ok(aio_cancel(copy, &sync) == AIO_CANCELED && failed_with(&sync, ECANCELED),
           "test_statement_36_it_can_be_cancelled_while_it_waits");
    held_end_all(&held);
    close(fd);
    close(copy);
}

static void test_fsync_of_devices(void)
{
    const char *names[] = { "/dev/ram0", "/dev/disk", "/dev/null", "/dev/console" };
    int good = 0;
    for (int i = 0; i < 4; i++) {
        int fd = open(names[i], O_WRONLY);
        struct aiocb write = block_for(fd, buffer, i == 3 ? 0 : 10, 512), sync = write;
        aio_write(&write);
        good += aio_fsync(O_SYNC, &sync) == 0 && wait_for(&sync) == 0 && aio_error(&write) == 0;
        close(fd);
    }
    tap_equal(good, 4, "test_statement_36_on_the_ram_disk_the_disk_null_and_the_console");
}

int main(void)
{
    int ram = open("/dev/ram0", O_RDWR);
    tap_plan(41);
    test_bad_descriptor();
    test_cancel_all();
    test_not_cancelled();
    test_all_done(ram);
    test_notification();
    test_descriptors(ram);
    test_started();
    test_console();
    test_pipe();
    test_socket();
    test_fsync_refusals(ram);
    test_fsync_covers();
    test_fsync_of_devices();
    return tap_done();
}
