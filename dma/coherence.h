// What lies between the CPU's caches and a bus master that does not see them.
//
// dma_map() hands a buffer over to the device, dma_unmap() takes it back. A buffer that the device
// writes may begin or end in the middle of a cache line whose other bytes belong to somebody else;
// such a part goes through a bounce line, and the CPU copies it (at most CPU_CACHE_LINE_MAX - 1
// bytes at either end). Whole lines go straight to the buffer. For a coherent bus master a map is
// the buffer itself and costs nothing.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/cpu.h"

enum dma_direction { DMA_TO_DEVICE, DMA_FROM_DEVICE };

// A device or a channel has one of these for each buffer that it has mapped at a time.
struct dma_bounce {
    _Alignas(CPU_CACHE_LINE_MAX) uint8_t head[CPU_CACHE_LINE_MAX];
    _Alignas(CPU_CACHE_LINE_MAX) uint8_t tail[CPU_CACHE_LINE_MAX];
};

struct dma_piece {
    uintptr_t address; // As the device sees it.
    size_t size;       // Bytes, never 0.
};

enum { DMA_PIECES = 3 }; // A bounced head, the body, a bounced tail.

struct dma_map {
    struct dma_piece pieces[DMA_PIECES]; // What the device is to be told, in the order of the
                                         // buffer.
    unsigned count;
    uintptr_t address;
    size_t size;
    enum dma_direction direction;
    bool coherent;
    struct dma_bounce *bounce;
};

// The halves of dma_map() and dma_unmap() that maintain the caches; nobody else calls them.
// Context: any.
void dma_hand_over(struct dma_map *map);
void dma_take_back(struct dma_map *map, size_t moved);

// Makes [address, address + size) ready for a device: from here to dma_unmap() the CPU must not
// touch it. The maintenance is complete when this returns: cache_clean() and the others end with a
// full barrier. coherent: from the board's hardware description. bounce: used for
// DMA_FROM_DEVICE where it is not coherent.
// Context: any.
static inline void dma_map(struct dma_map *map, uintptr_t address, size_t size,
                           enum dma_direction direction, bool coherent, struct dma_bounce *bounce)
{
    map->pieces[0].address = address;
    map->pieces[0].size = size;
    map->count = size != 0;
    map->address = address;
    map->size = size;
    map->direction = direction;
    map->coherent = coherent;
    map->bounce = bounce;
    if (!coherent)
        dma_hand_over(map);
}

// The device is quiet: what it has written becomes visible to the CPU, what it has not written is
// as it was. moved: bytes from the buffer's start that it did write; bounced bytes past them are
// not copied.
// Context: any.
static inline void dma_unmap(struct dma_map *map, size_t moved)
{
    // The register that told us about the end is read before anything that the device wrote.
    barrier_consume();
    if (!map->coherent && map->direction == DMA_FROM_DEVICE)
        dma_take_back(map, moved);
}
