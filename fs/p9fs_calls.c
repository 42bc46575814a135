// What is done by path on /host: each call is a chain of messages that
// each say what comes next.
#include <errno.h>
#include <sys/stat.h>

#include "fs/p9fs_internal.h"

enum { PERMISSIONS = 07777 };

// Bytes of the path before its last name, the '/' among them.
static size_t parent_length(const char *path)
{
    size_t length = p9_length(path);
    while (length > 0 && path[length - 1] != '/')
        length--;
    return length;
}

static void put_last_name(struct p9_writer *writer, const char *path)
{
    const char *name = path + parent_length(path);
    p9_put_name(writer, name, p9_length(name));
}

static int name_check(const char *path)
{
    return p9_length(path + parent_length(path)) > FS_NAME_LIMIT ? -ENAMETOOLONG : 0;
}

// The last message of a call has been answered; its body, of which nothing is kept, is so long.
static void end_call(struct p9_message *message, int error, const struct p9_reader *reply,
                     size_t body)
{
    if (!error && reply->left != body)
        error = -EIO;
    p9_chain_end((struct p9_chain *)message, error);
}

static void on_last(struct p9_message *message, int error, struct p9_reader *reply)
{
    end_call(message, error, reply, 0);
}

// ---- Status ----

// Where the path has led, links followed.
static int tell_path(const struct p9_chain *chain, const struct fs_call *call)
{
    if (!call->text)
        return 0;
    if (chain->length >= call->text_room)
        return -ENAMETOOLONG;
    for (size_t i = 0; i < chain->length; i++)
        call->text[i] = chain->path[i];
    call->text[chain->length] = '\0';
    return 0;
}

static void on_status(struct p9_message *message, int error, struct p9_reader *reply)
{
    struct p9_chain *chain = (struct p9_chain *)message;
    struct fs_call *call = p9_chain_call(chain);
    if (!error)
        error = p9_take_status(reply, &call->status);
    if (!error && call->directory && !S_ISDIR(call->status.mode))
        error = -ENOTDIR;
    if (!error)
        error = tell_path(chain, call);
    p9_chain_end(chain, error);
}

static void status_walked(struct p9_chain *chain, int error)
{
    if (error)
        p9_chain_end(chain, error);
    else
        p9_send_getattr(&chain->message, chain->fids[0], on_status);
}

// ---- Links ----

static void on_read_link(struct p9_message *message, int error, struct p9_reader *reply)
{
    struct p9_chain *chain = (struct p9_chain *)message;
    const struct fs_call *call = p9_chain_call(chain);
    size_t length = 0;
    const char *target = error ? NULL : p9_get_name(reply, &length);
    if (!error && !p9_complete(reply))
        error = -EIO;
    if (length > call->text_room)
        length = call->text_room;
    for (size_t i = 0; !error && i < length; i++)
        call->text[i] = target[i];
    p9_chain_end(chain, error ? error : (int)length);
}

static void read_link_walked(struct p9_chain *chain, int error)
{
    if (!error && !(chain->qid_type & P9_QID_SYMLINK))
        error = -EINVAL;
    if (error)
        p9_chain_end(chain, error);
    else
        p9_send_fid(&chain->message, P9_TREADLINK, chain->fids[0], on_read_link);
}

// ---- Names in a directory ----

static void unlink_walked(struct p9_chain *chain, int error)
{
    const struct fs_call *call = p9_chain_call(chain);
    struct p9_writer writer;
    if (error) {
        p9_chain_end(chain, error);
        return;
    }
    p9_start(&chain->message, &writer, P9_TUNLINKAT);
    p9_put(&writer, chain->fids[0], 4);
    put_last_name(&writer, call->path);
    p9_put(&writer, call->operation == FS_RMDIR ? P9_UNLINK_DIRECTORY : 0, 4);
    p9_send(&chain->message, &writer, on_last);
}

// A path that ends with '/' names no file: all that is asked is why it is not unlinked.
static void unlink_refused(struct p9_chain *chain, int error)
{
    if (!error)
        error = chain->qid_type & P9_QID_DIRECTORY ? -EISDIR : -ENOTDIR;
    p9_chain_end(chain, error);
}

static void on_mkdir(struct p9_message *message, int error, struct p9_reader *reply)
{
    end_call(message, error, reply, P9_QID_BYTES);
}

