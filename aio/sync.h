// Writes that are on the medium when they are done (IO_SYNC): when the bytes have been moved, the
// same request waits in its lane once more, as a flush, and has that one's error or else its own
// result. From then on it cannot be withdrawn: the bytes have been written.
#pragma once

#include "drivers/device.h"

// The request has ended in its driver. Result: true: it is to be queued, as the flush that it has
// become; false: it is over, and its fields are the owner's again.
bool sync_follows_locked(struct io_request *request);

// Is the request the flush behind its write?
static inline bool sync_is_flush(const struct io_request *request)
{
    return request->op == IO_FLUSH && request->flags & IO_SYNC;
}
