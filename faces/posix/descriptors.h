// What the calls that open something without a path share.
#pragma once

#include "fs/file.h"

// Gives a device a descriptor. flags: access mode, O_NONBLOCK, O_CLOEXEC.
// Result: the descriptor, or -EMFILE: the device has then been closed.
// Context: main | callback.
int posix_install(struct device *device, int flags);

// The same for two devices. Result: 0, or -EMFILE: both have then been closed.
// Context: main | callback.
int posix_install_two(struct device *const devices[2], const int flags[2], int fds[2]);

// A write has failed: where nobody can read any more it is SIGPIPE, too, if it was to a pipe or a
// socket.
// Context: main | callback.
void posix_write_failed(int fd, int error);
