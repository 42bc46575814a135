// The compiler's limits, and POSIX's for this system, which the C library has no room for: the
// compiler's <limits.h> comes before its.
#pragma once

#include_next <limits.h>

// newlib's own, where it is found before the compiler's, says otherwise.
#undef PIPE_BUF
#undef IOV_MAX

// Asynchronous I/O. AIO_MAX, the requests under way, is a setting of the build: make AIO_MAX=n.
#include <inflight/aio_max.h>
#define AIO_LISTIO_MAX AIO_MAX
#define AIO_PRIO_DELTA_MAX 7
#define _POSIX_AIO_LISTIO_MAX 2
#define _POSIX_AIO_MAX 1

// Files. newlib has some of these as well, as of another system.
#undef OPEN_MAX
#undef NAME_MAX
#undef PATH_MAX
#undef PIPE_BUF
#undef IOV_MAX
#define OPEN_MAX 64
#define NAME_MAX 255
#define PATH_MAX 1024 // The end included.
#define PIPE_BUF 4096
#define IOV_MAX 1024
#define _POSIX_OPEN_MAX 20
#define _POSIX_NAME_MAX 14
#define _POSIX_PATH_MAX 256
#define _POSIX_PIPE_BUF 512
#define _XOPEN_IOV_MAX 16

// Signals, timers and semaphores.
#define RTSIG_MAX 33
#define SIGQUEUE_MAX 256
#define SEM_VALUE_MAX 2147483647
#define _POSIX_SEM_NSEMS_MAX 256 // There is no limit but memory.
#define TIMER_MAX 32
#define DELAYTIMER_MAX 2147483647
#define _POSIX_TIMER_MAX 32
#define _POSIX_DELAYTIMER_MAX 32
#define _POSIX_RTSIG_MAX 8
#define _POSIX_SIGQUEUE_MAX 32
#define _POSIX_SEM_VALUE_MAX 32767

#ifndef SSIZE_MAX
#define SSIZE_MAX __PTRDIFF_MAX__
#endif
