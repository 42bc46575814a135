// Pipes: two devices, what is written to one is read from the other.
#pragma once

#include "drivers/device.h"

enum {
    PIPE_LIMIT = 16,    // Pipes at a time.
    PIPE_ATOMIC = 4096, // Bytes that a write puts in as a whole or not yet: PIPE_BUF.
};

// Makes a pipe. Each end is given back by io_close(); a write that nobody can read any more is
// -EPIPE. Once both ends have been released, which is at once where nothing is in flight on them,
// another pipe can be made.
// Result: 0, or -ENFILE: all are in use.
// Context: main | callback.
int pipe_create(struct device **reader, struct device **writer);
