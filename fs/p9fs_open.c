// Opening on /host: a chain of messages, read from bottom to top. What is there is walked to,
// looked at and then opened; what is not is created in the directory that was walked to.
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "fs/p9fs_internal.h"

enum { PERMISSIONS = 07777, CREATE_TRIES = 4 };

static bool wants_new(const struct fs_call *call)
{
    return (call->flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL);
}

// The fid is the file's from here on. Who will be told that it has taken too long never learns of a
// file.
static void opened(struct p9_chain *chain)
{
    struct p9_file *file = chain->file;
    const struct io_request *request = chain->request;
    bool late = request->flags & IO_DEADLINE && request->late;
    int error = late ? -ETIMEDOUT : p9_file_setup(file);
    if (!error) {
        fs_call_give(p9_chain_call(chain), &file->device);
        chain->exists[0] = false;
        chain->file = NULL;
    }
    p9_chain_end(chain, error);
}

// Rlopen and Rlcreate: qid[13] iounit[4]. What it is has not changed its kind meanwhile?
static int take_opened(const struct p9_chain *chain, struct p9_reader *reply)
{
    struct p9_qid qid = p9_get_qid(reply);
    p9_get(reply, 4);
    chain->file->status.inode = qid.path;
    bool directory = S_ISDIR(chain->file->status.mode);
    return p9_complete(reply) && directory == !!(qid.type & P9_QID_DIRECTORY) ? 0 : -EIO;
}

static void on_opened_status(struct p9_message *message, int error, struct p9_reader *reply)
{
    struct p9_chain *chain = (struct p9_chain *)message;
    if (!error)
        error = p9_take_file_status(reply, chain->file);
    if (error)
        p9_chain_end(chain, error);
    else
        opened(chain);
}

static void on_lopen(struct p9_message *message, int error, struct p9_reader *reply)
{
    struct p9_chain *chain = (struct p9_chain *)message;
    struct fs_status *status = &chain->file->status;
    uint64_t seen = status->inode;
    if (!error)
        error = take_opened(chain, reply);
    if (p9_chain_call(chain)->flags & O_TRUNC)
        status->size = status->blocks = 0;
    if (error)
        p9_chain_end(chain, error);
    else if (status->inode != seen) // Another file has come by that name since it was looked at.
        p9_send_getattr(message, chain->file->fid, on_opened_status);
    else
        opened(chain);
}

static int kind_check(uint32_t mode, const struct fs_call *call)
{
    if (S_ISDIR(mode)) {
        bool changes = (call->flags & O_ACCMODE) != O_RDONLY || call->flags & (O_CREAT | O_TRUNC);
        return changes ? -EISDIR : 0;
    }
    if (call->directory || call->flags & O_DIRECTORY)
        return -ENOTDIR;
    if (S_ISLNK(mode))
        return -ELOOP; // With O_NOFOLLOW; or it has become one since it was walked to.
    return S_ISREG(mode) ? 0 : -ENXIO; // Opening a FIFO could take for ever.
}

// It is not asked to be opened before it is known what it is.
static void on_open_status(struct p9_message *message, int error, struct p9_reader *reply)
{
    struct p9_chain *chain = (struct p9_chain *)message;
    const struct fs_call *call = p9_chain_call(chain);
    struct p9_writer writer;
    if (!error)
        error = p9_take_status(reply, &chain->file->status);
    if (!error)
        error = kind_check(chain->file->status.mode, call);
    if (error) {
        p9_chain_end(chain, error);
        return;
    }
    p9_start(message, &writer, P9_TLOPEN);
    p9_put(&writer, chain->file->fid, 4);
    p9_put(&writer, p9_open_flags(call->flags), 4);
    p9_send(message, &writer, on_lopen);
}

static void open_walked(struct p9_chain *chain, int error);

static void open_walk(struct p9_chain *chain)
{
    const struct fs_call *call = p9_chain_call(chain);
    bool follow = !wants_new(call) && (!(call->flags & O_NOFOLLOW) || call->directory);
    p9_walk(chain, 0, call->path, p9_length(call->path), follow, open_walked);
}

