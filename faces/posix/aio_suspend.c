// aio_suspend(): a wait for one of several requests.
#include <aio.h>

#include <errno.h>
#include <stdbool.h>

#include "arch/cpu.h"
#include "faces/posix/aio_slots.h"
#include "faces/posix/pointers.h"
#include "faces/posix/posix.h"

// A list that is longer names nothing that could be in memory.
enum { AIO_SUSPEND_LIMIT = 1 << 24 };

// Main's requests are marked: a callback may retrieve the result and submit the block anew while
// main sleeps. While a callback waits nobody else does.
static void watch_locked(const struct aiocb *const list[], int count)
{
    for (int i = 0; i < count; i++) {
        struct aio_slot *slot = list[i] ? aio_slot_of(list[i]) : NULL;
        if (slot)
            slot->link = AIO_WATCHED;
    }
}

// Is this request still the one that was marked, and not done?
static __attribute__((noinline)) bool waits_locked(const struct aiocb *block, bool watching)
{
    const struct aio_slot *slot = aio_slot_of(block);
    return slot && (!watching || slot->link == AIO_WATCHED) && !aio_result_found_locked(block);
}

// All of the list are looked at: the program is about to learn which ones are done, and from then
// on their blocks are left alone.
static bool any_done_locked(const struct aiocb *const list[], int count, bool watching)
{
    bool any = false;
    for (int i = 0; i < count; i++)
        if (list[i] && !waits_locked(list[i], watching))
            any = true;
    return any;
}

static bool can_read_all(const struct aiocb *const list[], int count)
{
    if (!posix_can_read(list, (unsigned)count))
        return false;
    for (int i = 0; i < count; i++)
        if (!posix_may_read(list[i]))
            return false;
    return true;
}

int aio_suspend(const struct aiocb *const list[], int count, const struct timespec *timeout)
{
    struct posix_wait wait;
    if (!list || count < 0 || count > AIO_SUSPEND_LIMIT)
        return aio_fail(EINVAL);
    int error = can_read_all(list, count) ? posix_wait_begin(&wait, timeout) : EFAULT;
    if (error)
        return aio_fail(error);
    posix_wait_restarts(&wait);
    bool watching = level_current() == LEVEL_MAIN;
    uint32_t flags = irq_save();
    if (watching)
        watch_locked(list, count);
    while (!any_done_locked(list, count, watching) && (error = posix_wait_over(&wait)) == 0)
        posix_wait_sleep_locked(&wait);
    irq_restore(flags);
    posix_wait_end(&wait);
    return error ? aio_fail(error == ETIMEDOUT ? EAGAIN : error) : 0;
}
