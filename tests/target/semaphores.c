// Semaphores without a name: counts, waits and what ends them. Waiting for a time is the machine's
// own here, where it takes none.
// qemu: -icount shift=0,sleep=off
#include <errno.h>
#include <limits.h>
#include <semaphore.h>
#include <signal.h>
#include <time.h>

#include "faces/posix/signals.h"
#include "irq/callback.h"
#include "irq/clock.h"
#include "tests/tap.h"

enum { SOON_NS = 50000, MILLISECOND = 1000000 };

static sem_t semaphore;
static volatile int handled;

static void on_signal(int number)
{
    (void)number;
    handled++;
}

// What an interrupt brings while main waits: a signal, then a post by a callback.
static void posts(struct callback *callback)
{
    (void)callback;
    sem_post(&semaphore);
}
static struct callback post = { .run = posts };

static void post_later(struct timer *timer)
{
    (void)timer;
    callback_post(&post);
}
static struct timer poster = { .expired = post_later };

static void signal_later(struct timer *timer)
{
    (void)timer;
    posix_signal_send_plain(SIGUSR1, SI_KERNEL);
}
static struct timer signaller = { .expired = signal_later };

static void soon(struct timer *timer, unsigned times)
{
    timer_arm(timer, clock_now_ns() + (uint64_t)times * SOON_NS);
}

static struct timespec from_now(long ns)
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    time.tv_sec += (time.tv_nsec + ns) / 1000000000;
    time.tv_nsec = (time.tv_nsec + ns) % 1000000000;
    return time;
}

static int value_of(void)
{
    int value = -1;
    sem_getvalue(&semaphore, &value);
    return value;
}

static void test_counts(void)
{
    tap_ok(sem_init(&semaphore, 0, 2) == 0 && value_of() == 2, "test_it_begins_with_its_value");
    bool right = sem_wait(&semaphore) == 0 && sem_trywait(&semaphore) == 0 && value_of() == 0;
    errno = 0;
    tap_ok(right && sem_trywait(&semaphore) == -1 && errno == EAGAIN,
           "test_two_take_it_and_the_third_is_EAGAIN");
    tap_ok(sem_post(&semaphore) == 0 && value_of() == 1, "test_a_post_adds_one");
    right = sem_init(&semaphore, 0, SEM_VALUE_MAX) == 0;
    tap_ok(right && sem_post(&semaphore) == -1 && errno == EOVERFLOW && value_of() == SEM_VALUE_MAX,
           "test_a_post_beyond_SEM_VALUE_MAX_is_EOVERFLOW");
    tap_ok(sem_init(&semaphore, 0, SEM_VALUE_MAX + 1U) == -1 && errno == EINVAL,
           "test_so_large_a_value_is_EINVAL");
    tap_ok(sem_init(&semaphore, 1, 0) == -1 && errno == ENOSYS,
           "test_one_for_several_processes_is_ENOSYS");
    tap_equal(sem_destroy(&semaphore), 0, "test_it_can_be_destroyed");
}

static void test_wait(void)
{
    sem_init(&semaphore, 0, 0);
    soon(&poster, 1);
    tap_ok(sem_wait(&semaphore) == 0 && value_of() == 0, "test_a_callbacks_post_ends_the_wait");
}

static void act(int flags)
{
    const struct sigaction action = { .sa_handler = on_signal, .sa_flags = flags };
    sigaction(SIGUSR1, &action, NULL);
    handled = 0;
}

static void test_signals(void)
{
    act(0);
    soon(&signaller, 1);
    tap_ok(sem_wait(&semaphore) == -1 && errno == EINTR && handled == 1,
           "test_a_handler_ends_it_with_EINTR");
    act(SA_RESTART);
    soon(&signaller, 1);
    soon(&poster, 3);
    tap_ok(sem_wait(&semaphore) == 0 && handled == 1, "test_a_handler_with_SA_RESTART_does_not");
}

static void test_times(void)
{
    struct timespec time = from_now(MILLISECOND), past = { 0, 0 }, bad = { 0, 1000000000 };
    struct timespec now;
    errno = 0;
    bool right = sem_timedwait(&semaphore, &time) == -1 && errno == ETIMEDOUT;
    clock_gettime(CLOCK_REALTIME, &now);
    tap_ok(right && (now.tv_sec > time.tv_sec ||
                     (now.tv_sec == time.tv_sec && now.tv_nsec >= time.tv_nsec)),
           "test_its_time_ends_it_with_ETIMEDOUT_and_not_early");
    tap_ok(sem_timedwait(&semaphore, &past) == -1 && errno == ETIMEDOUT,
           "test_a_time_that_is_past_is_ETIMEDOUT");
    tap_ok(sem_timedwait(&semaphore, &bad) == -1 && errno == EINVAL,
           "test_a_time_that_is_none_is_EINVAL");
    sem_post(&semaphore);
    right = sem_timedwait(&semaphore, &bad) == 0 && sem_post(&semaphore) == 0;
    tap_ok(right && sem_timedwait(&semaphore, &past) == 0,
           "test_the_time_does_not_matter_where_it_need_not_wait");
    soon(&poster, 1);
    time = from_now(100L * MILLISECOND);
    tap_equal(sem_timedwait(&semaphore, &time), 0, "test_a_post_comes_before_its_time");
}

static volatile int taken, error;
static void waits(struct callback *callback)
{
    (void)callback;
    sem_wait(&semaphore);
    taken = sem_wait(&semaphore);
    error = errno;
}

static void test_in_a_callback(void)
{
    static struct callback callback = { .run = waits };
    sem_init(&semaphore, 0, 1);
    callback_post(&callback);
    while (error == 0)
        ;
    tap_ok(taken == -1 && error == EDEADLK && value_of() == 0,
           "test_a_callback_takes_it_but_waiting_for_main_is_EDEADLK");
}

int main(void)
{
    tap_plan(16);
    test_counts();
    test_wait();
    test_signals();
    test_times();
    test_in_a_callback();
    return tap_done();
}
