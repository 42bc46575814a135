// The contract between the core and every driver: a request, a device, and the three things a
// device can do.
//
// A request travels down through submit() and comes back through device_complete(), and from there
// through the pointers that its owner stored in it, so no driver knows who asked. From submit()
// until device_complete() the driver owns the request and its buffer.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "arch/container.h"
#include "arch/hardware.h"
#include "irq/callback.h"
#include "irq/clock.h"
#include "irq/irq.h"

enum io_op {
    IO_READ,  // size bytes at offset into buffer; result: bytes read, fewer at the end, 0 there.
    IO_WRITE, // size bytes from buffer to offset; result: bytes written.
    IO_FLUSH, // Everything submitted before it is done, and on the medium; result: 0.
    IO_OPEN,  // The device is ready to be used (a card is there and initialised); result: 0.
    IO_CALL,  // What only this kind of device knows: the request is the first member of a larger
              // struct, which says what and where (drivers/exchange.h, fs/call.h).
};

// Each costs some instructions: the core has a shorter way for requests without any.
enum io_flags {
    IO_KERNEL_BUFFER = 1, // The buffer lies in the kernel's own data (memory_check's kernel
                          // access).
    IO_NONBLOCK = 2,      // A stream answers -EAGAIN instead of waiting.
    IO_APPEND = 4,        // A file's write goes to where its end is when its turn comes. The driver
                          // puts that place into offset.
    IO_DEADLINE = 8,      // deadline_ns counts.
    IO_SEGMENTS = 16,     // A read or write whose memory is several pieces: buffer points to
                          // `segments` of them, and the core works out size. The list stays as it
                          // is until the request is the owner's again. What becomes of it on a
                          // device that takes one piece at a time: aio/segments.h.
    IO_PARTIAL = 32,      // A stream's write can be cancelled though it has begun: its owner takes
                          // a part for an answer (moved), as who has called write() does.
    IO_SYNC = 64,         // A write is done when a flush behind it is, whose error is its result.
};

// A piece of a request's memory. It may be empty.
struct io_segment {
    void *base;
    size_t size; // Bytes.
};

// The life of a request. Changed by the core only, interrupts masked.
enum io_state {
    IO_IDLE,
    IO_QUEUED,     // Waits in the core for the device.
    IO_STARTED,    // With the driver.
    IO_BETWEEN,    // Its next segment is about to be started.
    IO_CANCELLING, // The driver is giving it up.
    IO_FINISHING,  // The result is known; done() comes next, at isr level.
};

enum { IO_PRIORITIES = 8 }; // 0 goes first; as many as POSIX's AIO_PRIO_DELTA_MAX + 1.

struct io_request {
    // Set by the owner before submit; not changed until the request is the owner's again.
    struct callback notify; // Callback level: tells the user. Its run may be NULL.
    uint8_t op;             // enum io_op.
    uint8_t priority;       // 0 (first) … IO_PRIORITIES - 1.
    uint8_t flags;          // enum io_flags.
    uint8_t state;          // enum io_state; the core's. Here so that one load reads all four.
    uint16_t segments;      // With IO_SEGMENTS: how many, at least one.
    uint64_t offset;        // Bytes; ignored by streams.
    void *buffer;           // With IO_SEGMENTS: a const struct io_segment [segments].
    size_t size;            // Bytes.
    uint64_t deadline_ns;   // On the clock of clock_now_ns(), with IO_DEADLINE.
    void (*done)(struct io_request *); // isr level: the result is there. May be NULL.

    // Set by the core when the request is done.
    ssize_t result; // As the operation says, or -errno.
    size_t moved;   // Bytes known to have been moved, also when result is an error.

    // The core's and, from submit to completion, the driver's.
    uint8_t queue;   // Where it waits in the lane; while started, the driver's.
    bool late;       // With IO_DEADLINE: its deadline has passed. Without, it means nothing.
    uint16_t places; // With IO_SEGMENTS: how many of the lane's it takes.
    struct device *device;
    struct io_request *next, *previous; // In the core's queue; the driver's while started.
    struct timer timer;                 // The deadline.
    struct {
        const struct io_segment *list; // NULL: the driver has been given all of them.
        size_t done, left;             // Bytes before and behind the one that it has been shown.
        uint16_t next;                 // The one behind it.
        uint8_t flags;                 // The request's, as they were.
    } split;                           // aio/segments.c's.
    struct {
        ssize_t result;
        size_t moved, size;
        uint64_t offset;
        uint8_t flags;
    } written; // aio/sync.c's: what the write was, while it is flushed.
};

// In a notify: the request that it belongs to.
static inline struct io_request *request_of(struct callback *notify)
{
    return container_of(notify, struct io_request, notify);
}

enum { QUEUE_BEHIND = IO_PRIORITIES, LANE_CLOSING = 1 << 29, LANE_STARTING = 1 << 30 };

// Requests in the order in which they came, linked by next and previous.
struct io_fifo {
    struct io_request *head, *tail;
};

// One direction of a device, with the requests that wait for it.
struct io_lane {
    uint16_t depth;     // Requests the driver takes at a time; set by the driver.
    uint16_t in_flight; // Requests the driver has; one with segments may count as several.
    struct device *device;
    struct irq_work start; // Gives the device its next requests at an interrupt's tail.
    uint32_t waiting;      // Bit q: a request waits in queue q; LANE_STARTING: the core is about to
                           // look; LANE_CLOSING: the device is released once it is quiet.
    struct io_fifo queue[IO_PRIORITIES + 1]; // By priority, and QUEUE_BEHIND.
};

struct device_ops {
    // Starts a request, with interrupts masked. device_complete() follows exactly once, perhaps
    // before submit returns, with -errno where the device does not take the request.
    void (*submit)(struct device *device, struct io_request *request);

