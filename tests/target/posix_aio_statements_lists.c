// POSIX AIO, statement by statement (37 to 40): lio_listio. Each test is named after its number.
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <unistd.h>

#include "tests/tap.h"
#include "tests/target/aio_notifications.h"
#include "tests/target/held_device.h"

enum { BLOCK = 512, COUNT = 4 };

static char buffer[BLOCK * COUNT];
static struct held_device held;
static int ram;

static struct aiocb blocks[COUNT], *list[COUNT];

static void list_prepare(int fd, int opcode)
{
    for (int i = 0; i < COUNT; i++) {
        blocks[i] = block_for(fd, buffer + i * BLOCK, BLOCK, i * BLOCK);
        blocks[i].aio_lio_opcode = opcode;
        list[i] = &blocks[i];
    }
    calls = 0;
}

static int list_errno(int mode, int count, struct sigevent *event)
{
    errno = 0;
    return lio_listio(mode, list, count, event) == -1 ? errno : 0;
}

static bool all_done(void)
{
    bool done = true;
    for (int i = 0; i < COUNT; i++)
        done &= done_with(&blocks[i], BLOCK);
    return done;
}

static void test_list_refusals(void)
{
    list_prepare(ram, LIO_READ);
    struct sigevent bad = event_by_function(NULL, 0), worse = event_by_signal(NSIG, 0);
    bool refused = list_errno(77, COUNT, NULL) == EINVAL;
    tap_ok(refused && aio_error(list[0]) == -1, "test_statement_37_bad_mode_is_EINVAL");
    refused = list_errno(LIO_WAIT, AIO_LISTIO_MAX + 1, NULL) == EINVAL &&
              list_errno(LIO_NOWAIT, -1, NULL) == EINVAL;
    tap_ok(refused && aio_error(list[0]) == -1, "test_statement_37_bad_count_is_EINVAL");
    static struct aiocb *const longest[AIO_LISTIO_MAX];
    tap_equal(lio_listio(LIO_NOWAIT, longest, AIO_LISTIO_MAX, NULL), 0,
              "test_statement_37_AIO_LISTIO_MAX_is_accepted");
    refused = list_errno(LIO_NOWAIT, COUNT, &bad) == EINVAL &&
              list_errno(LIO_NOWAIT, COUNT, &worse) == EINVAL;
    tap_ok(refused && aio_error(list[0]) == -1, "test_statement_37_bad_notification_is_EINVAL");
}

static void test_list_wait(void)
{
    struct sigevent event = event_by_function(on_complete, 1);
    list_prepare(ram, LIO_WRITE);
    tap_ok(list_errno(LIO_WAIT, COUNT, &event) == 0 && all_done(),
           "test_statement_38_LIO_WAIT_returns_when_all_are_done");
    list_prepare(ram, LIO_READ);
    blocks[1].aio_fildes = 77;
    bool failed = list_errno(LIO_WAIT, COUNT, &event) == EIO;
    tap_ok(failed && failed_with(&blocks[1], EBADF) && done_with(&blocks[0], BLOCK) &&
               done_with(&blocks[2], BLOCK) && done_with(&blocks[3], BLOCK),
           "test_statement_38_a_failure_is_EIO_after_all_have_completed");
    tap_equal(calls, 0, "test_statement_38_sig_is_ignored");
    int fd = held_open(&held, DEVICE_STREAM, O_RDWR);
    list_prepare(fd, LIO_READ);
    for (int i = 0; i < COUNT; i++)
        blocks[i].aio_sigevent = event_by_function(on_complete, i);
    pester_begin();
    bool interrupted = list_errno(LIO_WAIT, COUNT, NULL) == EINTR;
    pester_end();
    calls = 0;
    bool running = true;
    for (int i = 0; i < COUNT; i++)
        running &= aio_error(&blocks[i]) == EINPROGRESS;
    bool whole = held_end_all_over_a_pattern(&held);
    tap_ok(interrupted && running && reaches(&calls, COUNT) && all_done(),
           "test_statement_38_EINTR_leaves_the_rest_running");
    tap_ok(whole, "test_statement_38_the_rest_forgets_the_call_that_EINTR_has_ended");
    close(fd);
}

// Requests that end one after another, each a moment after it has been started.
static void end_one(struct timer *ending)
{
    (void)ending;
    held_end(&held, BLOCK);
}
static struct timer ending = { .expired = end_one };
static void end_soon(void)
{
    timer_arm(&ending, clock_now_ns() + MOMENT_NS);
}

