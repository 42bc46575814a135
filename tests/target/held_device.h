// A device for suites that must know what is in progress: it takes one request at a time and holds
// it until the suite says how it ends, and notes in which order requests came to it.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "drivers/device.h"
#include "fs/file.h"

enum { HELD_LOG = 16, HELD_FIRST_FD = 3, HELD_PATTERN = 2048 };

struct held_device {
    struct device device; // First: submit() gets from it to the rest.
    struct io_request *request;
    bool keeps;   // Cancelled requests are not given up.
    bool slow;    // They are, but end when the suite says so.
    size_t moved; // What a cancelled request had moved.
    void (*on_start)(void);
    unsigned started;
    struct {
        enum io_op op;
        uint8_t flags;
        void *buffer;
        size_t size;
    } log[HELD_LOG]; // The first requests that came.
};

static inline void held_submit(struct device *device, struct io_request *request)
{
    struct held_device *held = (struct held_device *)device;
    if (held->started < HELD_LOG) {
        held->log[held->started].op = request->op;
        held->log[held->started].flags = request->flags;
        held->log[held->started].buffer = request->buffer;
        held->log[held->started].size = request->size;
    }
    held->started++;
    held->request = request;
    if (held->on_start)
        held->on_start();
}

static inline int held_cancel(struct device *device, struct io_request *request)
{
    struct held_device *held = (struct held_device *)device;
    if (held->keeps)
        return -EBUSY;
    if (held->slow)
        return 0;
    held->request = NULL;
    request->moved = held->moved;
    device_complete(request, -ECANCELED);
    return 0;
}

// Opens the device, as new. Result: its descriptor.
static inline int held_open(struct held_device *held, enum device_kind kind, int flags)
{
    static const struct device_ops ops = { .submit = held_submit, .cancel = held_cancel };
    *held = (struct held_device){ .request = NULL };
    held->device.name = "held";
    held->device.ops = &ops;
    held->device.kind = kind;
    held->device.lanes[0].depth = 1;
    return file_install(&held->device, flags, HELD_FIRST_FD);
}

// Ends the request that is held; the next one is started.
static inline void held_end(struct held_device *held, ssize_t result)
{
    struct io_request *request = held->request;
    held->request = NULL;
    device_complete(request, result);
}

// Ends all, each with its size.
static inline void held_end_all(struct held_device *held)
{
    while (held->request)
        held_end(held, (ssize_t)held->request->size);
}

// Ends all. Result: nothing has been written where a call that the caller has made before had its
// stack.
static __attribute__((noinline, unused)) bool held_end_all_over_a_pattern(struct held_device *held)
{
    volatile unsigned char stack[HELD_PATTERN];
    bool whole = true;
    for (int i = 0; i < HELD_PATTERN; i++)
        stack[i] = UCHAR_MAX;
    held_end_all(held);
    for (int i = 0; i < HELD_PATTERN; i++)
        whole &= stack[i] == UCHAR_MAX;
    return whole;
}
