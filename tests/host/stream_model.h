// Requests to a stream, over the real core.
#pragma once

#include <errno.h>
#include <string.h>

#include "aio/poll.h"
#include "tests/host/fake/core.h"
#include "tests/tap.h"

static inline void let_pass(uint64_t ns)
{
    fake_clock_leap(ns);
    fake_run_all();
}

static inline int start(struct device *device, struct io_request *request, enum io_op op,
                        void *buffer, size_t size)
{
    request->op = op;
    request->buffer = buffer;
    request->size = size;
    return io_submit(device, request);
}

// Starts a request and lets everything happen that can. Result: its result; -EINPROGRESS: it waits.
static inline ssize_t move(struct device *device, struct io_request *request, enum io_op op,
                           void *buffer, size_t size)
{
    int error = start(device, request, op, buffer, size);
    fake_run_all();
    if (error)
        return error;
    return io_in_flight(request) ? -EINPROGRESS : request->result;
}

// The same for a request of its own that must not wait.
static inline ssize_t move_now(struct device *device, enum io_op op, void *buffer, size_t size)
{
    struct io_request request = { .flags = IO_NONBLOCK };
    return move(device, &request, op, buffer, size);
}

static inline ssize_t read_now(struct device *device, void *buffer, size_t size)
{
    return move_now(device, IO_READ, buffer, size);
}

static inline ssize_t write_now(struct device *device, const void *buffer, size_t size)
{
    return move_now(device, IO_WRITE, (void *)(uintptr_t)buffer, size);
}

static inline unsigned random_number(void)
{
    static uint32_t state = 2463534242u;
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

// The byte at a place of the test's endless text.
static inline uint8_t text_at(size_t place)
{
    return (uint8_t)(place * 2654435761u >> 13);
}
