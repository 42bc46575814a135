// The file system /host: messages, the session, and the life of a chain.
#include <errno.h>
#include <sys/stat.h>

#include "aio/core.h"
#include "fs/p9fs_internal.h"

struct p9fs p9fs;

// ---- Messages ----

void p9_start(struct p9_message *message, struct p9_writer *writer, enum p9_type type)
{
    message->type = type;
    message->tag_sent = type == P9_TVERSION ? P9_NO_TAG : message->tag;
    message->exchange.out_count = message->exchange.in_count = 1;
    message->exchange.in[0].base = message->in;
    message->exchange.in[0].size = message->in_room;
    p9_begin(writer, message->out, message->out_room, type, message->tag_sent);
}

// Holds a reply against what was asked.
static int reply_check(const struct p9_message *message, struct p9_reader *reply)
{
    const struct exchange *exchange = &message->exchange;
    size_t here = exchange->in[0].size;
    size_t room = here + (exchange->in_count > 1 ? exchange->in[1].size : 0);
    *reply = (struct p9_reader){ .bad = true };
    if (exchange->request.result < 0)
        return (int)exchange->request.result;
    size_t received = (size_t)exchange->request.result;
    if (received > room)
        return -EIO;
    return p9_reply(reply, exchange->in[0].base, here, received, message->type, message->tag_sent);
}

static void exchanged(struct io_request *request)
{
    struct p9_message *message = (struct p9_message *)request; // Its first member's first.
    struct p9_reader reply;
    int error = reply_check(message, &reply);
    message->then(message, error, &reply);
}

void p9_send(struct p9_message *message, struct p9_writer *writer, p9_then *then)
{
    struct exchange *exchange = &message->exchange;
    size_t data = exchange->out_count > 1 ? exchange->out[1].size : 0;
    exchange->out[0].base = message->out;
    exchange->out[0].size = p9_end(writer, data);
    exchange->request.op = IO_CALL;
    exchange->request.done = exchanged;
    message->then = then;
    int error = exchange->out[0].size == 0 ? -EIO : io_submit(p9fs.channel, &exchange->request);
    if (error)
        io_fail(&exchange->request, error); // So that then() is never called from here.
}

void p9_send_fid(struct p9_message *message, enum p9_type type, uint32_t fid, p9_then *then)
{
    struct p9_writer writer;
    p9_start(message, &writer, type);
    p9_put(&writer, fid, 4);
    p9_send(message, &writer, then);
}

void p9_send_getattr(struct p9_message *message, uint32_t fid, p9_then *then)
{
    enum { GETATTR_BASIC = 0x7ff }; // Up to the number of blocks: all that stat() knows.
    struct p9_writer writer;
    p9_start(message, &writer, P9_TGETATTR);
    p9_put(&writer, fid, 4);
    p9_put(&writer, GETATTR_BASIC, 8);
    p9_send(message, &writer, then);
}

int p9_take_status(struct p9_reader *reply, struct fs_status *status)
{
    struct fs_status said;
    int error = p9_get_status(reply, &said);
    if (error)
        return error;
    *status = said;
    if (said.block_bytes == 0 || said.block_bytes > P9_BLOCK_BYTES)
        status->block_bytes = P9_BLOCK_BYTES;
    return 0;
}

int p9_take_file_status(struct p9_reader *reply, struct p9_file *file)
{
    struct fs_status said;
    int error = p9_take_status(reply, &said);
    if (error)
        return error;
    if (said.inode != file->status.inode || (said.mode ^ file->status.mode) & S_IFMT)
        return -ENOENT;
    file->status = said;
    return 0;
}

static void message_init(struct p9_message *message, uint16_t tag, uint8_t *out, size_t out_room,
                         uint8_t *in, size_t in_room)
{
    message->tag = tag;
    message->out = out;
    message->out_room = out_room;
    message->in = in;
    message->in_room = in_room;
}

// ---- The session ----

// Begins or ends all who wait for the session, this chain first: it has made it, or failed to.
static void session_end(struct p9_chain *chain, int error)
{
    p9fs.session = error ? P9_CLOSED : P9_OPEN;
    chain->next = p9fs.waiting;
    p9fs.waiting = NULL; // Whoever fails may call again from inside, and then waits anew.
    while (chain) {
        struct p9_chain *next = chain->next;
        if (error)
            p9_chain_end(chain, error);
        else
            p9_call_begin(chain);
        chain = next;
    }
}

static void on_attach(struct p9_message *message, int error, struct p9_reader *reply)
{
    p9_get_qid(reply);
    if (!error && !p9_complete(reply))
        error = -EIO;
    session_end((struct p9_chain *)message, error);
}

static void attach(struct p9_chain *chain)
{
    struct p9_writer writer;
    p9_start(&chain->message, &writer, P9_TATTACH);
    p9_put(&writer, P9_ROOT_FID, 4);
    p9_put(&writer, P9_NOBODY, 4); // No fid of an authentication.
    p9_put_name(&writer, NULL, 0); // The user's name,
    p9_put_name(&writer, NULL, 0); // the tree's: there is one.
    p9_put(&writer, P9_NOBODY, 4); // Files that are created keep the server's own user.
    p9_send(&chain->message, &writer, on_attach);
}