// Result: lio_listio()'s errno, when the one of this index cannot be done and the others take their
// time; or -1: they were not done when it returned.
static int wait_with_failure(int fd, int failing, int opcode, int failing_fd)
{
    bool done = true;
    list_prepare(fd, LIO_READ);
    blocks[failing].aio_lio_opcode = opcode;
    blocks[failing].aio_fildes = failing_fd;
    int error = list_errno(LIO_WAIT, COUNT, NULL);
    for (int i = 0; i < COUNT; i++)
        done &= i == failing || aio_error(&blocks[i]) == 0;
    for (int i = 0; i < COUNT; i++)
        wait_for(&blocks[i]);
    return done ? error : -1;
}

static void test_list_wait_after_failure(void)
{
    int fd = held_open(&held, DEVICE_BLOCK, O_RDWR);
    held.on_start = end_soon;
    bool good = true;
    for (int i = 0; i < COUNT; i += COUNT - 1)
        good &= wait_with_failure(fd, i, 77, fd) == EIO &&
                wait_with_failure(fd, i, LIO_READ, 77) == EIO;
    tap_ok(good, "test_statement_38_what_fails_at_once_does_not_end_the_wait_for_the_others");
    close(fd);
}

static void test_list_opcodes(void)
{
    struct sigevent event = event_by_function(on_complete, 100);
    list_prepare(ram, LIO_READ);
    for (int i = 0; i < COUNT; i++)
        blocks[i].aio_sigevent = event_by_function(on_complete, i);
    blocks[0].aio_lio_opcode = 77;
    blocks[1].aio_lio_opcode = LIO_NOP;
    list[2] = NULL;
    tap_ok(list_errno(LIO_NOWAIT, COUNT, &event) == EIO && failed_with(&blocks[0], EINVAL),
           "test_statement_39_a_bad_opcode_is_EIO_and_its_block_fails_with_EINVAL");
    tap_ok(reaches(&calls, 2) && order[0] == 3 && order[1] == 100 && done_with(&blocks[3], BLOCK),
           "test_statement_39_the_others_go_on");
    tap_ok(aio_error(&blocks[1]) == -1 && aio_error(&blocks[2]) == -1,
           "test_statement_39_NULL_and_LIO_NOP_are_skipped_and_never_notified");
    list_prepare(ram, LIO_WRITE);
    blocks[0].aio_lio_opcode = -1;
    tap_ok(list_errno(LIO_WAIT, COUNT, NULL) == EIO && failed_with(&blocks[0], EINVAL) &&
               done_with(&blocks[3], BLOCK),
           "test_statement_39_a_bad_opcode_with_LIO_WAIT_too");
}

static void test_list_notification(void)
{
    int fd = held_open(&held, DEVICE_STREAM, O_RDWR);
    struct sigevent event = event_by_function(on_complete, 100);
    list_prepare(fd, LIO_READ);
    for (int i = 0; i < COUNT; i++)
        blocks[i].aio_sigevent = event_by_function(on_complete, i);
    bool nothing_yet = list_errno(LIO_NOWAIT, COUNT, &event) == 0;
    for (int i = 0; i < COUNT - 1; i++)
        held_end(&held, BLOCK);
    nothing_yet &= reaches(&calls, COUNT - 1);
    held_end(&held, BLOCK);
    tap_ok(nothing_yet && reaches(&calls, COUNT + 1) && order[COUNT] == 100 &&
               order[COUNT - 1] == COUNT - 1 && all_done(),
           "test_statement_40_the_lists_notification_comes_after_that_of_its_last_request");
    handle(SIGRTMIN);
    event = event_by_signal(SIGRTMIN, 77);
    list_prepare(fd, LIO_READ);
    list_errno(LIO_NOWAIT, COUNT, &event);
    held_end_all(&held);
    tap_ok(reaches(&calls, 1) && order[0] == 77 && infos[0].si_code == SI_ASYNCIO && all_done(),
           "test_statement_40_a_list_may_be_told_by_a_signal");
    event = event_by_function(on_complete, 5);
    list_prepare(fd, LIO_NOP);
    tap_ok(list_errno(LIO_NOWAIT, COUNT, &event) == 0 && reaches(&calls, 1) &&
               list_errno(LIO_NOWAIT, 0, &event) == 0 && reaches(&calls, 2),
           "test_statement_40_an_empty_list_is_notified_of_at_once");
    tap_ok(list_errno(LIO_WAIT, COUNT, NULL) == 0 && list_errno(LIO_WAIT, 0, NULL) == 0,
           "test_statement_40_nothing_waits_for_an_empty_list");
    close(fd);
}

