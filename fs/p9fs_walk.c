// The way to a file of /host: names to a fid, several in one message, symbolic links followed.
//
// Twalk goes as far as it can. When it has got only part of the way, no fid is made; it is then
// sent again for just that part, after which the name that did not work is the first of the next
// Twalk, and the server says why. A link is where it does not go on: its target takes its place in
// the path, ".." is taken out by name, which is exact since all before it is no link, and the walk
// begins again at the root.
#include <errno.h>

#include "fs/names.h"
#include "fs/p9fs_internal.h"

static void walk_on(struct p9_chain *chain, unsigned most);

static size_t name_length_at(const struct p9_chain *chain, size_t at)
{
    return name_length(chain->path + at, chain->length - at);
}

// Where the name behind the one at `at` begins, or the path's end.
static size_t name_behind(const struct p9_chain *chain, size_t at)
{
    at += name_length_at(chain, at);
    return at < chain->length ? at + 1 : at;
}

bool p9_walk_lacks_last(const struct p9_chain *chain)
{
    return chain->at < chain->length && name_behind(chain, chain->at) == chain->length;
}

// ---- Links ----

// The path that takes the place of the chain's. One at a time is put together.
static struct {
    char text[P9_PATH_LIMIT];
    size_t length;
} joined;

static int join_name(const char *name, size_t length)
{
    bool above = name_is_above(name, length);
    if (length == 0 || name_is_here(name, length))
        return 0;
    if (above && joined.length == 0)
        return -ELOOP; // It leads out of the share.
    if (above) {
        joined.length = names_above(joined.text, joined.length);
        return 0;
    }
    if (length > FS_NAME_LIMIT || joined.length + 1 + length > P9_PATH_LIMIT)
        return -ENAMETOOLONG;
    if (joined.length > 0)
        joined.text[joined.length++] = '/';
    for (size_t i = 0; i < length; i++)
        joined.text[joined.length++] = name[i];
    return 0;
}

static int join_names(const char *names, size_t length)
{
    for (size_t at = 0; at < length;) {
        size_t name = name_length(names + at, length - at);
        int error = join_name(names + at, name);
        if (error)
            return error;
        at += name + 1;
    }
    return 0;
}

// Where the name begins that was walked to last.
static size_t last_walked(const struct p9_chain *chain)
{
    size_t start = 0;
    while (name_behind(chain, start) < chain->at)
        start = name_behind(chain, start);
    return start;
}

static int follow(struct p9_chain *chain, const char *target, size_t length)
{
    if (length == 0)
        return -ENOENT;
    if (target[0] == '/' || ++chain->links > P9_LINKS)
        return -ELOOP;
    for (size_t i = 0; i < length; i++)
        if (target[i] == 0)
            return -EIO;
    joined.length = 0;
    int error = join_names(chain->path, last_walked(chain));
    if (!error)
        error = join_names(target, length);
    if (!error)
        error = join_names(chain->path + chain->at, chain->length - chain->at);
    for (size_t i = 0; i < joined.length; i++)
        chain->path[i] = joined.text[i];
    chain->length = joined.length;
    chain->at = 0;
    return error;
}

static void on_clunk(struct p9_message *message, int error, struct p9_reader *reply)
{
    (void)error, (void)reply; // The fid is gone in any case.
    walk_on((struct p9_chain *)message, P9_WALK_NAMES);
}

static void on_readlink(struct p9_message *message, int error, struct p9_reader *reply)
{
    struct p9_chain *chain = (struct p9_chain *)message;
    size_t length = 0;
    const char *target = error ? NULL : p9_get_name(reply, &length);
    if (!error)
        error = p9_complete(reply) ? follow(chain, target, length) : -EIO;
    if (error) {
        chain->at = 0; // Nothing is to be made in the link's place.
        chain->length = 0;
        chain->walked(chain, error);
        return;
    }
    chain->exists[chain->which] = false;
    p9_send_fid(message, P9_TCLUNK, chain->fids[chain->which], on_clunk);
}

// ---- Names ----

// Result: 0: all that was asked for has been walked; 1: part of it; -EIO.
static int take_walk(struct p9_chain *chain, struct p9_reader *reply)
{
    unsigned count = (unsigned)p9_get(reply, 2), asked = chain->asked;
    uint8_t type = P9_QID_DIRECTORY; // Without names it is the root.
    if (count > asked || (count == 0 && asked > 0))
        return -EIO;
    for (unsigned i = 0; i < count; i++)
        type = p9_get_qid(reply).type;
    if (!p9_complete(reply))
        return -EIO;
    chain->asked = count;
    chain->qid_type = type;
    return count < asked;
}

static void on_walk(struct p9_message *message, int error, struct p9_reader *reply)
{
    struct p9_chain *chain = (struct p9_chain *)message;
    bool existed = chain->exists[chain->which];
    int partly = error ? error : take_walk(chain, reply);
    // Where the reply was not to be understood, the fid may be there.
    chain->exists[chain->which] = existed || partly == 0 || (partly < 0 && (!error || reply->bad));
    if (partly > 0) {
        walk_on(chain, chain->asked);
        return;
    }
    if (partly < 0) {
        chain->walked(chain, partly);
        return;
    }
    for (unsigned i = 0; i < chain->asked; i++)
        chain->at = name_behind(chain, chain->at);
    bool more = chain->at < chain->length;
    if (chain->qid_type & P9_QID_SYMLINK && (more || chain->follow))
        p9_send_fid(message, P9_TREADLINK, chain->fids[chain->which], on_readlink);
    else if (more)
        walk_on(chain, P9_WALK_NAMES);
    else
        chain->walked(chain, 0);
}

// How many names fit into one message, at most so many.
static unsigned count_names(const struct p9_chain *chain, size_t room, unsigned most)
{
    enum { LENGTH_BYTES = 2 };
    unsigned count = 0;
    for (size_t at = chain->at; at < chain->length && count < most; count++) {
        size_t bytes = LENGTH_BYTES + name_length_at(chain, at);
        if (bytes > room)
            break;
        room -= bytes;
        at = name_behind(chain, at);
    }
    return count;
}

// Walks up to so many of the names that are left; with none, the fid becomes the root's.
static void walk_on(struct p9_chain *chain, unsigned most)
{
    struct p9_writer writer;
    uint32_t fid = chain->fids[chain->which];
    p9_start(&chain->message, &writer, P9_TWALK);
    p9_put(&writer, chain->exists[chain->which] ? fid : P9_ROOT_FID, 4);
    p9_put(&writer, fid, 4);
    chain->asked = count_names(chain, writer.room - writer.used - 2, most);
    p9_put(&writer, chain->asked, 2);
    size_t at = chain->at;
    for (unsigned i = 0; i < chain->asked; i++, at = name_behind(chain, at))
        p9_put_name(&writer, chain->path + at, name_length_at(chain, at));
    p9_send(&chain->message, &writer, on_walk);
}

void p9_walk(struct p9_chain *chain, unsigned which, const char *path, size_t length,
             bool follow_last, void (*walked)(struct p9_chain *chain, int error))
{
    joined.length = 0;
    int error = join_names(path, length);
    for (size_t i = 0; i < joined.length; i++)
        chain->path[i] = joined.text[i];
    chain->which = which;
    chain->length = joined.length;
    chain->at = 0;
    chain->links = 0;
    chain->follow = follow_last;
    chain->walked = walked;
    if (error)
        walked(chain, error);
    else
        walk_on(chain, P9_WALK_NAMES);
}
