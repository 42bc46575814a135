// Open files of /host: from opening to closing, the requests that wait for a transfer, and what is
// done beside reading and writing.
#include <errno.h>
#include <sys/stat.h>

#include "aio/queue.h"
#include "arch/container.h"
#include "fs/p9fs_internal.h"

enum { SETATTR_SIZE = 0x8 };

// ---- Open files ----

static void on_file_status(struct p9_message *message, int error, struct p9_reader *reply)
{
    struct p9_transfer *transfer = p9_transfer_of(message);
    struct p9_file *file = transfer->file;
    if (!error)
        error = p9_take_file_status(reply, file);
    if (!error) {
        file->device.size_bytes = file->status.size;
    } else if (error == -ENOENT) { // It has no name any more, but is still there.
        file->status.size = file->device.size_bytes;
        file->status.links = 0;
        error = 0;
    }
    p9_call_of(transfer)->status = file->status;
    p9_finish(transfer, error);
}

static void on_truncate(struct p9_message *message, int error, struct p9_reader *reply)
{
    struct p9_transfer *transfer = p9_transfer_of(message);
    if (!error && !p9_complete(reply))
        error = -EIO;
    if (!error)
        transfer->file->device.size_bytes = p9_call_of(transfer)->size;
    p9_finish(transfer, error);
}

// Tsetattr: fid[4] valid[4] mode[4] uid[4] gid[4] size[8], and two times of seconds[8], ns[8].
static void send_truncate(struct p9_transfer *transfer)
{
    struct p9_writer writer;
    p9_start(&transfer->message, &writer, P9_TSETATTR);
    p9_put(&writer, transfer->file->fid, 4);
    p9_put(&writer, SETATTR_SIZE, 4);
    for (unsigned i = 0; i < 3; i++)
        p9_put(&writer, 0, 4);
    p9_put(&writer, p9_call_of(transfer)->size, 8);
    for (unsigned i = 0; i < 4; i++)
        p9_put(&writer, 0, 8);
    p9_send(&transfer->message, &writer, on_truncate);
}

// QEMU 7.2 makes longer or shorter what has the name that the file was opened by. That may be
// another file by now, which is not to be touched. Asked for the status of an open fid, a later 7.2
// tells of the file itself; asked for that of a fid walked to from there by no names, which is not
// open, of what has the name.
static void truncate_looked(struct p9_transfer *transfer, int error)
{
    if (error)
        p9_finish(transfer, error == -ENOENT || error == -ENOTDIR ? -ESTALE : error);
    else
        send_truncate(transfer);
}

static void on_look_clunk(struct p9_message *message, int error, struct p9_reader *reply)
{
    struct p9_transfer *transfer = p9_transfer_of(message);
    (void)error, (void)reply; // The fid is gone in any case: clunk(5).
    truncate_looked(transfer, transfer->looked);
}

static void end_look(struct p9_transfer *transfer, int error)
{
    transfer->looked = error;
    p9_send_fid(&transfer->message, P9_TCLUNK, transfer->fid, on_look_clunk);
}

static void on_look_status(struct p9_message *message, int error, struct p9_reader *reply)
{
    struct p9_transfer *transfer = p9_transfer_of(message);
    end_look(transfer, error ? error : p9_take_file_status(reply, transfer->file));
}

static void on_look(struct p9_message *message, int error, struct p9_reader *reply)
{
    struct p9_transfer *transfer = p9_transfer_of(message);
    bool exists = !error || reply->bad; // Or may.
    if (!error && (p9_get(reply, 2) != 0 || !p9_complete(reply)))
        error = -EIO;
    if (error && exists)
        end_look(transfer, error);
    else if (error)
        truncate_looked(transfer, error);
    else
        p9_send_getattr(message, transfer->fid, on_look_status);
}

static void truncate(struct p9_transfer *transfer)
{
    struct p9_writer writer;
    p9_start(&transfer->message, &writer, P9_TWALK);
    p9_put(&writer, transfer->file->fid, 4);
    p9_put(&writer, transfer->fid, 4);
    p9_put(&writer, 0, 2);
    p9_send(&transfer->message, &writer, on_look);
}

