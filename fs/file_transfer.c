// What is done to open files: each is a request and a wait. The file is held meanwhile, so closing
// its descriptor in between does no harm.
#include <errno.h>
#include <unistd.h>

#include "aio/core.h"
#include "arch/cpu.h"
#include "fs/file.h"
#include "fs/open_files.h"

// A callback may move the position of main's file: 64 bits in one go.
static uint64_t position_get(const struct file *file)
{
    uint32_t saved = irq_save();
    uint64_t position = file->position;
    irq_restore(saved);
    return position;
}

static void position_set(struct file *file, uint64_t position)
{
    uint32_t saved = irq_save();
    file->position = position;
    irq_restore(saved);
}

static bool can_seek(const struct file *file)
{
    return file->device->kind != DEVICE_STREAM;
}

static unsigned nothing_interrupts(void)
{
    return 0;
}

static unsigned (*interruptions)(void) = nothing_interrupts;

void file_on_interruption(unsigned (*function)(void))
{
    interruptions = function ? function : nothing_interrupts;
}

static bool is_interrupted(void *context)
{
    return interruptions() != *(const unsigned *)context;
}

// submit: file_submit(), or another way that this file's request goes.
static ssize_t transfer_by(struct file *file, struct io_request *request,
                           int (*submit)(struct file *, struct io_request *))
{
    struct io_guard guard;
    unsigned before = interruptions();
    if (request->op == IO_WRITE && file->device->kind == DEVICE_STREAM)
        request->flags |= IO_PARTIAL;
    io_guard_begin(&guard, request);
    int error = submit(file, request);
    ssize_t result = error ? error : io_wait_until(request, is_interrupted, &before);
    io_guard_end(&guard);
    if (error)
        return error;
    if (result != -ECANCELED)
        return result;
    return request->moved > 0 ? (ssize_t)request->moved : -EINTR;
}

ssize_t file_transfer(struct file *file, struct io_request *request)
{
    return transfer_by(file, request, file_submit);
}

// Cuts a request to what lies below the limit. append: it goes to the file's end.
// Result: 0, or -errno.
static int keep_below(const struct file *file, struct io_request *request, bool append,
                      uint64_t limit)
{
    uint64_t end = file->device->size_bytes;
    uint64_t offset = append ? end : request->offset;
    if (!can_seek(file) || request->size == 0)
        return 0;
    if (offset >= limit && (request->op == IO_WRITE || offset < end))
        return request->op == IO_WRITE ? -EFBIG : -EOVERFLOW;
    uint64_t room = offset < limit ? limit - offset : 0;
    if (request->size > room)
        request->size = (size_t)room;
    return 0;
}

static int flush(struct file *file)
{
    struct io_request request = { .op = IO_FLUSH };
    return (int)file_submit_and_wait(file, &request);
}

// A read or write at request->offset.
static ssize_t transfer_within(struct file *file, struct io_request *request, uint64_t limit,
                               int (*submit)(struct file *, struct io_request *))
{
    bool append = submit == file_submit && request->op == IO_WRITE && file->flags & O_APPEND &&
                  file->device->kind == DEVICE_FILE;
    int error = keep_below(file, request, append, limit);
    return error ? error : transfer_by(file, request, submit);
}

static ssize_t transfer_at_position(struct file *file, struct io_request *request, uint64_t limit)
{
    request->offset = position_get(file);
    ssize_t result = transfer_within(file, request, limit, file_submit);
    // An appending write has been told by the device where it went.
    if (request->moved > 0 && can_seek(file))
        position_set(file, request->offset + request->moved);
    return result;
}

static ssize_t transfer(int fd, struct io_request *request, uint64_t limit)
{
    struct file_hold hold;
    struct file *file = file_hold(&hold, fd);
    if (!file)
        return -EBADF;
    ssize_t result = transfer_at_position(file, request, limit);
    file_drop(&hold);
    return result;
}

ssize_t file_read(int fd, void *buffer, size_t size, uint64_t limit)
{
    struct io_request request = { .op = IO_READ, .buffer = buffer, .size = size };
    return transfer(fd, &request, limit);
}

ssize_t file_write(int fd, const void *buffer, size_t size, uint64_t limit)
{
    struct io_request request = { .op = IO_WRITE, .buffer = (void *)(uintptr_t)buffer };
    request.size = size;
    return transfer(fd, &request, limit);
}

