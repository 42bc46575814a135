// POSIX AIO over file_submit(). A request lives in a slot of ours from submission until its
// notification begins; the caller's control block only receives the state, so it may be used again
// as soon as its result has been retrieved, even while its notification still waits its turn.
#include <aio.h>

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include "aio/core.h"
#include "arch/cpu.h"
#include "faces/posix/posix.h"
#include "fs/file.h"

enum { AIO_SLOTS = 256 };

struct aio_slot {
    struct io_request request; // First: done() and notify() get back from it to the slot.
    struct aiocb *block;       // The caller's, until done().
    void (*function)(union sigval);
    union sigval value;
    struct aio_slot *next_free;
};

// What a control block's key says, when it is combined with the block's own address: copies and
// rubbish are neither.
enum { KEY_IN_PROGRESS = 0x41494f50, KEY_DONE = 0x41494f44 };

static struct aio_slot slots[AIO_SLOTS];
static unsigned long submissions; // Requests accepted so far; each carries its number.
static struct aio_slot *free_slots;
static unsigned slots_used_once; // Slots from here on have never been used and are not in the free
                                 // list.

static unsigned long key(const struct aiocb *block, unsigned long state)
{
    return (unsigned long)(uintptr_t)block ^ state;
}

static int fail(int error)
{
    errno = error;
    return -1;
}

static struct aio_slot *slot_allocate(void)
{
    uint32_t flags = irq_save();
    struct aio_slot *slot = free_slots;
    if (slot)
        free_slots = slot->next_free;
    else if (slots_used_once < AIO_SLOTS)
        slot = &slots[slots_used_once++];
    irq_restore(flags);
    return slot;
}

static void slot_release(struct aio_slot *slot)
{
    uint32_t flags = irq_save();
    slot->next_free = free_slots;
    free_slots = slot;
    irq_restore(flags);
}

// isr level: the result becomes visible. A slot that nobody has to be told of is free again.
static void slot_done(struct io_request *request)
{
    struct aio_slot *slot = (struct aio_slot *)request;
    struct aiocb *block = slot->block;
    block->__error = request->result < 0 ? -(int)request->result : 0;
    block->__result = request->result < 0 ? -1 : request->result;
    block->__key = key(block, KEY_DONE);
    if (!request->notify)
        slot_release(slot);
}

// Callback level. The slot is free before the function is called, which then finds room for its
// next request.
static void slot_notify(struct io_request *request)
{
    struct aio_slot *slot = (struct aio_slot *)request;
    void (*function)(union sigval) = slot->function;
    union sigval value = slot->value;
    slot_release(slot);
    function(value);
}

static int check(const struct aiocb *block)
{
    const struct sigevent *event = &block->aio_sigevent;
    const struct device *device = file_snapshot(block->aio_fildes).device;
    if (block->__key == key(block, KEY_IN_PROGRESS))
        return EBUSY;
    if (block->aio_reqprio < 0 || block->aio_reqprio >= IO_PRIORITIES ||
        block->aio_nbytes > PTRDIFF_MAX)
        return EINVAL;
    if (device && device->kind == DEVICE_BLOCK && block->aio_offset < 0)
        return EINVAL;
    if (event->sigev_notify == SIGEV_SIGNAL)
        return ENOTSUP;
    if (event->sigev_notify == SIGEV_THREAD)
        return event->sigev_notify_function ? 0 : EINVAL;
    return event->sigev_notify == 0 || event->sigev_notify == SIGEV_NONE ? 0 : EINVAL;
}

static void slot_fill(struct aio_slot *slot, struct aiocb *block, enum io_op op)
{
    struct io_request *request = &slot->request;
    bool notify = block->aio_sigevent.sigev_notify == SIGEV_THREAD;
    request->op = op;
    request->flags = 0;
    request->priority = (uint8_t)block->aio_reqprio;
    request->offset = (uint64_t)block->aio_offset;
    request->buffer = (void *)(uintptr_t)block->aio_buf;
    request->size = block->aio_nbytes;
    request->done = slot_done;
    request->notify = notify ? slot_notify : NULL;
    slot->block = block;
    slot->function = block->aio_sigevent.sigev_notify_function;
    slot->value = block->aio_sigevent.sigev_value;
}

static unsigned long next_submission(void)
{
    uint32_t flags = irq_save();
    unsigned long number = ++submissions;
    irq_restore(flags);
    return number;
}

static int start(struct aiocb *block, enum io_op op)
{
    if (!block)
        return fail(EINVAL);
    int error = check(block);
    if (error)
        return fail(error);
    struct aio_slot *slot = slot_allocate();
    if (!slot) {
        file_refused(block->aio_fildes);
        return fail(EAGAIN);
    }
    slot_fill(slot, block, op);
    unsigned long key_before = block->__key;
    block->__submission = next_submission();
    block->__key = key(block, KEY_IN_PROGRESS); // Before submit: the request may be done before it
                                                // returns.
    error = file_submit(block->aio_fildes, &slot->request);
    if (error == -EBADF) {
        // The standard lets a bad descriptor be found later, and programs look for it in
        // aio_error().
        io_fail(&slot->request, error);
    } else if (error) {
        block->__key = key_before;
        slot_release(slot);
        return fail(-error);
    }
    return 0;
}

int aio_read(struct aiocb *block)
{
    return start(block, IO_READ);
}

int aio_write(struct aiocb *block)
{
    return start(block, IO_WRITE);
}

static bool in_progress(const struct aiocb *block)
{
    return ((const volatile struct aiocb *)block)->__key == key(block, KEY_IN_PROGRESS);
}

int aio_error(const struct aiocb *block)
{
    if (!block)
        return fail(EINVAL);
    if (in_progress(block))
        return EINPROGRESS;
    return block->__key == key(block, KEY_DONE) ? block->__error : fail(EINVAL);
}

ssize_t aio_return(struct aiocb *block)
{
    if (!block)
        return fail(EINVAL);
    // Looked at and retrieved in one go: a callback may retrieve it and submit the block anew in
    // between.
    uint32_t flags = irq_save();
    bool done = block->__key == key(block, KEY_DONE);
    int error = block->__error;
    ssize_t result = block->__result;
    if (done)
        block->__key = 0;
    irq_restore(flags);
    if (!done)
        return fail(EINVAL);
    if (error)
        errno = error;
    return result;
}

// Is one of them done? One that was submitted anew since `begun` has been done in between: its
// callback did that while we slept.
static bool any_done(const struct aiocb *const list[], int count, unsigned long begun)
{
    for (int i = 0; i < count; i++)
        if (list[i] && (!in_progress(list[i]) || (long)(list[i]->__submission - begun) > 0))
            return true;
    return false;
}

int aio_suspend(const struct aiocb *const list[], int count, const struct timespec *timeout)
{
    struct posix_wait wait;
    if (!list || count < 0)
        return fail(EINVAL);
    int error = posix_wait_begin(&wait, timeout);
    if (error)
        return fail(error);
    unsigned long begun = submissions;
    uint32_t flags = irq_save();
    while (!any_done(list, count, begun) && (error = posix_wait_over(&wait)) == 0)
        level_sleep_locked();
    irq_restore(flags);
    posix_wait_end(&wait);
    return error ? fail(error == ETIMEDOUT ? EAGAIN : error) : 0;
}
