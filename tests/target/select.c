// select() and pselect(): sets in and out, timeouts, refusals; what is ready and when is poll's
// (tests/target/poll.c).
#include <errno.h>
#include <sys/select.h>
#include <unistd.h>

#include "fake_stream.h"
#include "fs/file.h"
#include "tests/tap.h"

static int fd, null;
static fd_set reading, writing, exceptional;

// Both descriptors in all three sets.
static void fill(void)
{
    FD_ZERO(&reading);
    FD_SET(fd, &reading);
    FD_SET(null, &reading);
    writing = exceptional = reading;
}

static bool is(const fd_set *set, bool has_fd, bool has_null)
{
    return !FD_ISSET(fd, set) == !has_fd && !FD_ISSET(null, set) == !has_null &&
           !FD_ISSET(STDIN_FILENO, set);
}

static int select_all(struct timeval *timeout)
{
    fill();
    errno = 0;
    return select(FILE_LIMIT, &reading, &writing, &exceptional, timeout);
}

static void test_sets(void)
{
    struct timeval now = { 0, 0 };
    fake_begin(IO_READY_READ);
    tap_ok(select_all(&now) == 3 && is(&reading, true, true) && is(&writing, false, true) &&
               is(&exceptional, false, false),
           "test_what_is_ready_stays_in_the_sets_and_is_counted_in_each");
    fake_begin(IO_READY_READ | IO_READY_HANGUP);
    tap_ok(select_all(&now) == 4 && is(&writing, true, true),
           "test_neither_waits_when_the_other_end_is_closed");
    fake_begin(IO_READY_ERROR);
    tap_ok(select_all(&now) == 4 && is(&reading, true, true), "test_nor_on_a_broken_device");
    fake_begin(0);
    fill();
    FD_CLR(null, &reading);
    tap_ok(select(fd + 1, &reading, NULL, NULL, &now) == 0 && is(&reading, false, false),
           "test_nothing_ready_leaves_nothing");
    fill();
    tap_equal(select(null < fd ? null + 1 : fd + 1, &reading, NULL, NULL, &now), null < fd,
              "test_descriptors_from_the_count_on_are_not_looked_at");
}

static void test_waits(void)
{
    struct timeval soon = { 0, 5000 }, later = { 60, 0 };
    fake_will_be(IO_READY_WRITE, IO_READY_READ);
    fill();
    FD_CLR(null, &reading);
    tap_ok(select(fd + 1, &reading, NULL, NULL, NULL) == 1 && is(&reading, true, false),
           "test_it_sleeps_until_one_is_ready");
    fake_will_be(IO_READY_HANGUP, 0);
    fill();
    FD_CLR(null, &reading);
    tap_ok(select(fd + 1, NULL, &reading, NULL, &later) == 1 && is(&reading, true, false),
           "test_a_hangup_ends_a_wait_for_writing");
    fake_begin(IO_READY_HANGUP);
    fill();
    uint64_t begun = clock_now_ns();
    tap_ok(select(FILE_LIMIT, NULL, NULL, &exceptional, &soon) == 0 &&
               clock_now_ns() - begun >= 5000000 && is(&exceptional, false, false),
           "test_nothing_is_exceptional");
    begun = clock_now_ns();
    tap_ok(select(0, NULL, NULL, NULL, &soon) == 0 && clock_now_ns() - begun >= 5000000,
           "test_without_sets_it_is_a_sleep");
    tap_ok(!fake.polls, "test_nothing_is_left_behind");
}

static void test_refusals(void)
{
    struct timeval now = { 0, 0 }, negative = { 0, -1 }, much = { 0, 1000000 };
    const struct timespec second = { .tv_sec = 1 };
    const sigset_t mask = 0;
    fill();
    tap_ok(select(-1, &reading, NULL, NULL, &now) == -1 && errno == EINVAL &&
               select(FILE_LIMIT + 1, &reading, NULL, NULL, &now) == -1 && errno == EINVAL,
           "test_a_count_out_of_range_is_einval");
    tap_ok(select_all(&negative) == -1 && errno == EINVAL && select_all(&much) == -1 &&
               errno == EINVAL,
           "test_a_timeout_that_is_none_is_einval");
    const struct timespec none = { 0, 0 };
    tap_ok(pselect(1, NULL, NULL, NULL, &none, &mask) == 0, "test_a_mask_may_be_given");
    fill();
    FD_SET(FILE_LIMIT - 1, &exceptional);
    tap_ok(select(FILE_LIMIT, &reading, NULL, &exceptional, NULL) == -1 && errno == EBADF &&
               is(&reading, true, true),
           "test_a_closed_descriptor_in_any_set_is_ebadf_and_changes_no_set");
    fake_begin(IO_READY_READ);
    fill();
    tap_equal(pselect(FILE_LIMIT, &reading, NULL, NULL, &second, NULL), 2,
              "test_pselect_does_the_same");
}

int main(void)
{
    tap_plan(16);
    fd = fake_open();
    null = open("/dev/null", O_RDWR);
    tap_ok(fd >= 0 && null >= 0, "test_two_descriptors_are_open");
    test_sets();
    test_waits();
    test_refusals();
    return tap_done();
}
