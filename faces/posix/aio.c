// POSIX AIO over the core. A request lives in a slot of ours from submission until its notification
// begins. Its result stays there until somebody looks: the notification, or a program that asks
// before, has it moved to the control block, which is the program's from then on and may be used
// again even while the notification still waits its turn. Where none is wanted the result is moved
// at once.
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
    struct aiocb *block;       // Where the result goes.
    union sigval value;
    void (*function)(union sigval);
    struct aio_slot *link; // While free: the next one. While in use: WATCHED, or anything else.
};

// All in one struct, so that a submission reaches it with one address.
static struct {
    struct aio_slot *free;
    struct aio_slot *free_isr; // Those that became free at isr level.
    unsigned used_once;        // Slots from here on have never been used and are in neither list.
    struct aiocb nobody;       // Where a result goes that has been moved already.
    struct aio_slot slots[AIO_SLOTS];
} pool;

// The link of a slot whose request main waits for in aio_suspend(). It ends with the request: a
// free slot's link is another one.
#define WATCHED ((struct aio_slot *)&pool)

static __attribute__((noinline)) int fail(int error)
{
    errno = error;
    return -1;
}

// ---- The state of a control block: 0, the address of its request's slot, or this: its result is
// there. It differs from block to block, so a copy's is neither.

static inline unsigned long state_done(const struct aiocb *block)
{
    return 0 - (unsigned long)(uintptr_t)block;
}

// Result: the slot of the block's request, or NULL. The slot must know the block too: nothing is
// believed of what a program may have copied or overwritten.
static __attribute__((noinline)) struct aio_slot *slot_of(const struct aiocb *block)
{
    size_t offset = block->__state - (uintptr_t)pool.slots;
    struct aio_slot *slot = &pool.slots[offset / sizeof pool.slots[0]];
    bool known = offset < sizeof pool.slots && offset % sizeof pool.slots[0] == 0 &&
                 slot->block == block && !io_idle(&slot->request);
    return known ? slot : NULL;
}

static inline void result_move(const struct aio_slot *slot)
{
    struct aiocb *block = slot->block;
    block->__state = state_done(block); // In this order slot_notify() needs no stack.
    block->__result = slot->request.result;
}

// Result: true: the block's request is done, and its result now in the block.
static __attribute__((noinline)) bool result_found_locked(const struct aiocb *block)
{
    struct aio_slot *slot = slot_of(block);
    if (!slot || io_in_flight(&slot->request))
        return false;
    result_move(slot);
    slot->block = &pool.nobody;
    return true;
}

// ---- Slots. A free one is as nearly every request wants it: with slot_notify().

static void slot_notify(struct callback *notify);

static inline void slot_release_locked(struct aio_slot *slot, struct aio_slot **list)
{
    slot->link = *list;
    *list = slot;
}

static void slot_make_usual(struct aio_slot *slot)
{
    slot->request.done = NULL;
    slot->request.notify.run = slot_notify;
}

// Callback level. The slot is free before the function is called, which then finds room for its
// next request. Interrupts need not be masked: they do not touch this list, and main, which does,
// masks them.
static void slot_notify(struct callback *notify)
{
    struct io_request *request = request_of(notify);
    struct aio_slot *slot = (struct aio_slot *)request;
    slot_release_locked(slot, &pool.free);
    result_move(slot);
    slot->function(slot->value);
}

// isr level: a request ends that nobody has to be told of.
static void slot_done(struct io_request *request)
{
    struct aio_slot *slot = (struct aio_slot *)request;
    result_move(slot);
    slot_make_usual(slot);
    slot_release_locked(slot, &pool.free_isr);
}

// When the list is empty. Result: a slot that is in no list; NULL: all are in use.
static struct aio_slot *slot_find_locked(void)
{
    struct aio_slot *slot = pool.free_isr;
    if (slot) {
        pool.free = slot->link;
        pool.free_isr = NULL;
    } else if (pool.used_once < AIO_SLOTS) {
        slot = &pool.slots[pool.used_once++];
        slot_make_usual(slot);
    }
    return slot;
}

static struct aio_slot *slot_allocate_locked(void)
{
    struct aio_slot *slot = pool.free;
    if (!slot)
        return slot_find_locked();
    pool.free = slot->link;
    return slot;
}

static inline void slot_fill(struct aio_slot *slot, struct aiocb *block, enum io_op op)
{
    struct io_request *request = &slot->request;
    request->op = op;
    request->flags = 0;
    request->priority = (uint8_t)block->aio_reqprio;
    request->offset = (unsigned long)block->aio_offset; // Below 0 only where it is ignored.
    request->buffer = (void *)(uintptr_t)block->aio_buf;
    request->size = block->aio_nbytes;
    slot->value = block->aio_sigevent.sigev_value;
    slot->function = block->aio_sigevent.sigev_notify_function;
    slot->block = block;
    block->__state = (unsigned long)(uintptr_t)slot;
}

// ---- Submission

static int check_locked(const struct aiocb *block)
{
    const struct sigevent *event = &block->aio_sigevent;
    const struct device *device = file_snapshot(block->aio_fildes).device;
    if (slot_of(block) && !result_found_locked(block))
        return EBUSY;
    if (block->aio_reqprio < 0 || block->aio_reqprio >= IO_PRIORITIES ||
        block->aio_nbytes > PTRDIFF_MAX)
        return EINVAL;
    if (device && device->kind != DEVICE_STREAM && block->aio_offset < 0)
        return EINVAL;
    if (event->sigev_notify == SIGEV_SIGNAL)
        return ENOTSUP;
    if (event->sigev_notify == SIGEV_THREAD)
        return event->sigev_notify_function ? 0 : EINVAL;
    return event->sigev_notify == 0 || event->sigev_notify == SIGEV_NONE ? 0 : EINVAL;
}

