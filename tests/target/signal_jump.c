// Jumping out of handlers into main, whatever main was doing.
// Under instruction counting, where waiting takes no time.
// qemu: -icount shift=0,sleep=off
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "faces/posix/signals.h"
#include "irq/callback.h"
#include "irq/clock.h"
#include "tests/tap.h"

enum { SOON_NS = 50000, ROUNDS = 100 };

static sigjmp_buf place;
static volatile unsigned calls;

static void expired(struct timer *timer)
{
    (void)timer;
    posix_signal_send_plain(SIGUSR1, SI_KERNEL);
}
static struct timer timer = { .expired = expired };
static void send_soon(void)
{
    timer_arm(&timer, clock_now_ns() + SOON_NS);
}

static void jump(int number)
{
    (void)number;
    calls++;
    siglongjmp(place, 42);
}

static void count(int number)
{
    (void)number;
    calls++;
}

static sigset_t mask_now(void)
{
    sigset_t mask;
    sigprocmask(SIG_BLOCK, NULL, &mask);
    return mask;
}

static void test_out_of_a_loop(void)
{
    signal(SIGUSR1, jump);
    send_soon();
    int value = sigsetjmp(place, 1);
    if (value == 0)
        for (;;) {}
    tap_equal(value, 42, "test_jump_out_of_a_handler_arrives_in_main");
    tap_ok(level_current() == LEVEL_MAIN, "test_main_is_at_its_level_again");
    tap_equal(mask_now(), 0, "test_the_mask_is_as_it_was_at_sigsetjmp");
    signal(SIGUSR1, count);
    calls = 0;
    send_soon();
    while (calls == 0)
        ;
    tap_ok(true, "test_later_handlers_run");
}

static void test_again_and_again(void)
{
    signal(SIGUSR1, jump);
    volatile unsigned rounds = 0;
    calls = 0;
    sigsetjmp(place, 1);
    if (rounds++ < ROUNDS) {
        send_soon();
        for (;;) {}
    }
    tap_equal(calls, ROUNDS, "test_a_hundred_jumps_leave_the_stacks_as_they_were");
}

