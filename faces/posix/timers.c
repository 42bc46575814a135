// timer_create() and its family: signals or callbacks at times, TIMER_MAX of them; and one more for
// alarm() and setitimer().
//
// A timer that has sent its notification rests until that is taken, and only then counts what it
// has missed: the overruns. So an interval shorter than its handler takes, or a blocked signal,
// makes no interrupts. Where the signal is ignored, REST_NS leaves main some time.
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "arch/container.h"
#include "arch/cpu.h"
#include "faces/posix/aio_slots.h"
#include "faces/posix/pointers.h"
#include "faces/posix/posix.h"
#include "faces/posix/signals.h"
#include "irq/callback.h"
#include "irq/clock.h"

enum { REST_NS = 20000 };

static struct posix_timer {
    struct posix_signal signal; // si_signo 0: none is wanted.
    struct callback callback;
    void (*function)(union sigval); // NULL: none is wanted.
    struct timer timer;
    uint64_t due_ns; // The next expiry that nobody has been told of; 0: it is not set.
    uint64_t interval_ns;
    int overruns; // Of the notification taken last.
    bool used, told;
    bool deleted; // Its notification is still on its way; then it is free.
} timers[TIMER_MAX];

// ---- Expiry ----

static uint64_t later(uint64_t ns, uint64_t by)
{
    return ns > UINT64_MAX - by ? UINT64_MAX : ns + by;
}

// How often it has expired since it was due; the next time is after now.
static uint64_t expire_locked(struct posix_timer *timer, uint64_t now)
{
    if (timer->due_ns == 0 || timer->due_ns > now)
        return 0;
    if (timer->interval_ns == 0) {
        timer->due_ns = 0;
        return 1;
    }
    uint64_t times = (now - timer->due_ns) / timer->interval_ns + 1;
    timer->due_ns = later(timer->due_ns, times * timer->interval_ns);
    return times;
}

static void arm_locked(struct posix_timer *timer, uint64_t not_before)
{
    bool tells = timer->function || timer->signal.info.si_signo != 0;
    if (timer->due_ns != 0 && tells && !timer->told && !timer->deleted)
        timer_arm(&timer->timer, timer->due_ns > not_before ? timer->due_ns : not_before);
}

static void expired(struct timer *expired)
{
    struct posix_timer *timer = container_of(expired, struct posix_timer, timer);
    timer->told = true;
    timer->due_ns = timer->interval_ns ? later(timer->due_ns, timer->interval_ns) : 0;
    if (timer->function)
        callback_post(&timer->callback);
    else
        posix_signal_send(&timer->signal);
}

static void told_locked(struct posix_timer *timer)
{
    timer->told = false;
    if (timer->deleted) {
        timer->used = false;
        return;
    }
    uint64_t now = clock_now_ns(), missed = expire_locked(timer, now);
    timer->overruns = missed < DELAYTIMER_MAX ? (int)missed : DELAYTIMER_MAX;
    arm_locked(timer, now + REST_NS);
}

static void signal_taken(struct posix_signal *signal)
{
    told_locked(container_of(signal, struct posix_timer, signal));
}

static void run_callback(struct callback *callback)
{
    struct posix_timer *timer = container_of(callback, struct posix_timer, callback);
    uint32_t flags = irq_save();
    void (*function)(union sigval) = timer->deleted ? NULL : timer->function;
    union sigval value = timer->signal.info.si_value;
    told_locked(timer);
    irq_restore(flags);
    if (function)
        function(value);
}

// ---- Timers come and go ----

static struct posix_timer *find_locked(timer_t id)
{
    struct posix_timer *timer = id < TIMER_MAX ? &timers[id] : NULL;
    return timer && timer->used && !timer->deleted ? timer : NULL;
}

static bool is_event(const struct sigevent *event)
{
    return aio_event_check(event) == 0 &&
           (event->sigev_notify != SIGEV_SIGNAL || event->sigev_signo != 0);
}

