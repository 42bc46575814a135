// What is done by name. The path leads to a file system, which is asked; opening then asks the
// device that it gives whether it is ready.
#include <errno.h>
#include <sys/stat.h>

#include "aio/core.h"
#include "arch/container.h"
#include "arch/cpu.h"
#include "arch/memory.h"
#include "fs/file.h"
#include "fs/mount.h"
#include "fs/open_files.h"

// Names under the root of a file system are its own; that one belongs to the mount table.
static int mount_point_refuses(enum fs_operation operation)
{
    switch (operation) {
    case FS_UNLINK:
        return -EISDIR;
    case FS_MKDIR:
        return -EEXIST;
    case FS_RMDIR:
    case FS_RENAME:
        return -EBUSY;
    default:
        return 0;
    }
}

// "." and ".." are no entry of their directory that could be made or removed. 0: that is not asked.
static int dots_refuse(const char *dots, const struct fs_call *call)
{
    switch (call->operation) {
    case FS_OPEN:
        return !(call->flags & O_CREAT) ? 0 : call->flags & O_EXCL ? -EEXIST : -EISDIR;
    case FS_UNLINK:
        return -EISDIR;
    case FS_MKDIR:
        return -EEXIST;
    case FS_RMDIR:
        return dots[1] ? -ENOTEMPTY : -EINVAL; // A parent has at least an entry.
    case FS_RENAME:
        return -EBUSY;
    default:
        return 0;
    }
}

// Only what is there is refused for what it is. Result: 0, or -errno.
static int check_dots(const struct fs_path *where, const struct fs_call *call)
{
    struct fs_call look = { .operation = FS_STATUS, .path = where->rest, .directory = true };
    int refusal = where->dots ? dots_refuse(where->dots, call) : 0;
    int error = refusal ? fs_call_and_wait(where->fs, &look) : 0;
    return error ? error : refusal;
}

static int call_at(const struct fs_path *where, struct fs_call *call)
{
    int error = check_dots(where, call);
    if (!error && !*where->rest)
        error = mount_point_refuses(call->operation);
    if (error)
        return error;
    call->path = where->rest;
    call->directory = where->directory;
    return fs_call_and_wait(where->fs, call);
}

static int call_by_name(const char *path, struct fs_call *call)
{
    struct fs_path where;
    int error = path_resolve(path, &where);
    return error ? error : call_at(&where, call);
}

// Asks a device whether it can be used: a card may not be there. What a file system keeps it has
// just opened.
static int ask_whether_ready(struct device *device)
{
    struct io_request request = { .op = IO_OPEN };
    if (device->kind == DEVICE_FILE || device->kind == DEVICE_DIRECTORY)
        return 0;
    struct io_guard guard;
    io_guard_begin(&guard, &request);
    int error = io_submit(device, &request);
    int result = error ? error : (int)io_wait(&request);
    io_guard_end(&guard);
    return result;
}

// What no file system need look at.
static int check_opened(const struct device *device, int flags)
{
    bool writing = (flags & O_ACCMODE) != O_RDONLY;
    if (device->kind != DEVICE_DIRECTORY)
        return flags & O_DIRECTORY ? -ENOTDIR : device->read_only && writing ? -EACCES : 0;
    return writing ? -EISDIR : 0;
}

struct opening {
    struct unwind unwind; // It may be left by a jump.
    struct fs_call call;  // Its device, once it has one, is retained.
    int fd;               // Negative: there is none.
};

static void give_back(struct unwind *unwind)
{
    const struct opening *opening = container_of(unwind, struct opening, unwind);
    if (opening->call.device)
        io_close(opening->call.device);
    if (opening->fd >= 0)
        descriptor_free(opening->fd);
}

// Result: 0 and the device in the call; or -errno.
static int open_device(const char *path, struct fs_call *call)
{
    int error = call_by_name(path, call);
    if (!error)
        error = check_opened(call->device, call->flags);
    return error ? error : ask_whether_ready(call->device);
}

int file_open(const char *path, int flags, mode_t mode)
{
    const int both = O_CREAT | O_DIRECTORY;
    struct opening opening = { .call = { .operation = FS_OPEN, .flags = flags, .mode = mode } };
    if ((flags & O_ACCMODE) == O_ACCMODE || (flags & both) == both)
        return -EINVAL;
    uint32_t saved = irq_save();
    opening.fd = descriptor_reserve(0); // Nothing is created that could not be used.
    unwind_push(&opening.unwind, give_back);
    irq_restore(saved);
    int error = opening.fd < 0 ? opening.fd : open_device(path, &opening.call);
    if (error) {
        unwind_end(&opening.unwind);
        return error;
    }
    saved = irq_save();
    unwind_pop(&opening.unwind);
    descriptor_open(opening.fd, opening.call.device, flags);
    irq_restore(saved);
    return opening.fd;
}

int file_try_open(const char *path, int flags)
{
    struct opening opening = { .call = { .operation = FS_OPEN, .flags = flags }, .fd = -1 };
    unwind_push(&opening.unwind, give_back);
    int error = open_device(path, &opening.call);
    unwind_end(&opening.unwind);
    return error;
}

int file_status_of(const char *path, bool follow, struct fs_status *status)
{
    struct fs_call call = { .operation = FS_STATUS, .no_follow = !follow };
    int error = call_by_name(path, &call);
    *status = call.status;
    return error;
}

int file_read_link(const char *path, char *text, size_t size)
{
    struct fs_call look = { .operation = FS_STATUS, .no_follow = true };
    struct fs_call call = { .operation = FS_READ_LINK, .text = text, .text_room = size };
    struct fs_path where;
    if (memory_check((uintptr_t)text, size, MEMORY_DESTINATION))
        return -EFAULT;
    int error = path_resolve(path, &where);
    if (!error)
        error = call_at(&where, &look);
    if (!error && !S_ISLNK(look.status.mode))
        error = -EINVAL;
    return error ? error : call_at(&where, &call);
}

int file_unlink(const char *path)
{
    struct fs_call call = { .operation = FS_UNLINK };
    return call_by_name(path, &call);
}

int file_make_directory(const char *path, mode_t mode)
{
    struct fs_call call = { .operation = FS_MKDIR, .mode = mode };
    return call_by_name(path, &call);
}

int file_remove_directory(const char *path)
{
    struct fs_call call = { .operation = FS_RMDIR };
    return call_by_name(path, &call);
}

int file_rename(const char *from, const char *to)
{
    struct fs_call call = { .operation = FS_RENAME };
    struct fs_path source, target;
    int error = path_resolve(from, &source);
    if (!error)
        error = path_resolve(to, &target);
    if (!error)
        error = check_dots(&target, &call);
    if (!error)
        error = check_dots(&source, &call);
    if (error)
        return error;
    if (!*source.rest || !*target.rest)
        return -EBUSY;
    if (source.fs != target.fs)
        return -EXDEV;
    call.to = target.rest;
    source.directory |= target.directory; // One cannot become the other.
    return call_at(&source, &call);
}

int file_change_directory(const char *path)
{
    struct fs_call call = { .operation = FS_STATUS };
    struct fs_path where;
    int error = path_resolve(path, &where);
    if (error)
        return error;
    call.text = where.text + (where.rest - where.text); // Where links lead is where it is.
    call.text_room = (size_t)(where.text + FS_PATH_LIMIT - call.text);
    error = call_at(&where, &call);
    if (error)
        return error;
    if (!S_ISDIR(call.status.mode))
        return -ENOTDIR;
    path_set_working_directory(&where);
    return 0;
}
