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

// A time beyond the clock's 584 years is as good as never.
static uint64_t after(const struct timespec *timeout)
{
    uint64_t now = clock_now_ns(), span, end;
    if (__builtin_mul_overflow((uint64_t)timeout->tv_sec, (uint64_t)NANOSECONDS, &span) ||
        __builtin_add_overflow(span, (uint64_t)timeout->tv_nsec, &span) ||
        __builtin_add_overflow(span, now, &end))
        return UINT64_MAX;
    return end;
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
    if (timeout && (timeout->tv_sec < 0 || timeout->tv_nsec < 0 || timeout->tv_nsec >= NANOSECONDS))
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
    if (wait->in_callback)
        posix_signals_deliver_in_wait();
    if (((const volatile struct posix_wait *)wait)->timed_out)
        return ETIMEDOUT;
    return *wait->handled != wait->before ? EINTR : 0;
}

void posix_wait_end(struct posix_wait *wait)
{
    unwind_pop(&wait->unwind);
    timer_cancel(&wait->timer);
}

bool posix_time_until(const struct timespec *time, struct timespec *left)
{
    if (time->tv_nsec < 0 || time->tv_nsec >= NANOSECONDS)
        return false;
    uint64_t now = clock_now_ns(), at = UINT64_MAX;
    uint64_t seconds = time->tv_sec > 0 ? (uint64_t)time->tv_sec : 0;
    if (seconds < UINT64_MAX / NANOSECONDS - 1)
        at = seconds * NANOSECONDS + (uint64_t)time->tv_nsec;
    uint64_t span = time->tv_sec >= 0 && at > now ? at - now : 0;
    left->tv_sec = (time_t)(span / NANOSECONDS);
    left->tv_nsec = (long)(span % NANOSECONDS);
    return true;
}

// Sleeping is a wait for nothing but the time. What is left of it goes to *left when a signal ends
// it.
int nanosleep(const struct timespec *span, struct timespec *left)
{
    struct posix_wait wait;
    int error = span && posix_may_write(left) ? posix_wait_begin(&wait, span) : EFAULT;
    if (error) {
        errno = error;
        return -1;
    }
    uint64_t end = after(span);
    uint32_t flags = irq_save();
    while ((error = posix_wait_over(&wait)) == 0)
        level_sleep_locked();
    irq_restore(flags);
    posix_wait_end(&wait);
    if (error == ETIMEDOUT)
        return 0;
    uint64_t now = clock_now_ns();
    uint64_t rest = end > now ? end - now : 0;
    if (left) {
        left->tv_sec = (time_t)(rest / NANOSECONDS);
        left->tv_nsec = (long)(rest % NANOSECONDS);
    }
    errno = EINTR;
    return -1;
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
    if (clock != CLOCK_MONOTONIC && clock != CLOCK_REALTIME) {
        errno = EINVAL;
        return -1;
    }
    if (!posix_may_write(resolution)) {
        errno = EFAULT;
        return -1;
    }
    if (resolution)
        *resolution = (struct timespec){ .tv_nsec = CLOCK_STEP_NS };
    return 0;
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
    // The board has no calendar: real time too counts from boot.
    if (clock != CLOCK_MONOTONIC && clock != CLOCK_REALTIME) {
        errno = EINVAL;
        return -1;
    }
    if (!posix_can_write(time, 1)) {
        errno = EFAULT;
        return -1;
    }
    uint64_t now = clock_now_ns();
    time->tv_sec = (time_t)(now / NANOSECONDS);
    time->tv_nsec = (long)(now % NANOSECONDS);
    return 0;
}
