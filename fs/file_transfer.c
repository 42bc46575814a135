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

static ssize_t transfer_wait(struct file *file, struct io_request *request,
                             int (*submit)(struct file *, struct io_request *))
{
    unsigned before = interruptions();
    int error = submit(file, request);
    if (error)
        return error;
    ssize_t result = io_wait_until(request, is_interrupted, &before);
    if (result != -ECANCELED)
        return result;
    return request->moved > 0 ? (ssize_t)request->moved : -EINTR;
}

static ssize_t transfer(int fd, enum io_op op, void *buffer, size_t size)
{
    struct file_hold hold;
    struct file *file = file_hold(&hold, fd);
    if (!file)
        return -EBADF;
    struct io_request request = {
        .op = op, .offset = position_get(file), .buffer = buffer, .size = size
    };
    ssize_t result = transfer_wait(file, &request, file_submit);
    // An appending write has been told by the device where it went.
    if (result > 0 && can_seek(file))
        position_set(file, request.offset + (uint64_t)result);
    file_drop(&hold);
    return result;
}

ssize_t file_read(int fd, void *buffer, size_t size)
{
    return transfer(fd, IO_READ, buffer, size);
}

ssize_t file_write(int fd, const void *buffer, size_t size)
{
    return transfer(fd, IO_WRITE, (void *)(uintptr_t)buffer, size);
}

static ssize_t transfer_at(int fd, enum io_op op, void *buffer, size_t size, uint64_t offset)
{
    struct io_request request = { .op = op, .offset = offset, .buffer = buffer, .size = size };
    struct file_hold hold;
    struct file *file = file_hold(&hold, fd);
    if (!file)
        return -EBADF;
    ssize_t result = can_seek(file) ? transfer_wait(file, &request, file_submit_at) : -ESPIPE;
    file_drop(&hold);
    return result;
}

ssize_t file_read_at(int fd, void *buffer, size_t size, uint64_t offset)
{
    return transfer_at(fd, IO_READ, buffer, size, offset);
}

ssize_t file_write_at(int fd, const void *buffer, size_t size, uint64_t offset)
{
    return transfer_at(fd, IO_WRITE, (void *)(uintptr_t)buffer, size, offset);
}

int file_flush(int fd)
{
    struct io_request request = { .op = IO_FLUSH };
    struct file_hold hold;
    struct file *file = file_hold(&hold, fd);
    if (!file)
        return -EBADF;
    ssize_t result = file_submit_and_wait(file, &request);
    file_drop(&hold);
    return (int)result;
}

int fs_call_and_wait(struct device *device, struct fs_call *call)
{
    call->request.op = IO_CALL;
    int error = io_submit(device, &call->request);
    return error ? error : (int)io_wait(&call->request);
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