static void test_mask_is_kept(void)
{
    signal(SIGUSR1, jump);
    send_soon();
    if (sigsetjmp(place, 0) == 0)
        for (;;) {}
    tap_ok(sigismember(&(sigset_t){ mask_now() }, SIGUSR1) == 1,
           "test_without_saving_the_mask_stays_that_of_the_handler");
    sigset_t none = 0;
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static jmp_buf plain_place;

static void jump_plainly(int number)
{
    (void)number;
    calls++;
    longjmp(plain_place, 0);
}

static void test_plain_longjmp(void)
{
    signal(SIGUSR1, jump_plainly);
    calls = 0;
    int value = setjmp(plain_place);
    if (value == 0) {
        send_soon();
        for (;;) {}
    }
    tap_ok(value == 1 && calls == 1 && level_current() == LEVEL_MAIN,
           "test_longjmp_leaves_a_handler_too_and_its_0_is_seen_as_1");
    tap_ok(sigismember(&(sigset_t){ mask_now() }, SIGUSR1) == 1,
           "test_longjmp_leaves_the_mask_as_it_is");
    sigset_t none = 0;
    sigprocmask(SIG_SETMASK, &none, NULL);
}

// The reads that are given up must not come back for their memory, and their file must be free.
static void test_out_of_a_read(void)
{
    volatile unsigned rounds = 0, bad = 0;
    signal(SIGUSR1, jump);
    for (rounds = 0; rounds < ROUNDS; rounds++) {
        int fds[2];
        char bytes[32];
        if (pipe(fds) != 0) {
            bad++;
            break;
        }
        if (sigsetjmp(place, 1) == 0) {
            send_soon();
            read(fds[0], bytes, sizeof bytes);
            bad++;
        }
        bad += write(fds[1], "bytes", 5) != 5;
        bad += read(fds[0], bytes, sizeof bytes) != 5;
        close(fds[0]);
        close(fds[1]);
    }
    tap_equal(bad, 0, "test_jump_out_of_a_blocked_read_gives_it_up");
}

static void test_out_of_waits(void)
{
    const struct timespec minute = { .tv_sec = 60 };
    volatile unsigned back = 0;
    int fds[2];
    pipe(fds);
    struct pollfd entry = { .fd = fds[0], .events = POLLIN };
    signal(SIGUSR1, jump);
    if (sigsetjmp(place, 1) == 0) {
        send_soon();
        nanosleep(&minute, NULL);
    }
    back++;
    for (volatile unsigned i = 0; i < 3; i++) {
        if (sigsetjmp(place, 1) == 0) {
            send_soon();
            poll(&entry, 1, 60000);
        }
        back++;
    }
    tap_equal(back, 4, "test_jump_out_of_sleep_and_poll");
    signal(SIGUSR1, count);
    calls = 0;
    send_soon();
    tap_ok(nanosleep(&minute, NULL) == -1 && errno == EINTR && calls == 1,
           "test_timers_of_waits_that_were_left_are_gone");
    close(fds[0]);
    close(fds[1]);
}

// ---- Callbacks ----

static volatile unsigned others;

static void other(struct callback *callback)
{
    (void)callback;
    others++;
}

static void leave(struct callback *callback)
{
    (void)callback;
    siglongjmp(place, 7);
}

static void test_rest_of_the_turn(void)
{
    static struct callback first = { .run = other }, leaver = { .run = leave },
                           last = { .run = other };
    callbacks_hold();
    callback_post(&first);
    callback_post(&leaver);
    callback_post(&last);
    int value = sigsetjmp(place, 1);
    if (value == 0) {
        callbacks_release();
        for (;;) {}
    }
    while (others < 2)
        ;
    tap_ok(value == 7 && others == 2, "test_callbacks_behind_the_one_that_jumps_run_all_the_same");
}

static volatile int value_in_callback;

static void jump_inside(struct callback *callback)
{
    (void)callback;
    static sigjmp_buf here;
    int value = sigsetjmp(here, 1);
    if (value == 0)
        siglongjmp(here, 3);
    value_in_callback = value;
}

static void test_inside_a_callback(void)
{
    static struct callback callback = { .run = jump_inside };
    callback_post(&callback);
    while (value_in_callback == 0)
        ;
    tap_equal(value_in_callback, 3, "test_jump_inside_a_callback_stays_there");
}

static void test_interrupted_read(void)
{
    int fds[2];
    char byte;
    struct sigaction action = { .sa_handler = count };
    pipe(fds);
    sigaction(SIGUSR1, &action, NULL);
    calls = 0;
    send_soon();
    tap_ok(read(fds[0], &byte, 1) == -1 && errno == EINTR && calls == 1,
           "test_handler_without_SA_RESTART_ends_a_read_with_EINTR");
    write(fds[1], "x", 1);
    tap_ok(read(fds[0], &byte, 1) == 1 && byte == 'x', "test_nothing_is_lost_by_it");
    close(fds[0]);
    close(fds[1]);
}

// More than a pipe or a socket holds: the write has begun, and waits.
static void test_out_of_a_write(int fds[2], const char *counted, const char *left)
{
    static char many[1 << 17];
    struct sigaction action = { .sa_handler = count };
    sigaction(SIGUSR1, &action, NULL);
    calls = 0;
    send_soon();
    ssize_t written = write(fds[1], many, sizeof many), there = 0;
    while (poll(&(struct pollfd){ .fd = fds[0], .events = POLLIN }, 1, 0) == 1)
        there += read(fds[0], many, sizeof many);
    tap_ok(calls == 1 && written > 0 && there == written, counted);
    signal(SIGUSR1, jump);
    if (sigsetjmp(place, 1) == 0) {
        send_soon();
        write(fds[1], many, sizeof many);
    }
    while (poll(&(struct pollfd){ .fd = fds[0], .events = POLLIN }, 1, 0) == 1)
        read(fds[0], many, sizeof many);
    tap_ok(write(fds[1], "bytes", 5) == 5 && read(fds[0], many, 10) == 5, left);
    close(fds[0]);
    close(fds[1]);
}

static void test_out_of_writes(void)
{
    int fds[2];
    pipe(fds);
    test_out_of_a_write(fds, "test_handler_ends_a_write_to_a_pipe_with_what_is_written",
                        "test_jump_out_of_a_blocked_write_to_a_pipe_gives_it_up");
    socketpair(AF_UNIX, SOCK_STREAM, 0, fds);
    test_out_of_a_write(fds, "test_handler_ends_a_write_to_a_socket_with_what_is_written",
                        "test_jump_out_of_a_blocked_write_to_a_socket_gives_it_up");
}

// A program may keep its places in a stack of them.
static void test_arguments(void)
{
    static jmp_buf places[3];
    volatile int depth = 0, saved = 0;
    int value = setjmp(places[depth++]);
    if (value == 0)
        longjmp(places[depth - 1], 3);
    bool plain = value == 3 && depth == 1;
    depth = 0;
    value = sigsetjmp(places[depth++], saved++);
    if (value == 0)
        siglongjmp(places[depth - 1], 4);
    tap_ok(plain && value == 4 && depth == 1 && saved == 1, "test_arguments_are_evaluated_once");
}

int main(void)
{
    tap_plan(20);
    test_arguments();
    test_out_of_a_loop();
    test_again_and_again();
    test_mask_is_kept();
    test_plain_longjmp();
    test_out_of_a_read();
    test_out_of_waits();
    test_rest_of_the_turn();
    test_inside_a_callback();
    test_interrupted_read();
    test_out_of_writes();
    return tap_done();
}
