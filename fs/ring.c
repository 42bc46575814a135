// A ring of bytes.
#include "fs/ring.h"

#include "arch/assert.h"
#include "arch/smaller.h"

typedef uint32_t __attribute__((may_alias)) word;

static void bytes_copy(uint8_t *to, const uint8_t *from, size_t size)
{
    size_t i = 0;
    if (((uintptr_t)to | (uintptr_t)from) % sizeof(word) == 0) {
        for (; i + sizeof(word) <= size; i += sizeof(word))
            *(word *)(void *)(to + i) = *(const word *)(const void *)(from + i);
    }
    for (; i < size; i++)
        to[i] = from[i];
}

void ring_put(struct ring *ring, const void *from, size_t size)
{
    assert(size <= ring_room(ring));
    const uint8_t *bytes = from;
    size_t end = (ring->first + ring->used) % RING_SIZE;
    size_t straight = smaller(size, RING_SIZE - end);
    bytes_copy(ring->bytes + end, bytes, straight);
    if (straight < size)
        bytes_copy(ring->bytes, bytes + straight, size - straight);
    ring->used += size;
}

void ring_take(struct ring *ring, void *to, size_t size)
{
    assert(size <= ring->used);
    uint8_t *bytes = to;
    size_t straight = smaller(size, RING_SIZE - ring->first);
    bytes_copy(bytes, ring->bytes + ring->first, straight);
    if (straight < size)
        bytes_copy(bytes + straight, ring->bytes, size - straight);
    ring_drop(ring, size);
}

void ring_drop(struct ring *ring, size_t size)
{
    assert(size <= ring->used);
    ring->first = (ring->first + size) % RING_SIZE;
    ring->used -= size;
    if (ring->used == 0)
        ring->first = 0; // What comes next lies in one piece, and as it is aligned outside.
}
