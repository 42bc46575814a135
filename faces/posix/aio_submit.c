// Submission of every request but the usual one: all questions are asked here.
#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include "aio/core.h"
#include "faces/posix/aio_slots.h"
#include "faces/posix/pointers.h"
#include "fs/file.h"

// The offset maximum: no byte of a regular file is read or written at or above it. newlib's off_t
// has 32 bits on ARM.
static const off_t offset_limit = (off_t)(((uint64_t)1 << (sizeof(off_t) * 8 - 1)) - 1);

// ---- Before

int aio_event_check(const struct sigevent *event)
{
    switch (event->sigev_notify) {
    case 0:
    case SIGEV_NONE:
        return 0;
    case SIGEV_SIGNAL:
        return event->sigev_signo >= 0 && event->sigev_signo < NSIG ? 0 : EINVAL;
    case SIGEV_THREAD:
        return aio_may_be_code(aio_code_size(), event->sigev_notify_function) ? 0 : EINVAL;
    default:
        return EINVAL;
    }
}

static int transfer_check(const struct aiocb *block, const struct device *device)
{
    if (block->aio_reqprio < 0 || block->aio_reqprio >= IO_PRIORITIES ||
        block->aio_nbytes > SSIZE_MAX)
        return EINVAL;
    return device && device->kind != DEVICE_STREAM && block->aio_offset < 0 ? EINVAL : 0;
}

static int check_locked(const struct aiocb *block, enum io_op op, const struct device *device)
{
    if (aio_slot_of(block) && !aio_result_found_locked(block))
        return EBUSY;
    int error = op == IO_FLUSH ? 0 : transfer_check(block, device);
    return error ? error : aio_event_check(&block->aio_sigevent);
}

// ---- The slot

static struct aio_slot *slot_allocate_locked(void)
{
    struct aio_slot *slot = aio_pool.free;
    if (!slot)
        return aio_slot_find_locked();
    aio_pool.free = slot->link;
    return slot;
}

// ---- Regular files

// Keeps a request below the offset maximum. Writes at a file's end go there in the order of the
// calls, so none may overtake another by its priority. Result: 0, or -errno.
static int file_adjust(struct io_request *request, const struct file *file)
{
    const uint64_t limit = (uint64_t)offset_limit;
    bool append = request->op == IO_WRITE && file->flags & O_APPEND;
    uint64_t offset = append ? file->device->size_bytes : request->offset;
    if (append)
        request->priority = 0;
    if (request->size == 0)
        return 0;
    if (request->op == IO_WRITE && offset >= limit)
        return -EFBIG;
    if (request->op == IO_READ && offset >= limit && offset < file->device->size_bytes)
        return -EOVERFLOW;
    if (offset < limit && request->size > limit - offset)
        request->size = (size_t)(limit - offset);
    return 0;
}

// ---- Submission

static void flush_adjust(struct io_request *request)
{
    request->priority = 0;
    request->offset = 0;
    request->buffer = NULL;
    request->size = 0;
}

// Result: 0, or -errno, as file_submit_locked().
static int adjust(struct io_request *request, const struct file *file)
{
    if (request->op == IO_FLUSH)
        flush_adjust(request);
    else if (file->device && file->device->kind == DEVICE_FILE)
        return file_adjust(request, file);
    return 0;
}

// Is this found in aio_error() only? The standard lets a bad descriptor be found later, and
// programs look for it there.
static bool is_found_later(int error)
{
    return error == -EBADF || error == -EFBIG || error == -EOVERFLOW;
}

__attribute__((noinline)) int aio_refused_locked(struct aio_slot *slot, unsigned long state,
                                                 int error)
{
    struct aiocb *block = slot->block;
    bool too_large = slot->request.op <= IO_WRITE && block->aio_nbytes > SSIZE_MAX;
    block->__state = state;
    aio_slot_make_usual(slot);
    aio_slot_release_locked(slot, &aio_pool.free);
    // The usual way has not asked for the size.
    return too_large ? EINVAL : -error;
}

__attribute__((noinline)) int aio_submit_locked(struct aiocb *block, enum io_op op,
                                                struct aio_list *list)
{
    if (!posix_can_write(block, 1))
        return EFAULT;
    struct file file = file_snapshot(block->aio_fildes);
    int error = check_locked(block, op, file.device);
    if (error)
        return error;
    struct aio_slot *slot = slot_allocate_locked();
    if (!slot) {
        file_refused(block->aio_fildes);
        return EAGAIN;
    }
    unsigned long state = block->__state;
    aio_slot_fill(slot, block, op);
    block->__state = (unsigned long)(uintptr_t)slot;
    aio_slot_notification_locked(slot, list);
    error = adjust(&slot->request, &file);
    if (!error)
        error = file_submit_locked(block->aio_fildes, &slot->request);
    if (error && is_found_later(error)) {
        io_fail(&slot->request, error);
        error = 0;
    }
    return error ? aio_refused_locked(slot, state, error) : 0;
}
