// Submit, complete, cancel, deadlines: the life of a request. Its state changes only here,
// interrupts masked, and whoever changes it from queued or started first has won: completion,
// cancel or deadline.
#include "aio/core.h"

#include <errno.h>

#include "aio/poll.h"
#include "aio/queue.h"
#include "aio/segments.h"
#include "aio/sync.h"
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

static int buffer_check(const struct io_request *request)
{
    enum memory_access access = request->op == IO_READ ? MEMORY_DESTINATION : MEMORY_SOURCE;
    access += (request->flags & IO_KERNEL_BUFFER) * (MEMORY_KERNEL_SOURCE - MEMORY_SOURCE);
    return memory_check((uintptr_t)request->buffer, request->size, access);
}

static inline struct io_lane *lane_of(const struct io_request *request)
{
    return device_lane(request->device, request->op);
}

static int request_check(const struct device *device, struct io_request *request)
{
    if (request->priority >= IO_PRIORITIES || request->op > IO_CALL)
        return -EINVAL;
    if (request->op == IO_CALL && !device->calls)
        return -ENOTSUP;
    if (request->op > IO_WRITE)
        return request->flags & (IO_SEGMENTS | IO_SYNC) ? -EINVAL : 0;
    return request->flags & IO_SEGMENTS ? segments_check(device, request) : buffer_check(request);
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
    device->ops->submit(device, request);
}

bool io_is_finishing(const struct device *device)
{
    const struct io_request *request = finishing.head;
    while (request && request->device != device)
        request = request->next;
    return request != NULL;
}

// One that needs several places waits for them at its queue's head, and the others behind it.
static bool may_start_next(const struct io_lane *lane)
{
    uint32_t waiting = lane->waiting & ~(uint32_t)(LANE_STARTING | LANE_CLOSING);
    if (waiting == 0 || lane->in_flight >= lane->depth)
        return false;
    if (lane->in_flight == 0)
        return true;
    const struct io_request *first = lane->queue[__builtin_ctz(waiting)].head;
    // A flush comes after all that was submitted before it.
    return first->op != IO_FLUSH && lane->in_flight + places_of(first) <= lane->depth;
}

// Gives waiting requests to the device as long as it takes more, and tells it once.
static void start_waiting(struct irq_work *work)
{
    struct io_lane *lane = container_of(work, struct io_lane, start);
    struct device *device = lane->device;
    const struct device_ops *ops = device->ops;
    bool started = false;
    for (; may_start_next(lane); started = true) {
        struct io_request *request = queue_pop(lane);
        hand_to_driver(lane, request);
        if (request->flags & IO_SEGMENTS)
            segments_put_locked(lane, request);
        else
            (ops->put ? ops->put : ops->submit)(device, request);
    }
    if (started && ops->kick)
        ops->kick(device);
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
    if (sync_is_flush(request))
        return -EBUSY;
    if (request->state == IO_QUEUED) {
        queue_remove(lane_of(request), request);
        hand_to_driver(lane_of(request), request); // In name only: every completion is counted
        lane_of(request)->in_flight += places_of(request) - 1; // back.
        device_complete(request, reason);
        return 0;
    }
    if (request->state == IO_BETWEEN) {
        request->state = IO_CANCELLING;
        return 0;
    }
    if (request->state != IO_STARTED)
        return -EALREADY;
    // Cancelling before the driver is asked: it may complete the request from inside.
    request->state = IO_CANCELLING;
    int error = device->ops->cancel ? device->ops->cancel(device, request) : -EBUSY;
    if (error == 0 || segments_follow(request))
        return 0; // At the latest it ends before its next segment.
    request->state = IO_STARTED;
    return error;
}

static void deadline_expired(struct timer *timer)
{
    struct io_request *request = container_of(timer, struct io_request, timer);
    if (request->state == IO_QUEUED || request->state == IO_STARTED ||
        request->state == IO_BETWEEN) {
        // The verdict is given when the device has let go of the buffer, whether it can be made to
        // or not.
        request->late = true;
        if (withdraw_locked(request, -ETIMEDOUT) == -EALREADY)
            request->late = false; // It was just in time.
    }
}

// What an accepted request with a deadline or segments needs.
static __attribute__((noinline)) void prepare_locked(struct io_request *request)
{
    if (request->flags & IO_DEADLINE) {
        request->late = false;
        request->timer.expired = deadline_expired;
        timer_arm(&request->timer, request->deadline_ns);
    }
    if (request->flags & IO_SEGMENTS)
        segments_accept_locked(request);
}

// From the queue, as at an interrupt's tail, but now.
static __attribute__((noinline)) void start_at_once_locked(struct device *device,
                                                           struct io_lane *lane)
{
    lane->device = device;
    start_waiting(&lane->start);
}

static int refuse_locked(struct device *device, int error)
{
    device->statistics.refused++;
    return error;
}

static inline void accept_locked(struct device *device, struct io_request *request)
{
    request->device = device;
    request->moved = 0;
}

// Every request but the usual one: all questions are asked here.
static __attribute__((noinline)) int submit_otherwise_locked(struct device *device,
                                                             struct io_request *request,
                                                             bool in_isr)
{
    struct io_lane *lane = device_lane(device, request->op);
    int error = request_check(device, request);
    if (error)
        return refuse_locked(device, error);
    assert(io_idle(request));
    bool idle = lane->waiting == 0 && lane->in_flight < lane->depth;
    if (request->op == IO_FLUSH)
        idle &= lane->in_flight == 0; // It comes after all that was submitted before it.
    if (!idle && request->flags & IO_NONBLOCK && device->kind == DEVICE_STREAM)
        return refuse_locked(device, -EAGAIN);
    accept_locked(device, request);
    if (request->flags & (IO_DEADLINE | IO_SEGMENTS))
        prepare_locked(request);
    if (idle && !in_isr && !(request->flags & IO_SEGMENTS)) {
        start_locked(device, lane, request);
        return 0;
    }
    request->state = IO_QUEUED;
    queue_push(lane, request);
    if (idle && in_isr)
        start_at_tail_locked(device, lane);
    else if (idle)
        start_at_once_locked(device, lane);
    return 0;
}

