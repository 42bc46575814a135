// Requests whose memory is several pieces (IO_SEGMENTS), on every device.
//
// A driver with ops->put_segments is given such a request as it is, and says how many of its lane's
// places it takes. To any other the core shows one segment after another, as a plain request with a
// buffer, a size and an offset of its own: the request's own fields until it is over. Meanwhile it
// keeps its place in the lane: where the lane's depth is 1, nothing else comes in between. Each
// next segment is started at an interrupt's tail.
//
// A request that is shown so ends with the first segment that is not moved in full, and its result
// is what all have moved. An error in a later segment makes a short result, as on any system; who
// asks for the rest is told then. On a stream, reading waits for the first segment only: what there
// is of the others is taken along. Cancelled or late, it ends with the segment under way at the
// latest, also where the driver can give up nothing.
//
// Limits: without ops->put_segments each segment of an IO_APPEND write finds the file's end anew,
// and a write with IO_NONBLOCK may end between two segments, however short it is.
#pragma once

#include "drivers/device.h"

// Checks the list and the memory of all segments, and works out size and places.
// Result: 0; -EINVAL: no segments, or more bytes than a result can say; -EFAULT: memory or list;
// -ENOTSUP: a device of messages.
// Context: any, interrupts masked.
int segments_check(const struct device *device, struct io_request *request);

// Prepares an accepted request.
void segments_accept_locked(struct io_request *request);

// ops->put for a request with segments, or ops->submit where there is none: a kick is due behind
// it, where the driver has one. It has been counted as one place, here the others are.
void segments_put_locked(struct io_lane *lane, struct io_request *request);

// The driver has ended what it was given; request->result says how. Result: true: the request is
// over, and its fields are the owner's again; false: it goes on with its next segment.
bool segments_ended_locked(struct io_request *request);

// Would the request go on after the segment that the driver has?
bool segments_follow(const struct io_request *request);

// How many places a request takes in its lane.
static inline unsigned places_of(const struct io_request *request)
{
    return request->flags & IO_SEGMENTS ? request->places : 1;
}
