// Polls wait on a device of their own, so that none takes a place in the lanes of the device that
// it asks about; they hang in that device's list, from submit to end.
#include "aio/poll.h"

#include <errno.h>

#include "arch/cpu.h"

enum { ALWAYS_TOLD = IO_READY_HANGUP | IO_READY_ERROR };

static struct device *polled_by(const struct io_request *poll)
{
    return poll->buffer;
}

unsigned io_ready_now(const struct device *device)
{
    if (!device->ops->ready)
        return IO_READY_READ | IO_READY_WRITE;
    uint32_t flags = irq_save();
    unsigned ready = device->ops->ready(device);
    irq_restore(flags);
    return ready;
}

// Result: of what the poll waits for, what the device is ready for.
static unsigned answer(const struct io_request *poll)
{
    return io_ready_now(polled_by(poll)) & ((unsigned)poll->offset | ALWAYS_TOLD);
}

static void list_add(struct io_request *poll)
{
    struct device *device = polled_by(poll);
    poll->previous = NULL;
    poll->next = device->polls;
    if (poll->next)
        poll->next->previous = poll;
    device->polls = poll;
}

static void list_remove(struct io_request *poll)
{
    if (poll->previous)
        poll->previous->next = poll->next;
    else
        polled_by(poll)->polls = poll->next;
    if (poll->next)
        poll->next->previous = poll->previous;
}

// Every poll ends here. It may have been the last thing that kept its device from being released.
static void end(struct io_request *poll, ssize_t result)
{
    struct device *device = polled_by(poll);
    list_remove(poll);
    device_complete(poll, result);
    io_release_when_quiet(device);
}

static void poll_submit(struct device *poller, struct io_request *poll)
{
    (void)poller;
    list_add(poll);
    unsigned ready = answer(poll);
    if (ready)
        end(poll, (ssize_t)ready);
}

static int poll_cancel(struct device *poller, struct io_request *poll)
{
    (void)poller;
    end(poll, -ECANCELED);
    return 0;
}

static const struct device_ops poll_ops = { .submit = poll_submit, .cancel = poll_cancel };
static struct device poller = { .name = "poll",
                                .ops = &poll_ops,
                                .kind = DEVICE_STREAM,
                                .calls = true,
                                .lanes = { { .depth = UINT16_MAX } } };

bool io_is_polled(const struct device *device)
{
    return device->polls != NULL;
}

int io_poll(struct device *device, struct io_request *request, unsigned events)
{
    request->op = IO_CALL;
    request->buffer = device;
    request->offset = events;
    // At once at isr level, too: the poller has no registers that would have to wait for the tail.
    uint32_t flags = irq_save();
    int error = io_submit_locked(&poller, request);
    irq_restore(flags);
    return error;
}

// The walk begins anew after each one that is told: what its done() does may change the list.
void device_ready(struct device *device)
{
    uint32_t flags = irq_save();
    struct io_request *poll = device->polls;
    while (poll) {
        unsigned ready = answer(poll);
        struct io_request *next = poll->next;
        if (ready) {
            end(poll, (ssize_t)ready);
            next = device->polls;
        }
        poll = next;
    }
    irq_restore(flags);
}
