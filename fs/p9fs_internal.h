// What the files of p9fs share. Messages are sent by one function, p9_send(), and each says what
// comes next: then() is called with the checked reply at isr level. A call by path is a chain of
// such messages (p9fs_walk.c, p9fs_open.c, p9fs_calls.c), what is done to an open file a transfer
// (p9fs_file.c, p9fs_data.c).
// Everything runs at isr level or with interrupts masked, so nothing here is locked.
//
// Fids and tags are not handed out: each chain, file and transfer has its own, by its number, and a
// pool that is empty can never lose a request half way.
#pragma once

#include "drivers/exchange.h"
#include "fs/p9_message.h"
#include "fs/p9fs.h"

enum {
    P9_MSIZE = 512 * 1024 + P9_IO_HEADER_BYTES, // As much as QEMU takes; 512 KiB a message.
    P9_MSIZE_LEAST = 4096,
    P9_OUT_BYTES = 640,   // Two names and more, as Trenameat has.
    P9_IN_BYTES = 4160,   // A link's target: Linux has no longer ones than 4095.
    P9_SMALL_BYTES = 160, // Messages about an open file; Rgetattr is the longest.
    P9_DIRECTORY_BYTES = 4096,
    P9_BLOCK_BYTES = 64 * 1024, // Said to be best at a time: programs allocate that much.
};

// Fids: the root, two of each chain, one of each file and transfer. Tags likewise.
enum {
    P9_ROOT_FID = 0,
    P9_CHAIN_FIDS = 2,
    P9_FIRST_CHAIN_FID = 1,
    P9_FIRST_FILE_FID = P9_FIRST_CHAIN_FID + P9_CALLS * P9_CHAIN_FIDS,
    P9_FIRST_TRANSFER_FID = P9_FIRST_FILE_FID + P9_FILES,
    P9_FIRST_TRANSFER_TAG = P9_CALLS,
    P9_FIRST_FILE_TAG = P9_FIRST_TRANSFER_TAG + P9_TRANSFERS,
};

struct p9_message;

// error: 0, and `reply` is at the body; else -errno, and with reply->bad nobody knows what the
// server has done.
typedef void p9_then(struct p9_message *message, int error, struct p9_reader *reply);

struct p9_message {
    struct exchange exchange; // First. Its first parts are the buffers below.
    uint8_t *out, *in;
    size_t out_room, in_room;
    uint16_t tag, tag_sent; // Tversion has another.
    enum p9_type type;
    p9_then *then;
};

struct p9_directory {
    bool used;
    uint64_t cookie; // Names the place where `rest` begins.
    struct p9_reader rest;
    uint8_t bytes[P9_DATA_HEADER_BYTES + P9_DIRECTORY_BYTES];
};

// An open file.
struct p9_file {
    struct device device; // First.
    bool used, writable;
    uint32_t fid;
    struct fs_status status;        // As last heard of.
    struct p9_directory *directory; // NULL: it is none.
    struct p9_message closing;
    uint8_t closing_out[P9_DATA_HEADER_BYTES], closing_in[P9_DATA_HEADER_BYTES];
};

// A request on the file system itself. Free while `request` is NULL.
struct p9_chain {
    struct p9_message message; // First.
    struct io_request *request;
    struct p9_chain *next; // While it waits for the session.
    struct p9_file *file;  // That is being opened.
    int result;
    unsigned tries;

    uint32_t fids[P9_CHAIN_FIDS];
    bool exists[P9_CHAIN_FIDS]; // The server knows the fid, or may.

    // The way to a file: names of `path` up to `at` have been walked.
    void (*walked)(struct p9_chain *chain, int error);
    unsigned which; // Of the fids.
    size_t length, at;
    unsigned asked, links; // Names in the last Twalk; links followed.
    bool follow;           // A link at the end, too.
    uint8_t qid_type;      // Of what was walked to last.
    char path[P9_PATH_LIMIT];

    uint8_t out[P9_OUT_BYTES], in[P9_IN_BYTES];
};

// A request on an open file. Free while `request` is NULL.
struct p9_transfer {
    struct p9_message message; // First.
    struct io_request *request;
    struct p9_transfer *next; // While it is free.
    struct p9_file *file;
    size_t moved, piece; // Bytes of the messages before; of this one.
    unsigned fruitless;  // Replies without an entry for the user.
    uint32_t fid;        // For a look at what has the file's name,
    int looked;          // and what that has brought.
    uint8_t out[P9_SMALL_BYTES], in[P9_SMALL_BYTES];
};

