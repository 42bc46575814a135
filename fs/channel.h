// One direction between two ends: a ring of bytes with the request that writes into it and the one
// that reads from it. A pipe is one channel, a pair of sockets two.
//
// Bytes move at isr level in turns of CHANNEL_PIECE at most, between which everything else gets its
// turn. All channels wait for theirs in one line, and few are served at a time, so that interrupts
// are not masked for longer where there are many. An end gives the channel one read or one write at
// a time: the lanes of the core keep the others, in the order in which they were submitted.
#pragma once

#include <stdbool.h>

#include "drivers/device.h"
#include "fs/ring.h"

enum {
    CHANNEL_PIECE = 4096,              // Bytes moved in and out in one turn.
    CHANNEL_HEADER = sizeof(uint32_t), // Of a message in the ring: its size.
    CHANNEL_MESSAGE_LIMIT = RING_SIZE - CHANNEL_HEADER,
};

// A request that moves, and how far it is.
struct channel_side {
    struct io_request *request; // NULL: nobody is there.
    size_t moved;               // Bytes.
    bool begun;                 // Something has been put in or taken out, if only a header.
};

struct channel {
    struct ring ring;
    size_t limit;           // Bytes in the ring at which writers begin to wait; RING_SIZE at most.
                            // With messages CHANNEL_MESSAGE_LIMIT at most: the bytes of one alone,
                            // of several with the headers of all but one.
    size_t atomic;          // A write of so many bytes or less goes in as a whole or waits.
    bool messages;          // What one write puts in, one read takes out; the excess is lost.
    unsigned message_count; // Whole messages in the ring.
    size_t message_left;    // Bytes of the one that is being read.
    struct channel_side writer, reader;
    bool ended;               // Nothing more will be written: 0 for a reader of the empty ring.
    int refusal;              // 0, or what a writer gets from now on: -errno.
    struct device *from, *to; // The writing and the reading end: told when they become ready.
    struct channel *next;     // In the line of those that wait for a turn.
    bool working;             // It stands there, or its turn is under way.
    bool again;               // Something has changed since it began.
};

// Makes an empty channel from one device to another. It is zeroed, or both ends have been released:
// a turn that it still waits for is forgotten.
// Context: main | callback.
void channel_init(struct channel *channel, struct device *from, struct device *to);

// Takes a read or write that the core starts; a read of a message leaves its whole size in
// request->offset. What is a stream's result comes by device_complete():
// of a read the bytes that are there, at least one, or 0 at the end; of a write all its bytes, or
// the refusal, or fewer, where the refusal came in the middle of it or IO_NONBLOCK is set; -EAGAIN
// where IO_NONBLOCK would have to wait; -EMSGSIZE for a message beyond the limit.
// Result: 0.
// Context: submit().
int channel_read(struct channel *channel, struct io_request *request);
int channel_write(struct channel *channel, struct io_request *request);

// Gives up a request that waits and has moved nothing. Result: 0, -EBUSY (a write that has begun),
// -EALREADY (the request is on its way to its end).
// Context: cancel().
int channel_cancel(struct channel *channel, const struct io_request *request);

// Nothing more will be written: one of the ends is closed or has been shut down. refusal: -errno
// for writers. What is in the ring can still be read; a message that has begun is completed.
// Context: any.
void channel_end(struct channel *channel, int refusal);

// Sets the limit from which on writers wait.
// Context: any.
void channel_set_limit(struct channel *channel, size_t limit);

// Would the next read not wait? Would the next write of so many bytes not wait, as a whole?
// Context: any, interrupts masked.
bool channel_readable(const struct channel *channel);
bool channel_writable(const struct channel *channel, size_t size);
