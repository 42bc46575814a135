// Waits in callbacks, where whoever waits delivers signals itself.
// Under instruction counting, where waiting takes no time.
// qemu: -icount shift=0,sleep=off
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <unistd.h>

#include "arch/cpu.h"
#include "tests/tap.h"
#include "tests/target/aio_notifications.h"
#include "tests/target/held_device.h"

enum { SOON_NS = 50000, LATE_NS = 10000000, LONG = 20000000 };

static int pipe_ends[2];
static struct held_device held;
static char buffer[16];
static volatile bool over, masked;
static volatile uint64_t handled_at, woken_at;
static volatile ssize_t result;

static void write_a_byte(int number)
{
    (void)number;
    write(pipe_ends[1], "x", 1);
    handled_at = clock_now_ns();
}

static void end_held(int number)
{
    (void)number;
    held_end(&held, 1);
    handled_at = clock_now_ns();
}

static void expired(struct timer *timer)
{
    (void)timer;
    posix_signal_send_plain(SIGUSR1, SI_KERNEL);
}
static struct timer soon = { .expired = expired };

// Any interrupt wakes who has missed his; this one comes in any case.
static void expired_late(struct timer *timer)
{
    (void)timer;
}
static struct timer late = { .expired = expired_late };

static bool runs_in_time(void (*run)(struct callback *))
{
    static struct callback callback;
    callback.run = run;
    over = false;
    timer_arm(&soon, clock_now_ns() + SOON_NS);
    timer_arm(&late, clock_now_ns() + LATE_NS);
    callback_post(&callback);
    for (volatile int i = 0; i < LONG && !over; i++)
        ;
    timer_cancel(&late);
    return over && woken_at - handled_at < SOON_NS;
}

static void read_pipe(struct callback *callback)
{
    (void)callback;
    result = read(pipe_ends[0], buffer, 1);
    woken_at = clock_now_ns();
    over = true;
}

static struct aiocb block, *list[] = { &block };

static void suspend(struct callback *callback)
{
    (void)callback;
    const struct aiocb *wanted[] = { &block };
    aio_read(&block);
    result = aio_suspend(wanted, 1, NULL);
    woken_at = clock_now_ns();
    over = true;
}

static void list_wait(struct callback *callback)
{
    (void)callback;
    block.aio_lio_opcode = LIO_READ;
    result = lio_listio(LIO_WAIT, list, 1, NULL);
    woken_at = clock_now_ns();
    over = true;
}

static void handle_restarting(void (*handler)(int))
{
    struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };
    sigaction(SIGUSR1, &action, NULL);
}

// What is waited for comes while the handler runs.
static void test_wake_ups(void)
{
    handle_restarting(write_a_byte);
    tap_ok(runs_in_time(read_pipe) && result == 1,
           "test_read_in_a_callback_sees_what_a_handler_has_written_meanwhile");
    handle_restarting(end_held);
    int fd = held_open(&held, DEVICE_STREAM, O_RDWR);
    block = block_for(fd, buffer, 1, 0);
    tap_ok(runs_in_time(suspend) && result == 0 && done_with(&block, 1),
           "test_aio_suspend_in_a_callback_sees_a_request_that_a_handler_has_ended");
    tap_ok(runs_in_time(list_wait) && result == 0 && done_with(&block, 1),
           "test_lio_listio_in_a_callback_sees_a_request_that_a_handler_has_ended");
    close(fd);
}

static void count(int number)
{
    (void)number;
    calls++;
}

static void write_with_a_signal_waiting(struct callback *callback)
{
    (void)callback;
    posix_signal_send_plain(SIGUSR1, SI_KERNEL);
    write(pipe_ends[1], "x", 1);
    masked = irq_masked();
    woken_at = handled_at;
    over = true;
}

static void test_interrupts_stay_open(void)
{
    handle_restarting(count);
    calls = 0;
    masked = true;
    tap_ok(runs_in_time(write_with_a_signal_waiting) && calls > 0 && !masked,
           "test_interrupts_are_open_behind_a_write_that_has_delivered_a_signal");
    read(pipe_ends[0], buffer, 1);
}

static sigjmp_buf inside;

static void jump_inside(int number)
{
    (void)number;
    siglongjmp(inside, 1);
}

static void leave_a_write(struct callback *callback)
{
    (void)callback;
    posix_signal_send_plain(SIGUSR1, SI_KERNEL);
    if (sigsetjmp(inside, 1) == 0)
        write(STDOUT_FILENO, "# never printed\n", 16);
    woken_at = handled_at;
    over = true;
}

static void test_writing_holds_no_longer(void)
{
    handle_restarting(jump_inside);
    bool left = runs_in_time(leave_a_write);
    tap_ok(left && runs_in_time(leave_a_write),
           "test_callbacks_run_after_a_jump_inside_one_out_of_a_write_to_the_console");
}

// ---- One inside the other

enum { DEEP = 6 };

static int deep_ends[DEEP][2];
static volatile int depth, opened, refusal;

// Reads from a pipe whose end is closed meanwhile.
static void read_what_is_closed(void)
{
    static struct timer next = { .expired = expired };
    timer_arm(&next, clock_now_ns() + SOON_NS);
    read(deep_ends[depth][0], buffer, 1);
}

static void open_all(void)
{
    while (open("/tmp/deep", O_CREAT | O_RDWR, 0600) >= 0)
        opened++;
    refusal = errno;
    for (int i = 0; i < DEEP; i++)
        write(deep_ends[i][1], "x", 1);
}

static void read_deeper(int number)
{
    (void)number;
    close(deep_ends[depth][0]);
    if (++depth < DEEP)
        read_what_is_closed();
    else
        open_all();
}

// Each read holds a file that no descriptor leads to any more.
static void test_files_of_nested_waits(void)
{
    struct sigaction action = { .sa_handler = read_deeper, .sa_flags = SA_RESTART | SA_NODEFER };
    sigaction(SIGUSR1, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < DEEP; i++)
        pipe(deep_ends[i]);
    read_what_is_closed();
    tap_ok(depth == DEEP && opened > 0 && refusal == ENFILE,
           "test_files_that_waits_hold_are_missed_as_ENFILE");
}

int main(void)
{
    tap_plan(6);
    pipe(pipe_ends);
    test_interrupts_stay_open();
    test_wake_ups();
    test_writing_holds_no_longer();
    test_files_of_nested_waits();
    return tap_done();
}
