// /proc: what the kernel counts, as texts. Read-only devices named "proc/interrupts", "proc/dma",
// "proc/aio" and "proc/uptime", whose text is written anew by each read, straight into the reader's
// buffer. A text that is read in pieces is therefore not of one moment; ask for all of it at once
// where that matters.
//
// interrupts  a line per installed interrupt: "number: count longest_ns unhandled name"; then lines
//             "taken:", "spurious:", "callbacks:", "turns:" and "pauses:" with their totals.
// dma         a line per engine: "name channels running queued queued_most submitted completed
//             failed terminated bytes".
// aio         a line per device: "name queued in_flight submitted completed refused bytes_read
//             bytes_written".
// uptime      seconds since boot, with six decimals.
#pragma once

// Registers the devices. Result: 0, or -EEXIST.
// Context: boot.
int procfs_init(void);
