// Timers that are read: struct itimerspec here, nanoseconds below.
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/timerfd.h>

#include "arch/cpu.h"
#include "faces/posix/descriptors.h"
#include "faces/posix/pointers.h"
#include "faces/posix/posix.h"
#include "fs/file.h"
#include "fs/timerfd.h"

int timerfd_create(int clock, int flags)
{
    struct device *device;
    if ((clock != CLOCK_MONOTONIC && clock != CLOCK_REALTIME) ||
        flags & ~(TFD_NONBLOCK | TFD_CLOEXEC))
        return (int)posix_result(-EINVAL);
    int result = timerfd_make(&device);
    if (result == 0)
        result = posix_install(device, O_RDONLY | flags);
    return (int)posix_result(result);
}

static struct itimerspec to_itimerspec(struct timerfd_setting setting)
{
    return (struct itimerspec){ .it_interval = posix_timespec(setting.interval_ns),
                                .it_value = posix_timespec(setting.value_ns) };
}

// Result: 0: the descriptor is a timer's. -EBADF, -EINVAL. It stays so while interrupts are masked.
static int find_locked(int fd, struct device **device)
{
    *device = file_snapshot(fd).device;
    if (!*device)
        return -EBADF;
    return timerfd_is(*device) ? 0 : -EINVAL;
}

int timerfd_settime(int fd, int flags, const struct itimerspec *setting, struct itimerspec *old)
{
    if (!posix_can_read(setting, 1) || !posix_may_write(old))
        return (int)posix_result(-EFAULT);
    if (flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET) ||
        !posix_is_span(&setting->it_value) || !posix_is_span(&setting->it_interval))
        return (int)posix_result(-EINVAL);
    const struct timerfd_setting wanted = { posix_nanoseconds(&setting->it_value),
                                            posix_nanoseconds(&setting->it_interval) };
    struct timerfd_setting before = { 0, 0 };
    struct device *device;
    uint32_t saved = irq_save();
    int error = find_locked(fd, &device);
    if (!error)
        timerfd_set(device, flags & TFD_TIMER_ABSTIME, wanted, &before);
    irq_restore(saved);
    if (!error && old)
        *old = to_itimerspec(before);
    return (int)posix_result(error);
}

int timerfd_gettime(int fd, struct itimerspec *setting)
{
    struct timerfd_setting now = { 0, 0 };
    struct device *device;
    if (!posix_can_write(setting, 1))
        return (int)posix_result(-EFAULT);
    uint32_t saved = irq_save();
    int error = find_locked(fd, &device);
    if (!error)
        now = timerfd_get(device);
    irq_restore(saved);
    if (!error)
        *setting = to_itimerspec(now);
    return (int)posix_result(error);
}
