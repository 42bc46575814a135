// Which parts of POSIX newlib's headers show: all of them, whatever the program asks for or does
// not. All of newlib's headers come here first. struct sigevent, for one, has other members
// without _POSIX_THREADS, so programs and the kernel must agree.
#pragma once

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#ifndef _POSIX_THREADS
#define _POSIX_THREADS 1
#endif
#ifndef _POSIX_TIMERS
#define _POSIX_TIMERS 1
#endif
#ifndef _POSIX_MONOTONIC_CLOCK
#define _POSIX_MONOTONIC_CLOCK 200112L
#endif
#ifndef _POSIX_CLOCK_SELECTION
#define _POSIX_CLOCK_SELECTION 200809L
#endif

// What there is of POSIX's options, as sysconf() says too.
#define _POSIX_ASYNCHRONOUS_IO 200809L
#define _POSIX_FSYNC 200809L
#define _POSIX_PRIORITIZED_IO 200809L
#define _POSIX_REALTIME_SIGNALS 200809L
#define _POSIX_SEMAPHORES 200809L
#define _POSIX_SYNCHRONIZED_IO 200809L

#include_next <sys/features.h>