    // Gives up a started request, with interrupts masked. 0: device_complete() follows with
    // -ECANCELED and `moved` as far as the hardware says, once the device is proved quiet.
    // -EALREADY: it has finished, its completion is on the way. -EBUSY, or no cancel at all: it
    // cannot be withdrawn.
    int (*cancel)(struct device *device, struct io_request *request);

    // For hardware that takes several requests before it is told to look, both or neither: put is
    // submit without the telling, kick tells of all that have been put.
    void (*put)(struct device *device, struct io_request *request);
    void (*kick)(struct device *device);

    // For devices that take requests with IO_SEGMENTS as a whole, both or neither; there is kick as
    // well. places says how many of the lane's places one takes, from 1 to the lane's depth;
    // put_segments is put for them, and finds the answer in request->places.
    unsigned (*places)(const struct device *device, const struct io_request *request);
    void (*put_segments)(struct device *device, struct io_request *request);

    // What the device is ready for now: enum io_ready. Called with interrupts masked; whenever the
    // answer may have come to have a bit more, the driver calls device_ready(). NULL: reading and
    // writing never wait.
    unsigned (*ready)(const struct device *device);

    // Nobody refers to the device any more, but requests are in flight, or wait: those that nobody
    // is left to end, now or when their turn comes, are to end with -ECANCELED or as if the other
    // end were closed. Called with interrupts masked, at any level. NULL: there are none.
    void (*orphaned)(struct device *device);

    // Nobody refers to the device any more, and nothing is in flight, not even a done() that has
    // still to be called: its memory may be used again, or the device given out anew as it is.
    // Called once after the last io_close(), with interrupts masked, at any level. NULL: the device
    // stays.
    void (*release)(struct device *device);
};

// What a device is ready for: the next request of that kind would not wait, though it may fail. The
// last two are told whether they were asked for or not.
enum io_ready {
    IO_READY_READ = 1,
    IO_READY_WRITE = 2,
    IO_READY_HANGUP = 4, // The other end has been closed; for a reader, the end comes after what is
                         // still there.
    IO_READY_ERROR = 8,  // Writing is of no use any more: nobody can read it.
};

enum device_kind {
    DEVICE_BLOCK,     // A disk: bytes at offsets, as many as it has.
    DEVICE_STREAM,    // Bytes one after another.
    DEVICE_FILE,      // Bytes at offsets; its end moves.
    DEVICE_DIRECTORY, // Names; neither read nor written.
};

struct device {
    const char *name;
    const struct device_ops *ops;
    enum device_kind kind;
    uint64_t size_bytes;  // Of a block device, once IO_OPEN has completed; of a file, as far as is
                          // known.
    uint32_t block_bytes; // Its natural block; requests need not keep to it.
    const char *serial;   // What it calls itself, or NULL; of a block device as above.
    bool read_only;       // Writing is refused when it is opened.
    bool terminal;        // A person may sit at its other end.
    bool pipe;            // Who writes where nobody can read is told by a signal too.
    bool calls;           // It knows IO_CALL; to others none ever comes: submitting it is -ENOTSUP.
    bool duplex;          // Reads and writes wait in lanes of their own.
    bool messages;        // What a request moves is one thing: a message, a number. It must not be
                          // split, so IO_SEGMENTS is -ENOTSUP.
    uint32_t type;        // S_IFIFO and the like, where `kind` does not say it; 0: it does.
    struct io_lane lanes[2];
    struct {
        uint32_t completed, refused; // What waits or is in flight has been submitted as well.
    } statistics;
    unsigned references;      // The core's: who refers to it, by io_retain() and io_close().
    struct io_request *polls; // Requests of aio/poll.h that wait for it to become ready.
    struct device *next;      // In the list of all devices.
    struct device *open_next; // The core's: among those that are open and will be released.
};

// On a duplex device everything but reading takes the writes' lane: a flush comes after the writes
// before it, and nothing waits behind a read that waits for somebody to type.
static inline struct io_lane *device_lane(struct device *device, enum io_op op)
{
    if (op != IO_READ && device->duplex)
        return &device->lanes[1];
    return &device->lanes[0];
}

// Ends a request, with result as its operation says or -errno; before an error, request->moved says
// what was moved all the same. The driver must be ready for the next submit, which may come from
// inside. At isr level its done() runs at once, elsewhere by a software interrupt.
// The core's: there is one, so it is called by name, and becomes part of a driver's loop.
// Context: any.
void device_complete(struct io_request *request, ssize_t result);

// What a submit ends with that may find the request wanting: error is 0 or -errno.
// Context: inside submit().
static inline void device_complete_refused(struct io_request *request, int error)
{
    if (error)
        device_complete(request, error);
}

// device_complete() for a top half that ends requests without an error, one or several in a row.
// Result: 0: it still counts as in flight, until device_lane_freed_isr() is told of it before the
// top half returns. 1: it does not.
// Context: isr.
unsigned device_complete_isr(struct io_request *request, size_t moved);
void device_lane_freed_isr(struct device *device, struct io_lane *lane, unsigned requests);

// A device that has ops->ready() may have become ready for more than before: whoever waits for that
// is told. Part of aio/poll.c.
// Context: any.
void device_ready(struct device *device);

// Cuts a request on a block device to what lies inside it.
// Result: bytes to move from request->offset on; 0: a read at or past the end, or nothing asked;
// -ENOSPC: a write there.
// Context: any.
ssize_t device_clamp(const struct device *device, const struct io_request *request);

// Makes a device known by its name. Result: 0, or -EEXIST.
// Context: boot.
int device_register(struct device *device);

// Result: the device, or NULL.
// Context: any.
struct device *device_find(const char *name);

// The first device, the others following by next; in the order of registration.
// Context: any.
struct device *device_first(void);
