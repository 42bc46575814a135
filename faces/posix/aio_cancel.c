// aio_cancel() and aio_fsync(): what is done to requests that are there already.
//
// Requests are cancelled by the descriptor that they came through, as the standard has it: those
// that came through a duplicate of it are others, and so are those of a descriptor that was closed,
// though its number be in use again. aio_fsync() is about the file: it waits for all requests on
// it, whichever descriptor they came through.
#include <aio.h>

#include <errno.h>
#include <stdbool.h>

#include "aio/core.h"
#include "aio/unwind.h"
#include "arch/container.h"
#include "arch/cpu.h"
#include "faces/posix/aio_slots.h"
#include "faces/posix/pointers.h"
#include "fs/file.h"
#include "irq/callback.h"

// ---- aio_cancel

// Was this request submitted through the descriptor, which leads to a device, and is it not done?
static bool is_through_locked(const struct aio_slot *slot, int fd, const struct device *device)
{
    return io_in_flight(&slot->request) && slot->request.state != IO_FINISHING &&
           slot->request.device == device && !slot->abandoned && slot->block->aio_fildes == fd;
}

// A write that has started is left to its end: nobody could say what it has done.
static bool is_cancelable(const struct io_request *request)
{
    return request->state == IO_QUEUED || (request->state == IO_STARTED && request->op != IO_WRITE);
}

static void cancel_locked(struct aio_slot *slot, struct aio_canceller *canceller)
{
    if (!is_cancelable(&slot->request)) {
        canceller->refused = true;
        return;
    }
    aio_slot_make_unusual_locked(slot);
    slot->canceller = canceller;
    canceller->waiting++;
    int error = io_cancel(&slot->request);
    if (!error)
        return;
    slot->canceller = NULL;
    canceller->waiting--;
    canceller->refused = true;
}

// What waits for its device first, or it would be started when the one before it is cancelled.
// Result: how many requests there were.
static unsigned cancel_all(int fd, const struct device *device, bool queued,
                           struct aio_canceller *canceller)
{
    unsigned found = 0;
    for (unsigned i = 0; i < AIO_SLOTS; i++) {
        struct aio_slot *slot = &aio_pool.slots[i];
        uint32_t flags = irq_save();
        if (is_through_locked(slot, fd, device) && (slot->request.state == IO_QUEUED) == queued) {
            cancel_locked(slot, canceller);
            found++;
        }
        irq_restore(flags);
    }
    return found;
}

// Result: how many requests there were: one, if it is not done; or -EINVAL: it is another
// descriptor's.
static int cancel_one(int fd, const struct device *device, const struct aiocb *block,
                      struct aio_canceller *canceller)
{
    int found = 0;
    uint32_t flags = irq_save();
    struct aio_slot *slot = aio_slot_of(block);
    if (block->aio_fildes != fd || (slot && slot->abandoned)) {
        found = -EINVAL;
    } else if (slot && is_through_locked(slot, fd, device)) {
        cancel_locked(slot, canceller);
        found = 1;
    }
    irq_restore(flags);
    return found;
}

// The requests go on without him.
static void forget(struct unwind *unwind)
{
    const struct aio_canceller *canceller = container_of(unwind, struct aio_canceller, unwind);
    for (unsigned i = 0; i < AIO_SLOTS; i++)
        if (aio_pool.slots[i].canceller == canceller)
            aio_pool.slots[i].canceller = NULL;
}

// Some devices need a while to give a request up; what has been cancelled is told when it is true.
static void wait_for_the_end(const struct aio_canceller *canceller)
{
    uint32_t flags = irq_save();
    while (*(const volatile unsigned *)&canceller->waiting > 0)
        level_sleep_locked();
    irq_restore(flags);
}

int aio_cancel(int fildes, struct aiocb *block)
{
    struct aio_canceller canceller = { .waiting = 0 };
    const struct device *device = file_snapshot(fildes).device;
    if (!device)
        return aio_fail(EBADF);
    if (block && !posix_can_read(block, 1))
        return aio_fail(EFAULT);
    int found;
    unwind_push(&canceller.unwind, forget);
    if (block)
        found = cancel_one(fildes, device, block, &canceller);
    else
        found = (int)(cancel_all(fildes, device, true, &canceller) +
                      cancel_all(fildes, device, false, &canceller));
    wait_for_the_end(&canceller);
    unwind_pop(&canceller.unwind);
    if (found < 0)
        return aio_fail(-found);
    if (found == 0)
        return AIO_ALLDONE;
    return canceller.refused ? AIO_NOTCANCELED : AIO_CANCELED;
}

// ---- aio_fsync

static int flush_locked(struct aiocb *block)
{
    if (!file_snapshot(block->aio_fildes).device)
        return EBADF;
    return aio_submit_locked(block, IO_FLUSH, NULL);
}

int aio_fsync(int operation, struct aiocb *block)
{
    if (!block || (operation != O_SYNC && operation != O_DSYNC))
        return aio_fail(EINVAL);
    if (!posix_can_write(block, 1))
        return aio_fail(EFAULT);
    uint32_t flags = irq_save();
    int error = flush_locked(block);
    irq_restore(flags);
    return error ? aio_fail(error) : 0;
}
