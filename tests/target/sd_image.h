// The SD image of the tests (tools/make-test-image): each byte of it is known from its offset.
// Requests on it, waited for.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "aio/core.h"

enum { IMAGE_BYTES = 8 * 1048576, SECTOR = 512 };

static inline uint8_t image_byte(uint64_t offset)
{
    uint32_t word = (uint32_t)(offset / 4) * UINT32_C(2654435761) ^ UINT32_C(0x5bd1e995);
    return (uint8_t)(word >> 8 * (offset % 4));
}

static inline bool image_is(const uint8_t *bytes, uint64_t offset, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != image_byte(offset + i))
            return false;
    return true;
}

static struct device *card;
static size_t card_moved; // What the last request moved.

static inline struct io_request card_request(enum io_op op, uint64_t offset, void *buffer,
                                             size_t size)
{
    return (struct io_request){ .op = op, .offset = offset, .buffer = buffer, .size = size };
}

// One request from submit to its end. Result: the request's, or why it was refused.
static inline long card_do(enum io_op op, uint64_t offset, void *buffer, size_t size)
{
    struct io_request request = card_request(op, offset, buffer, size);
    int error = io_submit(card, &request);
    if (error)
        return error;
    long result = (long)io_wait(&request);
    card_moved = request.moved;
    return result;
}
