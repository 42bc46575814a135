// Segments one after another: between two of them a request waits in a list for the interrupt's
// tail, with its place in the lane kept.
#include "aio/segments.h"

#include <errno.h>

#include "arch/assert.h"
#include "arch/memory.h"

static void start_next(struct irq_work *work);

static struct {
    struct io_request *head, *tail; // In the order in which they are to go on.
    struct irq_work work;
} between = { .work = { .run = start_next } };

static const struct io_segment *list_of(const struct io_request *request)
{
    return request->buffer;
}

// The list may lie in the kernel's data as well: a face's own copy of it.
static int list_check(const struct io_request *request)
{
    uintptr_t address = (uintptr_t)request->buffer;
    if (request->segments == 0)
        return -EINVAL;
    if (address % _Alignof(struct io_segment) != 0)
        return -EFAULT;
    return memory_check(address, request->segments * sizeof(struct io_segment),
                        MEMORY_KERNEL_SOURCE);
}

static int memory_of_all_check(const struct io_request *request, size_t *total)
{
    enum memory_access access = request->op == IO_READ ? MEMORY_DESTINATION : MEMORY_SOURCE;
    const struct io_segment *segment = list_of(request), *end = segment + request->segments;
    if (request->flags & IO_KERNEL_BUFFER)
        access += MEMORY_KERNEL_SOURCE - MEMORY_SOURCE;
    for (*total = 0; segment < end; *total += segment++->size) {
        if (segment->size > SIZE_MAX / 2 - *total)
            return -EINVAL; // A result is a ssize_t.
        int error = memory_check((uintptr_t)segment->base, segment->size, access);
        if (error)
            return error;
    }
    return 0;
}

int segments_check(const struct device *device, struct io_request *request)
{
    size_t total;
    if (device->messages)
        return -ENOTSUP;
    int error = list_check(request);
    if (!error)
        error = memory_of_all_check(request, &total);
    if (error)
        return error;
    request->size = total;
    request->places = 1;
    if (device->ops->places)
        request->places = (uint16_t)device->ops->places(device, request);
    return 0;
}

// Makes the request look like one for its next segment that is not empty; for the first one, if all
// are.
static void show_next(struct io_request *request)
{
    const struct io_segment *segment;
    do
        segment = &request->split.list[request->split.next++];
    while (segment->size == 0 && request->split.left > 0);
    request->buffer = segment->base;
    request->size = segment->size;
    request->split.left -= segment->size;
    request->moved = 0;
}

void segments_accept_locked(struct io_request *request)
{
    request->split.list = NULL;
    if (request->device->ops->put_segments)
        return;
    request->split.list = list_of(request);
    request->split.done = request->split.next = 0;
    request->split.left = request->size;
    request->split.flags = request->flags;
    show_next(request);
}

void segments_put_locked(struct io_lane *lane, struct io_request *request)
{
    struct device *device = request->device;
    const struct device_ops *ops = device->ops;
    assert(request->places > 0 && request->places <= lane->depth);
    lane->in_flight = (uint16_t)(lane->in_flight + request->places - 1);
    if (!request->split.list)
        ops->put_segments(device, request);
    else
        (ops->put ? ops->put : ops->submit)(device, request);
}

bool segments_follow(const struct io_request *request)
{
    return request->flags & IO_SEGMENTS && request->split.list && request->split.left > 0;
}

static void go_on_later(struct io_request *request)
{
    request->split.done += request->size;
    request->offset += request->size;
    if (request->op == IO_READ)
        request->flags |= IO_NONBLOCK; // Of a stream that has given something, no more than that.
    show_next(request);
    request->state = IO_BETWEEN;
    request->next = NULL;
    if (between.head)
        between.tail->next = request;
    else
        between.head = request;
    if (between.head == request)
        irq_defer(&between.work);
    between.tail = request;
}

bool segments_ended_locked(struct io_request *request)
{
    size_t done = request->split.done;
    if (!request->split.list)
        return true;
    if (request->state == IO_STARTED && request->result == (ssize_t)request->size &&
        request->split.left > 0) {
        go_on_later(request);
        return false;
    }
    request->moved += done;
    if (request->state == IO_CANCELLING)
        request->result = -ECANCELED;
    else if (request->result >= 0 || done > 0)
        request->result = (ssize_t)request->moved;
    request->size += done + request->split.left;
    request->offset -= done;
    request->flags = request->split.flags;
    request->buffer = (void *)(uintptr_t)request->split.list;
    return true;
}

static void start_next(struct irq_work *work)
{
    (void)work;
    struct io_request *request = between.head;
    between.head = NULL;
    while (request) {
        struct io_request *following = request->next;
        if (request->state == IO_CANCELLING) {
            device_complete(request, -ECANCELED);
        } else {
            request->state = IO_STARTED;
            request->device->ops->submit(request->device, request);
        }
        request = following;
    }
}
