// POSIX AIO, statement by statement (21 to 26, notifications): handlers, aio_suspend and signals.
// Each test is named after its number.
// sd: 8M
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <unistd.h>

#include "irq/callback.h"
#include "tests/tap.h"
#include "tests/target/aio_notifications.h"
#include "tests/target/held_device.h"

enum { BLOCK = 512, COUNT = 4 };

static char buffer[BLOCK];
static struct held_device held;
static int ram;

// ---- 21: in handlers and callbacks

static struct aiocb subject, other;
static volatile int worked;

static void work(void)
{
    static char mine[BLOCK];
    const struct aiocb *list[] = { &other };
    worked += aio_error(&subject) == 0 && aio_return(&subject) == BLOCK;
    other = block_for(subject.aio_fildes, mine, BLOCK, BLOCK);
    worked += aio_read(&other) == 0 && aio_suspend(list, 1, NULL) == 0;
    worked += done_with(&other, BLOCK);
    struct aiocb *all[] = { &other };
    worked += lio_listio(LIO_WAIT, all, 1, NULL) == 0 && done_with(&other, BLOCK);
    worked += aio_fsync(O_SYNC, &other) == 0 && aio_suspend(list, 1, NULL) == 0;
    worked += aio_cancel(other.aio_fildes, &other) == AIO_ALLDONE && done_with(&other, 0);
    calls++;
}

static void function_that_works(union sigval value)
{
    (void)value;
    work();
}

static void handler_that_works(int number)
{
    (void)number;
    work();
}

static void test_handlers(int fd, const char *function, const char *handler, const char *raised)
{
    subject = block_for(fd, buffer, BLOCK, 0);
    subject.aio_sigevent = event_by_function(function_that_works, 0);
    calls = worked = 0;
    aio_read(&subject);
    tap_ok(reaches(&calls, 1) && worked == 6, function);
    signal(SIGUSR1, handler_that_works);
    subject.aio_sigevent = event_by_signal(SIGUSR1, 0);
    calls = worked = 0;
    aio_read(&subject);
    tap_ok(reaches(&calls, 1) && worked == 6, handler);
    subject.aio_sigevent.sigev_notify = SIGEV_NONE;
    calls = worked = 0;
    aio_read(&subject);
    wait_for(&subject);
    raise(SIGUSR1);
    tap_ok(calls == 1 && worked == 6, raised);
}

// ---- 22 to 26: aio_suspend

static int suspend_errno(const struct aiocb *const list[], int count, const struct timespec *time)
{
    errno = 0;
    return aio_suspend(list, count, time) == -1 ? errno : 0;
}

static void test_suspend(void)
{
    const struct timespec moment = { .tv_nsec = MOMENT_NS }, no_time = { .tv_nsec = 0 };
    int fd = held_open(&held, DEVICE_STREAM, O_RDWR);
    struct aiocb waits = block_for(fd, buffer, BLOCK, 0), done = block_for(ram, buffer, BLOCK, 0);
    const struct aiocb *nothing[] = { NULL, NULL }, *one[] = { NULL, &waits, NULL },
                       *both[] = { &waits, NULL, &done };
    aio_read(&waits);
    aio_read(&done);
    wait_for(&done);
    tap_equal(suspend_errno(nothing, 2, &moment), EAGAIN,
              "test_statement_22_NULL_entries_are_ignored");
    tap_equal(suspend_errno(both, 3, NULL), 0,
              "test_statement_23_an_entry_already_complete_ends_it_at_once");
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    bool timed_out = suspend_errno(one, 3, &moment) == EAGAIN;
    clock_gettime(CLOCK_MONOTONIC, &after);
    long passed = (after.tv_sec - before.tv_sec) * 1000000000 + after.tv_nsec - before.tv_nsec;
    tap_ok(timed_out && passed >= MOMENT_NS, "test_statement_24_its_time_ends_it_with_EAGAIN");
    tap_equal(suspend_errno(one, 3, &no_time), EAGAIN, "test_statement_24_no_time_polls");
    tap_equal(suspend_errno(both, 3, &no_time), 0,
              "test_statement_24_no_time_finds_what_is_complete");
    pester_begin();
    tap_equal(suspend_errno(one, 3, NULL), EINTR, "test_statement_25_a_handler_ends_it_with_EINTR");
    struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART };
    sigaction(SIGUSR2, &action, NULL);
    const struct timespec moments = { .tv_nsec = 10 * MOMENT_NS };
    calls = 0;
    int answer = suspend_errno(one, 3, &moments);
    tap_ok(answer == EAGAIN && calls > 0, "test_statement_25_a_handler_with_SA_RESTART_does_not");
    pester_end();
    held_end_all(&held);
    tap_ok(suspend_errno(one, 3, NULL) == 0 && done_with(&waits, BLOCK) && done_with(&done, BLOCK),
           "test_statement_26_it_retires_nothing");
    close(fd);
}

// ---- Notifications

