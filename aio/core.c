// Submit, complete, cancel, deadlines, wait: the life of a request. Its state changes only here,
// interrupts masked, and whoever changes it from queued or started first has won: completion,
// cancel or deadline.
#include "aio/core.h"

#include <errno.h>

#include "aio/poll.h"
#include "aio/queue.h"
#include "arch/assert.h"
#include "arch/container.h"
#include "arch/cpu.h"
#include "arch/memory.h"

static void finish_waiting(struct irq_work *work);

// Completions that came outside isr level, or while another one was being finished: they wait here
// for their done(). One at a time is finished, so a done() that submits to a device which completes
// at once does not recurse.
static struct {
    struct io_request *head, *tail;
    bool busy; // Somebody is finishing requests, or the software interrupt will.
    struct irq_work work;
} finishing = { .work = { .run = finish_waiting } };

enum { FINISH_BUDGET = 64 }; // Requests finished in one go before other interrupts get their turn.

static inline __attribute__((always_inline)) int buffer_check(const struct io_request *request)
{
    enum memory_access access = request->op == IO_READ ? MEMORY_DESTINATION : MEMORY_SOURCE;
    access += (request->flags & IO_KERNEL_BUFFER) * (MEMORY_KERNEL_SOURCE - MEMORY_SOURCE);
    return memory_check((uintptr_t)request->buffer, request->size, access);
}

static int request_check(const struct device *device, const struct io_request *request)
{
    if (request->priority >= IO_PRIORITIES || request->op > IO_CALL)
        return -EINVAL;
    if (request->op == IO_CALL && !device->calls)
        return -ENOTSUP;
    return request->op > IO_WRITE ? 0 : buffer_check(request);
}

// From here on the request is counted as in flight, until device_complete().
static inline void hand_to_driver(struct io_lane *lane, struct io_request *request)
{
    request->state = IO_STARTED;
    lane->in_flight++;
}

// Counted as started before the driver sees it: the completion may come from inside.
static inline __attribute__((always_inline)) void start_locked(struct device *device,
                                                               struct io_lane *lane,
                                                               struct io_request *request)
{
    hand_to_driver(lane, request);
    int error = device->ops->submit(device, request);
    if (error)
        device_complete(request, error);
}

static inline bool lane_is_quiet(const struct io_lane *lane)
{
    return lane->waiting == LANE_CLOSING && lane->in_flight == 0;
}

__attribute__((noinline)) void io_release_when_quiet(struct device *device)
{
    if (!lane_is_quiet(&device->lanes[0]) || !lane_is_quiet(&device->lanes[1]) ||
        io_is_polled(device))
        return;
    device->lanes[0].waiting = device->lanes[1].waiting = 0;
    device->ops->release(device);
}

// Gives waiting requests to the device as long as it takes more.
static void start_waiting(struct irq_work *work)
{
    struct io_lane *lane = container_of(work, struct io_lane, start);
    while (lane_starts_next(lane))
        start_locked(lane->device, lane, queue_pop(lane));
    lane->waiting &= ~(uint32_t)LANE_STARTING;
    if (lane->waiting & LANE_CLOSING)
        io_release_when_quiet(lane->device);
}

// The device is started at the interrupt's tail, behind the last register that the interrupt has to
// touch. On silicon that is as good as at once; on QEMU's zynq any register access waits while the
// SD controller moves data, and the CPU would stand still for as long.
static __attribute__((noinline)) void start_at_tail_locked(struct device *device,
                                                           struct io_lane *lane)
{
    if (lane->waiting & LANE_STARTING)
        return;
    lane->waiting |= LANE_STARTING;
    lane->device = device;
    lane->start.run = start_waiting;
    irq_defer(&lane->start);
}

// Takes a request back from its device or its queue. Result: 0, or why it stays there.
static int withdraw_locked(struct io_request *request, int reason)
{
    struct device *device = request->device;
    if (request->state == IO_QUEUED) {
        queue_remove(request->lane, request);
        hand_to_driver(request->lane, request); // In name only: every completion is counted back.
        device_complete(request, reason);
        return 0;
    }
    if (request->state != IO_STARTED)
        return -EALREADY;
    // Cancelling before the driver is asked: it may complete the request from inside.
    request->state = IO_CANCELLING;
    int error = device->ops->cancel ? device->ops->cancel(device, request) : -EBUSY;
    if (error)
        request->state = IO_STARTED;
    return error;
}

