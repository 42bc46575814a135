// The inside of the 9P transport's driver: a share and its slots in the ring. Others see a struct
// device that is called 9p/<mount tag>.
#pragma once

#include "drivers/device.h"
#include "drivers/exchange.h"
#include "drivers/virtio/virtio_service.h"

enum {
    VIRTIO_9P_SHARES = 4,
    VIRTIO_9P_TAG_MOST = 31, // Bytes of a mount tag; QEMU has no longer ones.
    // As many as QEMU has. Each slot owns enough for the largest exchange: 32 at a time.
    VIRTIO_9P_DESCRIPTORS = 128,
    VIRTIO_9P_SLOT_DESCRIPTORS = 2 * EXCHANGE_PARTS,
    VIRTIO_9P_SLOTS = VIRTIO_9P_DESCRIPTORS / VIRTIO_9P_SLOT_DESCRIPTORS,
};

// A place in the ring: a chain that is given the parts of one exchange after another.
struct virtio_9p_slot {
    struct io_request *request;
    uint16_t head;               // Of its chain.
    struct virtio_9p_slot *next; // Of the free ones.
};

struct virtio_9p {
    struct device device;
    struct virtio_service service;
    struct virtio_9p_slot *free;
    char name[sizeof "9p/" + VIRTIO_9P_TAG_MOST];
    struct virtio_9p_slot slots[VIRTIO_9P_SLOTS];
    _Alignas(VIRTQUEUE_ALIGNMENT) uint8_t queue_memory[VIRTQUEUE_BYTES(VIRTIO_9P_DESCRIPTORS)];
};

// Takes a device into use; share is all zeros, or what a failure left of it.
// Result: 0, or -errno: it has no mount tag that can be a name, or not the queue that is needed, or
// another share has that tag.
// Context: boot.
int virtio_9p_attach(struct virtio_9p *share, const struct virtio_device *device);
