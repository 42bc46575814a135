// What is read and written on /host: a file's data, which go straight between the user's buffer and
// the device, message after message; a directory's entries, which are taken from a buffer of its
// own.
#include <errno.h>

#include "fs/names.h"
#include "fs/p9fs_internal.h"

enum { FRUITLESS_LIMIT = 3 }; // "." and ".." may fill a reply each; more of them would never end.

// ---- Reading and writing ----

static void send_piece(struct p9_transfer *transfer);

// An error after something has been moved ends the request short: the next one will meet it.
static void end_data(struct p9_transfer *transfer, int error)
{
    p9_finish(transfer, error && transfer->moved == 0 ? error : (ssize_t)transfer->moved);
}

// Bytes of the file are known to be there, up to here.
static void end_seen(struct device *device, uint64_t end)
{
    if (end > device->size_bytes)
        device->size_bytes = end;
}

static void on_piece(struct p9_message *message, int error, struct p9_reader *reply)
{
    struct p9_transfer *transfer = p9_transfer_of(message);
    const struct io_request *request = transfer->request;
    if (!error) {
        size_t count = (size_t)p9_get(reply, 4);
        size_t came = (size_t)message->exchange.request.result - P9_DATA_HEADER_BYTES;
        if (!p9_complete(reply) || count > transfer->piece)
            error = -EIO;
        else if (request->op == IO_READ && count != came)
            error = -EIO;
        else
            transfer->moved += count;
        if (!error && count > 0) // A read behind the end has seen nothing there.
            end_seen(&transfer->file->device, request->offset + transfer->moved);
        if (!error && count == transfer->piece && transfer->moved < request->size) {
            send_piece(transfer);
            return;
        }
    }
    end_data(transfer, error);
}

// Sends the next message of a read or write.
static void send_piece(struct p9_transfer *transfer)
{
    const struct io_request *request = transfer->request;
    struct exchange *exchange = &transfer->message.exchange;
    struct p9_writer writer;
    size_t left = request->size - transfer->moved;
    transfer->piece = left < p9fs.data_most ? left : p9fs.data_most;
    struct exchange_part data = { (uint8_t *)request->buffer + transfer->moved, transfer->piece };
    p9_start(&transfer->message, &writer, request->op == IO_READ ? P9_TREAD : P9_TWRITE);
    p9_put(&writer, transfer->file->fid, 4);
    p9_put(&writer, request->offset + transfer->moved, 8);
    p9_put(&writer, transfer->piece, 4);
    if (request->op == IO_READ) {
        exchange->in[0].size = P9_DATA_HEADER_BYTES; // An error fits exactly.
        exchange->in[1] = data;
        exchange->in_count = 2;
    } else {
        exchange->out[1] = data;
        exchange->out_count = 2;
    }
    p9_send(&transfer->message, &writer, on_piece);
}

// The end of the file is where this write goes, wherever others have moved it.
static void on_append_status(struct p9_message *message, int error, struct p9_reader *reply)
{
    struct p9_transfer *transfer = p9_transfer_of(message);
    struct p9_file *file = transfer->file;
    if (!error)
        error = p9_take_file_status(reply, file);
    if (!error)
        file->device.size_bytes = file->status.size;
    if (error && error != -ENOENT) { // Unlinked: only who has it open can have written to it.
        p9_finish(transfer, error);
        return;
    }
    transfer->request->offset = file->device.size_bytes;
    if (p9_too_far(transfer->request))
        p9_finish(transfer, -EFBIG);
    else
        send_piece(transfer);
}

void p9_begin_data(struct p9_transfer *transfer)
{
    if (p9_appends(transfer->request))
        p9_send_getattr(&transfer->message, transfer->file->fid, on_append_status);
    else
        send_piece(transfer);
}

// ---- Directories ----

static void next_entry(struct p9_transfer *transfer);

static bool is_dots(const char *name)
{
    size_t length = p9_length(name);
    return name_is_here(name, length) || name_is_above(name, length);
}

// Takes an entry from what has been read. Result: as p9_get_entry().
static int take_entry(struct p9_directory *directory, struct fs_entry *entry)
{
    int result;
    do {
        result = p9_get_entry(&directory->rest, entry);
        if (result > 0)
            directory->cookie = entry->cookie;
    } while (result > 0 && is_dots(entry->name));
    return result;
}

static int take_entries(struct p9_transfer *transfer, struct p9_reader *reply)
{
    struct p9_directory *directory = transfer->file->directory;
    size_t count = (size_t)p9_get(reply, 4);
    size_t came = (size_t)transfer->message.exchange.request.result - P9_DATA_HEADER_BYTES;
    if (reply->bad || count > transfer->piece || count != came)
        return -EIO;
    directory->rest = *reply; // The data follow.
    return count > 0;
}

static void on_readdir(struct p9_message *message, int error, struct p9_reader *reply)
{
    struct p9_transfer *transfer = p9_transfer_of(message);
    int result = error ? error : take_entries(transfer, reply);
    if (result > 0)
        next_entry(transfer);
    else
        p9_finish(transfer, result);
}

static void read_directory(struct p9_transfer *transfer)
{
    struct p9_directory *directory = transfer->file->directory;
    struct exchange_part *in = &transfer->message.exchange.in[0];
    struct p9_writer writer;
    transfer->piece = p9fs.data_most < P9_DIRECTORY_BYTES ? p9fs.data_most : P9_DIRECTORY_BYTES;
    p9_start(&transfer->message, &writer, P9_TREADDIR);
    in->base = directory->bytes;
    in->size = P9_DATA_HEADER_BYTES + transfer->piece;
    p9_put(&writer, transfer->file->fid, 4);
    p9_put(&writer, directory->cookie, 8);
    p9_put(&writer, transfer->piece, 4);
    p9_send(&transfer->message, &writer, on_readdir);
}

// Gives the next entry of those that have been read, or reads more.
static void next_entry(struct p9_transfer *transfer)
{
    struct p9_directory *directory = transfer->file->directory;
    int result = take_entry(directory, p9_call_of(transfer)->entry);
    if (result == 0 && ++transfer->fruitless > FRUITLESS_LIMIT)
        result = -EIO;
    if (result < 0)
        directory->rest.left = 0;
    if (result != 0)
        p9_finish(transfer, result);
    else
        read_directory(transfer);
}

void p9_begin_next_entry(struct p9_transfer *transfer)
{
    struct p9_directory *directory = transfer->file->directory;
    const struct fs_call *call = p9_call_of(transfer);
    if (call->cookie == 0 || call->cookie != directory->cookie) {
        directory->rest.left = 0; // From the beginning, or from elsewhere: it is read anew.
        directory->rest.bad = false;
        directory->cookie = call->cookie;
    }
    next_entry(transfer);
}
