// Taking a virtio block device into use: features, limits, its queue and the chains in it
// (Virtual I/O Device 1.2, sections 5.2.3 to 5.2.5).
#include <errno.h>

#include "arch/report.h"
#include "drivers/virtio/virtio_blk.h"

// 5.2.4: the configuration, offsets in bytes.
enum { CONFIG_CAPACITY = 0, CONFIG_SIZE_MAX = 8, CONFIG_SEG_MAX = 12, CONFIG_BLK_SIZE = 20 };

enum {
    VIRTIO_ID_BLOCK = 2,   // 5: Device Types.
    DESCRIPTORS_FLUSH = 2, // Header, status; a slot has data in between.
    SIZE_MOST = 1 << 30,   // QEMU refuses 2 GiB and more.
};

int virtio_blk_read_capacity(struct virtio_blk *disk)
{
    uint64_t sectors;
    int error = virtio_config64(&disk->service.transport, CONFIG_CAPACITY, &sectors);
    if (error == 0) {
        disk->device.size_bytes = sectors << VIRTIO_BLK_SECTOR_SHIFT;
        virtio_blk_limits(disk);
    }
    return error;
}

static const struct device_ops virtio_blk_ops = {
    .submit = virtio_blk_submit,
    .cancel = virtio_blk_cancel,
    .put = virtio_blk_put_request,
    .kick = virtio_blk_kick,
    .places = virtio_blk_places,
    .put_segments = virtio_blk_put_otherwise,
};

static int read_limits(struct virtio_blk *disk)
{
    const struct virtio_device *transport = &disk->service.transport;
    disk->size_most = SIZE_MOST;
    disk->device.read_only = (transport->features & VIRTIO_BLK_F_RO) != 0;
    disk->device.block_bytes = VIRTIO_BLK_SECTOR_BYTES;
    if (transport->features & VIRTIO_BLK_F_BLK_SIZE &&
        virtio_config32(transport, CONFIG_BLK_SIZE) != VIRTIO_BLK_SECTOR_BYTES) {
        // Where they are larger, the device refuses what is not made of whole ones.
        report("virtio: a disk whose blocks are not of %d bytes is not supported\n",
               VIRTIO_BLK_SECTOR_BYTES);
        return -ENOTSUP;
    }
    if (transport->features & VIRTIO_BLK_F_SIZE_MAX) {
        uint32_t most = virtio_config32(transport, CONFIG_SIZE_MAX);
        if (most < VIRTIO_BLK_SECTOR_BYTES)
            return -ENOTSUP;
        if (most < disk->size_most)
            disk->size_most = most & ~(uint32_t)VIRTIO_BLK_SECTOR_MASK;
    }
    disk->segments_most = 1;
    if (transport->features & VIRTIO_BLK_F_SEG_MAX) {
        uint32_t most = virtio_config32(transport, CONFIG_SEG_MAX);
        disk->segments_most = most > 0 ? most : 1;
    }
    return virtio_blk_read_capacity(disk);
}

void virtio_blk_slot_describe(struct virtio_blk *disk, struct virtio_blk_slot *slot)
{
    const struct virtqueue_part parts[VIRTIO_BLK_SLOT_DESCRIPTORS] = {
        { (uintptr_t)&slot->header, sizeof slot->header },
        { 0, 0 },
        { (uintptr_t)&slot->status, sizeof slot->status },
    };
    virtqueue_set_parts(&disk->service.queue, slot->head, parts, 1, 2);
}

static int slot_init(struct virtio_blk *disk, struct virtio_blk_slot *slot)
{
    static const struct virtqueue_part parts[VIRTIO_BLK_SLOT_DESCRIPTORS];
    int head = virtqueue_chain(&disk->service.queue, parts, 1, 2, slot);
    if (head < 0)
        return head;
    slot->head = (uint16_t)head;
    slot->data = virtqueue_part(&disk->service.queue, slot->head, 1);
    virtio_blk_slot_describe(disk, slot);
    virtio_blk_slot_free(disk, slot);
    return 0;
}

static int flush_init(struct virtio_blk *disk)
{
    struct virtio_blk_slot *slot = &disk->flush;
    const struct virtqueue_part parts[DESCRIPTORS_FLUSH] = {
        { (uintptr_t)&slot->header, sizeof slot->header },
        { (uintptr_t)&slot->status, sizeof slot->status },
    };
    int head = virtqueue_chain(&disk->service.queue, parts, 1, 1, slot);
    slot->head = (uint16_t)head;
    return head < 0 ? head : 0;
}

static int queue_init(struct virtio_blk *disk)
{
    unsigned descriptors = virtio_queue_size(&disk->service.transport, VIRTIO_SERVICE_QUEUE,
                                             VIRTIO_BLK_DESCRIPTORS);
    if (descriptors < DESCRIPTORS_FLUSH + VIRTIO_BLK_SLOT_DESCRIPTORS)
        return -ENOTSUP;
    virtqueue_init(&disk->service.queue, disk->queue_memory, descriptors);
    unsigned slots = (descriptors - DESCRIPTORS_FLUSH) / VIRTIO_BLK_SLOT_DESCRIPTORS;
    int error = flush_init(disk);
    disk->free = NULL;
    for (unsigned i = slots; i-- > 0 && !error;)
        error = slot_init(disk, &disk->slots[i]);
    disk->device.lanes[0].depth = (uint16_t)slots;
    return error ? error
                 : virtio_queue_start(&disk->service.transport, VIRTIO_SERVICE_QUEUE,
                                      &disk->service.queue);
}

int virtio_blk_attach(struct virtio_blk *disk, const struct virtio_device *device, char letter)
{
    disk->name[0] = 'v', disk->name[1] = 'd', disk->name[2] = letter;
    disk->device.name = disk->name;
    disk->device.ops = &virtio_blk_ops;
    disk->device.kind = DEVICE_BLOCK;
    disk->service.transport = *device;
    disk->service.device = &disk->device;
    disk->service.ops = &virtio_blk_service_ops;
    int error = virtio_negotiate(&disk->service.transport,
                                 VIRTIO_BLK_F_SIZE_MAX | VIRTIO_BLK_F_SEG_MAX | VIRTIO_BLK_F_RO |
                                     VIRTIO_BLK_F_BLK_SIZE | VIRTIO_BLK_F_FLUSH);
    if (!error)
        error = read_limits(disk);
    if (!error)
        error = queue_init(disk);
    return error ? error : virtio_service_start(&disk->service);
}

static int virtio_blk_start(const struct virtio_device *device)
{
    static struct virtio_blk disks[VIRTIO_BLK_DISKS];
    static unsigned used;

    if (used == VIRTIO_BLK_DISKS)
        return -ENOMEM;
    int error = virtio_blk_attach(&disks[used], device, (char)('a' + used));
    used += error == 0;
    return error;
}

const struct virtio_class virtio_blk_class = { .id = VIRTIO_ID_BLOCK, .start = virtio_blk_start };
