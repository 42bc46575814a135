// Messages of 9P2000.L. Pure: no device, no state.
#include "fs/p9_message.h"

#include <errno.h>
#include <fcntl.h>

enum {
    BYTE_BITS = 8,
    NAME_LENGTH_BYTES = 2,
    DT_SHIFT = 12, // An entry's type is the kind's bits of its mode, shifted.
    GETATTR_MODE = 0x1,
    GETATTR_SIZE = 0x200,
    GETATTR_BLOCKS = 0x400,
    NS_PER_S = 1000000000,
};

// ---- Asking ----

void p9_put(struct p9_writer *writer, uint64_t value, unsigned bytes)
{
    writer->full |= writer->room - writer->used < bytes;
    for (unsigned i = 0; i < bytes && !writer->full; i++, value >>= BYTE_BITS)
        writer->bytes[writer->used++] = (uint8_t)value;
}

void p9_put_name(struct p9_writer *writer, const char *name, size_t length)
{
    writer->full |= length > UINT16_MAX || writer->room - writer->used < NAME_LENGTH_BYTES + length;
    p9_put(writer, length, NAME_LENGTH_BYTES);
    for (size_t i = 0; i < length && !writer->full; i++)
        writer->bytes[writer->used++] = (uint8_t)name[i];
}

void p9_begin(struct p9_writer *writer, void *bytes, size_t room, enum p9_type type, uint16_t tag)
{
    *writer = (struct p9_writer){ .bytes = bytes, .room = room };
    p9_put(writer, 0, 4); // The size, once it is known.
    p9_put(writer, type, 1);
    p9_put(writer, tag, 2);
}

size_t p9_end(struct p9_writer *writer, size_t data)
{
    struct p9_writer size = { .bytes = writer->bytes, .room = writer->used };
    p9_put(&size, writer->used + data, 4);
    return writer->full ? 0 : writer->used;
}

// ---- The answer ----

uint64_t p9_get(struct p9_reader *reader, unsigned bytes)
{
    uint64_t value = 0;
    reader->bad |= reader->left < bytes;
    if (reader->bad)
        return 0;
    for (unsigned i = bytes; i-- > 0;)
        value = value << BYTE_BITS | reader->bytes[i];
    reader->bytes += bytes;
    reader->left -= bytes;
    return value;
}

struct p9_qid p9_get_qid(struct p9_reader *reader)
{
    struct p9_qid qid;
    qid.type = (uint8_t)p9_get(reader, 1);
    p9_get(reader, 4); // The version: nothing is cached here.
    qid.path = p9_get(reader, 8);
    return qid;
}

const char *p9_get_name(struct p9_reader *reader, size_t *length)
{
    *length = (size_t)p9_get(reader, NAME_LENGTH_BYTES);
    reader->bad |= reader->left < *length;
    if (reader->bad)
        return NULL;
    const char *name = (const char *)reader->bytes;
    reader->bytes += *length;
    reader->left -= *length;
    return name;
}

bool p9_complete(const struct p9_reader *reader)
{
    return !reader->bad && reader->left == 0;
}

static int garbled(struct p9_reader *reader)
{
    reader->bad = true;
    return -EIO;
}

int p9_reply(struct p9_reader *reader, const void *bytes, size_t here, size_t received,
             enum p9_type asked, uint16_t tag)
{
    *reader = (struct p9_reader){ .bytes = bytes, .left = received < here ? received : here };
    uint64_t size = p9_get(reader, 4);
    unsigned type = (unsigned)p9_get(reader, 1);
    if (p9_get(reader, 2) != tag || reader->bad || size != received)
        return garbled(reader);
    if (type == (unsigned)asked + 1)
        return 0;
    uint32_t number = (uint32_t)p9_get(reader, 4);
    return type == P9_RLERROR && p9_complete(reader) ? p9_error(number) : garbled(reader);
}

// Rgetattr: valid[8] qid[13] mode[4] uid[4] gid[4] nlink[8] rdev[8] size[8] blksize[8] blocks[8]
// and atime, mtime, ctime, btime as seconds[8] and nanoseconds[8], gen[8] data_version[8].
int p9_get_status(struct p9_reader *reader, struct fs_status *status)
{
    enum { WANTED = GETATTR_MODE | GETATTR_SIZE };
    uint64_t valid = p9_get(reader, 8);
    status->inode = p9_get_qid(reader).path;
    status->mode = (uint32_t)p9_get(reader, 4);
    status->read_only = false; // So far as is known.
    p9_get(reader, 8);         // Owner and group.
    uint64_t links = p9_get(reader, 8);
    status->links = links < UINT32_MAX ? (uint32_t)links : UINT32_MAX;
    p9_get(reader, 8);
    status->size = p9_get(reader, 8);
    uint64_t block = p9_get(reader, 8);
    status->block_bytes = block < UINT32_MAX ? (uint32_t)block : UINT32_MAX;
    status->blocks = p9_get(reader, 8);
    if (!(valid & GETATTR_BLOCKS))
        status->blocks = (status->size + FS_STATUS_BLOCK_BYTES - 1) / FS_STATUS_BLOCK_BYTES;
    for (unsigned i = 0; i < 2; i++)
        p9_get(reader, 8); // Time of access.
    int64_t seconds = (int64_t)p9_get(reader, 8), ns = (int64_t)p9_get(reader, 8);
    if (__builtin_mul_overflow(seconds, (int64_t)NS_PER_S, &status->modified_ns) ||
        __builtin_add_overflow(status->modified_ns, ns, &status->modified_ns))
        status->modified_ns = 0; // No date that could be meant.
    for (unsigned i = 0; i < 6; i++)
        p9_get(reader, 8); // Change, birth, generation, version.
    bool known = (valid & WANTED) == WANTED && status->size <= INT64_MAX;
    return known && p9_complete(reader) ? 0 : -EIO;
}

