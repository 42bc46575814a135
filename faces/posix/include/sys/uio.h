// Reading and writing with memory that is several pieces (IEEE Std 1003.1-2017, <sys/uio.h>).
#pragma once

#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct iovec {
    void *iov_base;
    size_t iov_len; // Bytes.
};

// As read(), write(), pread() and pwrite(), with pieces one after another, 1,024 at most (IOV_MAX).
// What a stream is given or gives, or a file with O_APPEND is given, is one piece, as of one call,
// up to 16 KiB; another file's pieces are transfers one after another, and what ends in between is
// a short count.
// Result: bytes; -1: EINVAL (no pieces, too many, or more bytes than ssize_t can say), or as those.
// Context: main | callback.
ssize_t readv(int fd, const struct iovec *pieces, int count);
ssize_t writev(int fd, const struct iovec *pieces, int count);
ssize_t preadv(int fd, const struct iovec *pieces, int count, off_t offset);
ssize_t pwritev(int fd, const struct iovec *pieces, int count, off_t offset);

#ifdef __cplusplus
}
#endif
