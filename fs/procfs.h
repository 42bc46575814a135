// /proc: what the kernel counts, as texts. Devices named "proc/interrupts" and so on, whose text is
// written anew by each read, straight into the reader's buffer. A read gives whole lines, as many
// as the buffer takes; one that takes none is given a part, and the reads behind it the rest of
// that same line, unless somebody else reads the text in between. So a line is of one moment, and a
// text that is read in pieces is not; ask for all of it at once where that matters.
//
// interrupts  a line per installed interrupt: "number: count longest_ns unhandled name"; then lines
//             "taken:", "spurious:", "callbacks:", "turns:" and "pauses:" with their totals.
// dma         a line per engine: "name channels running queued queued_most submitted completed
//             failed terminated bytes".
// aio         a line per device: "name queued in_flight submitted completed refused", first those
//             that are always there, then a line for each open pipe, socket and so on, and for each
//             open file of /tmp ("ramfs") and /host ("9p"); at last "total" with the sums, in which
//             those that have been closed count too, so that no sum of the last three falls.
// uptime      seconds since boot, with six decimals.
// mounts      a line per file system: "/tmp ramfs". What is not there the board does not have; a
//             folder of the host's is "/host 9p".
// sys/fs/aio-nr, sys/fs/aio-max-nr
//             requests that contexts of asynchronous I/O have reserved, and how many they may
//             (fs/aio_limit.h); the limit is set by writing a decimal number.
#pragma once

#include "drivers/device.h"

// Registers the devices. Result: the file system, to be mounted.
// Context: boot.
struct device *procfs_init(void);
