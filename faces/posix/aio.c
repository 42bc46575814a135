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
// rubbish are neither. The two differ by more than RAM is large, and each is an immediate on ARM.
static const unsigned long KEY_IN_PROGRESS = 0x41000000, KEY_DONE = 0xc4000000;

// All in one struct, so that a submission reaches it with one address.
static struct {
    unsigned long submissions; // Requests accepted so far; each carries its number.
    struct aio_slot *free;
    unsigned used_once; // Slots from here on have never been used and are not in the free list.
    struct aio_slot slots[AIO_SLOTS];
} pool;

static unsigned long key(const struct aiocb *block, unsigned long state)
{
    return (unsigned long)(uintptr_t)block ^ state;
}

static int fail(int error)
{
    errno = error;
    return -1;
}

static void slot_done(struct io_request *request);
static void slot_notify(struct callback *notify);

// A free slot has these two set, which nearly every request wants.
static __attribute__((noinline)) struct aio_slot *slot_first_use(void)
{
    if (pool.used_once == AIO_SLOTS)
        return NULL;
    struct aio_slot *slot = &pool.slots[pool.used_once++];
    slot->request.done = slot_done;
    slot->request.notify.run = slot_notify;
    return slot;
}

static inline struct aio_slot *slot_allocate_locked(void)
{
    struct aio_slot *slot = pool.free;
    if (!slot)
        return slot_first_use();
    pool.free = slot->next_free;
    return slot;
}

static inline void slot_release_locked(struct aio_slot *slot)
{
    slot->next_free = pool.free;
    pool.free = slot;
}

static __attribute__((noinline)) void slot_release_untold(struct aio_slot *slot)
{
    slot->request.notify.run = slot_notify;
    slot_release_locked(slot);
}

// isr level: the result becomes visible. A slot that nobody has to be told of is free again.
static void slot_done(struct io_request *request)
{
    struct aio_slot *slot = (struct aio_slot *)request;
    struct aiocb *block = slot->block;
    ssize_t result = request->result;
    block->__error = 0;
    if (result < 0) {
        block->__error = -(int)result;
        result = -1;
    }
    block->__result = result;
    block->__key = key(block, KEY_DONE);
    if (!request->notify.run)
        slot_release_untold(slot);
}

// Callback level. The slot is free before the function is called, which then finds room for its
// next request.
static void slot_notify(struct callback *notify)
{
    struct io_request *request = request_of(notify);
    struct aio_slot *slot = (struct aio_slot *)request;
    void (*function)(union sigval) = slot->function;
    union sigval value = slot->value;
    uint32_t flags = irq_save();
    slot_release_locked(slot);
    irq_restore(flags);
    function(value);
}

static __attribute__((noinline)) int check(const struct aiocb *block)
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

// A request with which check() would find nothing wrong, whatever its descriptor is.
static inline bool is_usual(const struct aiocb *block)
{
    return block->__key != key(block, KEY_IN_PROGRESS) &&
           (unsigned)block->aio_reqprio < IO_PRIORITIES &&
           (block->aio_offset | (off_t)block->aio_nbytes) >= 0 &&
           block->aio_sigevent.sigev_notify == SIGEV_THREAD &&
           block->aio_sigevent.sigev_notify_function != NULL;
}

static inline void slot_fill(struct aio_slot *slot, const struct aiocb *block, enum io_op op)
{
    struct io_request *request = &slot->request;
    request->op = op;
    request->flags = 0;
    request->priority = (uint8_t)block->aio_reqprio;
    request->offset = (uint64_t)block->aio_offset;
    request->buffer = (void *)(uintptr_t)block->aio_buf;
    request->size = block->aio_nbytes;
    if (block->aio_sigevent.sigev_notify != SIGEV_THREAD)
        request->notify.run = NULL;
    slot->function = block->aio_sigevent.sigev_notify_function;
    slot->value = block->aio_sigevent.sigev_value;
}

// What file_submit_locked() has refused. Result: 0, or errno.
static __attribute__((noinline)) int refused_locked(struct aio_slot *slot, unsigned long key_before,
                                                    int error)
{
    if (error == -EBADF) {
        // The standard lets a bad descriptor be found later, and programs look for it in
        // aio_error().
        io_fail(&slot->request, error);
        return 0;
    }
    slot->block->__key = key_before;
    slot_release_untold(slot);
    return -error;
}

// Result: 0, or errno.
static inline __attribute__((always_inline)) int submit_locked(struct aiocb *block, enum io_op op)
{
    struct aio_slot *slot = slot_allocate_locked();
    if (!slot) {
        file_refused(block->aio_fildes);
        return EAGAIN;
    }
    unsigned long key_before = block->__key;
    slot_fill(slot, block, op);
    slot->block = block;
    block->__submission = ++pool.submissions;
    block->__key = key(block, KEY_IN_PROGRESS);
    int error = file_submit_locked(block->aio_fildes, &slot->request);
    return error ? refused_locked(slot, key_before, error) : 0;
}

static __attribute__((noinline)) int submit_unusual_locked(struct aiocb *block, enum io_op op)
{
    int error = check(block);
    return error ? error : submit_locked(block, op);
}

// In one go: what a callback might do in between makes no difference then.
static inline __attribute__((always_inline)) int start(struct aiocb *block, enum io_op op)
{
    if (!block)
        return fail(EINVAL);
    uint32_t flags = irq_save();
    int error = is_usual(block) ? submit_locked(block, op) : submit_unusual_locked(block, op);
    irq_restore(flags);
    return error ? fail(error) : 0;
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

// The error of a request that is not done.
static __attribute__((noinline)) int no_error_yet(const struct aiocb *block)
{
    return block && in_progress(block) ? EINPROGRESS : fail(EINVAL);
}

int aio_error(const struct aiocb *block)
{
    // One look at the key: the request may become done meanwhile.
    if (block && ((const volatile struct aiocb *)block)->__key == key(block, KEY_DONE))
        return block->__error;
    return no_error_yet(block);
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
    unsigned long begun = pool.submissions;
    uint32_t flags = irq_save();
    while (!any_done(list, count, begun) && (error = posix_wait_over(&wait)) == 0)
        level_sleep_locked();
    irq_restore(flags);
    posix_wait_end(&wait);
    return error ? fail(error == ETIMEDOUT ? EAGAIN : error) : 0;
}