static void deadline_expired(struct timer *timer)
{
    struct io_request *request = container_of(timer, struct io_request, timer);
    if (request->state == IO_QUEUED || request->state == IO_STARTED) {
        // The verdict is given when the device has let go of the buffer, whether it can be made to
        // or not.
        request->late = true;
        if (withdraw_locked(request, -ETIMEDOUT) == -EALREADY)
            request->late = false; // It was just in time.
    }
}

static void run_notify(struct callback *callback)
{
    struct io_request *request = container_of(callback, struct io_request, callback);
    request->state = IO_IDLE;
    request->notify(request);
}

static __attribute__((noinline)) void arm_deadline(struct io_request *request)
{
    request->late = false;
    request->timer.expired = deadline_expired;
    timer_arm(&request->timer, request->deadline_ns);
}

// Ends a submit with an error and opens interrupts again as flags say.
static __attribute__((noinline)) int refuse_locked(struct device *device, int error, uint32_t flags)
{
    device->statistics.refused++;
    irq_restore(flags);
    return error;
}

static inline void accept_locked(struct device *device, struct io_lane *lane,
                                 struct io_request *request)
{
    request->device = device;
    request->lane = lane;
    request->callback.run = run_notify;
    request->moved = 0;
    device->statistics.submitted++;
}

// Every request but the usual one: all questions are asked here.
static __attribute__((noinline)) int submit_otherwise_locked(struct device *device,
                                                             struct io_lane *lane,
                                                             struct io_request *request,
                                                             uint32_t flags)
{
    int error = request_check(device, request);
    if (error)
        return refuse_locked(device, error, flags);
    assert(request->state == IO_IDLE);
    bool idle = lane->waiting == 0 && lane->in_flight < lane->depth;
    if (request->op == IO_FLUSH)
        idle &= lane->in_flight == 0; // It comes after all that was submitted before it.
    if (!idle && request->flags & IO_NONBLOCK && device->kind == DEVICE_STREAM)
        return refuse_locked(device, -EAGAIN, flags);
    accept_locked(device, lane, request);
    if (request->deadline_ns != 0)
        arm_deadline(request);
    if (idle && !irq_saved_in_isr(flags)) {
        start_locked(device, lane, request);
    } else {
        request->state = IO_QUEUED;
        queue_push(lane, request);
        if (idle)
            start_at_tail_locked(device, lane);
    }
    irq_restore(flags);
    return 0;
}

// A read or write without a deadline, on a lane that has room and nobody waiting in it: it goes to
// the device at once, past the queue.
static inline bool is_usual(const struct io_lane *lane, const struct io_request *request)
{
    // What has to be 0 in one test.
    _Static_assert(IO_IDLE == 0 && IO_PRIORITIES == 8, "what is_usual() relies on");
    uint32_t unusual = request->state | request->priority >> 3 | lane->waiting |
                       (uint32_t)request->deadline_ns | (uint32_t)(request->deadline_ns >> 32);
    return request->op <= IO_WRITE && unusual == 0 && lane->in_flight < lane->depth &&
           buffer_check(request) == 0;
}

int io_submit(struct device *device, struct io_request *request)
{
    uint32_t flags = irq_save();
    struct io_lane *lane = device_lane(device, request->op);
    if (irq_saved_in_isr(flags) || !is_usual(lane, request))
        return submit_otherwise_locked(device, lane, request, flags);
    accept_locked(device, lane, request);
    start_locked(device, lane, request);
    irq_restore(flags);
    return 0;
}

inline int io_submit_locked(struct device *device, struct io_request *request)
{
    struct io_lane *lane = device_lane(device, request->op);
    if (!is_usual(lane, request))
        return submit_otherwise_locked(device, lane, request, irq_save()); // They stay masked.
    accept_locked(device, lane, request);
    start_locked(device, lane, request);
    return 0;
}

// Calls done(). What completes inside waits for its turn: done() is not entered again from itself.
static inline __attribute__((always_inline)) void tell(struct io_request *request)
{
    bool first = !finishing.busy;
    finishing.busy = true;
    request->done(request);
    if (first && finishing.head)
        finish_waiting(&finishing.work);
    else if (first)
        finishing.busy = false;
}

