// The contract between fs/file.c and every file system: what is done by name, and to open files
// beside reading, writing and flushing. Each of these is a request like any other (IO_CALL), so
// each may take as long as it takes and ends at isr level.
//
// A file system is a device, and so is everything that it opens. Opening gives a struct device,
// whose requests IO_READ, IO_WRITE, IO_FLUSH and IO_CALL the file system serves, and whose
// ops->release() it defines; the same device may be given out again and again, as /dev does, or be
// one for each opening, as on /host.
//
// References: a file system gives a device out with fs_call_give(), which counts one more opening
// (io_retain()); each ends with one io_close(), and the last of these releases the device, once no
// request is in flight. Counting where it is given out, interrupts masked since the file system
// found the device, keeps a closing that happens meanwhile from releasing it. Between release() and
// the next FS_OPEN the file system owns the device and may give it out again.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "aio/core.h"
#include "drivers/device.h"

enum { FS_NAME_LIMIT = 255 }; // Bytes of a name, without its end.
enum { FS_STATUS_BLOCK_BYTES = 512 };

// O_DSYNC among the flags of an opening: newlib's <fcntl.h> has none, so the POSIX face has its
// own, which is this bit.
enum { FS_DSYNC = 0x800000 };

enum fs_operation {
    // Of a file system, by path.
    FS_OPEN,      // flags, mode. Gives `device`.
    FS_STATUS,    // Gives `status`; the path, links followed, where there is `text` for it.
    FS_READ_LINK, // Gives where a symbolic link leads as `text`; -EINVAL: it is none. Result: its
                  // bytes. Asked only where FS_STATUS has told of a link.
    FS_UNLINK,    // A file; -EISDIR for a directory.
    FS_MKDIR,     // mode.
    FS_RMDIR,     // -ENOTEMPTY, -ENOTDIR.
    FS_RENAME,    // To path `to` of the same file system; replaces what is there, as rename() does.

    // Of the device of an open file.
    FS_FILE_STATUS, // Gives `status`.
    FS_TRUNCATE,    // To `size`; what is new reads as zeros.
    FS_NEXT_ENTRY,  // Gives the `entry` behind `cookie` (0: the first), "." and ".." not among
                    // them. Result: 1; 0: there are no more.
};

struct fs_status {
    uint32_t mode;  // S_IFREG and the like, with permissions.
    bool read_only; // It cannot be written, nor its entries changed, whatever the permissions.
    uint32_t links;
    uint64_t size, inode;
    int64_t modified_ns;  // Since 1970, or since boot where there is no calendar.
    uint32_t block_bytes; // What is moved at best at a time.
    uint64_t blocks;      // Of FS_STATUS_BLOCK_BYTES, that it takes up.
};

struct fs_entry {
    uint64_t cookie; // Names the place behind it.
    uint64_t inode;
    uint32_t mode; // S_IFMT's bits.
    char name[FS_NAME_LIMIT + 1];
};

// Zeroed before its first use. Everything belongs to the file system until the request is done.
struct fs_call {
    struct io_request request; // op: IO_CALL. First. Result: 0, or -errno.
    enum fs_operation operation;
    // Within the file system: names with one '/' between them, none at either end, neither "." nor
    // ".." among them; "" is its root.
    const char *path, *to;
    bool directory; // The path ended with '/': what is no directory is -ENOTDIR.
    bool no_follow; // FS_STATUS: a symbolic link as the last name is meant itself.
    int flags;      // As of open(): access mode, O_CREAT, O_EXCL, O_TRUNC, O_APPEND, O_DIRECTORY,
                    // O_NOFOLLOW, O_SYNC, FS_DSYNC.
    uint32_t mode;  // Permissions of what is created.
    uint64_t size, cookie;
    char *text;       // Where text goes, without an end of FS_READ_LINK's, with one of a path; it
    size_t text_room; // may be where `path` lies. Who knows no links leaves it alone.

    struct device *device;
    struct fs_status status;
    struct fs_entry *entry; // Where an entry goes.
};

// The call that a request of op IO_CALL is part of.
static inline struct fs_call *fs_call_of(struct io_request *request)
{
    return (struct fs_call *)request; // Its first member.
}

// Gives a device out as the answer to FS_OPEN; the file system completes the request afterwards.
// Context: any, interrupts masked.
static inline void fs_call_give(struct fs_call *call, struct device *device)
{
    io_retain(device);
    call->device = device;
}

// What can be said of any device, without asking it.
// Context: any.
void fs_status_of_device(const struct device *device, struct fs_status *status);
