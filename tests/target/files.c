// Descriptors and blocking calls, and what happens to them when another level interferes.
// sd: 8M
#include <aio.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/file.h"
#include "irq/callback.h"
#include "irq/clock.h"
#include "tests/tap.h"
#include "tests/target/board_find.h"

enum { FILES = 64, BIG = 1 << 20 };

static char big[BIG];
static int victim;
static volatile unsigned ticks;
static volatile bool stop;

static void test_open(void)
{
    errno = 0;
    tap_ok(open("/dev/nothing", O_RDONLY) == -1 && errno == ENOENT, "test_open_of_no_such_device");
    tap_ok(open("nothing", O_RDONLY) == -1 && errno == ENOENT, "test_open_of_a_relative_path");
    tap_ok(open("/proc/interrupts", O_RDWR) == -1 && errno == EACCES,
           "test_open_of_a_read_only_file_for_writing");
    tap_ok(open("/dev/ram0", O_RDWR | O_CREAT | O_EXCL, 0600) == -1 && errno == EEXIST,
           "test_exclusive_creation_of_what_is_there");
    int first = open("/dev/null", O_RDWR), second = open("/dev/null", O_RDWR);
    close(first);
    tap_ok(second == first + 1 && open("/dev/null", O_RDWR) == first,
           "test_the_lowest_descriptor_is_taken");
    int last = first;
    for (int fd = 0; fd >= 0; last = fd > 0 ? fd : last)
        fd = open("/dev/null", O_RDONLY);
    tap_ok(last == FILES - 1 && errno == EMFILE, "test_the_65th_descriptor_is_refused");
    for (int fd = first; fd < FILES; fd++)
        close(fd);
    tap_ok(close(first) == -1 && errno == EBADF, "test_closing_a_closed_descriptor");
}

static void test_access(void)
{
    tap_ok(access("/dev/ram0", R_OK | W_OK) == 0 && access("/dev/null", F_OK) == 0,
           "test_access_to_what_may_be_opened");
    tap_ok(access("/dev/nothing", F_OK) == -1 && errno == ENOENT, "test_access_to_no_such_device");
    tap_ok(access("/proc/interrupts", W_OK) == -1 && errno == EACCES,
           "test_access_to_a_read_only_file_for_writing");
    tap_ok(access("/dev/null", X_OK) == -1 && errno == EACCES, "test_no_device_can_be_executed");
}

static void test_positions(void)
{
    struct stat status;
    char text[] = "position";
    int fd = open("/dev/ram0", O_RDWR);
    tap_ok(fstat(fd, &status) == 0 && S_ISBLK(status.st_mode) && status.st_size == 4 << 20,
           "test_fstat_says_kind_and_size");
    tap_equal(lseek(fd, -4, SEEK_END), (4 << 20) - 4, "test_lseek_from_the_end");
    tap_ok(write(fd, text, 8) == 4 && write(fd, text, 8) == -1 && errno == ENOSPC,
           "test_write_is_short_at_the_end_and_then_fails");
    tap_equal(read(fd, text, 8), 0, "test_read_at_the_end_is_0");
    tap_ok(lseek(fd, -1, SEEK_SET) == -1 && errno == EINVAL, "test_lseek_before_the_start");
    tap_ok(lseek(0, 0, SEEK_SET) == -1 && errno == ESPIPE, "test_lseek_on_a_stream");
    lseek(fd, 10, SEEK_SET);
    tap_ok(read(fd, text, 4) == 4 && lseek(fd, 0, SEEK_CUR) == 14, "test_read_moves_the_position");
    tap_equal(fsync(fd), 0, "test_fsync");
    close(fd);
}

static struct timer timer;
static struct callback callback;

static void close_victim(struct callback *posted)
{
    (void)posted;
    close(victim);
}

static void expired(struct timer *one)
{
    (void)one;
    callback_post(&callback);
}

// The descriptor is closed by a callback while main's read through it waits; on a stalled host
// perhaps before it has begun.
static void test_close_while_reading(void)
{
    victim = open("/dev/disk", O_RDONLY);
    callback.run = close_victim;
    timer.expired = expired;
    timer_arm(&timer, clock_now_ns() + 1000000);
    ssize_t got = read(victim, big, BIG);
    tap_ok(got == BIG || (got == -1 && errno == EBADF),
           "test_a_read_survives_that_its_descriptor_is_closed");
    while (timer_armed(&timer))
        clock_now_ns(); // The compiler must look at the timer again.
    tap_ok(read(victim, big, 1) == -1 && errno == EBADF, "test_the_descriptor_is_closed");
}

// Is the disk behind this descriptor at work?
static bool is_busy(int fd)
{
    return file_snapshot(fd).device->lanes[0].in_flight > 0;
}

static void count(struct callback *posted)
{
    (void)posted;
    ticks += is_busy(victim);
    if (!stop)
        timer_arm(&timer, clock_now_ns() + 1000);
}

