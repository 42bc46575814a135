// The device's side of a virtqueue for host tests: takes chains from the available ring and gives
// them back, honestly or not.
#pragma once

#include <stdlib.h>
#include <string.h>

#include "drivers/virtio/virtqueue.h"

struct model_device {
    struct virtqueue *queue; // Only the three areas are looked at.
    uint16_t seen;           // Of the available ring.
    uint16_t used;           // Chains given back.
};

// Result: the head of the next chain, or -1.
static inline int model_pop(struct model_device *device)
{
    const struct virtqueue *queue = device->queue;
    if (queue->avail->idx == device->seen)
        return -1;
    return queue->avail->ring[device->seen++ & queue->mask];
}

// An entry of the used ring, the index not moved yet.
static inline void model_entry(struct model_device *device, uint32_t id, uint32_t length)
{
    struct virtqueue *queue = device->queue;
    queue->used->ring[device->used & queue->mask].id = id;
    queue->used->ring[device->used & queue->mask].len = length;
    device->used++;
}

static inline void model_push(struct model_device *device, uint32_t id, uint32_t length)
{
    model_entry(device, id, length);
    device->queue->used->idx = device->used;
}
