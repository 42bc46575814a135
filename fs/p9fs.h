// The file system /host: files of whoever runs QEMU, by 9P2000.L over a device that exchanges
// messages (drivers/exchange.h), such as the one of virtio.
// The session is made by the first call, and tried again by the next when that fails. Whatever is
// done is the server's user's: no user and no group is named.
//
// Limits: P9_FILES open files, P9_DIRECTORIES of them directories (-EMFILE beyond); P9_CALLS by
// path and P9_TRANSFERS on open files are under way at a time, the others wait, the most urgent
// first. Once a message is with the server its request cannot be cancelled: QEMU's server does what
// it is asked before it looks at a Tflush.
// Symbolic links are followed within the share, P9_LINKS of them in one path; an absolute one, or
// one that leads out of the share, is -ELOOP: its target is a name of the server's machine. Neither
// devices nor FIFOs nor sockets are opened: -ENXIO.
// Every opening is a device of its own. Its size_bytes is what the server last said, and what has
// been written since; FS_FILE_STATUS asks anew.
// A write with IO_APPEND asks for the file's size first. One such write at a time is under way in
// the whole share, so none overwrites another; a program on the server's machine that appends to
// the same file at that moment can.
// A read or write of several messages that fails after some ends with what was moved by then, as
// POSIX has it: the next one meets the error.
// QEMU 7.2 looks for an open file by its name when it is told its size, and some 7.2 when they are
// asked for its status. Of one that has been unlinked or replaced, the last known status is given,
// and making it longer or shorter is -ESTALE: by the inode it is seen that another file has the
// name, which is left alone. Who replaces it between that look and the change, on the server's
// machine or by another request in flight, may have the new one cut.
#pragma once

#include "drivers/device.h"

enum {
    P9_CALLS = 8,
    P9_FILES = 64,
    P9_DIRECTORIES = 8,
    P9_TRANSFERS = 32,
    P9_LINKS = 8,
    P9_PATH_LIMIT = 1024, // Bytes of a path within the share, links replaced: -ENAMETOOLONG beyond.
};

// Sets up the file system over a device that serves struct exchange. Nothing is exchanged yet.
// There is one: calling it again forgets the one before, of which nothing may be in flight or open.
// Result: the device that serves struct fs_call, to be mounted.
// Context: boot.
struct device *p9fs_init(struct device *channel);