static ssize_t transfer_at(int fd, struct io_request *request, uint64_t limit)
{
    struct file_hold hold;
    struct file *file = file_hold(&hold, fd);
    if (!file)
        return -EBADF;
    ssize_t result = -ESPIPE;
    if (can_seek(file))
        result = transfer_within(file, request, limit, file_submit_at);
    file_drop(&hold);
    return result;
}

ssize_t file_read_at(int fd, void *buffer, size_t size, uint64_t offset, uint64_t limit)
{
    struct io_request request = { .op = IO_READ, .offset = offset, .buffer = buffer, .size = size };
    return transfer_at(fd, &request, limit);
}

ssize_t file_write_at(int fd, const void *buffer, size_t size, uint64_t offset, uint64_t limit)
{
    struct io_request request = { .op = IO_WRITE, .offset = offset };
    request.buffer = (void *)(uintptr_t)buffer;
    request.size = size;
    return transfer_at(fd, &request, limit);
}

int file_flush(int fd)
{
    struct file_hold hold;
    struct file *file = file_hold(&hold, fd);
    if (!file)
        return -EBADF;
    int error = flush(file);
    file_drop(&hold);
    return error;
}

int fs_call_and_wait(struct device *device, struct fs_call *call)
{
    struct io_guard guard;
    call->request.op = IO_CALL;
    io_guard_begin(&guard, &call->request);
    int error = io_submit(device, &call->request);
    int result = error ? error : (int)io_wait(&call->request);
    io_guard_end(&guard);
    return result;
}

static int status_of(struct file *file, struct fs_status *status)
{
    struct fs_call call = { .operation = FS_FILE_STATUS };
    if (!file->device->calls) {
        fs_status_of_device(file->device, status);
        return 0;
    }
    int error = fs_call_and_wait(file->device, &call);
    *status = call.status;
    return error;
}

// Result: where the file begins, is, or ends, as whence says; or -errno.
static int64_t seek_base(struct file *file, int whence)
{
    struct fs_status status;
    if (whence == SEEK_SET)
        return 0;
    if (whence == SEEK_CUR)
        return (int64_t)position_get(file);
    if (whence != SEEK_END)
        return -EINVAL;
    int error = status_of(file, &status);
    return error ? error : (int64_t)status.size;
}

static int64_t seek(struct file *file, int64_t offset, int whence)
{
    int64_t position;
    if (!can_seek(file))
        return -ESPIPE;
    int64_t base = seek_base(file, whence);
    if (base < 0)
        return base;
    if (__builtin_add_overflow(base, offset, &position))
        return -EOVERFLOW;
    if (position < 0)
        return -EINVAL;
    position_set(file, (uint64_t)position);
    return position;
}

int64_t file_seek(int fd, int64_t offset, int whence)
{
    struct file_hold hold;
    struct file *file = file_hold(&hold, fd);
    if (!file)
        return -EBADF;
    int64_t position = seek(file, offset, whence);
    file_drop(&hold);
    return position;
}

int file_truncate(int fd, uint64_t size)
{
    struct fs_call call = { .operation = FS_TRUNCATE, .size = size };
    struct file_hold hold;
    struct file *file = file_hold(&hold, fd);
    if (!file)
        return -EBADF;
    bool can = file->device->kind == DEVICE_FILE && file->device->calls &&
               (file->flags & O_ACCMODE) != O_RDONLY;
    int error = can ? fs_call_and_wait(file->device, &call) : -EINVAL;
    file_drop(&hold);
    return error;
}

int file_status(int fd, struct fs_status *status)
{
    struct file_hold hold;
    struct file *file = file_hold(&hold, fd);
    if (!file)
        return -EBADF;
    int error = status_of(file, status);
    file_drop(&hold);
    return error;
}

int file_next_entry(int fd, struct fs_entry *entry)
{
    struct fs_call call = { .operation = FS_NEXT_ENTRY, .cookie = entry->cookie, .entry = entry };
    struct file_hold hold;
    struct file *file = file_hold(&hold, fd);
    if (!file)
        return -EBADF;
    bool directory = file->device->kind == DEVICE_DIRECTORY;
    int result = directory ? fs_call_and_wait(file->device, &call) : -ENOTDIR;
    file_drop(&hold);
    return result;
}
