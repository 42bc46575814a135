// Descriptors over devices.
#include "fs/file.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "aio/core.h"
#include "aio/poll.h"
#include "arch/cpu.h"
#include "fs/devfs.h"

static struct file files[FILE_LIMIT]; // A free one has no device.

static inline struct file *file_get(int fd)
{
    return (unsigned)fd < FILE_LIMIT && files[fd].device ? &files[fd] : NULL;
}

struct file file_snapshot(int fd)
{
    struct file copy = { NULL, 0, 0, 0, 0 };
    uint32_t flags = irq_save();
    const struct file *file = file_get(fd);
    if (file)
        copy = *file;
    irq_restore(flags);
    return copy;
}

static bool mode_allows(int flags, enum io_op op)
{
    int mode = flags & O_ACCMODE;
    return (op == IO_READ && mode != O_WRONLY) || (op == IO_WRITE && mode != O_RDONLY) ||
           op > IO_WRITE;
}

static inline int submit(const struct file *file, struct io_request *request)
{
    if (!file->device || !mode_allows(file->flags, request->op))
        return -EBADF;
    if (__builtin_expect((file->flags & O_NONBLOCK) != 0, false))
        request->flags |= IO_NONBLOCK;
    return io_submit(file->device, request);
}

// A request and a wait: what every blocking call is.
static ssize_t submit_and_wait(const struct file *file, struct io_request *request)
{
    int error = submit(file, request);
    return error ? error : io_wait(request);
}

static int descriptor_allocate(struct device *device, int flags)
{
    uint32_t saved = irq_save();
    int fd = 0;
    while (fd < FILE_LIMIT && files[fd].device)
        fd++;
    if (fd < FILE_LIMIT) {
        files[fd].device = device;
        files[fd].position = 0;
        files[fd].flags = flags;
        files[fd].opening++;
    }
    irq_restore(saved);
    return fd < FILE_LIMIT ? fd : -EMFILE;
}

int file_open(const char *path, int flags, mode_t mode)
{
    (void)mode;
    struct io_request request = { .op = IO_OPEN };
    if (!path)
        return -EFAULT;
    struct device *device = devfs_lookup(path);
    if (!device)
        return -ENOENT;
    if ((flags & O_ACCMODE) > O_RDWR)
        return -EINVAL;
    if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
        return -EEXIST;
    if (device->read_only && (flags & O_ACCMODE) != O_RDONLY)
        return -EACCES;
    const struct file file = { .device = device };
    ssize_t error = submit_and_wait(&file, &request);
    return error < 0 ? (int)error : descriptor_allocate(device, flags);
}

int file_close(int fd)
{
    uint32_t flags = irq_save();
    struct file *file = file_get(fd);
    if (file)
        file->device = NULL;
    irq_restore(flags);
    return file ? 0 : -EBADF;
}

inline int file_submit_locked(int fd, struct io_request *request)
{
    const struct file *file = file_get(fd);
    return file ? submit(file, request) : -EBADF;
}

int file_poll_locked(int fd, struct io_request *request, unsigned events)
{
    const struct file *file = file_get(fd);
    return file ? io_poll(file->device, request, events) : -EBADF;
}

void file_refused(int fd)
{
    uint32_t flags = irq_save();
    struct file *file = file_get(fd);
    if (file)
        file->device->statistics.refused++;
    irq_restore(flags);
}

// Moves a file's position by what was done, unless it has been closed meanwhile.
static void advance(int fd, const struct file *before, size_t bytes)
{
    uint32_t flags = irq_save();
    struct file *file = file_get(fd);
    if (file && file->opening == before->opening)
        file->position = before->position + bytes;
    irq_restore(flags);
}

static ssize_t transfer(int fd, enum io_op op, void *buffer, size_t size)
{
    struct file file = file_snapshot(fd);
    struct io_request request = {
        .op = op, .offset = file.position, .buffer = buffer, .size = size
    };
    ssize_t result = submit_and_wait(&file, &request);
    if (result > 0 && file.device->kind == DEVICE_BLOCK)
        advance(fd, &file, (size_t)result);
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

int file_flush(int fd)
{
    struct io_request request = { .op = IO_FLUSH };
    struct file file = file_snapshot(fd);
    return (int)submit_and_wait(&file, &request);
}

static int64_t seek_locked(struct file *file, int64_t offset, int whence)
{
    if (file->device->kind != DEVICE_BLOCK)
        return -ESPIPE;
    int64_t base = whence == SEEK_SET   ? 0
                   : whence == SEEK_CUR ? (int64_t)file->position
                   : whence == SEEK_END ? (int64_t)file->device->size_bytes
                                        : -1;
    int64_t position;
    if (base < 0)
        return -EINVAL;
    if (__builtin_add_overflow(base, offset, &position))
        return -EOVERFLOW;
    if (position < 0)
        return -EINVAL;
    file->position = (uint64_t)position;
    return position;
}

int64_t file_seek(int fd, int64_t offset, int whence)
{
    uint32_t flags = irq_save(); // Another level may close it.
    struct file *file = file_get(fd);
    int64_t position = file ? seek_locked(file, offset, whence) : -EBADF;
    irq_restore(flags);
    return position;
}

int file_stat(int fd, struct stat *status)
{
    const struct device *device = file_snapshot(fd).device;
    if (!device)
        return -EBADF;
    *status = (struct stat){ 0 };
    status->st_mode = (device->kind == DEVICE_BLOCK ? S_IFBLK : S_IFCHR) |
                      (device->read_only ? 0444 : 0666);
    status->st_nlink = 1;
    status->st_blksize = 4096;
    if (device->size_bytes > (uint64_t)LONG_MAX)
        return -EOVERFLOW;
    status->st_size = (off_t)device->size_bytes;
    return 0;
}