// The last step, at isr level: the owner learns the result. Without a notify() to follow, the
// request is the owner's from here on and may be submitted anew inside done().
static inline __attribute__((always_inline)) void finish(struct io_request *request)
{
    bool notify = request->notify != NULL;
    request->state = notify ? IO_DONE : IO_IDLE;
    if (request->done)
        tell(request);
    if (notify)
        callback_post_isr(&request->callback);
}

// Finishes the requests that wait for it, up to the budget.
static __attribute__((noinline)) void finish_waiting(struct irq_work *work)
{
    finishing.busy = true;
    for (unsigned budget = FINISH_BUDGET; finishing.head && budget > 0; budget--) {
        struct io_request *request = finishing.head;
        finishing.head = request->next;
        finish(request);
    }
    if (finishing.head)
        irq_defer(work);
    else
        finishing.busy = false;
}

static __attribute__((noinline)) void finish_later_locked(struct io_request *request)
{
    request->state = IO_FINISHING;
    request->next = NULL;
    if (finishing.head)
        finishing.tail->next = request;
    else
        finishing.head = request;
    finishing.tail = request;
    if (!finishing.busy) {
        finishing.busy = true;
        irq_defer(&finishing.work);
    }
}

void device_complete(struct io_request *request, ssize_t result)
{
    uint32_t flags = irq_save();
    struct io_lane *lane = request->lane;
    assert(request->state == IO_STARTED || request->state == IO_CANCELLING);
    if (result >= 0)
        request->moved = (size_t)result;
    if (request->deadline_ns != 0) {
        timer_cancel(&request->timer);
        if (request->late)
            result = -ETIMEDOUT;
    }
    lane->in_flight--;
    request->result = result;
    if (lane->waiting != 0)
        start_at_tail_locked(request->device, lane);
    // In the order of completion: at once only when nobody else is being finished.
    if (irq_saved_in_isr(flags) && !finishing.busy) {
        finish(request); // Interrupts are masked at isr level: there is nothing to restore.
        return;
    }
    finish_later_locked(request);
    irq_restore(flags);
}

// What a top half ends one request after another with: the usual one without a question too many.
inline void device_complete_isr(struct io_request *request, ssize_t result)
{
    struct io_lane *lane = request->lane;
    // What has to be 0 in one test.
    uint32_t unusual = (request->state ^ IO_STARTED) | lane->waiting | finishing.busy |
                       (uint32_t)request->deadline_ns | (uint32_t)(request->deadline_ns >> 32);
    if ((unusual | (result < 0)) != 0) {
        device_complete(request, result);
        return;
    }
    lane->in_flight--;
    request->result = result;
    request->moved = (size_t)result;
    finish(request);
}

static int nowhere_submit(struct device *device, struct io_request *request)
{
    (void)device;
    return (int)request->result;
}

void io_fail(struct io_request *request, int error)
{
    static const struct device_ops ops = { .submit = nowhere_submit };
    static struct device nowhere = { .name = "nowhere", .ops = &ops, .lanes = { { .depth = 1 } } };
    request->op = IO_OPEN; // Needs no buffer.
    request->result = error;
    error = io_submit(&nowhere, request);
    assert(error == 0);
}

void io_retain(struct device *device)
{
    uint32_t flags = irq_save();
    device->references++;
    device->lanes[0].waiting &= ~(uint32_t)LANE_CLOSING;
    device->lanes[1].waiting &= ~(uint32_t)LANE_CLOSING;
    irq_restore(flags);
}

// The last one has closed the device.
static void close_locked(struct device *device)
{
    assert(!((device->lanes[0].waiting | device->lanes[1].waiting) & LANE_CLOSING));
    // A completion looks again at a lane in which something waits; this counts as such.
    device->lanes[0].waiting |= LANE_CLOSING;
    device->lanes[1].waiting |= LANE_CLOSING;
    io_release_when_quiet(device);
}

void io_close(struct device *device)
{
    uint32_t flags = irq_save();
    if (device->references > 0)
        device->references--;
    if (device->references == 0 && device->ops->release)
        close_locked(device);
    irq_restore(flags);
}

int io_cancel(struct io_request *request)
{
    uint32_t flags = irq_save();
    int error = withdraw_locked(request, -ECANCELED);
    irq_restore(flags);
    return error;
}

ssize_t io_wait(struct io_request *request)
{
    uint32_t flags = irq_save();
    while (io_in_flight(request))
        level_sleep_locked();
    irq_restore(flags);
    return request->result;
}
