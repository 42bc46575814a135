// What the streams inside the machine have in common: a device from a pool, made ready for its next
// life, and the eight bytes that eventfd and timerfd are read and written by.
#pragma once

#include "drivers/device.h"

enum { STREAM_COUNT_BYTES = sizeof(uint64_t) };

// Prepares a device that is in use by nobody: zeroed, or released by the core, which leaves it
// quiet.
static inline void stream_init(struct device *device, const char *name,
                               const struct device_ops *ops)
{
    device->name = name;
    device->ops = ops;
    device->kind = DEVICE_STREAM;
    device->duplex = device->pipe = true;
    device->lanes[0].depth = device->lanes[1].depth = 1;
    device->statistics.completed = device->statistics.refused = 0;
}

// Byte by byte: the buffer may lie anywhere.
static inline void stream_count_store(const struct io_request *request, uint64_t count)
{
    uint8_t *to = request->buffer;
    for (unsigned i = 0; i < STREAM_COUNT_BYTES; i++)
        to[i] = ((const uint8_t *)&count)[i];
}

static inline uint64_t stream_count_load(const struct io_request *request)
{
    uint64_t count = 0;
    const uint8_t *from = request->buffer;
    for (unsigned i = 0; i < STREAM_COUNT_BYTES; i++)
        ((uint8_t *)&count)[i] = from[i];
    return count;
}