// Nothing has happened. Result: errno.
static __attribute__((noinline)) int refused_locked(struct aio_slot *slot, unsigned long state,
                                                    int error)
{
    struct aiocb *block = slot->block;
    block->__state = state;
    slot_make_usual(slot);
    slot_release_locked(slot, &pool.free);
    // is_usual() has not asked for it.
    return block->aio_nbytes > PTRDIFF_MAX ? EINVAL : -error;
}

// Every request but the usual one: all questions are asked here. Result: 0, or errno.
static __attribute__((noinline)) int submit_otherwise_locked(struct aiocb *block, enum io_op op)
{
    int error = check_locked(block);
    if (error)
        return error;
    struct aio_slot *slot = slot_allocate_locked();
    if (!slot) {
        file_refused(block->aio_fildes);
        return EAGAIN;
    }
    if (block->aio_sigevent.sigev_notify != SIGEV_THREAD) {
        slot->request.done = slot_done;
        slot->request.notify.run = NULL;
    }
    unsigned long state = block->__state;
    slot_fill(slot, block, op);
    error = file_submit_locked(block->aio_fildes, &slot->request);
    if (error == -EBADF) {
        // The standard lets a bad descriptor be found later, and programs look for it in
        // aio_error().
        io_fail(&slot->request, error);
        return 0;
    }
    return error ? refused_locked(slot, state, error) : 0;
}

// A request with which check_locked() would find nothing wrong, by a block that has not been used
// or whose result has been retrieved, and a slot for it. A size that is too large is left to the
// core, which refuses what does not fit into RAM.
static inline bool is_usual(const struct aiocb *block, const struct aio_slot *slot)
{
    const struct sigevent *event = &block->aio_sigevent;
    // What has to be 0 in one test, what must not be in another.
    unsigned long unusual = block->__state | (unsigned)block->aio_reqprio / IO_PRIORITIES |
                            (unsigned)block->aio_fildes / FILE_LIMIT | (block->aio_offset < 0) |
                            (unsigned)(event->sigev_notify ^ SIGEV_THREAD);
    return unusual == 0 && ((event->sigev_notify_function != NULL) & (slot != NULL));
}

// Result: 0, or errno.
static inline __attribute__((always_inline)) int submit_locked(struct aiocb *block, enum io_op op)
{
    struct aio_slot *slot = pool.free;
    struct device *device = is_usual(block, slot) ? file_direct_locked(block->aio_fildes, op)
                                                  : NULL;
    if (!device)
        return submit_otherwise_locked(block, op);
    pool.free = slot->link;
    slot_fill(slot, block, op);
    int error = io_submit_locked(device, &slot->request);
    return error ? refused_locked(slot, 0, error) : 0;
}

// In one go: what a callback might do in between makes no difference then.
static inline __attribute__((always_inline)) int start(struct aiocb *block, enum io_op op)
{
    if (!block)
        return fail(EINVAL);
    uint32_t flags = irq_save();
    int error = submit_locked(block, op);
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

// ---- Results

static int error_locked(const struct aiocb *block)
{
    if (block->__state == state_done(block) || result_found_locked(block))
        return block->__result < 0 ? -(int)block->__result : 0;
    return slot_of(block) ? EINPROGRESS : -1;
}

int aio_error(const struct aiocb *block)
{
    if (!block)
        return fail(EINVAL);
    uint32_t flags = irq_save();
    int error = error_locked(block);
    irq_restore(flags);
    return error < 0 ? fail(EINVAL) : error;
}

static __attribute__((noinline)) ssize_t return_otherwise_locked(struct aiocb *block,
                                                                 uint32_t flags)
{
    bool found = result_found_locked(block);
    irq_restore(flags);
    return found ? aio_return(block) : fail(EINVAL);
}

ssize_t aio_return(struct aiocb *block)
{
    if (!block)
        return fail(EINVAL);
    // Looked at and retrieved in one go: a callback may retrieve it and submit the block anew in
    // between.
    uint32_t flags = irq_save();
    if (block->__state != state_done(block))
        return return_otherwise_locked(block, flags);
    block->__state = 0;
    ssize_t result = block->__result;
    irq_restore(flags);
    return result < 0 ? fail((int)-result) : result;
}

// Main's requests are marked: a callback may retrieve the result and submit the block anew while
// main sleeps. While a callback waits nobody else does.
static void watch_locked(const struct aiocb *const list[], int count)
{
    for (int i = 0; i < count; i++) {
        struct aio_slot *slot = list[i] ? slot_of(list[i]) : NULL;
        if (slot)
            slot->link = WATCHED;
    }
}

// Is this request still the one that was marked, and not done?
static __attribute__((noinline)) bool waits_locked(const struct aiocb *block, bool watching)
{
    const struct aio_slot *slot = slot_of(block);
    return slot && (!watching || slot->link == WATCHED) && !result_found_locked(block);
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

int aio_suspend(const struct aiocb *const list[], int count, const struct timespec *timeout)
{
    struct posix_wait wait;
    if (!list || count < 0)
        return fail(EINVAL);
    int error = posix_wait_begin(&wait, timeout);
    if (error)
        return fail(error);
    bool watching = level_current() == LEVEL_MAIN;
    uint32_t flags = irq_save();
    if (watching)
        watch_locked(list, count);
    while (!any_done_locked(list, count, watching) && (error = posix_wait_over(&wait)) == 0)
        level_sleep_locked();
    irq_restore(flags);
    posix_wait_end(&wait);
    return error ? fail(error == ETIMEDOUT ? EAGAIN : error) : 0;
}