static void mkdir_walked(struct p9_chain *chain, int error)
{
    const struct fs_call *call = p9_chain_call(chain);
    struct p9_writer writer;
    if (error) {
        p9_chain_end(chain, error);
        return;
    }
    p9_start(&chain->message, &writer, P9_TMKDIR);
    p9_put(&writer, chain->fids[0], 4);
    put_last_name(&writer, call->path);
    p9_put(&writer, call->mode & PERMISSIONS, 4);
    p9_put(&writer, P9_NOBODY, 4);
    p9_send(&chain->message, &writer, on_mkdir);
}

static void rename_walked(struct p9_chain *chain, int error)
{
    const struct fs_call *call = p9_chain_call(chain);
    struct p9_writer writer;
    if (error) {
        p9_chain_end(chain, error);
        return;
    }
    p9_start(&chain->message, &writer, P9_TRENAMEAT);
    p9_put(&writer, chain->fids[0], 4);
    put_last_name(&writer, call->path);
    p9_put(&writer, chain->fids[1], 4);
    put_last_name(&writer, call->to);
    p9_send(&chain->message, &writer, on_last);
}

static void rename_walked_from(struct p9_chain *chain, int error)
{
    const char *to = p9_chain_call(chain)->to;
    if (error)
        p9_chain_end(chain, error);
    else
        p9_walk(chain, 1, to, parent_length(to), true, rename_walked);
}

static void on_rename_clunk(struct p9_message *message, int error, struct p9_reader *reply)
{
    struct p9_chain *chain = (struct p9_chain *)message;
    const char *path = p9_chain_call(chain)->path;
    (void)error, (void)reply;
    p9_walk(chain, 0, path, parent_length(path), true, rename_walked_from);
}

// A path that ended with '/': only a directory is renamed by that.
static void rename_looked(struct p9_chain *chain, int error)
{
    if (!error && !(chain->qid_type & P9_QID_DIRECTORY))
        error = -ENOTDIR;
    if (error) {
        p9_chain_end(chain, error);
        return;
    }
    chain->exists[0] = false;
    p9_send_fid(&chain->message, P9_TCLUNK, chain->fids[0], on_rename_clunk);
}

static void rename_begin(struct p9_chain *chain)
{
    const struct fs_call *call = p9_chain_call(chain);
    if (!call->path[0] || !call->to[0] || name_check(call->to))
        p9_chain_end(chain, name_check(call->to) ? -ENAMETOOLONG : -EBUSY);
    else if (call->directory)
        p9_walk(chain, 0, call->path, p9_length(call->path), false, rename_looked);
    else
        p9_walk(chain, 0, call->path, parent_length(call->path), true, rename_walked_from);
}

// ---- All of them ----

// What cannot be done to the root; 0: it can.
static int root_error(enum fs_operation operation)
{
    return operation == FS_UNLINK      ? -EISDIR
           : operation == FS_MKDIR     ? -EEXIST
           : operation == FS_RMDIR     ? -EBUSY
           : operation == FS_READ_LINK ? -EINVAL
                                       : 0;
}

static void walk_whole(struct p9_chain *chain, bool follow, void (*walked)(struct p9_chain *, int))
{
    const char *path = p9_chain_call(chain)->path;
    p9_walk(chain, 0, path, p9_length(path), follow, walked);
}

static void begin_by_name(struct p9_chain *chain, void (*walked)(struct p9_chain *, int))
{
    const char *path = p9_chain_call(chain)->path;
    p9_walk(chain, 0, path, parent_length(path), true, walked);
}

void p9_call_begin(struct p9_chain *chain)
{
    const struct fs_call *call = p9_chain_call(chain);
    if (chain->request->op != IO_CALL) { // IO_OPEN: the session was all that it wanted.
        p9_chain_end(chain, 0);
        return;
    }
    bool by_path = call->operation <= FS_RENAME;
    int error = by_path ? name_check(call->path) : -EINVAL;
    if (by_path && !call->path[0])
        error = root_error(call->operation);
    if (error)
        p9_chain_end(chain, error);
    else if (call->operation == FS_OPEN)
        p9_open_begin(chain);
    else if (call->operation == FS_STATUS)
        walk_whole(chain, !call->no_follow || call->directory, status_walked);
    else if (call->operation == FS_READ_LINK)
        walk_whole(chain, call->directory, read_link_walked);
    else if (call->operation == FS_UNLINK && call->directory)
        walk_whole(chain, true, unlink_refused);
    else if (call->operation == FS_RENAME)
        rename_begin(chain);
    else
        begin_by_name(chain, call->operation == FS_MKDIR ? mkdir_walked : unlink_walked);
}
