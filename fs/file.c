// The table of descriptors, the pool of open files, and the way of a request through them.
#include "fs/file.h"

#include <errno.h>

#include "aio/core.h"
#include "aio/poll.h"
#include "arch/assert.h"
#include "arch/container.h"
#include "arch/cpu.h"
#include "fs/open_files.h"

// A call that waits may hold a file whose descriptors are all closed: main's and a callback's, and
// those of handlers, which run inside a callback's wait. Once these have no more room: ENFILE.
enum { WAITING_CALLS = 2, FILES = FILE_LIMIT + WAITING_CALLS };
enum { STATUS_FLAGS = O_ACCMODE | O_APPEND | O_NONBLOCK | FILE_SYNC };

// Where descriptors lead that are free, or taken by an open() that has not ended.
static struct file closed, opening;
static struct file files[FILES];
static struct file *descriptors[FILE_LIMIT] = { [0 ... FILE_LIMIT - 1] = &closed };

static bool close_on_exec[FILE_LIMIT]; // Marks; of no meaning while a descriptor is free.

static void (*on_close)(int fd);

// Result: an open file; without a device when the descriptor is not open.
static inline struct file *file_at(int fd)
{
    return (unsigned)fd < FILE_LIMIT ? descriptors[fd] : &closed;
}

static bool mode_allows(int flags, enum io_op op)
{
    int mode = flags & O_ACCMODE;
    return (op == IO_READ && mode != O_WRONLY) || (op == IO_WRITE && mode != O_RDONLY) ||
           op > IO_WRITE;
}

// What the file's flags add to a request.
static uint8_t added_flags(const struct file *file, enum io_op op)
{
    bool append = op == IO_WRITE && file->flags & O_APPEND && file->device->kind == DEVICE_FILE;
    bool sync = op == IO_WRITE && file->flags & FILE_SYNC && file->device->kind != DEVICE_STREAM;
    return (file->flags & O_NONBLOCK ? IO_NONBLOCK : 0) | (append ? IO_APPEND : 0) |
           (sync ? IO_SYNC : 0);
}

// Everything but a read or write that needs no questions.
static __attribute__((noinline)) int submit_otherwise(const struct file *file,
                                                      struct io_request *request, uint8_t without)
{
    if (!file->device || !mode_allows(file->flags, request->op))
        return -EBADF;
    if (request->op <= IO_WRITE && file->device->kind == DEVICE_DIRECTORY)
        return -EISDIR;
    request->flags |= added_flags(file, request->op) & (uint8_t)~without;
    return io_submit(file->device, request);
}

inline int file_submit(struct file *file, struct io_request *request)
{
    struct device *device = request->op <= IO_WRITE ? file->direct[request->op] : NULL;
    return device ? io_submit(device, request) : submit_otherwise(file, request, 0);
}

int file_submit_at(struct file *file, struct io_request *request)
{
    return submit_otherwise(file, request, IO_APPEND);
}

int file_submit_locked(int fd, struct io_request *request)
{
    return file_submit(file_at(fd), request);
}

inline struct device *file_direct_locked(int fd, enum io_op op)
{
    return file_at(fd)->direct[op];
}

ssize_t file_submit_and_wait(struct file *file, struct io_request *request)
{
    struct io_guard guard;
    io_guard_begin(&guard, request);
    int error = file_submit(file, request);
    ssize_t result = error ? error : io_wait(request);
    io_guard_end(&guard);
    return result;
}

int file_poll_locked(int fd, struct io_request *request, unsigned events)
{
    struct device *device = file_at(fd)->device;
    return device ? io_poll(device, request, events) : -EBADF;
}

struct file file_snapshot(int fd)
{
    uint32_t saved = irq_save();
    struct file copy = *file_at(fd);
    irq_restore(saved);
    return copy;
}

void file_refused(int fd)
{
    uint32_t saved = irq_save();
    struct device *device = file_at(fd)->device;
    if (device)
        device->statistics.refused++;
    irq_restore(saved);
}

static void set_flags(struct file *file, int flags)
{
    bool directory = file->device->kind == DEVICE_DIRECTORY;
    file->flags = flags & STATUS_FLAGS;
    for (enum io_op op = IO_READ; op <= IO_WRITE; op++) {
        bool direct = mode_allows(flags, op) && !directory && !added_flags(file, op);
        file->direct[op] = direct ? file->device : NULL;
    }
}

static void drop_locked(struct file *file)
{
    struct device *device = file->device;
    if (--file->references > 0)
        return;
    *file = closed;
    io_close(device);
}

static void let_go(struct unwind *unwind)
{
    drop_locked(container_of(unwind, struct file_hold, unwind)->file);
}

struct file *file_hold(struct file_hold *hold, int fd)
{
    uint32_t saved = irq_save();
    struct file *file = file_at(fd);
    if (file->device) {
        file->references++;
        hold->file = file;
        unwind_push(&hold->unwind, let_go);
    } else {
        file = NULL;
    }
    irq_restore(saved);
    return file;
}

