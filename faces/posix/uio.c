// readv(), writev() and their like: a request has one buffer.
//
// So on files and disks each piece is a request of its own, one after another. A stream's bytes go
// through a buffer on the stack, since there one call is one thing: a message, a write that comes
// through a pipe as a whole, a read that waits for the first byte only. So do bytes that are
// appended to a file: up to the buffer's size nobody else's come in between.
#include <sys/uio.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "faces/posix/pieces.h"
#include "faces/posix/pointers.h"
#include "faces/posix/posix.h"
#include "fs/file.h"

ssize_t _read(int fd, void *buffer, size_t size);
ssize_t _write(int fd, const void *buffer, size_t size);

// A call: what is done to each piece.
struct vector {
    struct pieces pieces;
    int fd;
    bool writing, has_offset;
    off_t offset;
};

int pieces_measure(struct pieces *pieces)
{
    if (!posix_can_read(pieces->list, pieces->count))
        return EFAULT;
    pieces->size = 0;
    for (size_t i = 0; i < pieces->count; i++)
        if (__builtin_add_overflow(pieces->size, pieces->list[i].iov_len, &pieces->size) ||
            pieces->size > SSIZE_MAX)
            return EINVAL;
    return 0;
}

// Result: 0, or errno.
static int check(struct vector *vector)
{
    size_t count = vector->pieces.count; // One below 0 is too large.
    if (count == 0 || count > IOV_MAX || vector->offset < 0)
        return EINVAL;
    return pieces_measure(&vector->pieces);
}

// ---- Files: piece by piece

static ssize_t move_piece(const struct vector *vector, const struct iovec *piece, size_t done)
{
    off_t offset = vector->offset + (off_t)done;
    if (!vector->has_offset)
        return vector->writing ? _write(vector->fd, piece->iov_base, piece->iov_len)
                               : _read(vector->fd, piece->iov_base, piece->iov_len);
    return vector->writing ? pwrite(vector->fd, piece->iov_base, piece->iov_len, offset)
                           : pread(vector->fd, piece->iov_base, piece->iov_len, offset);
}

static ssize_t move_pieces(const struct vector *vector)
{
    size_t done = 0;
    for (size_t i = 0; i < vector->pieces.count; i++) {
        const struct iovec *piece = &vector->pieces.list[i];
        ssize_t moved = move_piece(vector, piece, done);
        if (moved < 0)
            return done > 0 ? (ssize_t)done : -1;
        done += (size_t)moved;
        if ((size_t)moved < piece->iov_len)
            break;
    }
    return (ssize_t)done;
}

// ---- Streams and appending: through a buffer

bool pieces_copy(const struct pieces *pieces, size_t skip, char *buffer, size_t size, bool out)
{
    for (size_t i = 0; i < pieces->count && size > 0; i++) {
        size_t length = pieces->list[i].iov_len;
        char *piece = (char *)pieces->list[i].iov_base + skip;
        if (skip >= length) {
            skip -= length;
            continue;
        }
        length = length - skip < size ? length - skip : size;
        if (out ? !posix_can_write(piece, length) : !posix_can_read(piece, length))
            return false;
        memcpy(out ? piece : buffer, out ? buffer : piece, length);
        buffer += length;
        size -= length;
        skip = 0;
    }
    return true;
}

bool pieces_can_write(const struct pieces *pieces)
{
    for (size_t i = 0; i < pieces->count; i++)
        if (!posix_can_write((char *)pieces->list[i].iov_base, pieces->list[i].iov_len))
            return false;
    return true;
}

static size_t at_most(size_t size)
{
    return size < PIECES_BUFFER ? size : PIECES_BUFFER;
}

static ssize_t write_stream(const struct vector *vector, char *buffer)
{
    size_t done = 0, size;
    do {
        size = at_most(vector->pieces.size - done);
        bool good = pieces_copy(&vector->pieces, done, buffer, size, false);
        ssize_t moved = good ? _write(vector->fd, buffer, size) : posix_result(-EFAULT);
        if (moved < 0)
            return done > 0 ? (ssize_t)done : -1;
        done += (size_t)moved;
        if ((size_t)moved < size)
            break;
    } while (done < vector->pieces.size);
    return (ssize_t)done;
}

static ssize_t read_stream(const struct vector *vector, char *buffer)
{
    if (!pieces_can_write(&vector->pieces)) // What has been read must not be lost.
        return (ssize_t)posix_result(-EFAULT);
    ssize_t moved = _read(vector->fd, buffer, at_most(vector->pieces.size));
    if (moved > 0)
        pieces_copy(&vector->pieces, 0, buffer, (size_t)moved, true);
    return moved;
}

static __attribute__((noinline)) ssize_t move_stream(const struct vector *vector)
{
    char buffer[PIECES_BUFFER];
    return vector->writing ? write_stream(vector, buffer) : read_stream(vector, buffer);
}

// ---- The calls

static ssize_t move(struct vector vector)
{
    struct file file = file_snapshot(vector.fd);
    const struct device *device = file.device;
    int error = device ? check(&vector) : EBADF;
    if (error)
        return (ssize_t)posix_result(-error);
    // At an offset it is an error that the stream itself tells.
    bool whole = device->kind == DEVICE_STREAM || (vector.writing && file.flags & O_APPEND);
    return whole && !vector.has_offset ? move_stream(&vector) : move_pieces(&vector);
}

ssize_t readv(int fd, const struct iovec *pieces, int count)
{
    return move((struct vector){ .pieces = { pieces, (size_t)count, 0 }, .fd = fd });
}

ssize_t writev(int fd, const struct iovec *pieces, int count)
{
    return move(
        (struct vector){ .pieces = { pieces, (size_t)count, 0 }, .fd = fd, .writing = true });
}

ssize_t preadv(int fd, const struct iovec *pieces, int count, off_t offset)
{
    return move((struct vector){
        .pieces = { pieces, (size_t)count, 0 }, .fd = fd, .has_offset = true, .offset = offset });
}

ssize_t pwritev(int fd, const struct iovec *pieces, int count, off_t offset)
{
    return move((struct vector){ .pieces = { pieces, (size_t)count, 0 },
                                 .fd = fd,
                                 .writing = true,
                                 .has_offset = true,
                                 .offset = offset });
}
