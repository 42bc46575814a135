// Files as newlib and POSIX programs ask for them, in terms of fs/file.h.
//
// newlib's off_t is 32 bits on ARM: sizes and positions that it cannot hold are EOVERFLOW, and
// writing there is EFBIG.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aio/unwind.h"
#include "arch/cpu.h"
#include "faces/posix/descriptors.h"
#include "faces/posix/posix.h"
#include "fs/file.h"
#include "irq/callback.h"

int _open(const char *path, int flags, ...);
int _close(int fd);
ssize_t _read(int fd, void *buffer, size_t size);
ssize_t _write(int fd, const void *buffer, size_t size);
ssize_t pread(int fd, void *buffer, size_t size, off_t offset)
{
    return (ssize_t)posix_result(
        offset < 0 ? -EINVAL : file_read_at(fd, buffer, size, (uint64_t)offset, LONG_MAX));
}

ssize_t pwrite(int fd, const void *buffer, size_t size, off_t offset)
{
    return (ssize_t)posix_result(
        offset < 0 ? -EINVAL : file_write_at(fd, buffer, size, (uint64_t)offset, LONG_MAX));
}

off_t _lseek(int fd, off_t offset, int whence);
int _isatty(int fd);

_Static_assert(sizeof(off_t) == sizeof(long), "LONG_MAX is the offset maximum");
_Static_assert(FS_DSYNC == O_DSYNC, "the file systems know it by that name");

static bool is_terminal(int fd)
{
    const struct device *device = file_snapshot(fd).device;
    return device && device->terminal;
}

int _open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return (int)posix_result(file_open(path, flags, posix_creation_mode(mode)));
}

int creat(const char *path, mode_t mode)
{
    const int flags = O_WRONLY | O_CREAT | O_TRUNC;
    return (int)posix_result(file_open(path, flags, posix_creation_mode(mode)));
}

int _close(int fd)
{
    return (int)posix_result(file_close(fd));
}

ssize_t _read(int fd, void *buffer, size_t size)
{
    return (ssize_t)posix_result(file_read(fd, buffer, size, LONG_MAX));
}

static void release(struct unwind *unwind)
{
    (void)unwind;
    callbacks_release();
}

// Callbacks wait meanwhile: a line of main's is not broken by one of theirs. A callback may be left
// by a jump inside it.
static ssize_t write_terminal(int fd, const void *buffer, size_t size)
{
    struct unwind unwind;
    uint32_t flags = irq_save();
    callbacks_hold();
    unwind_push(&unwind, release);
    irq_restore(flags);
    ssize_t result = file_write(fd, buffer, size, LONG_MAX);
    unwind_end(&unwind);
    return result;
}

ssize_t _write(int fd, const void *buffer, size_t size)
{
    ssize_t result = is_terminal(fd) ? write_terminal(fd, buffer, size)
                                     : file_write(fd, buffer, size, LONG_MAX);
    if (result < 0)
        posix_write_failed(fd, -(int)result);
    return (ssize_t)posix_result(result);
}

off_t _lseek(int fd, off_t offset, int whence)
{
    int64_t before = file_seek(fd, 0, SEEK_CUR);
    int64_t position = file_seek(fd, offset, whence);
    if (position > LONG_MAX) {
        // A position that off_t cannot name is not taken.
        file_seek(fd, before, SEEK_SET);
        position = -EOVERFLOW;
    }
    return (off_t)posix_result(position);
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
    return (int)posix_result(file_flush(fd));
}

int fdatasync(int fd)
{
    return fsync(fd);
}

int ftruncate(int fd, off_t size)
{
    return (int)posix_result(size < 0 ? -EINVAL : file_truncate(fd, (uint64_t)size));
}

int truncate(const char *path, off_t size)
{
    int fd = size < 0 ? -EINVAL : file_open(path, O_WRONLY, 0);
    if (fd < 0)
        return (int)posix_result(fd);
    int error = file_truncate(fd, (uint64_t)size);
    file_close(fd);
    return (int)posix_result(error);
}