static void on_flushed(struct p9_message *message, int error, struct p9_reader *reply)
{
    if (!error && !p9_complete(reply))
        error = -EIO;
    p9_finish(p9_transfer_of(message), error);
}

// Tfsync: fid[4] datasync[4].
static void flush(struct p9_transfer *transfer)
{
    struct p9_writer writer;
    p9_start(&transfer->message, &writer, P9_TFSYNC);
    p9_put(&writer, transfer->file->fid, 4);
    p9_put(&writer, 0, 4);
    p9_send(&transfer->message, &writer, on_flushed);
}

static void begin_call(struct p9_transfer *transfer)
{
    enum fs_operation operation = p9_call_of(transfer)->operation;
    if (operation == FS_FILE_STATUS)
        p9_send_getattr(&transfer->message, transfer->file->fid, on_file_status);
    else if (operation == FS_TRUNCATE)
        truncate(transfer);
    else
        p9_begin_next_entry(transfer);
}

// ---- Transfers ----

// May a new request start at once? It does not overtake those that wait.
static bool can_start(const struct io_request *request)
{
    if (p9_appends(request))
        return p9fs.free && !p9fs.appender && !p9fs.queues[P9_APPENDS].head;
    return p9fs.free && !p9fs.priorities;
}

// Asks the server for what a request that can start wants.
static void start(struct io_request *request)
{
    struct p9_transfer *transfer = p9fs.free;
    p9fs.free = transfer->next;
    transfer->request = request;
    request->queue = P9_STARTED;
    transfer->file = (struct p9_file *)request->device; // Its first member.
    transfer->moved = transfer->fruitless = 0;
    transfer->message.exchange.request.priority = request->priority;
    if (p9_appends(request))
        p9fs.appender = transfer;
    if (request->op <= IO_WRITE)
        p9_begin_data(transfer);
    else if (request->op == IO_FLUSH)
        flush(transfer);
    else
        begin_call(transfer);
}

static void wait_for_transfer(struct io_request *request)
{
    request->queue = p9_appends(request) ? P9_APPENDS : request->priority;
    fifo_push(&p9fs.queues[request->queue], request);
    if (request->queue != P9_APPENDS)
        p9fs.priorities |= 1u << request->queue;
}

static void take_out(struct io_request *request)
{
    unsigned queue = request->queue;
    fifo_remove(&p9fs.queues[queue], request);
    if (!p9fs.queues[queue].head)
        p9fs.priorities &= ~(1u << queue);
}

// Result: the most urgent of those that wait and may start, or NULL. An append goes before others
// of its priority: as only one is under way, it keeps nobody for long.
static struct io_request *next_to_start(void)
{
    struct io_request *append = p9fs.appender ? NULL : p9fs.queues[P9_APPENDS].head;
    if (!p9fs.priorities)
        return append;
    unsigned first = (unsigned)__builtin_ctz(p9fs.priorities);
    return append && append->priority <= first ? append : p9fs.queues[first].head;
}

// Starts those that wait and can. One that completes inside leaves the next to the loop.
static void start_waiting(void)
{
    struct io_request *request;
    if (p9fs.starting)
        return;
    p9fs.starting = true;
    while (p9fs.free && (request = next_to_start()) != NULL) {
        take_out(request);
        start(request);
    }
    p9fs.starting = false;
}

void p9_finish(struct p9_transfer *transfer, ssize_t result)
{
    struct io_request *request = transfer->request;
    if (p9fs.appender == transfer)
        p9fs.appender = NULL;
    request->moved = transfer->moved;
    transfer->request = NULL; // Free before it is told: the next request may come from inside.
    transfer->next = p9fs.free;
    p9fs.free = transfer;
    start_waiting();
    device_complete(request, result);
}

