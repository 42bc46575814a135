// A serial device that the test types into, and the little kernel that the console and the real
// core need.
#pragma once

#include <errno.h>
#include <string.h>

#include "aio/core.h"
#include "aio/poll.h"
#include "arch/cpu.h"
#include "arch/memory.h"
#include "fs/tty.h"
#include "tests/tap.h"

// --- The kernel around it: deferred work and nothing else ---

uint32_t fake_read(uintptr_t address, unsigned bytes)
{
    (void)address, (void)bytes;
    return 0;
}
void fake_write(uintptr_t address, unsigned bytes, uint32_t value)
{
    (void)address, (void)bytes, (void)value;
}

static unsigned kernel_buffers; // Requests that said their buffer is the kernel's.

int memory_check(uintptr_t address, size_t size, enum memory_access access)
{
    (void)address, (void)size;
    kernel_buffers += access >= MEMORY_KERNEL_SOURCE;
    return 0;
}

bool memory_is_open(uintptr_t address, size_t size)
{
    (void)address, (void)size;
    return true;
}

void timer_arm(struct timer *timer, uint64_t expires_ns)
{
    (void)timer, (void)expires_ns;
}
bool timer_cancel(struct timer *timer)
{
    (void)timer;
    return false;
}
void callback_post(struct callback *callback)
{
    (void)callback;
}

void callback_post_isr(struct callback *callback)
{
    (void)callback;
}

static struct irq_work *deferred;

void irq_defer(struct irq_work *work)
{
    struct irq_work **link = &deferred;
    while (*link)
        link = &(*link)->next;
    work->next = NULL;
    *link = work;
}

static void run(void)
{
    while (deferred) {
        struct irq_work *work = deferred;
        deferred = work->next;
        fake_in_isr = true;
        fake_irqs_masked = true;
        work->run(work);
        fake_in_isr = false;
        fake_irqs_masked = false;
    }
}

void fake_wait_for_interrupt(void)
{
    run();
}
enum level level_current(void)
{
    return LEVEL_MAIN;
}

void level_sleep_locked(void)
{
    run();
}

// --- The serial device: the test types into its read and decides when its write is done ---

static struct io_request *serial_reading, *serial_writing;
static char out[65536];
static size_t out_size;
static unsigned writes;
static bool hold_writes;

static void finish_serial_write(ssize_t result)
{
    struct io_request *request = serial_writing;
    serial_writing = NULL;
    if (result > 0)
        memcpy(out + out_size, request->buffer, (size_t)result);
    out_size += result > 0 ? (size_t)result : 0;
    bool in_isr = fake_in_isr;
    fake_in_isr = true;
    device_complete(request, result);
    fake_in_isr = in_isr;
}

static void serial_submit(struct device *device, struct io_request *request)
{
    (void)device;
    if (request->op == IO_READ) {
        serial_reading = request;
        return;
    }
    writes++;
    serial_writing = request;
    if (!hold_writes)
        finish_serial_write((ssize_t)request->size);
}

static const struct device_ops serial_ops = { .submit = serial_submit };
static struct device serial = {
    .name = "serial",
    .ops = &serial_ops,
    .kind = DEVICE_STREAM,
    .duplex = true,
    .lanes = { { .depth = 1 }, { .depth = 1 } },
};

static void answer_serial_read(ssize_t result)
{
    struct io_request *request = serial_reading;
    serial_reading = NULL;
    fake_in_isr = true;
    device_complete(request, result);
    fake_in_isr = false;
    run();
}

// Result: bytes that the tty took; fewer than size when it stopped reading.
static size_t type_bytes(const char *text, size_t size)
{
    size_t taken = 0;
    while (taken < size && serial_reading) {
        size_t piece = size - taken < serial_reading->size ? size - taken : serial_reading->size;
        memcpy(serial_reading->buffer, text + taken, piece);
        taken += piece;
        answer_serial_read((ssize_t)piece);
    }
    return taken;
}

static void type(const char *text)
{
    type_bytes(text, strlen(text));
}

static struct device *console;

static void submit(struct io_request *request, enum io_op op, void *buffer, size_t size)
{
    request->op = op;
    request->buffer = buffer;
    request->size = size;
    int error = io_submit(console, request);
    if (error)
        tap_note("submit refused: %d", error);
    run();
}

static bool reads(const char *expected)
{
    struct io_request request = { 0 };
    char buffer[256];
    submit(&request, IO_READ, buffer, sizeof buffer);
    if (io_in_flight(&request)) {
        io_cancel(&request);
        run();
    }
    return request.result == (ssize_t)strlen(expected) &&
           memcmp(buffer, expected, strlen(expected)) == 0;
}

static bool shown(const char *expected)
{
    bool same = out_size == strlen(expected) && memcmp(out, expected, out_size) == 0;
    if (!same)
        tap_note("shown: \"%.*s\"", (int)out_size, out);
    out_size = 0;
    return same;
}
