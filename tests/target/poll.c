// poll() and ppoll(): what is ready, what is waited for, what ends the wait, and that nothing is
// left behind; on the console, on what is always ready, and on a device of the suite's own.
// stdin: typed\n
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "fake_stream.h"
#include "fs/file.h"
#include "tests/tap.h"

enum { SHORT_MS = 5, MANY = 40 };

static int fd;

static struct pollfd entry(int descriptor, int events)
{
    return (struct pollfd){ .fd = descriptor, .events = (short)events, .revents = 0x7777 };
}

// Result: revents, or -errno, or 0x10000 where the count is not what belongs to these.
static int poll_one(int descriptor, int events, int timeout_ms)
{
    struct pollfd entries[] = { entry(descriptor, events) };
    int found = poll(entries, 1, timeout_ms);
    if (found < 0)
        return -errno;
    return found == (entries[0].revents != 0) ? entries[0].revents : 0x10000;
}

static uint64_t milliseconds(void)
{
    return clock_now_ns() / 1000000;
}

static void test_always_ready(void)
{
    int null = open("/dev/null", O_RDWR), disk = open("/dev/ram0", O_RDONLY);
    tap_equal(poll_one(null, POLLIN | POLLOUT, -1), POLLIN | POLLOUT, "test_dev_null_is_ready");
    tap_equal(poll_one(disk, POLLIN | POLLRDNORM, -1), POLLIN | POLLRDNORM, "test_a_disk_is_ready");
    tap_equal(poll_one(null, 0, 0), 0, "test_what_is_not_asked_for_is_not_told");
    tap_equal(poll_one(null, POLLPRI | POLLRDBAND, 0), 0, "test_nothing_is_urgent");
    struct pollfd entries[] = { entry(-1, POLLIN), entry(null, POLLIN), entry(-7, POLLOUT),
                                entry(disk, POLLOUT) };
    tap_ok(poll(entries, 4, -1) == 2 && entries[0].revents == 0 && entries[2].revents == 0 &&
               entries[1].revents == POLLIN && entries[3].revents == POLLOUT,
           "test_negative_descriptors_are_passed_over");
    close(null);
    tap_equal(poll_one(null, POLLIN, -1), POLLNVAL, "test_a_closed_descriptor_is_pollnval");
    tap_equal(poll_one(FILE_LIMIT, POLLIN, -1), POLLNVAL, "test_a_descriptor_out_of_range_too");
    close(disk);
}

static void test_refusals(void)
{
    static struct pollfd entries[FILE_LIMIT + 1];
    const struct timespec negative = { .tv_sec = -1 }, much = { .tv_nsec = 1000000000 };
    const sigset_t mask = 0;
    errno = 0;
    tap_ok(poll(entries, FILE_LIMIT + 1, 0) == -1 && errno == EINVAL,
           "test_more_entries_than_descriptors_are_einval");
    tap_ok(poll(NULL, 1, 0) == -1 && errno == EFAULT, "test_no_entries_are_efault");
    tap_ok(ppoll(entries, 1, &negative, NULL) == -1 && errno == EINVAL &&
               ppoll(entries, 1, &much, NULL) == -1 && errno == EINVAL,
           "test_a_timeout_that_is_none_is_einval");
    const struct timespec none = { 0, 0 };
    entries[0].fd = -1;
    tap_ok(ppoll(entries, 1, &none, &mask) == 0, "test_a_mask_may_be_given");
}

static void test_timeouts(void)
{
    fake_begin(0);
    tap_ok(poll_one(fd, POLLIN, 0) == 0 && fake_questions == 1 && !fake.polls,
           "test_timeout_0_looks_once_and_does_not_wait");
    uint64_t begun = milliseconds();
    int revents = poll_one(fd, POLLIN | POLLOUT, SHORT_MS);
    tap_ok(revents == 0 && milliseconds() - begun >= SHORT_MS, "test_it_gives_up_at_its_time");
    tap_ok(!fake.polls, "test_nothing_is_left_behind");
    begun = milliseconds();
    tap_ok(poll(NULL, 0, SHORT_MS) == 0 && milliseconds() - begun >= SHORT_MS,
           "test_without_entries_it_is_a_sleep");
}

static void test_waits(void)
{
    fake_will_be(IO_READY_READ, 0);
    tap_equal(poll_one(fd, POLLIN, -1), POLLIN, "test_it_sleeps_until_a_device_is_ready");
    fake_will_be(IO_READY_WRITE, IO_READY_READ);
    tap_equal(poll_one(fd, POLLIN, -1), POLLIN, "test_what_was_not_asked_for_wakes_nobody");
    fake_will_be(IO_READY_WRITE, 0);
    tap_equal(poll_one(fd, POLLIN | POLLWRNORM, 60000), POLLWRNORM, "test_it_tells_which");
    fake_will_be(IO_READY_HANGUP, 0);
    tap_equal(poll_one(fd, 0, -1), POLLHUP, "test_a_hangup_is_told_unasked");
    fake_will_be(IO_READY_ERROR, 0);
    tap_equal(poll_one(fd, POLLIN, -1), POLLERR, "test_an_error_is_told_unasked");
    fake_begin(IO_READY_READ | IO_READY_WRITE | IO_READY_HANGUP);
    tap_equal(poll_one(fd, POLLIN | POLLOUT, -1), POLLIN | POLLHUP,
              "test_pollout_never_comes_with_pollhup");
    // Ready between the look and the wait, and nobody says so any more.
    fake_begin(0);
    fake_ready_later = IO_READY_READ;
    tap_ok(poll_one(fd, POLLIN, 60000) == POLLIN && !fake.polls,
           "test_what_happens_before_the_sleep_is_not_lost");
}

