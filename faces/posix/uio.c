// readv(), writev() and their like: a request has one buffer.
//
// So on files and disks each piece is a request of its own, one after another. A stream's bytes go
// through a buffer on the stack, since there one call is one thing: a message, a write that comes
// through a pipe as a whole, a read that waits for the first byte only.
#include <sys/uio.h>

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "faces/posix/pointers.h"
#include "faces/posix/posix.h"
#include "fs/file.h"

ssize_t _read(int fd, void *buffer, size_t size);
ssize_t _write(int fd, const void *buffer, size_t size);

enum { STREAM_BYTES = 16384 }; // No message is larger, and no pipe holds more.

// A call: what is done to each piece.
struct vector {
    const struct iovec *pieces;
    int count;
    size_t size; // Of all together.
    int fd;
    bool writing, has_offset;
    off_t offset;
};

// Result: 0, or errno.
static int check(struct vector *vector)
{
    if (vector->count <= 0 || vector->count > IOV_MAX || vector->offset < 0)
        return EINVAL;
    if (!posix_can_read(vector->pieces, vector->count))
        return EFAULT;
    for (int i = 0; i < vector->count; i++)
        if (__builtin_add_overflow(vector->size, vector->pieces[i].iov_len, &vector->size) ||
            vector->size > SSIZE_MAX)
            return EINVAL;
    return 0;
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
    for (int i = 0; i < vector->count; i++) {
        const struct iovec *piece = &vector->pieces[i];
        ssize_t moved = move_piece(vector, piece, done);
        if (moved < 0)
            return done > 0 ? (ssize_t)done : -1;
        done += (size_t)moved;
        if ((size_t)moved < piece->iov_len)
            break;
    }
    return (ssize_t)done;
}

// ---- Streams: through a buffer

// Copies `size` bytes, those from `skip` on of all the pieces, to or from the buffer.
// Result: false: a piece is not the program's memory.
static bool copy(const struct vector *vector, size_t skip, char *buffer, size_t size)
{
    for (int i = 0; i < vector->count && size > 0; i++) {
        size_t length = vector->pieces[i].iov_len;
        char *piece = (char *)vector->pieces[i].iov_base + skip;
        if (skip >= length) {
            skip -= length;
            continue;
        }
        length = length - skip < size ? length - skip : size;
        if (vector->writing ? !posix_can_read(piece, length) : !posix_can_write(piece, length))
            return false;
        memcpy(vector->writing ? buffer : piece, vector->writing ? piece : buffer, length);
        buffer += length;
        size -= length;
        skip = 0;
    }
    return true;
}

static size_t at_most(size_t size)
{
    return size < STREAM_BYTES ? size : STREAM_BYTES;
}

static ssize_t write_stream(const struct vector *vector, char *buffer)
{
    size_t done = 0, size;
    do {
        size = at_most(vector->size - done);
        bool good = copy(vector, done, buffer, size);
        ssize_t moved = good ? _write(vector->fd, buffer, size) : posix_result(-EFAULT);
        if (moved < 0)
            return done > 0 ? (ssize_t)done : -1;
        done += (size_t)moved;
        if ((size_t)moved < size)
            break;
    } while (done < vector->size);
    return (ssize_t)done;
}

static ssize_t read_stream(const struct vector *vector, char *buffer)
{
    for (int i = 0; i < vector->count; i++) // What has been read must not be lost.
        if (!posix_can_write((char *)vector->pieces[i].iov_base, vector->pieces[i].iov_len))
            return (ssize_t)posix_result(-EFAULT);
    ssize_t moved = _read(vector->fd, buffer, at_most(vector->size));
    if (moved > 0)
        copy(vector, 0, buffer, (size_t)moved);
    return moved;
}

static __attribute__((noinline)) ssize_t move_stream(const struct vector *vector)
{
    char buffer[STREAM_BYTES];
    return vector->writing ? write_stream(vector, buffer) : read_stream(vector, buffer);
}

// ---- The calls

static ssize_t move(struct vector vector)
{
    const struct device *device = file_snapshot(vector.fd).device;
    int error = device ? check(&vector) : EBADF;
    if (error)
        return (ssize_t)posix_result(-error);
    // At an offset it is an error that the stream itself tells.
    bool stream = device->kind == DEVICE_STREAM && !vector.has_offset;
    return stream ? move_stream(&vector) : move_pieces(&vector);
}

ssize_t readv(int fd, const struct iovec *pieces, int count)
{
    return move((struct vector){ .pieces = pieces, .count = count, .fd = fd });
}

ssize_t writev(int fd, const struct iovec *pieces, int count)
{
    return move((struct vector){ .pieces = pieces, .count = count, .fd = fd, .writing = true });
}

ssize_t preadv(int fd, const struct iovec *pieces, int count, off_t offset)
{
    return move((struct vector){
        .pieces = pieces, .count = count, .fd = fd, .has_offset = true, .offset = offset });
}

ssize_t pwritev(int fd, const struct iovec *pieces, int count, off_t offset)
{
    return move((struct vector){ .pieces = pieces,
                                 .count = count,
                                 .fd = fd,
                                 .writing = true,
                                 .has_offset = true,
                                 .offset = offset });
}