static bool name_is_possible(const char *name, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (name[i] == '/' || name[i] == 0)
            return false;
    return length > 0 && length <= FS_NAME_LIMIT;
}

// qid[13] offset[8] type[1] name[s].
int p9_get_entry(struct p9_reader *reader, struct fs_entry *entry)
{
    enum { DIRECTORY = 040000, SYMLINK = 0120000 };
    size_t length;
    if (p9_complete(reader))
        return 0;
    struct p9_qid qid = p9_get_qid(reader);
    entry->inode = qid.path;
    entry->cookie = p9_get(reader, 8);
    entry->mode = (uint32_t)p9_get(reader, 1) << DT_SHIFT;
    if (entry->mode == 0) // The server's disk does not say; the qid knows of these.
        entry->mode = qid.type & P9_QID_DIRECTORY ? DIRECTORY
                      : qid.type & P9_QID_SYMLINK ? SYMLINK
                                                  : 0;
    const char *name = p9_get_name(reader, &length);
    if (!name || !name_is_possible(name, length))
        return -EIO;
    for (size_t i = 0; i < length; i++)
        entry->name[i] = name[i];
    entry->name[length] = 0;
    return 1;
}

// ---- What Linux calls things ----

// Linux's numbers on every architecture that a server may run on but MIPS, Alpha, PA-RISC and
// SPARC, from asm-generic/errno.h; newlib's differ from 35 on.
int p9_error(uint32_t linux_errno)
{
    enum { LINUX_ENOTSUPP = 524 }; // Not for programs, but some file systems let it out.
    static const uint8_t errors[] = {
        [1] = EPERM,
        [2] = ENOENT,
        [3] = ESRCH,
        [4] = EINTR,
        [5] = EIO,
        [6] = ENXIO,
        [7] = E2BIG,
        [8] = ENOEXEC,
        [9] = EBADF,
        [10] = ECHILD,
        [11] = EAGAIN,
        [12] = ENOMEM,
        [13] = EACCES,
        [14] = EFAULT,
        [16] = EBUSY,
        [17] = EEXIST,
        [18] = EXDEV,
        [19] = ENODEV,
        [20] = ENOTDIR,
        [21] = EISDIR,
        [22] = EINVAL,
        [23] = ENFILE,
        [24] = EMFILE,
        [25] = ENOTTY,
        [26] = ETXTBSY,
        [27] = EFBIG,
        [28] = ENOSPC,
        [29] = ESPIPE,
        [30] = EROFS,
        [31] = EMLINK,
        [32] = EPIPE,
        [33] = EDOM,
        [34] = ERANGE,
        [35] = EDEADLK,
        [36] = ENAMETOOLONG,
        [37] = ENOLCK,
        [38] = ENOSYS,
        [39] = ENOTEMPTY,
        [40] = ELOOP,
        [61] = ENODATA,
        [62] = ETIME,
        [67] = ENOLINK,
        [71] = EPROTO,
        [72] = EMULTIHOP,
        [74] = EBADMSG,
        [75] = EOVERFLOW,
        [84] = EILSEQ,
        [95] = ENOTSUP,
        [100] = ENETDOWN,
        [101] = ENETUNREACH,
        [102] = ENETRESET,
        [103] = ECONNABORTED,
        [104] = ECONNRESET,
        [105] = ENOBUFS,
        [107] = ENOTCONN,
        [110] = ETIMEDOUT,
        [111] = ECONNREFUSED,
        [112] = EHOSTDOWN,
        [113] = EHOSTUNREACH,
        [114] = EALREADY,
        [115] = EINPROGRESS,
        [116] = ESTALE,
        [122] = EDQUOT,
        [125] = ECANCELED,
    };
    if (linux_errno == LINUX_ENOTSUPP)
        return -ENOTSUP;
    if (linux_errno >= sizeof errors || errors[linux_errno] == 0)
        return -EIO;
    return -errors[linux_errno];
}

uint32_t p9_open_flags(int flags)
{
    enum { LINUX_ACCESS = 3, LINUX_TRUNC = 01000, LINUX_DIRECTORY = 0200000 };
    enum { LINUX_DSYNC = 010000, LINUX_SYNC = 04010000 };
    _Static_assert(O_RDONLY == 0 && O_WRONLY == 1 && O_RDWR == 2, "as Linux has them");
    return (flags & LINUX_ACCESS) | (flags & O_TRUNC ? LINUX_TRUNC : 0) |
           (flags & O_DIRECTORY ? LINUX_DIRECTORY : 0) |
           ((flags & O_SYNC) == O_SYNC ? LINUX_SYNC
            : flags & FS_DSYNC         ? LINUX_DSYNC
                                       : 0);
}