static void test_list_without_room(void)
{
    static struct aiocb fill[AIO_MAX - 2];
    int fd = held_open(&held, DEVICE_STREAM, O_RDWR), good = 0;
    for (int i = 0; i < AIO_MAX - 2; i++) {
        fill[i] = block_for(fd, buffer, 1, 0);
        good += aio_read(&fill[i]) == 0;
    }
    struct sigevent event = event_by_function(on_complete, 9);
    list_prepare(fd, LIO_READ);
    tap_ok(good == AIO_MAX - 2 && list_errno(LIO_NOWAIT, COUNT, &event) == EAGAIN &&
               aio_error(&blocks[1]) == EINPROGRESS && failed_with(&blocks[2], EAGAIN) &&
               failed_with(&blocks[3], EAGAIN),
           "test_statement_40_out_of_room_is_EAGAIN_and_so_are_the_refused_blocks");
    held_end_all(&held);
    tap_ok(reaches(&calls, 1) && done_with(&blocks[0], BLOCK) && done_with(&blocks[1], BLOCK),
           "test_statement_40_those_that_were_started_complete_and_the_list_is_notified_of");
    close(fd);
}

// As many lists as there are slots, each told by a signal that is not taken yet: there is a record
// for each; and each record comes back.
static void test_many_lists(void)
{
    struct sigevent event = event_by_signal(SIGRTMIN, 1);
    int null = open("/dev/null", O_RDWR), accepted = 0;
    handle(SIGRTMIN);
    mask(SIG_BLOCK, SIGRTMIN, SIGRTMIN);
    for (int i = 0; i < AIO_MAX; i++) {
        list_prepare(null, LIO_WRITE);
        accepted += list_errno(LIO_NOWAIT, 1, &event) == 0 && wait_for(&blocks[0]) == 0;
    }
    bool full = list_errno(LIO_NOWAIT, 1, &event) == EAGAIN;
    mask(SIG_UNBLOCK, SIGRTMIN, SIGRTMIN);
    tap_ok(accepted == AIO_MAX && full && calls == AIO_MAX,
           "test_statement_40_no_signal_of_a_list_is_lost");
    tap_ok(list_errno(LIO_NOWAIT, 1, &event) == 0 && reaches(&calls, AIO_MAX + 1),
           "test_statement_40_lists_come_back");
    close(null);
}

// Nothing is printed meanwhile: that may allocate.
static void test_no_allocation(void)
{
    struct sigevent event = event_by_function(on_complete, 1);
    const struct aiocb *first[] = { &blocks[0] };
    size_t allocated = mallinfo().uordblks;
    void *end = sbrk(0);
    list_prepare(ram, LIO_READ);
    blocks[0].aio_sigevent = event_by_signal(SIGRTMIN, 2);
    blocks[1].aio_sigevent = event_by_function(on_complete, 3);
    bool good = list_errno(LIO_NOWAIT, COUNT, &event) == 0 && reaches(&calls, 3) && all_done() &&
                list_errno(LIO_WAIT, COUNT, NULL) == 0 && all_done();
    for (int i = 0; i < COUNT; i++) {
        good &= (i % 2 ? aio_read : aio_write)(&blocks[0]) == 0;
        aio_suspend(first, 1, NULL);
        good &= wait_for(&blocks[0]) == 0 && done_with(&blocks[0], BLOCK);
        good &= aio_fsync(O_SYNC, &blocks[1]) == 0 && wait_for(&blocks[1]) == 0;
        good &= aio_cancel(ram, &blocks[1]) == AIO_ALLDONE && done_with(&blocks[1], 0);
    }
    tap_ok(good && mallinfo().uordblks == allocated && sbrk(0) == end,
           "test_statement_40_none_of_the_eight_calls_allocates");
}

int main(void)
{
    tap_plan(23);
    ram = open("/dev/ram0", O_RDWR);
    test_list_refusals();
    test_list_wait();
    test_list_wait_after_failure();
    test_list_opcodes();
    test_list_notification();
    test_list_without_room();
    test_many_lists();
    test_no_allocation();
    return tap_done();
}
