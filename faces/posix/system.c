// What newlib asks of a system beside files: memory, time, the process, the end.
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/times.h>
#include <unistd.h>

#include "faces/posix/pointers.h"
#include "faces/posix/posix.h"
#include "irq/clock.h"

extern char __heap_start[], __heap_end[];

void *_sbrk(ptrdiff_t change);
int _gettimeofday(struct timeval *time, void *zone);
clock_t _times(struct tms *times);
int _kill(pid_t process, int number);
pid_t _getpid(void);
_Noreturn void _exit(int status);

// The heap is what RAM is left above the image. Called under malloc's lock.
void *_sbrk(ptrdiff_t change)
{
    static char *end = __heap_start;
    if (change > __heap_end - end || change < __heap_start - end) {
        errno = ENOMEM;
        return (void *)-1;
    }
    char *before = end;
    end += change;
    return before;
}

// newlib declares it, and has aligned_alloc() call it.
int posix_memalign(void **memory, size_t alignment, size_t size)
{
    if (alignment < sizeof(void *) || (alignment & (alignment - 1)) != 0)
        return EINVAL;
    int before = errno; // The standard leaves it alone.
    void *found = memalign(alignment, size);
    errno = before;
    if (!found)
        return ENOMEM;
    *memory = found;
    return 0;
}

int _gettimeofday(struct timeval *time, void *zone)
{
    (void)zone;
    if (!posix_can_write(time, 1)) {
        errno = EFAULT;
        return -1;
    }
    uint64_t now = clock_now_ns();
    time->tv_sec = (time_t)(now / 1000000000);
    time->tv_usec = (suseconds_t)(now % 1000000000 / 1000);
    return 0;
}

clock_t _times(struct tms *times)
{
    clock_t now = (clock_t)(clock_now_ns() / (1000000000 / CLOCKS_PER_SEC));
    if (times && posix_can_write(times, 1))
        *times = (struct tms){ .tms_utime = now };
    return now;
}

int _kill(pid_t process, int number)
{
    return kill(process, number);
}

pid_t _getpid(void)
{
    return getpid();
}

_Noreturn void _exit(int status)
{
    posix_end(status);
}