static void on_retry_clunk(struct p9_message *message, int error, struct p9_reader *reply)
{
    (void)error, (void)reply;
    open_walk((struct p9_chain *)message);
}

static void on_lcreate(struct p9_message *message, int error, struct p9_reader *reply)
{
    struct p9_chain *chain = (struct p9_chain *)message;
    if (error == -EEXIST && !wants_new(p9_chain_call(chain)) && ++chain->tries < CREATE_TRIES) {
        // Somebody has made it since it was looked for.
        chain->exists[0] = false;
        p9_send_fid(message, P9_TCLUNK, chain->file->fid, on_retry_clunk);
        return;
    }
    chain->file->status.mode = S_IFREG;
    if (!error)
        error = take_opened(chain, reply);
    if (error)
        p9_chain_end(chain, error);
    else
        p9_send_getattr(message, chain->file->fid, on_opened_status);
}

// Tlcreate: fid[4] name[s] flags[4] mode[4] gid[4]. Always only if it is not there: QEMU would
// change the permissions of a file that is.
static void create(struct p9_chain *chain)
{
    const struct fs_call *call = p9_chain_call(chain);
    struct p9_writer writer;
    p9_start(&chain->message, &writer, P9_TLCREATE);
    p9_put(&writer, chain->file->fid, 4);
    p9_put_name(&writer, chain->path + chain->at, chain->length - chain->at);
    p9_put(&writer, p9_open_flags(call->flags & ~(O_TRUNC | O_DIRECTORY)) | P9_EXCLUSIVE, 4);
    p9_put(&writer, call->mode & PERMISSIONS, 4);
    p9_put(&writer, P9_NOBODY, 4);
    p9_send(&chain->message, &writer, on_lcreate);
}

static void on_root(struct p9_message *message, int error, struct p9_reader *reply)
{
    struct p9_chain *chain = (struct p9_chain *)message;
    chain->exists[0] = !error || reply->bad;
    if (!error && (p9_get(reply, 2) != 0 || !p9_complete(reply)))
        error = -EIO;
    if (error)
        p9_chain_end(chain, error);
    else
        create(chain);
}

// A file in the root: nothing has been walked, so the fid becomes the root's.
static void clone_root(struct p9_chain *chain)
{
    struct p9_writer writer;
    p9_start(&chain->message, &writer, P9_TWALK);
    p9_put(&writer, P9_ROOT_FID, 4);
    p9_put(&writer, chain->file->fid, 4);
    p9_put(&writer, 0, 2);
    p9_send(&chain->message, &writer, on_root);
}

static void open_walked(struct p9_chain *chain, int error)
{
    const struct fs_call *call = p9_chain_call(chain);
    if (!error && wants_new(call))
        error = -EEXIST;
    if (!error) {
        p9_send_getattr(&chain->message, chain->file->fid, on_open_status);
    } else if (error != -ENOENT || !(call->flags & O_CREAT) || !p9_walk_lacks_last(chain)) {
        p9_chain_end(chain, error);
    } else if (call->directory || call->flags & O_DIRECTORY) {
        p9_chain_end(chain, call->directory ? -EISDIR : -ENOENT); // No directory is made by that.
    } else if (chain->exists[0]) {
        create(chain);
    } else {
        clone_root(chain);
    }
}

void p9_open_begin(struct p9_chain *chain)
{
    const struct fs_call *call = p9_chain_call(chain);
    if ((call->flags & O_ACCMODE) > O_RDWR) {
        p9_chain_end(chain, -EINVAL);
        return;
    }
    chain->file = p9_file_allocate();
    if (!chain->file) {
        p9_chain_end(chain, -EMFILE);
        return;
    }
    chain->fids[0] = chain->file->fid;
    chain->file->writable = (call->flags & O_ACCMODE) != O_RDONLY;
    open_walk(chain);
}
