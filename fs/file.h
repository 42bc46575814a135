// Descriptors: small numbers for devices opened by path, with an offset and an access mode.
// Blocking calls are a request and a wait; there is no second way to the bytes.
#pragma once

#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "drivers/device.h"

enum { FILE_LIMIT = 64 }; // Descriptors open at a time: EMFILE beyond.

struct file {
    struct device *device;
    struct device *direct[2]; // By IO_READ and IO_WRITE: see file_direct_locked().
    int flags;                // As given to open: access mode, O_APPEND, O_NONBLOCK.
    uint64_t position;        // Bytes.
    unsigned opening;         // Tells this opening from a later one by the same number.
};

// Opens path. Result: the lowest free descriptor, or -errno: -ENOENT, -ENXIO (no card), -EMFILE,
// -EINVAL, -EACCES.
// Context: main | callback.
int file_open(const char *path, int flags);

// Closes a descriptor. Requests in flight through it complete as if it were open: they belong to
// the device.
// Result: 0 or -EBADF.
// Context: main | callback.
int file_close(int fd);

// Sends a request through a descriptor: its device is filled in; op, offset, buffer, size, done and
// the rest are the caller's.
// Result: as io_submit(), or -EBADF (not open, or opened in the wrong mode).
// Context: main | callback, interrupts masked.
int file_submit_locked(int fd, struct io_request *request);

// The device that an IO_READ or IO_WRITE through this descriptor may be submitted to as it is.
// Result: NULL where file_submit_locked() has more to do than that: nothing is open, it was opened
// in the wrong mode, or it does not wait (O_NONBLOCK).
// Context: main | callback, interrupts masked.
struct device *file_direct_locked(int fd, enum io_op op);

// Counts a request that the caller had to refuse before it came to file_submit(), for /proc/aio.
// Context: main | callback.
void file_refused(int fd);

// Read or write at the file's position and move it by what was done.
// Result: bytes, or -errno.
// Context: main | callback.
ssize_t file_read(int fd, void *buffer, size_t size);
ssize_t file_write(int fd, const void *buffer, size_t size);

// Waits until everything written before is on the medium.
// Result: 0, or -errno.
// Context: main | callback.
int file_flush(int fd);

// Moves the file's position; whence as in lseek().
// Result: the new position, or -errno: -ESPIPE on a stream, -EINVAL.
// Context: main | callback.
int64_t file_seek(int fd, int64_t offset, int whence);

// Fills in the file's kind, size and permissions.
// Result: 0, -EBADF, or -EOVERFLOW: its size does not fit off_t.
// Context: any.
int file_stat(int fd, struct stat *status);

// What a descriptor stands for at this moment; its device is NULL when it is not open. A copy:
// another level may close it at the next moment, or open something else by its number.
// Context: any.
struct file file_snapshot(int fd);
