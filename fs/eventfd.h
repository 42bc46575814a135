// Event counters, as Linux's eventfd(2): a 64-bit number that writes add to and reads take.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "drivers/device.h"

enum { EVENTFD_LIMIT = 32 }; // Counters at a time.

// Makes a counter; it is given back by io_close(). Reads and writes are of eight bytes, -EINVAL for
// fewer. A read waits until the counter is not 0, takes all of it and leaves 0; of a semaphore it
// takes 1. A write waits until the sum is UINT64_MAX - 1 at most; writing UINT64_MAX is -EINVAL.
// Result: 0, or -ENFILE: all are in use.
// Context: main | callback.
int eventfd_create(uint64_t count, bool semaphore, struct device **device);

// Adds to the counter at once: past its end it stays at UINT64_MAX, which IO_READY_ERROR tells. For
// the kernel's own events.
// Context: any; the device is not closed.
void eventfd_signal(struct device *device, uint64_t count);

// Result: is this device a counter?
// Context: any.
bool eventfd_is(const struct device *device);