// What can be said without asking the server. Result: 0: it has to be asked; 1: it is done.
static int answer(const struct p9_file *file, const struct io_request *request)
{
    const struct fs_call *call = (const struct fs_call *)request; // Its first member, if a call.
    if (request->op == IO_READ || request->op == IO_WRITE)
        return file->directory       ? -EISDIR
               : p9_too_far(request) ? (request->op == IO_READ ? -EINVAL : -EFBIG)
                                     : request->size == 0;
    if (request->op != IO_CALL)
        return request->op == IO_OPEN;
    switch (call->operation) {
    case FS_FILE_STATUS:
        return 0;
    case FS_TRUNCATE:
        return file->directory || !file->writable ? -EINVAL : call->size > INT64_MAX ? -EFBIG : 0;
    case FS_NEXT_ENTRY:
        return file->directory ? 0 : -ENOTDIR;
    default:
        return -EINVAL;
    }
}

static void file_submit(struct device *device, struct io_request *request)
{
    int answered = answer((struct p9_file *)device, request); // Its first member.
    if (answered != 0) {
        device_complete(request, answered < 0 ? answered : 0);
    } else if (can_start(request)) {
        start(request);
    } else {
        wait_for_transfer(request);
    }
}

static int file_cancel(struct device *device, struct io_request *request)
{
    (void)device;
    if (request->queue == P9_STARTED)
        return -EBUSY; // The server has it.
    take_out(request);
    device_complete(request, -ECANCELED);
    return 0;
}

// ---- From opening to closing ----

void p9_file_free(struct p9_file *file)
{
    if (file->directory)
        file->directory->used = false;
    file->directory = NULL;
    file->used = false;
}

static void on_closed(struct p9_message *message, int error, struct p9_reader *reply)
{
    (void)error, (void)reply; // The fid is gone in any case: clunk(5).
    p9_file_free(container_of(message, struct p9_file, closing));
}

static void file_release(struct device *device)
{
    struct p9_file *file = (struct p9_file *)device; // Its first member.
    p9_send_fid(&file->closing, P9_TCLUNK, file->fid, on_closed);
}

struct p9_file *p9_file_allocate(void)
{
    for (struct p9_file *file = p9fs.files; file < p9fs.files + P9_FILES; file++)
        if (!file->used) {
            file->used = true;
            file->directory = NULL;
            return file;
        }
    return NULL;
}

static struct p9_directory *directory_allocate(void)
{
    for (unsigned i = 0; i < P9_DIRECTORIES; i++) {
        struct p9_directory *directory = &p9fs.directories[i];
        if (!directory->used) {
            directory->used = true;
            directory->cookie = 0;
            directory->rest.left = 0;
            directory->rest.bad = false;
            return directory;
        }
    }
    return NULL;
}

static const struct device_ops file_ops = { .submit = file_submit,
                                            .cancel = file_cancel,
                                            .release = file_release };

int p9_file_setup(struct p9_file *file)
{
    struct device *device = &file->device;
    bool directory = S_ISDIR(file->status.mode);
    if (directory && !(file->directory = directory_allocate()))
        return -EMFILE;
    device->name = p9fs.device.name;
    device->ops = &file_ops;
    device->kind = directory ? DEVICE_DIRECTORY : DEVICE_FILE;
    device->size_bytes = file->status.size;
    device->block_bytes = 1;
    device->calls = true;
    device->lanes[0].depth = directory ? 1 : P9_TRANSFERS;
    device->statistics.completed = device->statistics.refused = 0;
    return 0;
}

void p9_files_init(void)
{
    for (unsigned i = 0; i < P9_DIRECTORIES; i++)
        p9fs.directories[i].used = false;
    p9fs.free = NULL;
    for (unsigned i = 0; i < P9_TRANSFERS; i++) {
        p9fs.transfers[i].next = p9fs.free;
        p9fs.free = &p9fs.transfers[i];
    }
    p9fs.appender = NULL;
    p9fs.starting = false;
    p9fs.priorities = 0;
    for (unsigned i = 0; i < P9_QUEUES; i++)
        p9fs.queues[i].head = p9fs.queues[i].tail = NULL;
}
