// What is left of a call that a handler jumps out of: nothing that the kernel still writes to, no
// place, no descriptor, and callbacks go on.
// Under instruction counting, where waiting takes no time.
// qemu: -icount shift=0,sleep=off
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdio.h>
#include <unistd.h>

#include "arch/cpu.h"
#include "faces/posix/aio_slots.h"
#include "tests/tap.h"
#include "tests/target/aio_notifications.h"
#include "tests/target/held_device.h"

enum { BLOCK = 512, COUNT = 4, PATTERN = 2048, SOON_NS = 50000, FLOOD = 200, LONG = 2000000 };

static sigjmp_buf place;
static struct held_device held;
static char buffer[BLOCK * COUNT];
static struct aiocb blocks[COUNT], *list[COUNT];

static void jump(int number)
{
    (void)number;
    siglongjmp(place, 1);
}

static void send_now(void)
{
    posix_signal_send_plain(SIGUSR1, SI_KERNEL);
}

static void expired(struct timer *timer)
{
    (void)timer;
    send_now();
}

static struct timer soon = { .expired = expired };

static void send_soon(void)
{
    timer_arm(&soon, clock_now_ns() + SOON_NS);
}

// Ends the request that is held, and all behind it. Result: nothing has been written where the call
// that was left had its stack.
static __attribute__((noinline)) bool end_all_over_a_pattern(ssize_t first)
{
    volatile unsigned char stack[PATTERN];
    bool whole = true;
    for (int i = 0; i < PATTERN; i++)
        stack[i] = UCHAR_MAX;
    if (held.request)
        held_end(&held, first);
    held_end_all(&held);
    for (int i = 0; i < PATTERN; i++)
        whole &= stack[i] == UCHAR_MAX;
    return whole;
}

static void list_prepare(int fd)
{
    for (int i = 0; i < COUNT; i++) {
        blocks[i] = block_for(fd, buffer + i * BLOCK, BLOCK, i * BLOCK);
        blocks[i].aio_lio_opcode = LIO_READ;
        list[i] = &blocks[i];
    }
}

static bool all_done(void)
{
    bool done = true;
    for (int i = 0; i < COUNT; i++)
        done &= done_with(&blocks[i], BLOCK);
    return done;
}

static void test_list(void)
{
    int fd = held_open(&held, DEVICE_STREAM, O_RDWR);
    list_prepare(fd);
    if (sigsetjmp(place, 1) == 0) {
        send_soon();
        lio_listio(LIO_WAIT, list, COUNT, NULL);
    }
    tap_ok(end_all_over_a_pattern(BLOCK) && all_done(),
           "test_jump_out_of_lio_listio_is_forgotten_by_its_requests");
    close(fd);
}

static void test_cancel(void)
{
    int fd = held_open(&held, DEVICE_STREAM, O_RDWR);
    held.slow = true;
    blocks[0] = block_for(fd, buffer, BLOCK, 0);
    aio_read(&blocks[0]);
    if (sigsetjmp(place, 1) == 0) {
        send_soon();
        aio_cancel(fd, &blocks[0]);
    }
    tap_ok(held.request && end_all_over_a_pattern(-ECANCELED) && failed_with(&blocks[0], ECANCELED),
           "test_jump_out_of_aio_cancel_is_forgotten_by_its_requests");
    close(fd);
}

// The signal comes when the device has the request and the wait has not begun.
static void test_submission(void)
{
    int (*const calls[])(int) = { fsync, fdatasync };
    for (volatile int i = 0; i < 3; i++) {
        int fd = held_open(&held, DEVICE_FILE, O_RDWR);
        held.on_start = send_now;
        if (sigsetjmp(place, 1) == 0) {
            if (i == 2)
                read(fd, buffer, BLOCK);
            else
                calls[i](fd);
        }
        tap_ok(held.started == 1 && !held.request,
               "test_jump_out_of_a_call_that_has_just_begun_takes_its_request_back");
        end_all_over_a_pattern(0);
        close(fd);
    }
}

static volatile unsigned ran;

static void run(struct callback *callback)
{
    (void)callback;
    ran++;
}

static bool all_run(unsigned count)
{
    for (volatile int i = 0; i < LONG && ran < count; i++)
        ;
    return ran == count;
}

static void post_flood(void)
{
    static struct callback flood[FLOOD];
    ran = 0;
    callbacks_hold();
    for (int i = 0; i < FLOOD; i++) {
        flood[i].run = run;
        callback_post(&flood[i]);
    }
    callbacks_release();
}

