// Requests of whole sectors whose memory is several pieces (Virtual I/O Device 1.2, section 5.2.6):
// one chain of a header, all the pieces, and a status.
//
// Such a chain is made of several slots' descriptors, hung together for the time of the request: n
// pieces take (n + 2) / 3 slots, rounded up, and nothing that the slots did not have before. The
// first one's header and status are the request's. Afterwards each slot's own chain is put back.
#include "arch/container.h"
#include "drivers/virtio/virtio_blk.h"

// A device need not take a piece of no bytes (QEMU's does not): those are left out.
static unsigned count_pieces(const struct io_request *request)
{
    const struct io_segment *segments = request->buffer;
    unsigned count = 0;
    for (unsigned i = 0; i < request->segments; i++)
        count += segments[i].size > 0;
    return count;
}

// Result: slots whose descriptors are enough; 0: the device does not take as many pieces.
static unsigned slots_for(const struct virtio_blk *disk, unsigned pieces)
{
    unsigned descriptors = pieces + 2; // Header, status.
    unsigned slots = (descriptors + VIRTIO_BLK_SLOT_DESCRIPTORS - 1) / VIRTIO_BLK_SLOT_DESCRIPTORS;
    return pieces > disk->segments_most || slots > disk->device.lanes[0].depth ? 0 : slots;
}

unsigned virtio_blk_places(const struct device *device, const struct io_request *request)
{
    const struct virtio_blk *disk = container_of(device, struct virtio_blk, device);
    unsigned slots = slots_for(disk, count_pieces(request));
    return slots > 0 ? slots : 1; // For the parts' machine one is enough.
}

// Takes free slots, whose descriptors become one chain. Result: the first of them.
static struct virtio_blk_slot *take(struct virtio_blk *disk, unsigned slots)
{
    struct virtio_blk_slot *first = disk->free, *last = first;
    for (; slots > 1; slots--, last = last->next)
        virtqueue_join(&disk->service.queue, last->head, last->next->head);
    disk->free = last->next;
    last->next = NULL;
    return first;
}

static void describe(struct virtio_blk *disk, struct virtio_blk_slot *slot,
                     const struct io_request *request)
{
    struct virtqueue *queue = &disk->service.queue;
    const struct virtqueue_part header = { (uintptr_t)&slot->header, sizeof slot->header };
    const struct virtqueue_part status = { (uintptr_t)&slot->status, sizeof slot->status };
    const struct io_segment *segments = request->buffer;
    uint16_t flags = request->op == IO_READ ? VIRTQ_DESC_F_NEXT | VIRTQ_DESC_F_WRITE
                                            : VIRTQ_DESC_F_NEXT;
    unsigned at = virtqueue_set_part(queue, slot->head, &header, VIRTQ_DESC_F_NEXT);
    for (unsigned i = 0; i < request->segments; i++) {
        struct virtqueue_part part = { (uintptr_t)segments[i].base, (uint32_t)segments[i].size };
        if (part.size > 0)
            at = virtqueue_set_part(queue, at, &part, flags);
    }
    virtqueue_set_part(queue, at, &status, VIRTQ_DESC_F_WRITE);
}

bool virtio_blk_segments_put(struct virtio_blk *disk, struct io_request *request)
{
    unsigned slots = slots_for(disk, count_pieces(request));
    if (slots == 0 || slots > request->places)
        return false;
    struct virtio_blk_slot *slot = take(disk, slots);
    slot->request = request;
    slot->role = VIRTIO_BLK_HAS_SEGMENTS;
    slot->status = VIRTIO_BLK_S_NONE;
    slot->header.type = request->op;
    slot->header.sector = request->offset >> VIRTIO_BLK_SECTOR_SHIFT;
    describe(disk, slot, request);
    virtqueue_put(&disk->service.queue, slot->head,
                  (uint32_t)(sizeof slot->status + (request->op == IO_READ ? request->size : 0)));
    return true;
}

void virtio_blk_segments_free(struct virtio_blk *disk, struct virtio_blk_slot *slot)
{
    while (slot) {
        struct virtio_blk_slot *next = slot->next;
        virtqueue_split(&disk->service.queue, slot->head, VIRTIO_BLK_SLOT_DESCRIPTORS);
        virtio_blk_slot_describe(disk, slot);
        virtio_blk_slot_prepare(slot);
        virtio_blk_slot_free(disk, slot);
        slot = next;
    }
}