static void make_locked(struct posix_timer *timer, const struct sigevent *event)
{
    memset(timer, 0, sizeof *timer);
    timer->used = true;
    timer->timer.expired = expired;
    timer->callback.run = run_callback;
    timer->signal.taken = signal_taken;
    timer->function = event->sigev_notify == SIGEV_THREAD ? event->sigev_notify_function : NULL;
    timer->signal.info = (siginfo_t){
        .si_signo = event->sigev_notify == SIGEV_SIGNAL ? event->sigev_signo : 0,
        .si_code = SI_TIMER,
        .si_pid = getpid(),
        .si_value = event->sigev_value,
    };
}

// Result: TIMER_MAX: there is no room.
static timer_t allocate(const struct sigevent *event)
{
    uint32_t flags = irq_save();
    timer_t id = 0;
    while (id < TIMER_MAX && timers[id].used)
        id++;
    const struct sigevent usual = { .sigev_notify = SIGEV_SIGNAL,
                                    .sigev_signo = SIGALRM,
                                    .sigev_value.sival_int = (int)id };
    if (id < TIMER_MAX)
        make_locked(&timers[id], event ? event : &usual);
    irq_restore(flags);
    return id;
}

int timer_create(clockid_t clock, struct sigevent *restrict event, timer_t *restrict id)
{
    if (clock != CLOCK_MONOTONIC && clock != CLOCK_REALTIME)
        return posix_fail(EINVAL);
    if (!posix_may_read(event) || !posix_can_write(id, 1))
        return posix_fail(EFAULT);
    if (event && !is_event(event))
        return posix_fail(EINVAL);
    timer_t made = allocate(event);
    if (made == TIMER_MAX)
        return posix_fail(EAGAIN);
    *id = made;
    return 0;
}

int timer_delete(timer_t id)
{
    uint32_t flags = irq_save();
    struct posix_timer *timer = find_locked(id);
    if (timer) {
        timer_cancel(&timer->timer);
        timer->deleted = timer->told;
        timer->used = timer->told;
    }
    irq_restore(flags);
    return timer ? 0 : posix_fail(EINVAL);
}

// ---- Times ----

// A moment that is past, and even 0 from now, is due at once; nothing is due at 0.
static uint64_t due(int flags, const struct timespec *value)
{
    uint64_t ns = posix_nanoseconds(value);
    return ns == 0 || flags & TIMER_ABSTIME ? ns : later(clock_now_ns(), ns);
}

static struct itimerspec setting_locked(const struct posix_timer *timer)
{
    struct posix_timer copy = *timer;
    uint64_t now = clock_now_ns(), left = 0;
    bool waits = timer_armed(&timer->timer);
    if (!waits)
        expire_locked(&copy, now);
    if (copy.due_ns != 0)
        left = copy.due_ns > now ? copy.due_ns - now : 1;
    return (struct itimerspec){ .it_interval = posix_timespec(timer->interval_ns),
                                .it_value = posix_timespec(left) };
}

// Result: what was left. One that is due and whose interrupt still waits has its turn first.
static struct itimerspec set_locked(struct posix_timer *timer, uint64_t due_ns,
                                    uint64_t interval_ns)
{
    bool waits = timer_armed(&timer->timer);
    timer_cancel(&timer->timer);
    if (waits && timer->due_ns <= clock_now_ns())
        expired(&timer->timer);
    struct itimerspec before = setting_locked(timer);
    timer->due_ns = due_ns;
    timer->interval_ns = due_ns ? interval_ns : 0;
    arm_locked(timer, 0);
    return before;
}

int timer_settime(timer_t id, int flags, const struct itimerspec *restrict setting,
                  struct itimerspec *restrict old)
{
    struct itimerspec before;
    if (!posix_can_read(setting, 1) || !posix_may_write(old))
        return posix_fail(EFAULT);
    if (!posix_is_span(&setting->it_value) || !posix_is_span(&setting->it_interval))
        return posix_fail(EINVAL);
    uint32_t saved = irq_save();
    struct posix_timer *timer = find_locked(id);
    if (timer)
        before = set_locked(timer, due(flags, &setting->it_value),
                            posix_nanoseconds(&setting->it_interval));
    irq_restore(saved);
    if (timer && old)
        *old = before;
    return timer ? 0 : posix_fail(EINVAL);
}

