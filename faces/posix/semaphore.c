// Semaphores: a count, and a sleep until it is not 0.
#include <semaphore.h>

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/cpu.h"
#include "faces/posix/pointers.h"
#include "faces/posix/posix.h"
#include "irq/callback.h"

static bool is_there(const sem_t *semaphore)
{
    return posix_can_write(semaphore, 1);
}

int sem_init(sem_t *semaphore, int shared, unsigned value)
{
    if (shared)
        return posix_fail(ENOSYS);
    if (value > SEM_VALUE_MAX)
        return posix_fail(EINVAL);
    if (!is_there(semaphore))
        return posix_fail(EINVAL);
    semaphore->__value = value;
    return 0;
}

int sem_destroy(sem_t *semaphore)
{
    return is_there(semaphore) ? 0 : posix_fail(EINVAL);
}

int sem_post(sem_t *semaphore)
{
    if (!is_there(semaphore))
        return posix_fail(EINVAL);
    uint32_t flags = irq_save();
    bool full = semaphore->__value == SEM_VALUE_MAX;
    semaphore->__value += !full;
    irq_restore(flags);
    return full ? posix_fail(EOVERFLOW) : 0;
}

static bool take_locked(sem_t *semaphore)
{
    if (semaphore->__value == 0)
        return false;
    semaphore->__value--;
    return true;
}

int sem_trywait(sem_t *semaphore)
{
    if (!is_there(semaphore))
        return posix_fail(EINVAL);
    uint32_t flags = irq_save();
    bool taken = take_locked(semaphore);
    irq_restore(flags);
    return taken ? 0 : posix_fail(EAGAIN);
}

// timeout: relative; NULL: without end.
static int wait_for(sem_t *semaphore, const struct timespec *timeout)
{
    struct posix_wait wait;
    if (sem_trywait(semaphore) == 0)
        return 0;
    if (errno != EAGAIN)
        return -1;
    if (level_current() == LEVEL_CALLBACK)
        return posix_fail(EDEADLK);
    int error = posix_wait_begin(&wait, timeout);
    if (error)
        return posix_fail(error);
    posix_wait_restarts(&wait);
    uint32_t flags = irq_save();
    bool taken;
    while (!(taken = take_locked(semaphore)) && (error = posix_wait_over(&wait)) == 0)
        posix_wait_sleep_locked(&wait);
    irq_restore(flags);
    posix_wait_end(&wait);
    return taken ? 0 : posix_fail(error);
}

int sem_wait(sem_t *semaphore)
{
    return wait_for(semaphore, NULL);
}

int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict time)
{
    struct timespec left;
    if (sem_trywait(semaphore) == 0)
        return 0;
    if (!posix_can_read(time, 1))
        return posix_fail(EFAULT);
    return posix_time_until(time, &left) ? wait_for(semaphore, &left) : posix_fail(EINVAL);
}

int sem_getvalue(sem_t *restrict semaphore, int *restrict value)
{
    if (!is_there(semaphore))
        return posix_fail(EINVAL);
    if (!posix_can_write(value, 1))
        return posix_fail(EFAULT);
    *value = (int)semaphore->__value;
    return 0;
}
