// The system calls that newlib asks for, in terms of fs/file.h: the one place where -errno becomes
// -1 and errno.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/times.h>
#include <unistd.h>

#include "faces/posix/posix.h"
#include "fs/file.h"
#include "irq/callback.h"
#include "irq/clock.h"

extern char __heap_start[], __heap_end[];

int _open(const char *path, int flags, ...);
int _close(int fd);
ssize_t _read(int fd, void *buffer, size_t size);
ssize_t _write(int fd, const void *buffer, size_t size);
off_t _lseek(int fd, off_t offset, int whence);
int _fstat(int fd, struct stat *status);
int _stat(const char *path, struct stat *status);
int _isatty(int fd);
void *_sbrk(ptrdiff_t change);
int _gettimeofday(struct timeval *time, void *zone);
clock_t _times(struct tms *times);
int _kill(pid_t process, int number);
pid_t _getpid(void);
int _link(const char *from, const char *to);
int _unlink(const char *path);
_Noreturn void _exit(int status);

static int64_t result_or_errno(int64_t result)
{
    if (result >= 0)
        return result;
    errno = -(int)result;
    return -1;
}

static bool is_terminal(int fd)
{
    const struct device *device = file_snapshot(fd).device;
    return device && device->terminal;
}

int _open(const char *path, int flags, ...)
{
    return (int)result_or_errno(file_open(path, flags, 0));
}

int _close(int fd)
{
    return (int)result_or_errno(file_close(fd));
}

ssize_t _read(int fd, void *buffer, size_t size)
{
    return (ssize_t)result_or_errno(file_read(fd, buffer, size));
}

ssize_t _write(int fd, const void *buffer, size_t size)
{
    // On a terminal callbacks wait meanwhile: a line of main's is not broken by one of theirs.
    bool terminal = is_terminal(fd);
    if (terminal)
        callbacks_hold();
    ssize_t result = file_write(fd, buffer, size);
    if (terminal)
        callbacks_release();
    return (ssize_t)result_or_errno(result);
}

off_t _lseek(int fd, off_t offset, int whence)
{
    int64_t before = file_seek(fd, 0, SEEK_CUR);
    int64_t position = file_seek(fd, offset, whence);
    if (position > LONG_MAX) {
        // newlib's off_t is a long: a position that it cannot name is not taken.
        file_seek(fd, before, SEEK_SET);
        position = -EOVERFLOW;
    }
    return (off_t)result_or_errno(position);
}

int _fstat(int fd, struct stat *status)
{
    return (int)result_or_errno(file_stat(fd, status));
}

int _stat(const char *path, struct stat *status)
{
    int fd = file_open(path, O_RDONLY, 0);
    if (fd < 0)
        return (int)result_or_errno(fd);
    int error = file_stat(fd, status);
    file_close(fd);
    return (int)result_or_errno(error);
}

// Whoever may open a device so may do so.
int access(const char *path, int mode)
{
    static const int flags[] = {
        [F_OK] = O_RDONLY, [R_OK] = O_RDONLY, [W_OK] = O_WRONLY, [R_OK | W_OK] = O_RDWR
    };
    if (mode & ~(R_OK | W_OK | X_OK))
        return (int)result_or_errno(-EINVAL);
    int fd = file_open(path, flags[mode & (R_OK | W_OK)], 0);
    if (fd < 0)
        return (int)result_or_errno(fd);
    file_close(fd);
    return (int)result_or_errno(mode & X_OK ? -EACCES : 0);
}

int _isatty(int fd)
{
    if (is_terminal(fd))
        return 1;
    errno = file_snapshot(fd).device ? ENOTTY : EBADF;
    return 0;
}

int fsync(int fd)
{
    return (int)result_or_errno(file_flush(fd));
}

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

int _gettimeofday(struct timeval *time, void *zone)
{
    (void)zone;
    uint64_t now = clock_now_ns();
    time->tv_sec = (time_t)(now / 1000000000);
    time->tv_usec = (suseconds_t)(now % 1000000000 / 1000);
    return 0;
}

clock_t _times(struct tms *times)
{
    clock_t now = (clock_t)(clock_now_ns() / (1000000000 / CLOCKS_PER_SEC));
    if (times)
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

// Devices cannot be linked or removed.
int _link(const char *from, const char *to)
{
    (void)from;
    (void)to;
    errno = EPERM;
    return -1;
}

int _unlink(const char *path)
{
    (void)path;
    errno = EPERM;
    return -1;
}

_Noreturn void _exit(int status)
{
    posix_end(status);
}