int timer_gettime(timer_t id, struct itimerspec *setting)
{
    struct itimerspec now;
    if (!posix_can_write(setting, 1))
        return posix_fail(EFAULT);
    uint32_t flags = irq_save();
    struct posix_timer *timer = find_locked(id);
    if (timer)
        now = setting_locked(timer);
    irq_restore(flags);
    if (!timer)
        return posix_fail(EINVAL);
    *setting = now;
    return 0;
}

int timer_getoverrun(timer_t id)
{
    uint32_t flags = irq_save();
    struct posix_timer *timer = find_locked(id);
    int overruns = timer ? timer->overruns : 0;
    irq_restore(flags);
    return timer ? overruns : posix_fail(EINVAL);
}

// ---- alarm() and setitimer() ----

static struct posix_timer *real_locked(void)
{
    static struct posix_timer real;
    if (!real.used)
        make_locked(&real,
                    &(struct sigevent){ .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM });
    return &real;
}

static struct itimerspec set_real(uint64_t span_ns, uint64_t interval_ns)
{
    uint32_t flags = irq_save();
    uint64_t due_ns = span_ns ? later(clock_now_ns(), span_ns) : 0;
    struct itimerspec before = set_locked(real_locked(), due_ns, interval_ns);
    irq_restore(flags);
    return before;
}

unsigned alarm(unsigned seconds)
{
    struct itimerspec before = set_real((uint64_t)seconds * 1000000000, 0);
    return (unsigned)before.it_value.tv_sec + (before.it_value.tv_nsec != 0);
}

useconds_t ualarm(useconds_t span_us, useconds_t interval_us)
{
    struct itimerspec before = set_real((uint64_t)span_us * 1000, (uint64_t)interval_us * 1000);
    uint64_t left_us = (posix_nanoseconds(&before.it_value) + 999) / 1000;
    return left_us < (useconds_t)-1 ? (useconds_t)left_us : (useconds_t)-1;
}

static bool is_span(const struct timeval *span)
{
    return span->tv_sec >= 0 && span->tv_usec >= 0 && span->tv_usec < 1000000;
}

static uint64_t of_timeval(const struct timeval *span)
{
    const struct timespec time = { .tv_sec = span->tv_sec, .tv_nsec = span->tv_usec * 1000 };
    return posix_nanoseconds(&time);
}

// A timer that is set never has 0 left.
static struct timeval to_timeval(const struct timespec *time)
{
    struct timespec up = posix_timespec(later(posix_nanoseconds(time), 999));
    return (struct timeval){ .tv_sec = up.tv_sec, .tv_usec = up.tv_nsec / 1000 };
}

static struct itimerval to_itimerval(struct itimerspec setting)
{
    return (struct itimerval){ .it_interval = to_timeval(&setting.it_interval),
                               .it_value = to_timeval(&setting.it_value) };
}

int setitimer(int which, const struct itimerval *restrict setting, struct itimerval *restrict old)
{
    if (!posix_can_read(setting, 1) || !posix_may_write(old))
        return posix_fail(EFAULT);
    if (which != ITIMER_REAL || !is_span(&setting->it_value) || !is_span(&setting->it_interval))
        return posix_fail(EINVAL);
    struct itimerspec before = set_real(of_timeval(&setting->it_value),
                                        of_timeval(&setting->it_interval));
    if (old)
        *old = to_itimerval(before);
    return 0;
}

int getitimer(int which, struct itimerval *setting)
{
    if (!posix_can_write(setting, 1))
        return posix_fail(EFAULT);
    if (which != ITIMER_REAL)
        return posix_fail(EINVAL);
    uint32_t flags = irq_save();
    struct itimerspec now = setting_locked(real_locked());
    irq_restore(flags);
    *setting = to_itimerval(now);
    return 0;
}
