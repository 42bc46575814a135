// Event counters.
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "faces/posix/descriptors.h"
#include "faces/posix/posix.h"
#include "fs/eventfd.h"

int eventfd(unsigned int count, int flags)
{
    struct device *device;
    if (flags & ~(EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC))
        return (int)posix_result(-EINVAL);
    int result = eventfd_create(count, flags & EFD_SEMAPHORE, &device);
    if (result == 0)
        result = posix_install(device, O_RDWR | (flags & ~EFD_SEMAPHORE));
    return (int)posix_result(result);
}

int eventfd_read(int fd, eventfd_t *value)
{
    return read(fd, value, sizeof *value) == sizeof *value ? 0 : -1;
}

int eventfd_write(int fd, eventfd_t value)
{
    return write(fd, &value, sizeof value) == sizeof value ? 0 : -1;
}
