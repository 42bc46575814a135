// /dev/stderr: the debugger's or QEMU's standard error, through semihosting. The CPU stands still
// while the host writes: this is for messages, not for data.
#include <errno.h>

#include "arch/cpu.h"
#include "arch/semihosting.h"
#include "drivers/device.h"

static void stderr_submit(struct device *device, struct io_request *request)
{
    (void)device;
    if (request->op == IO_READ) {
        device_complete(request, -EBADF);
        return;
    }
    if (request->op == IO_WRITE && request->size > 0)
        semihosting_write(request->buffer, request->size);
    device_complete(request, request->op == IO_WRITE ? (ssize_t)request->size : 0);
}

static int stderr_start(const struct hardware *hardware)
{
    static const struct device_ops ops = { .submit = stderr_submit };
    static struct device device = {
        .ops = &ops, .kind = DEVICE_STREAM, .terminal = true, .lanes = { { .depth = 1 } }
    };
    device.name = hardware->name;
    return device_register(&device);
}

const struct driver semihosting_stderr = { stderr_start };
