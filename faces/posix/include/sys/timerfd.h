// Timers that are read, as Linux's <sys/timerfd.h>.
#pragma once

#include <fcntl.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

// As on Linux: the flags of open(), but for those of timerfd_settime().
#define TFD_NONBLOCK O_NONBLOCK
#define TFD_CLOEXEC O_CLOEXEC
#define TFD_TIMER_ABSTIME 1
#define TFD_TIMER_CANCEL_ON_SET 2 // Nobody sets the clock, so it never does.

// Opens a timer that is not set. clock: CLOCK_MONOTONIC or CLOCK_REALTIME, which here is the same.
// read() gives the number of times that it has expired since it was last read or set, as a
// uint64_t, and waits while that is 0.
// Result: a descriptor; -1: EINVAL (clock, flags), EMFILE, ENFILE (16 are open).
// Context: main | callback.
int timerfd_create(int clock, int flags);

// Sets the timer: setting->it_value says when it first expires (0: not at all), from now on or with
// TFD_TIMER_ABSTIME on the clock; it_interval says how often from there on. The times missed are
// counted, so no interval is too short. old, if not NULL, gets what was left.
// Result: 0; -1: EBADF, EINVAL (no timer's descriptor, flags, a time that is none), EFAULT.
// Context: main | callback.
int timerfd_settime(int fd, int flags, const struct itimerspec *setting, struct itimerspec *old);
int timerfd_gettime(int fd, struct itimerspec *setting);

#ifdef __cplusplus
}
#endif