static void test_many(void)
{
    static struct pollfd entries[FILE_LIMIT];
    int opened[MANY];
    for (unsigned i = 0; i < FILE_LIMIT; i++)
        entries[i] = entry(-1, POLLIN);
    for (unsigned i = 0; i < MANY; i++)
        entries[i].fd = opened[i] = fake_open();
    for (unsigned i = MANY; i < FILE_LIMIT; i++)
        entries[i].fd = fd; // One descriptor, many entries.
    fake_will_be(IO_READY_READ, 0);
    bool right = poll(entries, FILE_LIMIT, -1) == FILE_LIMIT;
    for (unsigned i = 0; i < FILE_LIMIT; i++)
        right &= entries[i].revents == POLLIN;
    tap_ok(right && !fake.polls, "test_64_entries_are_waited_for");
    // All but one wait for what never comes.
    for (unsigned i = 0; i < FILE_LIMIT; i++)
        entries[i].events = i == FILE_LIMIT - 1 ? POLLOUT : POLLIN;
    fake_will_be(IO_READY_WRITE, 0);
    tap_ok(poll(entries, FILE_LIMIT, -1) == 1 && entries[FILE_LIMIT - 1].revents == POLLOUT &&
               entries[0].revents == 0 && !fake.polls,
           "test_one_of_them_ends_the_wait");
    for (unsigned i = 0; i < MANY; i++)
        close(opened[i]);
}

// ---- Callbacks and signals meanwhile ----

static volatile unsigned handled, callback_saw;
static void (*on_timer)(void);

static void on_signal(int number)
{
    (void)number;
    handled++;
}

static void run_on_timer(struct callback *callback)
{
    (void)callback;
    on_timer();
}

static struct callback posted = { .run = run_on_timer };

static void post(struct timer *timer)
{
    (void)timer;
    callback_post(&posted);
}

static struct timer soon = { .expired = post };

static void in_a_callback_soon(void (*function)(void))
{
    on_timer = function;
    timer_arm(&soon, clock_now_ns() + 1000000);
}

// Again and again, so that one comes after main has begun to wait.
static void interrupt_main(void)
{
    raise(SIGUSR1);
    in_a_callback_soon(interrupt_main);
}

// Main polls for writing meanwhile: what this one waits for comes first.
static void poll_in_callback(void)
{
    callback_saw = (unsigned)poll_one(fd, POLLIN, -1);
}

static void test_interrupted(void)
{
    signal(SIGUSR1, on_signal);
    fake_begin(0);
    in_a_callback_soon(interrupt_main);
    int revents = poll_one(fd, POLLIN, -1);
    timer_cancel(&soon);
    tap_equal(revents, -EINTR, "test_a_signal_handler_ends_it");
    tap_ok(handled > 0 && !fake.polls, "test_nothing_is_left_behind_by_that_either");
}

static void test_in_callback(void)
{
    fake_will_be(IO_READY_READ, IO_READY_WRITE);
    in_a_callback_soon(poll_in_callback);
    int revents = poll_one(fd, POLLOUT, -1);
    tap_ok(callback_saw == POLLIN && revents == POLLOUT && !fake.polls,
           "test_main_and_a_callback_wait_for_two_things");
}

static void test_console(void)
{
    char text[16];
    tap_equal(poll_one(STDOUT_FILENO, POLLOUT, -1), POLLOUT, "test_the_console_can_be_written");
    tap_ok(poll_one(STDIN_FILENO, POLLIN, -1) == POLLIN &&
               read(STDIN_FILENO, text, sizeof text) == 6 && memcmp(text, "typed\n", 6) == 0,
           "test_a_line_at_the_console_can_be_read");
    tap_ok(poll_one(STDIN_FILENO, POLLIN, -1) == POLLIN &&
               read(STDIN_FILENO, text, sizeof text) == 0,
           "test_so_can_the_end_of_its_file");
}

int main(void)
{
    tap_plan(31);
    fd = fake_open();
    tap_ok(fd > STDERR_FILENO, "test_the_device_is_open");
    test_always_ready();
    test_refusals();
    test_timeouts();
    test_waits();
    test_many();
    test_interrupted();
    test_in_callback();
    test_console();
    return tap_done();
}
