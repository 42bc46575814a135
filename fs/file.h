// Descriptors: small numbers for open files. A descriptor leads to an open file, several may lead
// to the same one (dup), and that leads to a device. Blocking calls are a request and a wait; there
// is no second way to the bytes.
#pragma once

#include <fcntl.h>
#include <stdint.h>
#include <sys/types.h>

#include "drivers/device.h"
#include "fs/call.h"

enum { FILE_LIMIT = 64 }; // Descriptors open at a time: EMFILE beyond.

// A write through such an opening is on the medium when it is done (IO_SYNC).
enum { FILE_SYNC = O_SYNC | FS_DSYNC };

// An open file.
struct file {
    // By IO_READ and IO_WRITE: the device, where such a request may go to it as it is; NULL where
    // the mode forbids it or something has to be added first.
    struct device *direct[2];
    struct device *device;
    uint64_t position;   // Bytes.
    int flags;           // Access mode, O_APPEND, O_NONBLOCK, FILE_SYNC.
    unsigned references; // Descriptors that lead here, and blocking calls; 0: free.
};

// Opens path; mode: permissions of a file that is created.
// Result: the lowest free descriptor, or -errno: -ENOENT, -ENXIO (no card), -EMFILE, -ENFILE (calls
// that wait hold too many files), -EINVAL, -EACCES, -EEXIST, -EISDIR, -ENOTDIR, -ENAMETOOLONG,
// -EFAULT, or what the file system says.
// Context: main | callback.
int file_open(const char *path, int flags, mode_t mode);

// Gives a device that something else than a path has led to, a pipe's end for one, a descriptor,
// and retains it; the last close calls io_close() for that.
// Result: the lowest free descriptor from `lowest` on, or -EMFILE, -ENFILE: the device is as it
// was.
// Context: main | callback.
int file_install(struct device *device, int flags, int lowest);

// Closes a descriptor. Requests in flight through it complete as if it were open; the device is
// released after the last of them.
// Result: 0 or -EBADF.
// Context: main | callback.
int file_close(int fd);

// Another descriptor for the same open file: the lowest free one from `lowest` on; or `to`, which
// is closed in the same moment, unless it is fd itself.
// Result: the descriptor, -EBADF, -EMFILE, -EINVAL (lowest), -EBUSY (`to` is just being opened).
// Context: main | callback.
int file_duplicate(int fd, int lowest);
int file_duplicate_to(int fd, int to);

// Has a function called whenever a descriptor ceases to lead to a file whose device still has
// requests, with interrupts masked, while the descriptor's number means nothing else yet. There is
// one such function; NULL: none.
// Context: any.
void file_on_close(void (*closed)(int fd));

// Flags of the open file. Of those to be set only O_APPEND and O_NONBLOCK count.
// Result: the flags, or 0; -EBADF.
// Context: any.
int file_flags(int fd);
int file_set_flags(int fd, int flags);

// Is a descriptor marked to be closed by exec()? There is none here: it is remembered and told.
// Set by opening with O_CLOEXEC; a duplicate is not marked.
// Result: 1, 0, -EBADF; 0, -EBADF.
// Context: any.
int file_close_on_exec(int fd);
int file_set_close_on_exec(int fd, bool mark);

// Sends a request through a descriptor: its device is filled in; op, offset, buffer, size, done and
// the rest are the caller's.
// From then on the request keeps the device from being released, whoever closes the descriptor.
// Result: as io_submit(), or -EBADF (not open, or opened in the wrong mode), -EISDIR.
// Context: main | callback, interrupts masked.
int file_submit_locked(int fd, struct io_request *request);

// The device that an IO_READ or IO_WRITE through this descriptor may be submitted to as it is.
// Result: NULL where file_submit_locked() has more to do than that: nothing is open, it was opened
// in the wrong mode, or the file's flags add something.
// Context: main | callback, interrupts masked.
struct device *file_direct_locked(int fd, enum io_op op);

// Polls a descriptor's device, as io_poll(). Result: 0, or -EBADF.
// Context: main | callback, interrupts masked.
int file_poll_locked(int fd, struct io_request *request, unsigned events);

// Counts a request that the caller had to refuse before it came to file_submit(), for /proc/aio.
// Context: main | callback.
void file_refused(int fd);

// Read or write at the file's position and move it by what was done.
// limit: the first offset that the caller cannot name: nothing is moved at or past it, and no
// position comes to lie beyond. A file's end, as far as is known, is where an append is held to it.
// Result: bytes, fewer before the limit, or -errno; at the limit -EFBIG (write), -EOVERFLOW (read,
// with more of the file there).
// Context: main | callback.
ssize_t file_read(int fd, void *buffer, size_t size, uint64_t limit);
ssize_t file_write(int fd, const void *buffer, size_t size, uint64_t limit);

// The same at an offset in bytes, whatever the position is and also where the file is open for
// appending; the position stays.
// Result: bytes, or -errno; -ESPIPE on a stream.
// Context: main | callback.
ssize_t file_read_at(int fd, void *buffer, size_t size, uint64_t offset, uint64_t limit);
ssize_t file_write_at(int fd, const void *buffer, size_t size, uint64_t offset, uint64_t limit);

// Has blocking reads and writes end with -EINTR, where nothing has been moved and the device gives
// the request up, once this function's answer is another than when they began. It is called with
// interrupts masked whenever a wait has been woken, and may open them meanwhile. NULL: nothing
// interrupts.
// Context: boot.
void file_on_interruption(unsigned (*interruptions)(void));

// Waits until everything written before is on the medium.
// Result: 0, or -errno.
// Context: main | callback.
int file_flush(int fd);

// Moves the file's position; whence as in lseek().
// Result: the new position, or -errno: -ESPIPE on a stream, -EINVAL.
// Context: main | callback.
int64_t file_seek(int fd, int64_t offset, int whence);

// Makes a file longer or shorter. Result: 0, -EBADF, -EINVAL (no file, or not open for writing), or
// what the file system says.
// Context: main | callback.
int file_truncate(int fd, uint64_t size);

// What is known of an open file, or of what a path names; without follow, of a symbolic link as its
// last name itself.
// Result: 0, or -errno.
// Context: main | callback.
int file_status(int fd, struct fs_status *status);
int file_status_of(const char *path, bool follow, struct fs_status *status);

// Where a symbolic link leads: at most size bytes of it, without an end, into a program's buffer.
// Result: their number; -EINVAL: it is no link; -EFAULT, or another -errno.
// Context: main | callback.
int file_read_link(const char *path, char *text, size_t size);

// Would file_open() work? It is opened and closed at once, without a descriptor; nothing may be
// created or cut by these flags.
// Result: 0, or as file_open().
// Context: main | callback.
int file_try_open(const char *path, int flags);

// What is done by name. Names that end with "." or ".." are refused. Result: 0, or -errno.
// Context: main | callback.
int file_unlink(const char *path);
int file_make_directory(const char *path, mode_t mode);
int file_remove_directory(const char *path);
int file_rename(const char *from, const char *to);
int file_change_directory(const char *path);

// The directory entry behind entry->cookie (0: the first).
// Result: 1, 0 (no more), -EBADF, -ENOTDIR, or -errno.
// Context: main | callback.
int file_next_entry(int fd, struct fs_entry *entry);

// What a descriptor stands for at this moment; its device is NULL when it is not open. A copy:
// another level may close it at the next moment, or open something else by its number.
// Context: any.
struct file file_snapshot(int fd);
