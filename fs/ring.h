// A ring of bytes: what has been put in comes out again, first in, first out.
//
// The CPU copies, not DMA: a piece is a few KiB at most and goes from memory to memory, where an
// engine needs longer to be set up and to report back than the copy takes, and the reader looks at
// the bytes next, which are then in the cache. Whoever calls keeps the pieces short: interrupts may
// be masked meanwhile. Plain loops, not libc's memcpy, so that isr level may call.
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { RING_SIZE = 16384 }; // Bytes that a ring holds.

// Zeroed before its first use: empty.
struct ring {
    size_t first; // Where the oldest byte is.
    size_t used;  // Bytes in it.
    uint8_t bytes[RING_SIZE];
};

static inline size_t ring_room(const struct ring *ring)
{
    return RING_SIZE - ring->used;
}

// Puts size bytes behind the others: at most ring_room().
// Context: any; one caller at a time.
void ring_put(struct ring *ring, const void *from, size_t size);

// Takes the oldest size bytes out, or throws them away: at most ring->used.
// Context: any; one caller at a time.
void ring_take(struct ring *ring, void *to, size_t size);
void ring_drop(struct ring *ring, size_t size);