static const char version[] = "9P2000.L";
enum { VERSION_LENGTH = sizeof version - 1 };

static int version_check(struct p9_reader *reply)
{
    size_t length;
    size_t msize = (size_t)p9_get(reply, 4);
    const char *name = p9_get_name(reply, &length);
    if (!p9_complete(reply) || msize > P9_MSIZE || msize < P9_MSIZE_LEAST)
        return -EIO;
    if (length != VERSION_LENGTH)
        return -EPROTONOSUPPORT;
    for (size_t i = 0; i < length; i++)
        if (name[i] != version[i])
            return -EPROTONOSUPPORT;
    p9fs.data_most = msize - P9_IO_HEADER_BYTES;
    return 0;
}

static void on_version(struct p9_message *message, int error, struct p9_reader *reply)
{
    struct p9_chain *chain = (struct p9_chain *)message;
    if (!error)
        error = version_check(reply);
    if (error)
        session_end(chain, error);
    else
        attach(chain);
}

// The server forgets all fids of a session before.
static void session_begin(struct p9_chain *chain)
{
    struct p9_writer writer;
    p9fs.session = P9_OPENING;
    p9_start(&chain->message, &writer, P9_TVERSION);
    p9_put(&writer, P9_MSIZE, 4);
    p9_put_name(&writer, version, VERSION_LENGTH);
    p9_send(&chain->message, &writer, on_version);
}

// ---- Chains ----

static void on_clunk(struct p9_message *message, int error, struct p9_reader *reply)
{
    struct p9_chain *chain = (struct p9_chain *)message;
    (void)error, (void)reply; // The fid is gone in any case: clunk(5).
    p9_chain_end(chain, chain->result);
}

void p9_chain_end(struct p9_chain *chain, int result)
{
    struct io_request *request = chain->request;
    chain->result = result;
    for (unsigned i = 0; i < P9_CHAIN_FIDS; i++)
        if (chain->exists[i]) {
            chain->exists[i] = false;
            p9_send_fid(&chain->message, P9_TCLUNK, chain->fids[i], on_clunk);
            return;
        }
    if (chain->file)
        p9_file_free(chain->file);
    chain->request = NULL; // Free before it is told: the next request may come from inside.
    device_complete(request, result);
}

// There is always a free one: as many as the lane has requests in flight.
static struct p9_chain *chain_allocate(struct io_request *request)
{
    struct p9_chain *chain = p9fs.chains;
    while (chain->request)
        chain++;
    unsigned number = (unsigned)(chain - p9fs.chains);
    chain->request = request;
    chain->next = NULL;
    chain->file = NULL;
    chain->tries = 0;
    for (unsigned i = 0; i < P9_CHAIN_FIDS; i++) {
        chain->fids[i] = P9_FIRST_CHAIN_FID + number * P9_CHAIN_FIDS + i;
        chain->exists[i] = false;
    }
    chain->message.exchange.request.priority = request->priority;
    return chain;
}

static void p9fs_submit(struct device *device, struct io_request *request)
{
    (void)device;
    if (request->op == IO_READ || request->op == IO_WRITE || request->op == IO_FLUSH) {
        device_complete(request, request->op == IO_FLUSH ? 0 : -EISDIR);
        return;
    }
    struct p9_chain *chain = chain_allocate(request);
    if (p9fs.session == P9_OPEN) {
        p9_call_begin(chain);
    } else if (p9fs.session == P9_CLOSED) {
        session_begin(chain);
    } else {
        struct p9_chain **link = &p9fs.waiting;
        while (*link)
            link = &(*link)->next;
        *link = chain;
    }
}

static const struct device_ops p9fs_ops = { .submit = p9fs_submit };

struct device *p9fs_init(struct device *channel)
{
    p9fs.channel = channel;
    p9fs.session = P9_CLOSED;
    p9fs.waiting = NULL;
    for (unsigned i = 0; i < P9_CALLS; i++) {
        struct p9_chain *chain = &p9fs.chains[i];
        chain->request = NULL;
        message_init(&chain->message, (uint16_t)i, chain->out, sizeof chain->out, chain->in,
                     sizeof chain->in);
    }
    for (unsigned i = 0; i < P9_TRANSFERS; i++) {
        struct p9_transfer *transfer = &p9fs.transfers[i];
        transfer->request = NULL;
        transfer->fid = P9_FIRST_TRANSFER_FID + i;
        message_init(&transfer->message, (uint16_t)(P9_FIRST_TRANSFER_TAG + i), transfer->out,
                     sizeof transfer->out, transfer->in, sizeof transfer->in);
    }
    for (unsigned i = 0; i < P9_FILES; i++) {
        struct p9_file *file = &p9fs.files[i];
        file->used = false;
        file->fid = P9_FIRST_FILE_FID + i;
        message_init(&file->closing, (uint16_t)(P9_FIRST_FILE_TAG + i), file->closing_out,
                     sizeof file->closing_out, file->closing_in, sizeof file->closing_in);
    }
    p9_files_init();
    p9fs.device.name = "9p";
    p9fs.device.ops = &p9fs_ops;
    p9fs.device.kind = DEVICE_DIRECTORY;
    p9fs.device.calls = true;
    p9fs.device.lanes[0].depth = P9_CALLS;
    return &p9fs.device;
}
