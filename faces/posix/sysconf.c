// What a program asks of the system as a whole: its limits and who it is.
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "faces/posix/posix.h"

// ATEXIT_MAX: as many as the standard wants; newlib has room for more while there is memory.
enum { PAGE_BYTES = 4096, POSIX_VERSION = 200809, ATEXIT_MAX = 32 };
// The last name that newlib has.
#define _SC_LAST _SC_POSIX_26_VERSION

long sysconf(int name)
{
    switch (name) {
    case _SC_ASYNCHRONOUS_IO:
    case _SC_PRIORITIZED_IO:
    case _SC_REALTIME_SIGNALS:
    case _SC_MONOTONIC_CLOCK:
    case _SC_CLOCK_SELECTION:
    case _SC_TIMERS:
    case _SC_SEMAPHORES:
    case _SC_FSYNC:
    case _SC_SYNCHRONIZED_IO:
    case _SC_VERSION:
        return POSIX_VERSION;
    case _SC_AIO_MAX:
        return AIO_MAX;
    case _SC_AIO_LISTIO_MAX:
        return AIO_LISTIO_MAX;
    case _SC_AIO_PRIO_DELTA_MAX:
        return AIO_PRIO_DELTA_MAX;
    case _SC_OPEN_MAX:
        return OPEN_MAX;
    case _SC_IOV_MAX:
        return IOV_MAX;
    case _SC_PAGESIZE:
        return PAGE_BYTES;
    case _SC_RTSIG_MAX:
        return RTSIG_MAX;
    case _SC_SIGQUEUE_MAX:
        return SIGQUEUE_MAX;
    case _SC_TIMER_MAX:
        return TIMER_MAX;
    case _SC_DELAYTIMER_MAX:
        return DELAYTIMER_MAX;
    case _SC_SEM_VALUE_MAX:
        return SEM_VALUE_MAX;
    case _SC_CLK_TCK:
        return CLOCKS_PER_SEC;
    case _SC_NPROCESSORS_CONF:
    case _SC_NPROCESSORS_ONLN:
        return 1;
    case _SC_ATEXIT_MAX:
        return ATEXIT_MAX;
    default: // What is not there or has no limit is no error: then errno stays.
        if (name < 0 || name > _SC_LAST)
            errno = EINVAL;
        return -1;
    }
}

int getpagesize(void)
{
    return PAGE_BYTES;
}

pid_t getppid(void)
{
    return 0;
}

uid_t getuid(void)
{
    return 0;
}

uid_t geteuid(void)
{
    return 0;
}

gid_t getgid(void)
{
    return 0;
}

gid_t getegid(void)
{
    return 0;
}