static void test_silent(void)
{
    struct aiocb block = block_for(ram, buffer, BLOCK, 0);
    bool good = aio_read(&block) == 0 && wait_for(&block) == 0 && done_with(&block, BLOCK);
    block.aio_sigevent.sigev_notify = SIGEV_NONE;
    good &= aio_read(&block) == 0 && wait_for(&block) == 0 && done_with(&block, BLOCK);
    tap_ok(good, "test_notification_0_and_SIGEV_NONE_are_none");
    block.aio_sigevent = event_by_signal(0, 1);
    tap_ok(aio_read(&block) == 0 && wait_for(&block) == 0 && done_with(&block, BLOCK),
           "test_notification_by_signal_0_is_harmless");
    int refused = 0;
    const int notify[] = { 77, SIGEV_SIGNAL, SIGEV_SIGNAL, SIGEV_THREAD };
    const int signo[] = { 0, -1, NSIG, 0 };
    for (int i = 0; i < 4; i++) {
        block.aio_sigevent.sigev_notify = notify[i];
        block.aio_sigevent.sigev_signo = signo[i];
        refused += aio_read(&block) == -1 && errno == EINVAL;
    }
    tap_equal(refused, 4, "test_notification_that_cannot_be_is_EINVAL");
}

static void test_signals(void)
{
    int null = open("/dev/null", O_RDWR);
    struct aiocb many[COUNT];
    handle(SIGRTMIN);
    handle(SIGRTMIN + 1);
    mask(SIG_BLOCK, SIGRTMIN, SIGRTMIN + 1);
    calls = 0;
    for (int i = 0; i < COUNT; i++) {
        many[i] = block_for(null, buffer, BLOCK, 0);
        many[i].aio_sigevent = event_by_signal(SIGRTMIN + 1 - i % 2, i);
        aio_write(&many[i]);
        wait_for(&many[i]);
    }
    mask(SIG_UNBLOCK, SIGRTMIN, SIGRTMIN + 1);
    tap_ok(calls == COUNT && order[0] == 1 && order[1] == 3 && order[2] == 0 && order[3] == 2,
           "test_notification_realtime_signals_are_queued_lower_number_first");
    tap_ok(infos[0].si_signo == SIGRTMIN && infos[2].si_code == SI_ASYNCIO,
           "test_notification_by_signal_comes_with_siginfo");
    handle(SIGUSR1);
    mask(SIG_BLOCK, SIGUSR1, SIGUSR1);
    calls = 0;
    for (int i = 0; i < COUNT; i++) {
        many[i].aio_sigevent = event_by_signal(SIGUSR1, i);
        aio_write(&many[i]);
        wait_for(&many[i]);
    }
    mask(SIG_UNBLOCK, SIGUSR1, SIGUSR1);
    tap_ok(calls == 1 && order[0] == 0, "test_notification_standard_signals_coalesce");
    close(null);
}

// A request's place is taken until its signal has been: none is lost.
static void test_no_signal_is_lost(void)
{
    static struct aiocb all[AIO_MAX + 1];
    int null = open("/dev/null", O_RDWR), accepted = 0;
    sigset_t set;
    siginfo_t info;
    mask(SIG_BLOCK, SIGRTMAX, SIGRTMAX);
    for (int i = 0; i < AIO_MAX + 1; i++) {
        all[i] = block_for(null, buffer, BLOCK, 0);
        all[i].aio_sigevent = event_by_signal(SIGRTMAX, i);
        accepted += aio_write(&all[i]) == 0 && wait_for(&all[i]) == 0;
    }
    tap_ok(accepted == AIO_MAX && errno == EAGAIN,
           "test_notification_that_waits_holds_its_requests_place");
    sigemptyset(&set);
    sigaddset(&set, SIGRTMAX);
    int in_order = 0;
    for (int i = 0; i < AIO_MAX; i++)
        in_order += sigwaitinfo(&set, &info) == SIGRTMAX && info.si_value.sival_int == i;
    tap_equal(in_order, AIO_MAX, "test_notification_by_signal_is_never_lost");
    mask(SIG_UNBLOCK, SIGRTMAX, SIGRTMAX);
    all[AIO_MAX].aio_sigevent.sigev_notify = SIGEV_NONE;
    tap_equal(aio_write(&all[AIO_MAX]), 0, "test_notification_taken_frees_its_requests_place");
    wait_for(&all[AIO_MAX]);
    close(null);
}

static int level_seen;
static void on_level(union sigval value)
{
    level_seen = value.sival_int == 3 ? (int)level_current() : -1;
    calls++;
}

static void test_function(void)
{
    struct aiocb block = block_for(ram, buffer, BLOCK, 0);
    block.aio_sigevent = event_by_function(on_level, 3);
    calls = 0;
    aio_read(&block);
    tap_ok(reaches(&calls, 1) && level_seen == LEVEL_CALLBACK,
           "test_notification_by_function_runs_at_callback_level_with_its_value");
}

#if !defined LIO_READ || !defined LIO_WRITE || !defined LIO_NOP || !defined LIO_WAIT || \
    !defined LIO_NOWAIT || !defined AIO_CANCELED || !defined AIO_NOTCANCELED ||         \
    !defined AIO_ALLDONE
#error "LIO_* and AIO_* are macros"
#endif

int main(void)
{
    tap_plan(24);
    ram = open("/dev/ram0", O_RDWR);
    int disk = open("/dev/disk", O_RDWR);
    test_handlers(ram, "test_statement_21_in_a_function_all_calls_work_and_may_wait",
                  "test_statement_21_in_a_signal_handler_too",
                  "test_statement_21_in_a_handler_that_raise_runs_too");
    test_handlers(disk, "test_statement_21_in_a_function_on_the_disk",
                  "test_statement_21_in_a_signal_handler_on_the_disk",
                  "test_statement_21_in_a_handler_that_raise_runs_on_the_disk");
    test_suspend();
    test_silent();
    test_signals();
    test_no_signal_is_lost();
    test_function();
    return tap_done();
}
