// Descriptors: duplicates and flags.
//
// There is no exec() here, so FD_CLOEXEC and O_CLOEXEC are remembered and change nothing.
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <unistd.h>

#include "faces/posix/posix.h"
#include "fs/file.h"

int dup(int fd)
{
    return (int)posix_result(file_duplicate(fd, 0));
}

int dup2(int fd, int to)
{
    return (int)posix_result(file_duplicate_to(fd, to));
}

int dup3(int fd, int to, int flags)
{
    if (fd == to || flags & ~O_CLOEXEC)
        return (int)posix_result(-EINVAL);
    int copy = dup2(fd, to);
    if (copy >= 0 && flags & O_CLOEXEC)
        file_set_close_on_exec(copy, true);
    return copy;
}

static int duplicate_marked(int fd, int lowest)
{
    int copy = file_duplicate(fd, lowest);
    if (copy >= 0)
        file_set_close_on_exec(copy, true);
    return copy;
}

// Result: as fcntl(), or -errno.
static int control(int fd, int command, int argument)
{
    switch (command) {
    case F_DUPFD:
        return file_duplicate(fd, argument);
    case F_DUPFD_CLOEXEC:
        return duplicate_marked(fd, argument);
    case F_GETFL:
        return file_flags(fd);
    case F_SETFL:
        return file_set_flags(fd, argument);
    case F_GETFD:
        return file_close_on_exec(fd); // FD_CLOEXEC is 1.
    case F_SETFD:
        return file_set_close_on_exec(fd, argument & FD_CLOEXEC);
    default:
        return -EINVAL;
    }
}

// newlib's own says ENOSYS.
int fcntl(int fd, int command, ...)
{
    bool without = command == F_GETFL || command == F_GETFD;
    va_list arguments;
    va_start(arguments, command);
    int argument = without ? 0 : va_arg(arguments, int);
    va_end(arguments);
    return (int)posix_result(control(fd, command, argument));
}