// Main that was waiting, and has been taken out of it, computes.
static void test_flood_behind_a_wait(void)
{
    const struct timespec minute = { .tv_sec = 60 };
    if (sigsetjmp(place, 1) == 0) {
        send_soon();
        nanosleep(&minute, NULL);
    }
    post_flood();
    tap_ok(all_run(FLOOD), "test_callbacks_go_on_while_main_computes_that_was_taken_out_of_a_wait");
}

// Output of callbacks is flushed at the end of a turn, also where others still wait.
static void print_and_signal(struct callback *callback)
{
    run(callback);
    printf("#");
    send_now();
}

static void test_jump_behind_a_turn(void)
{
    static struct callback before[CALLBACK_BUDGET - 1], last = { .run = print_and_signal },
                                                        behind[COUNT];
    ran = 0;
    callbacks_hold();
    for (int i = 0; i < CALLBACK_BUDGET - 1; i++) {
        before[i].run = run;
        callback_post(&before[i]);
    }
    callback_post(&last);
    for (int i = 0; i < COUNT; i++) {
        behind[i].run = run;
        callback_post(&behind[i]);
    }
    if (sigsetjmp(place, 1) == 0) {
        callbacks_release();
        for (volatile int i = 0; i < LONG; i++)
            ;
    }
    tap_ok(all_run(CALLBACK_BUDGET + COUNT),
           "test_jump_behind_a_turn_leaves_each_callback_that_waits_in_the_queue_once");
}

// ---- At any moment

enum { TICK_NS = 1024, STEPS = 700, WAIT_NS = 20000 };

// Time in which a timer that lies on the stack that was left goes off.
static __attribute__((noinline)) bool waits_over_a_pattern(void)
{
    volatile unsigned char stack[PATTERN];
    bool whole = true;
    for (int i = 0; i < PATTERN; i++)
        stack[i] = UCHAR_MAX;
    for (uint64_t end = clock_now_ns() + 2 * WAIT_NS; clock_now_ns() < end;) {}
    for (int i = 0; i < PATTERN; i++)
        whole &= stack[i] == UCHAR_MAX;
    return whole;
}

static void suspend_on_nothing(void)
{
    const struct timespec time = { .tv_nsec = WAIT_NS };
    aio_suspend((const struct aiocb *const *)list, 1, &time); // It is done.
}

static void open_and_close(void)
{
    close(open("/dev/null", O_RDWR));
}

static int null;

static void write_null(void)
{
    write(null, buffer, 1);
}

static int descriptors_free(void)
{
    int fds[OPEN_MAX], count = 0;
    while ((fds[count] = open("/dev/null", O_RDWR)) >= 0)
        count++;
    for (int i = 0; i < count; i++)
        close(fds[i]);
    return count;
}

// The signal comes at a moment that is a few instructions later each time.
static bool is_left_at_any_moment(void (*call)(void))
{
    volatile int bad = 0;
    for (volatile int step = 0; step < STEPS; step++) {
        if (sigsetjmp(place, 1) == 0) {
            uint64_t at = (clock_now_ns() / TICK_NS + 4) * TICK_NS;
            timer_arm(&soon, at);
            while (clock_now_ns() < at - TICK_NS) {}
            for (int i = step; i > 0; i--)
                __asm__ volatile("nop");
            call();
            for (;;) {}
        }
        bad += !waits_over_a_pattern();
    }
    return bad == 0;
}

static void test_any_moment(void)
{
    list[0] = &blocks[0];
    blocks[0] = (struct aiocb){ .aio_fildes = -1 };
    tap_ok(is_left_at_any_moment(suspend_on_nothing),
           "test_jump_at_any_moment_of_a_wait_leaves_no_timer");
    int before = descriptors_free();
    null = open("/dev/null", O_RDWR);
    bool good = is_left_at_any_moment(write_null) && file_snapshot(null).references == 1;
    good = is_left_at_any_moment(open_and_close) && good;
    tap_ok(good, "test_jump_at_any_moment_of_open_and_write_leaves_nothing_behind");
    for (int fd = 3; fd < OPEN_MAX; fd++)
        close(fd);
    tap_equal(descriptors_free(), before, "test_jump_at_any_moment_leaves_no_descriptor_reserved");
}

int main(void)
{
    tap_plan(10);
    signal(SIGUSR1, jump);
    test_list();
    test_cancel();
    test_submission();
    test_flood_behind_a_wait();
    test_jump_behind_a_turn();
    test_any_moment();
    return tap_done();
}
