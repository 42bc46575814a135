// Pipes, and descriptors for what has no path.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "aio/core.h"
#include "faces/posix/descriptors.h"
#include "faces/posix/pointers.h"
#include "faces/posix/posix.h"
#include "fs/file.h"
#include "fs/pipe.h"

int posix_install(struct device *device, int flags)
{
    int fd = file_install(device, flags, 0);
    if (fd < 0)
        io_close(device);
    return fd;
}

int posix_install_two(struct device *const devices[2], const int flags[2], int fds[2])
{
    int first = posix_install(devices[0], flags[0]);
    if (first < 0) {
        io_close(devices[1]);
        return first;
    }
    int second = posix_install(devices[1], flags[1]);
    if (second < 0) {
        file_close(first);
        return second;
    }
    fds[0] = first;
    fds[1] = second;
    return 0;
}

void posix_write_failed(int fd, int error)
{
    const struct device *device = file_snapshot(fd).device;
    if (error == EPIPE && device && device->pipe)
        raise(SIGPIPE);
}

int pipe2(int fds[2], int flags)
{
    struct device *ends[2];
    if (flags & ~(O_NONBLOCK | O_CLOEXEC))
        return (int)posix_result(-EINVAL);
    if (!posix_can_write(fds, 2))
        return (int)posix_result(-EFAULT);
    int error = pipe_create(&ends[0], &ends[1]);
    if (!error)
        error = posix_install_two(ends, (const int[]){ O_RDONLY | flags, O_WRONLY | flags }, fds);
    return (int)posix_result(error);
}

int pipe(int fds[2])
{
    return pipe2(fds, 0);
}
