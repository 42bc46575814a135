// A serial device that the test types into, for the console over the real core.
#pragma once

#include <string.h>

#include "aio/poll.h"
#include "fs/tty.h"
#include "tests/host/fake/core.h"
#include "tests/tap.h"

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
    fake_enter_isr();
    device_complete(request, result);
    fake_leave_isr();
    fake_run_all();
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
    fake_run_all();
}

static bool reads(const char *expected)
{
    struct io_request request = { 0 };
    char buffer[256];
    submit(&request, IO_READ, buffer, sizeof buffer);
    if (io_in_flight(&request)) {
        io_cancel(&request);
        fake_run_all();
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
