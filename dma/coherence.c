// Cache maintenance around a device's access to memory, and bounce lines for what does not fill a
// cache line.
//
// A line that the device writes may not be dirty in the cache meanwhile (its eviction would
// overwrite the device's bytes) and must be dropped afterwards (the CPU may have fetched it early,
// by speculation). Both are harmless only where the whole line is the buffer's: a neighbour's store
// into the same line would be lost. Hence the bounce lines.
//
// Lines are taken to be CPU_CACHE_LINE_MAX bytes long: right for every core this architecture runs
// on, at worst a few more bytes are bounced than needed.

#include "dma/coherence.h"

#include "arch/smaller.h"

enum { LINE = CPU_CACHE_LINE_MAX, LINE_OFFSET = LINE - 1 };

// Bytes at the buffer's start that lie in a line which somebody else's bytes share.
static size_t head_size(uintptr_t address, size_t size)
{
    size_t offset = address & LINE_OFFSET;
    return offset == 0 ? 0 : smaller(size, LINE - offset);
}

static bool whole_lines(uintptr_t address, size_t size)
{
    return ((address | size) & LINE_OFFSET) == 0;
}

static void piece_add(struct dma_map *map, uintptr_t address, size_t size)
{
    if (size == 0)
        return;
    map->pieces[map->count].address = address;
    map->pieces[map->count].size = size;
    map->count++;
}

// The bounce lines are cleaned too: a dirty line of them would be evicted over the device's bytes
// like any other.
static void bounce_line_add(struct dma_map *map, uint8_t *line, size_t offset, size_t size)
{
    if (size == 0)
        return;
    cache_clean_invalidate((uintptr_t)line, LINE);
    piece_add(map, (uintptr_t)line + offset, size);
}

static void map_from_device(struct dma_map *map)
{
    size_t head = head_size(map->address, map->size);
    size_t tail = (map->size - head) & LINE_OFFSET;
    size_t body = map->size - head - tail;

    map->count = 0;
    // The offset in the line is kept, so that source and bounced destination stay aligned to each
    // other.
    bounce_line_add(map, map->bounce->head, map->address & LINE_OFFSET, head);
    if (body > 0)
        // Cleaned, not only invalidated: a transfer that ends early leaves the rest as the CPU had
        // stored it.
        cache_clean_invalidate(map->address + head, body);
    piece_add(map, map->address + head, body);
    bounce_line_add(map, map->bounce->tail, 0, tail);
}

void dma_hand_over(struct dma_map *map)
{
    if (map->direction == DMA_TO_DEVICE) {
        if (map->size > 0)
            cache_clean(map->address, map->size);
    } else if (whole_lines(map->address, map->size)) {
        cache_clean_invalidate(map->address, map->size); // See map_from_device().
    } else {
        map_from_device(map);
    }
}

// A byte loop: these are a few bytes, and libc's memcpy is not for kernel code (NEON).
static void bounce_copy(uintptr_t to, const uint8_t *from, size_t size)
{
    cache_invalidate((uintptr_t)from & ~(uintptr_t)LINE_OFFSET, LINE);
    uint8_t *bytes = (uint8_t *)to;
    for (size_t i = 0; i < size; i++)
        bytes[i] = from[i];
}

void dma_take_back(struct dma_map *map, size_t moved)
{
    if (whole_lines(map->address, map->size)) {
        cache_invalidate(map->address, map->size);
        return;
    }
    size_t head = head_size(map->address, map->size);
    size_t tail = (map->size - head) & LINE_OFFSET;
    size_t body = map->size - head - tail;
    if (body > 0)
        cache_invalidate(map->address + head, body);
    if (head > 0)
        bounce_copy(map->address, map->bounce->head + (map->address & LINE_OFFSET),
                    smaller(head, moved));
    if (tail > 0 && moved > head + body)
        bounce_copy(map->address + head + body, map->bounce->tail,
                    smaller(tail, moved - head - body));
}