void file_drop(struct file_hold *hold)
{
    unwind_end(&hold->unwind);
}

// Leads the lowest free descriptor from `lowest` on to a file. Result: it, or -EMFILE.
static int lead_lowest_locked(int lowest, struct file *file)
{
    int fd = lowest;
    while (fd < FILE_LIMIT && descriptors[fd] != &closed)
        fd++;
    if (fd >= FILE_LIMIT)
        return -EMFILE;
    descriptors[fd] = file;
    close_on_exec[fd] = false;
    return fd;
}

// Is there a file for one more descriptor, beside those that are being opened?
static bool is_file_free_locked(void)
{
    int left = 0;
    for (int i = 0; i < FILES; i++)
        left += files[i].references == 0;
    for (int fd = 0; fd < FILE_LIMIT; fd++)
        left -= descriptors[fd] == &opening;
    return left > 0;
}

int descriptor_reserve(int lowest)
{
    uint32_t saved = irq_save();
    int fd = is_file_free_locked() ? lead_lowest_locked(lowest, &opening) : -ENFILE;
    irq_restore(saved);
    return fd;
}

void descriptor_open(int fd, struct device *device, int flags)
{
    uint32_t saved = irq_save();
    struct file *file = files;
    while (file < files + FILES && file->references > 0)
        file++;
    assert(file < files + FILES);
    file->device = device;
    file->position = 0;
    file->references = 1;
    set_flags(file, flags);
    descriptors[fd] = file;
    close_on_exec[fd] = flags & O_CLOEXEC;
    irq_restore(saved);
}

void descriptor_free(int fd)
{
    descriptors[fd] = &closed;
}

int file_install(struct device *device, int flags, int lowest)
{
    int fd = descriptor_reserve(lowest);
    if (fd < 0)
        return fd;
    io_retain(device);
    descriptor_open(fd, device, flags);
    return fd;
}

void file_on_close(void (*closed)(int fd))
{
    on_close = closed;
}

// A descriptor ceases to lead to this file.
static void leave_locked(int fd, struct file *file)
{
    const struct io_lane *lanes = file->device->lanes;
    unsigned in_flight = lanes[0].in_flight + lanes[1].in_flight;
    if (on_close && (in_flight > 0 || (lanes[0].waiting | lanes[1].waiting) != 0))
        on_close(fd);
    drop_locked(file);
}

int file_close(int fd)
{
    uint32_t saved = irq_save();
    struct file *file = file_at(fd);
    bool open = file->device != NULL;
    if (open) {
        descriptors[fd] = &closed;
        leave_locked(fd, file);
    }
    irq_restore(saved);
    return open ? 0 : -EBADF;
}

static int duplicate_locked(struct file *file, int lowest)
{
    if (!file->device)
        return -EBADF;
    if (lowest < 0 || lowest >= FILE_LIMIT)
        return -EINVAL;
    int fd = lead_lowest_locked(lowest, file);
    if (fd >= 0)
        file->references++;
    return fd;
}

static int duplicate_to_locked(struct file *file, int to)
{
    if (!file->device || (unsigned)to >= FILE_LIMIT)
        return -EBADF;
    struct file *before = descriptors[to];
    if (before == &opening)
        return -EBUSY;
    if (before == file)
        return to;
    descriptors[to] = file;
    close_on_exec[to] = false;
    file->references++;
    if (before != &closed)
        leave_locked(to, before);
    return to;
}

int file_duplicate(int fd, int lowest)
{
    uint32_t saved = irq_save();
    int copy = duplicate_locked(file_at(fd), lowest);
    irq_restore(saved);
    return copy;
}

int file_duplicate_to(int fd, int to)
{
    uint32_t saved = irq_save();
    int copy = duplicate_to_locked(file_at(fd), to);
    irq_restore(saved);
    return copy;
}

int file_close_on_exec(int fd)
{
    return file_snapshot(fd).device ? close_on_exec[fd] : -EBADF;
}

int file_set_close_on_exec(int fd, bool mark)
{
    uint32_t saved = irq_save();
    bool open = file_at(fd)->device != NULL;
    if (open)
        close_on_exec[fd] = mark;
    irq_restore(saved);
    return open ? 0 : -EBADF;
}

int file_flags(int fd)
{
    struct file file = file_snapshot(fd);
    return file.device ? file.flags : -EBADF;
}

int file_set_flags(int fd, int flags)
{
    const int settable = O_APPEND | O_NONBLOCK;
    uint32_t saved = irq_save();
    struct file *file = file_at(fd);
    bool open = file->device != NULL;
    if (open)
        set_flags(file, (file->flags & ~settable) | (flags & settable));
    irq_restore(saved);
    return open ? 0 : -EBADF;
}