// A read or write of priority 0 without flags, on the first lane, which has room and nobody waiting
// in it, of a buffer where nearly all are: it goes to the device at once, past the queue.
static inline bool is_usual(const struct device *device, const struct io_request *request)
{
    const struct io_lane *lane = &device->lanes[0];
    // What has to be 0 in one test. The compiler makes one load of the four bytes.
    _Static_assert(IO_READ == 0 && IO_WRITE == 1 && IO_IDLE == 0, "is_usual() relies on it");
    uint32_t kind = (uint32_t)request->op | (uint32_t)request->priority << 8 |
                    (uint32_t)request->flags << 16 | (uint32_t)request->state << 24;
    uintptr_t unusual = kind >> 1 | (kind & device->duplex) | lane->waiting |
                        (uintptr_t)request->notify.next;
    return unusual == 0 && lane->in_flight < lane->depth &&
           memory_is_open((uintptr_t)request->buffer, request->size);
}

inline int io_submit_locked(struct device *device, struct io_request *request)
{
    if (!is_usual(device, request))
        return submit_otherwise_locked(device, request, false);
    accept_locked(device, request);
    start_locked(device, &device->lanes[0], request);
    return 0;
}

int io_submit(struct device *device, struct io_request *request)
{
    uint32_t flags = irq_save();
    int error = irq_saved_in_isr(flags) ? submit_otherwise_locked(device, request, true)
                                        : io_submit_locked(device, request);
    irq_restore(flags);
    return error;
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
// request is the owner's from here on and may be submitted anew inside done(). Else it is not idle
// before the callback level has taken it.
static inline __attribute__((always_inline)) void finish(struct io_request *request)
{
    bool notify = request->notify.run != NULL; // Afterwards, without one, it is not ours any more.
    request->state = IO_IDLE;
    if (request->done) {
        request->notify.next = notify ? &request->notify : NULL;
        tell(request);
    }
    if (notify)
        callback_post_isr(&request->notify);
}

// Finishes the requests that wait for it, up to the budget.
static __attribute__((noinline)) void finish_waiting(struct irq_work *work)
{
    finishing.busy = true;
    for (unsigned budget = FINISH_BUDGET; finishing.head && budget > 0; budget--) {
        struct io_request *request = finishing.head;
        finishing.head = request->next;
        struct io_lane *lane = lane_of(request);
        if (lane->waiting & LANE_CLOSING) // At the tail, behind the last done().
            start_at_tail_locked(request->device, lane);
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

// Puts a request that has ended in its driver, but is not over, behind all that is in the lane.
static void queue_again_locked(struct io_lane *lane, struct io_request *request)
{
    lane->in_flight--;
    request->state = IO_QUEUED;
    queue_push(lane, request);
    start_at_tail_locked(request->device, lane);
}

// A request with segments, a flush to follow or a deadline has ended, or a segment of it; its
// result is in place. Result: false: it goes on.
static __attribute__((noinline)) bool ended_locked(struct io_lane *lane, struct io_request *request)
{
    if (request->flags & IO_SEGMENTS) {
        if (!segments_ended_locked(request))
            return false;
        lane->in_flight = (uint16_t)(lane->in_flight - (request->places - 1u));
    }
    if (request->flags & IO_SYNC && sync_follows_locked(request)) {
        queue_again_locked(lane, request);
        return false;
    }
    if (request->flags & IO_DEADLINE) {
        timer_cancel(&request->timer);
        if (request->late)
            request->result = -ETIMEDOUT;
    }
    return true;
}

void device_complete(struct io_request *request, ssize_t result)
{
    uint32_t flags = irq_save();
    struct io_lane *lane = lane_of(request);
    assert(request->state == IO_STARTED || request->state == IO_CANCELLING);
    request->result = result;
    if (result >= 0)
        request->moved = (size_t)result;
    if (request->flags & (IO_DEADLINE | IO_SEGMENTS | IO_SYNC) && !ended_locked(lane, request)) {
        irq_restore(flags);
        return;
    }
    lane->in_flight--;
    request->device->statistics.completed++;
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

// The usual request without a question too many.
inline unsigned device_complete_isr(struct io_request *request, size_t moved)
{
    // The compiler makes one load of the two bytes.
    uint32_t kind = (uint32_t)request->flags | (uint32_t)request->state << 8;
    if (((kind ^ (uint32_t)IO_STARTED << 8) | finishing.busy) != 0) {
        device_complete(request, (ssize_t)moved);
        return 1;
    }
    request->result = (ssize_t)moved;
    request->moved = moved;
    finish(request);
    return 0;
}

inline void device_lane_freed_isr(struct device *device, struct io_lane *lane, unsigned requests)
{
    lane->in_flight = (uint16_t)(lane->in_flight - requests);
    device->statistics.completed += requests;
    if (lane->waiting != 0)
        start_at_tail_locked(device, lane);
}

int io_cancel(struct io_request *request)
{
    uint32_t flags = irq_save();
    int error = withdraw_locked(request, -ECANCELED);
    irq_restore(flags);
    return error;
}
