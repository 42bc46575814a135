// Event counters. One read and one write may wait here; the core's lanes keep the others.
#include "fs/eventfd.h"

#include <errno.h>

#include "arch/assert.h"
#include "arch/container.h"
#include "arch/cpu.h"
#include "fs/stream.h"

struct eventfd {
    struct device device;
    bool open; // Not released yet.
    bool semaphore;
    bool orphaned; // Its last descriptor has been closed while requests waited.
    uint64_t count;
    struct io_request *reader, *writer; // Waiting.
};

static struct eventfd eventfds[EVENTFD_LIMIT];

static struct eventfd *to_eventfd(const struct device *device)
{
    return container_of(device, struct eventfd, device);
}

// Can a write add so much? Only a signal may bring the counter to its very end.
static bool fits(const struct eventfd *eventfd, uint64_t count)
{
    return eventfd->count < UINT64_MAX && count <= UINT64_MAX - 1 - eventfd->count;
}

static struct io_request *serve_reader(struct eventfd *eventfd)
{
    struct io_request *reader = eventfd->reader;
    if (!reader || eventfd->count == 0)
        return NULL;
    uint64_t taken = eventfd->semaphore ? 1 : eventfd->count;
    eventfd->count -= taken;
    eventfd->reader = NULL;
    stream_count_store(reader, taken);
    return reader;
}

static struct io_request *serve_writer(struct eventfd *eventfd)
{
    struct io_request *writer = eventfd->writer;
    if (!writer || !fits(eventfd, stream_count_load(writer)))
        return NULL;
    eventfd->count += stream_count_load(writer);
    eventfd->writer = NULL;
    return writer;
}

// The counter has changed, or somebody has come. A write makes room for no other, but it may be
// what the reader waits for, and the other way round. Nothing of the counter is touched once the
// first of them has been told: its done() may close it.
static void serve_locked(struct eventfd *eventfd)
{
    struct io_request *reader = serve_reader(eventfd);
    struct io_request *writer = serve_writer(eventfd);
    if (!reader)
        reader = serve_reader(eventfd);
    device_ready(&eventfd->device);
    if (writer)
        device_complete(writer, STREAM_COUNT_BYTES);
    if (reader)
        device_complete(reader, STREAM_COUNT_BYTES);
}

static int submit_read(struct eventfd *eventfd, struct io_request *request)
{
    if (request->size < STREAM_COUNT_BYTES)
        return -EINVAL;
    if (eventfd->count == 0 && (request->flags & IO_NONBLOCK))
        return -EAGAIN;
    assert(eventfd->reader == NULL);
    eventfd->reader = request;
    serve_locked(eventfd);
    return 0;
}

static int submit_write(struct eventfd *eventfd, struct io_request *request)
{
    if (request->size < STREAM_COUNT_BYTES || stream_count_load(request) == UINT64_MAX)
        return -EINVAL;
    if (!fits(eventfd, stream_count_load(request)) && (request->flags & IO_NONBLOCK))
        return -EAGAIN;
    assert(eventfd->writer == NULL);
    eventfd->writer = request;
    serve_locked(eventfd);
    return 0;
}

static int eventfd_serve(struct device *device, struct io_request *request)
{
    switch (request->op) {
    case IO_READ:
        return submit_read(to_eventfd(device), request);
    case IO_WRITE:
        return submit_write(to_eventfd(device), request);
    case IO_OPEN:
        device_complete(request, 0);
        return 0;
    case IO_FLUSH: // As on Linux: there is no medium.
    case IO_CALL:  // Never comes.
        break;
    }
    return -EINVAL;
}

// Nobody is left who could read or write for those that wait.
static void give_up_locked(struct eventfd *eventfd)
{
    struct io_request *reader = eventfd->reader, *writer = eventfd->writer;
    eventfd->reader = eventfd->writer = NULL;
    if (writer)
        device_complete(writer, -ECANCELED);
    if (reader)
        device_complete(reader, -ECANCELED);
}

static void eventfd_submit(struct device *device, struct io_request *request)
{
    struct eventfd *eventfd = to_eventfd(device);
    bool orphaned = eventfd->orphaned; // It may be gone when the request is done.
    device_complete_refused(request, eventfd_serve(device, request));
    if (orphaned)
        give_up_locked(eventfd);
}

static void eventfd_orphaned(struct device *device)
{
    to_eventfd(device)->orphaned = true;
    give_up_locked(to_eventfd(device));
}

static int eventfd_cancel(struct device *device, struct io_request *request)
{
    struct eventfd *eventfd = to_eventfd(device);
    struct io_request **waiting = request == eventfd->reader   ? &eventfd->reader
                                  : request == eventfd->writer ? &eventfd->writer
                                                               : NULL;
    if (!waiting)
        return -EALREADY;
    *waiting = NULL;
    device_complete(request, -ECANCELED);
    return 0;
}

static unsigned eventfd_ready(const struct device *device)
{
    const struct eventfd *eventfd = to_eventfd(device);
    return (eventfd->count > 0 ? IO_READY_READ : 0u) | (fits(eventfd, 1) ? IO_READY_WRITE : 0u) |
           (eventfd->count == UINT64_MAX ? IO_READY_ERROR : 0u);
}

static void eventfd_release(struct device *device)
{
    to_eventfd(device)->open = false;
}

static const struct device_ops eventfd_ops = { .submit = eventfd_submit,
                                               .cancel = eventfd_cancel,
                                               .ready = eventfd_ready,
                                               .orphaned = eventfd_orphaned,
                                               .release = eventfd_release };

static struct eventfd *take_free_locked(void)
{
    for (struct eventfd *eventfd = eventfds; eventfd < eventfds + EVENTFD_LIMIT; eventfd++) {
        if (!eventfd->open) {
            eventfd->open = true;
            return eventfd;
        }
    }
    return NULL;
}

int eventfd_create(uint64_t count, bool semaphore, struct device **device)
{
    uint32_t flags = irq_save();
    struct eventfd *eventfd = take_free_locked();
    irq_restore(flags);
    if (!eventfd)
        return -ENFILE;
    stream_init(&eventfd->device, "eventfd", &eventfd_ops);
    eventfd->device.messages = true;
    eventfd->count = count;
    eventfd->semaphore = semaphore;
    eventfd->orphaned = false;
    *device = &eventfd->device;
    return 0;
}

void eventfd_signal(struct device *device, uint64_t count)
{
    uint32_t flags = irq_save();
    struct eventfd *eventfd = to_eventfd(device);
    if (__builtin_add_overflow(eventfd->count, count, &eventfd->count))
        eventfd->count = UINT64_MAX;
    serve_locked(eventfd);
    irq_restore(flags);
}

bool eventfd_is(const struct device *device)
{
    return device && device->ops == &eventfd_ops;
}
