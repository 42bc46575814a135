// The device on which requests fail that have no other.
#include "aio/core.h"
#include "arch/assert.h"

static void nowhere_submit(struct device *device, struct io_request *request)
{
    (void)device;
    device_complete(request, request->result);
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
