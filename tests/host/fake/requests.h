// The core as a driver sees it, for host suites without the real one: requests are handed over one
// by one, past any queue, and each must end exactly once.
#pragma once

#include "arch/assert.h"
#include "arch/cpu.h"
#include "drivers/device.h"

enum { FAKE_WAITS = -1000 }; // The result of a request that has not ended.

static struct {
    unsigned completed;
    unsigned told; // Times that those who poll were told.
} fake_requests;

void device_complete(struct io_request *request, ssize_t result)
{
    assert(request->state == IO_STARTED);
    request->result = result;
    if (result >= 0)
        request->moved = (size_t)result;
    request->state = IO_IDLE;
    device_lane(request->device, request->op)->in_flight--;
    fake_requests.completed++;
    if (request->done)
        request->done(request);
}

unsigned device_complete_isr(struct io_request *request, size_t moved)
{
    device_complete(request, (ssize_t)moved);
    return 1;
}

void device_lane_freed_isr(struct device *device, struct io_lane *lane, unsigned requests)
{
    (void)device, (void)lane;
    assert(requests == 0); // Each has counted itself.
}

void device_ready(struct device *device)
{
    (void)device;
    fake_requests.told++;
}

// Hands a request to its driver: by ops->submit, or by ops->put.
static inline void fake_start(struct device *device, struct io_request *request,
                              void (*by)(struct device *, struct io_request *))
{
    request->device = device;
    request->moved = 0;
    request->result = FAKE_WAITS;
    request->state = IO_STARTED;
    device_lane(device, request->op)->in_flight++;
    uint32_t flags = irq_save();
    by(device, request);
    irq_restore(flags);
}

static inline void fake_submit(struct device *device, struct io_request *request, enum io_op op,
                               const void *buffer, size_t size)
{
    request->op = op;
    request->buffer = (void *)(uintptr_t)buffer;
    request->size = size;
    fake_start(device, request, device->ops->submit);
}

// Result: as ops->cancel.
static inline int fake_cancel(struct device *device, struct io_request *request)
{
    uint32_t flags = irq_save();
    int error = device->ops->cancel(device, request);
    irq_restore(flags);
    return error;
}