// Callbacks must not wait for a long write to a disk. Whether the first write is long enough is the
// host's affair: there are others until it has been seen.
static void test_callbacks_during_a_write(void)
{
    unsigned writes = 0, whole = 0;
    victim = open("/dev/disk", O_RDWR);
    callback.run = count;
    timer_arm(&timer, clock_now_ns());
    do {
        lseek(victim, 0, SEEK_SET);
        whole += write(victim, big, BIG) == BIG;
        writes++;
    } while (ticks < 2);
    stop = true;
    while (timer_armed(&timer))
        clock_now_ns();
    tap_equal(whole, writes, "test_a_mebibyte_is_written");
    tap_note("%u callbacks during %u writes", ticks, writes);
    tap_ok(ticks >= 2, "test_callbacks_run_during_a_blocking_write");
    close(victim);
}

// A block whose callback submits it again and again: suspend returns all the same.
static struct aiocb again;
static char page[4096];
static volatile unsigned rounds;

static void resubmit(union sigval value)
{
    (void)value;
    rounds++;
    aio_return(&again);
    if (!stop)
        aio_read(&again);
}

static void test_suspend_and_resubmit(void)
{
    const struct aiocb *list[] = { &again };
    stop = false;
    again = (struct aiocb){ .aio_buf = page, .aio_nbytes = sizeof page };
    again.aio_fildes = open("/dev/disk", O_RDONLY);
    again.aio_sigevent.sigev_notify = SIGEV_THREAD;
    again.aio_sigevent.sigev_notify_function = resubmit;
    aio_read(&again);
    int result = aio_suspend(list, 1, NULL);
    unsigned seen = rounds;
    stop = true;
    while (aio_error(&again) == EINPROGRESS)
        ;
    tap_note("suspend returned after %u rounds", seen);
    tap_ok(result == 0, "test_suspend_sees_a_block_that_its_callback_submits_anew");
}

static bool reopened_meanwhile;

static void reopen_victim(struct callback *posted)
{
    (void)posted;
    reopened_meanwhile = is_busy(victim);
    close(victim);
    open("/dev/disk", O_RDONLY); // The lowest number: the same.
}

// The new descriptor starts at 0, whatever the read through the old one moves.
static void test_reopen_while_reading(void)
{
    victim = open("/dev/disk", O_RDONLY);
    callback.run = reopen_victim;
    timer_arm(&timer, clock_now_ns() + 1000000);
    read(victim, big, BIG);
    while (timer_armed(&timer))
        clock_now_ns();
    if (reopened_meanwhile)
        tap_equal(lseek(victim, 0, SEEK_CUR), 0, "test_a_descriptor_opened_anew_starts_at_0");
    else
        tap_skip("test_a_descriptor_opened_anew_starts_at_0",
                 "the read was over too soon, or came too late");
    close(victim);
}

// Three reads whose callbacks submit them again keep the card busy; fsync comes to its turn.
static struct aiocb stream[3];
static char pages[3][4096];

static void go_on(union sigval value)
{
    struct aiocb *block = value.sival_ptr;
    aio_return(block);
    if (!stop)
        aio_read(block);
}

static void test_flush_under_load(void)
{
    int fd = open("/dev/disk", O_RDWR);
    stop = false;
    for (int i = 0; i < 3; i++) {
        stream[i] = (struct aiocb){ .aio_fildes = fd, .aio_buf = pages[i], .aio_nbytes = 4096 };
        stream[i].aio_sigevent.sigev_notify = SIGEV_THREAD;
        stream[i].aio_sigevent.sigev_notify_function = go_on;
        stream[i].aio_sigevent.sigev_value.sival_ptr = &stream[i];
        aio_read(&stream[i]);
    }
    tap_equal(fsync(fd), 0, "test_fsync_returns_while_reads_keep_coming");
    stop = true;
    for (int i = 0; i < 3; i++)
        while (aio_error(&stream[i]) == EINPROGRESS)
            ;
}

static void test_stdio(void)
{
    FILE *file = fopen("/dev/disk", "r");
    uint32_t words[300];
    bool right = file != NULL && fseek(file, 4000, SEEK_SET) == 0 &&
                 fread(words, sizeof words[0], 300, file) == 300;
    for (uint32_t i = 0; right && i < 300; i++)
        right = words[i] == ((1000 + i) * 2654435761u ^ 0x5bd1e995u);
    tap_ok(right, "test_stdio_reads_the_card");
    if (file)
        fclose(file);
    file = fopen("/proc/interrupts", "r");
    char line[80];
    bool found = false;
    while (file && fgets(line, sizeof line, file))
        found |= strncmp(line, "taken: ", 7) == 0;
    tap_ok(found, "test_stdio_reads_proc");
    if (file)
        fclose(file);
}

int main(void)
{
    tap_plan(28);
    test_open();
    test_access();
    test_positions();
    test_stdio(); // Before the card is written to.
    test_close_while_reading();
    test_callbacks_during_a_write();
    test_suspend_and_resubmit();
    test_flush_under_load();
    test_reopen_while_reading();
    return tap_done();
}