// Where an open file's request is, in its `queue`: waits by priority or to append, or is a
// transfer.
enum { P9_APPENDS = IO_PRIORITIES, P9_QUEUES, P9_STARTED = P9_QUEUES };

enum p9_session { P9_CLOSED, P9_OPENING, P9_OPEN };

extern struct p9fs {
    struct device device; // First.
    struct device *channel;
    enum p9_session session;
    size_t data_most;         // Bytes of data in a message.
    struct p9_chain *waiting; // For the session.
    struct p9_chain chains[P9_CALLS];
    struct p9_file files[P9_FILES];
    struct p9_directory directories[P9_DIRECTORIES];
    struct p9_transfer transfers[P9_TRANSFERS];
    struct p9_transfer *free;     // The free ones.
    struct p9_transfer *appender; // The only one that appends.
    // Requests that wait for a transfer, by priority; appends, for their turn, in one row. Bit p of
    // priorities: some wait in queue p.
    struct io_fifo queues[P9_QUEUES];
    uint32_t priorities;
    bool starting; // Some of these are just being started.
} p9fs;

// ---- p9fs.c ----

// Begins a message in its buffer; its data, if any, is set in the exchange's second parts after.
void p9_start(struct p9_message *message, struct p9_writer *writer, enum p9_type type);

// Sends it. then() is called exactly once, later.
void p9_send(struct p9_message *message, struct p9_writer *writer, p9_then *then);

// Sends what has no more than a fid in its body.
void p9_send_fid(struct p9_message *message, enum p9_type type, uint32_t fid, p9_then *then);
void p9_send_getattr(struct p9_message *message, uint32_t fid, p9_then *then);

// Takes the body of Rgetattr for this file system: as p9_get_status(), with our size of a block,
// and nothing changed after an error.
int p9_take_status(struct p9_reader *reply, struct fs_status *status);

// The same for an open file. -ENOENT: the file has no name any more, and what is told is nothing,
// or of another that has come to its place.
int p9_take_file_status(struct p9_reader *reply, struct p9_file *file);

static inline struct fs_call *p9_chain_call(const struct p9_chain *chain)
{
    return (struct fs_call *)chain->request; // Its first member.
}

// Ends a chain: its fids are given back, its file too unless result is 0, then the request
// completes.
void p9_chain_end(struct p9_chain *chain, int result);

// Bytes of a text.
static inline size_t p9_length(const char *text)
{
    size_t length = 0;
    while (text[length])
        length++;
    return length;
}

// ---- p9fs_walk.c ----

// Walks from the root along the first `length` bytes of path with one of the chain's fids, then
// calls walked(). After an error, chain->at is where the name begins that could not be walked.
void p9_walk(struct p9_chain *chain, unsigned which, const char *path, size_t length, bool follow,
             void (*walked)(struct p9_chain *chain, int error));

// Has the last walk failed at the last name of its path?
bool p9_walk_lacks_last(const struct p9_chain *chain);

// ---- p9fs_open.c ----

void p9_open_begin(struct p9_chain *chain);

// ---- p9fs_calls.c ----

// Begins what the chain's request asks for; the session is there.
void p9_call_begin(struct p9_chain *chain);

// ---- p9fs_file.c ----

// A free one, or NULL.
struct p9_file *p9_file_allocate(void);
void p9_file_free(struct p9_file *file);

// Makes the device of a file of which `status` is known. Result: 0, or -EMFILE (directories).
int p9_file_setup(struct p9_file *file);
void p9_files_init(void);

// Ends a transfer and its request; whoever waits for one gets it.
void p9_finish(struct p9_transfer *transfer, ssize_t result);

static inline struct p9_transfer *p9_transfer_of(struct p9_message *message)
{
    return (struct p9_transfer *)message; // Its first member.
}

static inline struct fs_call *p9_call_of(const struct p9_transfer *transfer)
{
    return (struct fs_call *)transfer->request; // Its first member.
}

static inline bool p9_appends(const struct io_request *request)
{
    return request->op == IO_WRITE && request->flags & IO_APPEND;
}

// Does it end where no file can?
static inline bool p9_too_far(const struct io_request *request)
{
    return request->offset > INT64_MAX || request->size > INT64_MAX - request->offset;
}

// ---- p9fs_data.c ----

// Begin the transfer's read or write, or its FS_NEXT_ENTRY.
void p9_begin_data(struct p9_transfer *transfer);
void p9_begin_next_entry(struct p9_transfer *transfer);
