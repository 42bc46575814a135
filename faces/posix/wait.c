// Waits of the POSIX face: for a timeout, a signal, or whatever else the caller looks at.
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include "arch/container.h"
#include "arch/cpu.h"
#include "faces/posix/pointers.h"
#include "faces/posix/posix.h"
#include "faces/posix/signals.h"
#include "irq/callback.h"

// CLOCK_STEP_NS: no board's clock counts in larger steps.
enum { NANOSECONDS = 1000000000, CLOCK_STEP_NS = 1000 };

static void timed_out(struct timer *timer)
{
    struct posix_wait *wait = container_of(timer, struct posix_wait, timer);
    wait->timed_out = true;
}

struct timespec posix_timespec(uint64_t ns)
{
    return (struct timespec){ .tv_sec = (time_t)(ns / NANOSECONDS),
                              .tv_nsec = (long)(ns % NANOSECONDS) };
}

uint64_t posix_nanoseconds(const struct timespec *span)
{
    uint64_t ns;
    if (__builtin_mul_overflow((uint64_t)span->tv_sec, (uint64_t)NANOSECONDS, &ns) ||
        __builtin_add_overflow(ns, (uint64_t)span->tv_nsec, &ns))
        return UINT64_MAX;
    return ns;
}

static uint64_t after(const struct timespec *timeout)
{
    uint64_t end;
    return __builtin_add_overflow(posix_nanoseconds(timeout), clock_now_ns(), &end) ? UINT64_MAX
                                                                                    : end;
}

static void left_behind(struct unwind *unwind)
{
    timer_cancel(&container_of(unwind, struct posix_wait, unwind)->timer);
}

int posix_wait_begin(struct posix_wait *wait, const struct timespec *timeout)
{
    wait->timer.link = NULL;
    wait->timer.expired = timed_out;
    wait->timed_out = false;
    wait->in_callback = level_current() == LEVEL_CALLBACK;
    wait->handled = &posix_signals_counts.handled;
    wait->before = *wait->handled;
    if (!posix_may_read(timeout))
        return EFAULT;
    if (timeout && !posix_is_span(timeout))
        return EINVAL;
    unwind_push(&wait->unwind, left_behind);
    if (!timeout)
        return 0;
    if (timeout->tv_sec == 0 && timeout->tv_nsec == 0)
        wait->timed_out = true;
    else
        timer_arm(&wait->timer, after(timeout));
    return 0;
}

void posix_wait_restarts(struct posix_wait *wait)
{
    wait->handled = &posix_signals_counts.ending_waits;
    wait->before = *wait->handled;
}

int posix_wait_over(const struct posix_wait *wait)
{
    if (((const volatile struct posix_wait *)wait)->timed_out)
        return ETIMEDOUT;
    return *wait->handled != wait->before ? EINTR : 0;
}

void posix_wait_sleep_locked(const struct posix_wait *wait)
{
    if (!wait->in_callback || !posix_signals_deliver_in_wait())
        level_sleep_locked();
}

void posix_wait_end(struct posix_wait *wait)
{
    unwind_end(&wait->unwind);
}

bool posix_time_until(const struct timespec *time, struct timespec *left)
{
    if (!posix_is_time(time))
        return false;
    uint64_t now = clock_now_ns(), at = time->tv_sec >= 0 ? posix_nanoseconds(time) : 0;
    *left = posix_timespec(at > now ? at - now : 0);
    return true;
}

static bool is_clock(clockid_t clock)
{
    return clock == CLOCK_MONOTONIC || clock == CLOCK_REALTIME;
}

// Sleeping is a wait for nothing but the time. What is left of it goes to *left when a signal ends
// it. Result: 0 or an errno.
static int sleep_for(const struct timespec *span, struct timespec *left)
{
    struct posix_wait wait;
    int error = span && posix_may_write(left) ? posix_wait_begin(&wait, span) : EFAULT;
    if (error)
        return error;
    uint64_t end = after(span);
    uint32_t flags = irq_save();
    while ((error = posix_wait_over(&wait)) == 0)
        posix_wait_sleep_locked(&wait);
    irq_restore(flags);
    posix_wait_end(&wait);
    if (error == ETIMEDOUT)
        return 0;
    uint64_t now = clock_now_ns();
    if (left)
        *left = posix_timespec(end > now ? end - now : 0);
    return EINTR;
}

int nanosleep(const struct timespec *span, struct timespec *left)
{
    int error = sleep_for(span, left);
    return error ? posix_fail(error) : 0;
}

// A moment stays where it is: of a sleep until then nothing is said to be left.
int clock_nanosleep(clockid_t clock, int flags, const struct timespec *time, struct timespec *left)
{
    struct timespec span;
    if (!is_clock(clock))
        return EINVAL;
    if (!(flags & TIMER_ABSTIME))
        return sleep_for(time, left);
    if (!time || !posix_can_read(time, 1))
        return EFAULT;
    return posix_time_until(time, &span) ? sleep_for(&span, NULL) : EINVAL;
}

unsigned sleep(unsigned seconds)
{
    struct timespec span = { .tv_sec = (time_t)seconds }, left = { 0, 0 };
    return nanosleep(&span, &left) == 0 ? 0 : (unsigned)left.tv_sec + (left.tv_nsec != 0);
}

int usleep(useconds_t microseconds)
{
    struct timespec span = { .tv_sec = (time_t)(microseconds / 1000000),
                             .tv_nsec = (long)(microseconds % 1000000) * 1000 };
    return nanosleep(&span, NULL);
}

int clock_getres(clockid_t clock, struct timespec *resolution)
{
    if (!is_clock(clock))
        return posix_fail(EINVAL);
    if (!posix_may_write(resolution))
        return posix_fail(EFAULT);
    if (resolution)
        *resolution = (struct timespec){ .tv_nsec = CLOCK_STEP_NS };
    return 0;
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
    // The board has no calendar: real time too counts from boot.
    if (!is_clock(clock))
        return posix_fail(EINVAL);
    if (!posix_can_write(time, 1))
        return posix_fail(EFAULT);
    *time = posix_timespec(clock_now_ns());
    return 0;
}

// Timeouts and sleeps until a time rely on both clocks counting alike.
int clock_settime(clockid_t clock, const struct timespec *time)
{
    if (clock != CLOCK_REALTIME)
        return posix_fail(EINVAL);
    if (!posix_can_read(time, 1))
        return posix_fail(EFAULT);
    return posix_fail(posix_is_time(time) ? EPERM : EINVAL);
}
