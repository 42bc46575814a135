// Readiness: one operation, the same on every device. A poll is a request that completes as soon as
// the device is ready for what was asked; it moves nothing. It is cancelled, timed out and waited
// for like any other request.
//
// A device that is ready now may have been emptied by somebody else when its poll's owner hears of
// it: whoever must not wait then asks with IO_NONBLOCK.
#pragma once

#include "aio/core.h"

// Submits a request as a poll of the device. events: enum io_ready, what is waited for;
// IO_READY_HANGUP and IO_READY_ERROR always are. The owner has set done, notify and deadline_ns;
// op, offset and buffer are filled in here.
// Result: 0, or as io_submit(). The request's result is then what the device is ready for.
// Context: any.
int io_poll(struct device *device, struct io_request *request, unsigned events);

// What the device is ready for at this moment: enum io_ready.
// Context: any.
unsigned io_ready_now(const struct device *device);

// Does a poll wait for this device? Context: any, interrupts masked.
bool io_is_polled(const struct device *device);
