// The memory-mapped transport of virtio devices, modern only (Virtual I/O Device 1.2, section 4.2):
// finding them, agreeing upon features, telling them their queues.
// Everything here happens at boot, except reading the configuration and resetting a broken device.
#include <errno.h>

#include "arch/report.h"
#include "drivers/virtio/virtio.h"

// 4.2.2, table 4.1.
enum {
    VIRTIO_MAGIC_VALUE = 0x000,
    VIRTIO_VERSION = 0x004,
    VIRTIO_DEVICE_ID = 0x008,
    VIRTIO_DEVICE_FEATURES = 0x010,
    VIRTIO_DEVICE_FEATURES_SEL = 0x014,
    VIRTIO_DRIVER_FEATURES = 0x020,
    VIRTIO_DRIVER_FEATURES_SEL = 0x024,
    VIRTIO_QUEUE_SEL = 0x030,
    VIRTIO_QUEUE_NUM_MAX = 0x034,
    VIRTIO_QUEUE_NUM = 0x038,
    VIRTIO_QUEUE_READY = 0x044,
    VIRTIO_STATUS = 0x070,
    VIRTIO_QUEUE_DESC_LOW = 0x080,
    VIRTIO_QUEUE_DRIVER_LOW = 0x090,
    VIRTIO_QUEUE_DEVICE_LOW = 0x0a0,
    VIRTIO_CONFIG_GENERATION = 0x0fc,
    VIRTIO_CONFIG = 0x100,
};

enum {
    MAGIC = 0x74726976, // "virt".
    VERSION_LEGACY = 1,
    VERSION_MODERN = 2,
    CONFIG_TRIES = 16,
};

// 2.1: Device Status Field.
#define STATUS_ACKNOWLEDGE BIT(0)
#define STATUS_DRIVER BIT(1)
#define STATUS_DRIVER_OK BIT(2)
#define STATUS_FEATURES_OK BIT(3)
#define STATUS_DEVICE_NEEDS_RESET BIT(6)
#define STATUS_FAILED BIT(7)

static void add_status(const struct virtio_device *device, uint32_t bits)
{
    uintptr_t status = device->base + VIRTIO_STATUS;
    write32(status, read32(status) | bits);
}

bool virtio_quiet(const struct virtio_device *device)
{
    return read32(device->base + VIRTIO_STATUS) == 0;
}

bool virtio_needs_reset(const struct virtio_device *device)
{
    return (read32(device->base + VIRTIO_STATUS) & STATUS_DEVICE_NEEDS_RESET) != 0;
}

bool virtio_reset(const struct virtio_device *device)
{
    write32(device->base + VIRTIO_STATUS, 0);
    return virtio_quiet(device);
}

static uint64_t offered_features(const struct virtio_device *device)
{
    write32(device->base + VIRTIO_DEVICE_FEATURES_SEL, 1);
    uint64_t high = read32(device->base + VIRTIO_DEVICE_FEATURES);
    write32(device->base + VIRTIO_DEVICE_FEATURES_SEL, 0);
    return high << 32 | read32(device->base + VIRTIO_DEVICE_FEATURES);
}

int virtio_negotiate(struct virtio_device *device, uint64_t wanted)
{
    device->features = offered_features(device) & (wanted | VIRTIO_F_VERSION_1);
    if (!(device->features & VIRTIO_F_VERSION_1))
        return -ENOTSUP;
    write32(device->base + VIRTIO_DRIVER_FEATURES_SEL, 1);
    write32(device->base + VIRTIO_DRIVER_FEATURES, (uint32_t)(device->features >> 32));
    write32(device->base + VIRTIO_DRIVER_FEATURES_SEL, 0);
    write32(device->base + VIRTIO_DRIVER_FEATURES, (uint32_t)device->features);
    add_status(device, STATUS_FEATURES_OK);
    // The bit stays set only where the device agrees (3.1.1, step 6).
    return read32(device->base + VIRTIO_STATUS) & STATUS_FEATURES_OK ? 0 : -ENOTSUP;
}

unsigned virtio_queue_size(const struct virtio_device *device, unsigned index, unsigned most)
{
    write32(device->base + VIRTIO_QUEUE_SEL, index);
    if (read32(device->base + VIRTIO_QUEUE_READY) != 0)
        return 0;
    uint32_t limit = read32(device->base + VIRTIO_QUEUE_NUM_MAX);
    if (limit > most)
        limit = most;
    unsigned size = 1;
    while (size <= limit / 2)
        size *= 2;
    return limit == 0 ? 0 : size;
}

// An address takes two registers, the low half first.
static void write_address(const struct virtio_device *device, unsigned low, const volatile void *at)
{
    uint64_t address = (uintptr_t)at;
    write32(device->base + low, (uint32_t)address);
    write32(device->base + low + 4, (uint32_t)(address >> 32));
}

int virtio_queue_start(const struct virtio_device *device, unsigned index,
                       const struct virtqueue *queue)
{
    write32(device->base + VIRTIO_QUEUE_SEL, index);
    write32(device->base + VIRTIO_QUEUE_NUM, queue->mask + 1);
    write_address(device, VIRTIO_QUEUE_DESC_LOW, queue->desc);
    write_address(device, VIRTIO_QUEUE_DRIVER_LOW, queue->avail);
    write_address(device, VIRTIO_QUEUE_DEVICE_LOW, queue->used);
    barrier_publish(); // The device finds the empty rings when it is told to look.
    write32(device->base + VIRTIO_QUEUE_READY, 1);
    return read32(device->base + VIRTIO_QUEUE_READY) == 1 ? 0 : -EIO;
}

void virtio_ready(const struct virtio_device *device)
{
    add_status(device, STATUS_DRIVER_OK);
}

uint8_t virtio_config8(const struct virtio_device *device, unsigned offset)
{
    return read8(device->base + VIRTIO_CONFIG + offset);
}

uint16_t virtio_config16(const struct virtio_device *device, unsigned offset)
{
    return read16(device->base + VIRTIO_CONFIG + offset);
}

uint32_t virtio_config32(const struct virtio_device *device, unsigned offset)
{
    return read32(device->base + VIRTIO_CONFIG + offset);
}

// The device may change its configuration between the two reads; the generation tells (2.5.1).
int virtio_config64(const struct virtio_device *device, unsigned offset, uint64_t *value)
{
    for (unsigned tries = 0; tries < CONFIG_TRIES; tries++) {
        uint32_t generation = read32(device->base + VIRTIO_CONFIG_GENERATION);
        uint64_t low = virtio_config32(device, offset);
        *value = low | (uint64_t)virtio_config32(device, offset + 4) << 32;
        if (read32(device->base + VIRTIO_CONFIG_GENERATION) == generation)
            return 0;
    }
    return -EIO;
}

// ---- Finding devices ----

static const struct virtio_class *class_of(uint32_t id)
{
    const struct virtio_class *const *entry = virtio_classes;
    while (*entry && (*entry)->id != id)
        entry++;
    return *entry;
}

// 3.1.1, steps 1 to 3; the others are the class's.
static int start_device(const struct virtio_device *device, const struct virtio_class *class)
{
    if (!virtio_reset(device))
        return -EIO;
    add_status(device, STATUS_ACKNOWLEDGE);
    add_status(device, STATUS_DRIVER);
    int error = class->start(device);
    if (error)
        add_status(device, STATUS_FAILED);
    return error;
}

// Looks into a slot. Nothing that goes wrong there keeps the others from being started.
static void start_slot(const struct virtio_device *device)
{
    uint32_t id = read32(device->base + VIRTIO_DEVICE_ID);
    uint32_t version = read32(device->base + VIRTIO_VERSION);
    const struct virtio_class *class = class_of(id);
    if (read32(device->base + VIRTIO_MAGIC_VALUE) != MAGIC || id == 0)
        return; // Nobody is there.
    if (version == VERSION_LEGACY) {
        report("virtio: the device at %p is a legacy one and not used; QEMU has modern ones with "
               "-global virtio-mmio.force-legacy=false\n",
               (void *)device->base);
        return;
    }
    if (version != VERSION_MODERN || !class) {
        virtio_reset(device); // Whoever ran before us may have left it at work.
        return;
    }
    int error = start_device(device, class);
    if (error)
        report("virtio: the device at %p does not start: errno %d\n", (void *)device->base, -error);
}

static int virtio_mmio_start(const struct hardware *hardware)
{
    const struct virtio_mmio_settings *settings = hardware->settings;
    if (!hardware->coherent)
        return -ENOTSUP; // Rings in memory that both sides write need more than maintenance.
    for (unsigned slot = settings->count; slot-- > 0;) {
        const struct virtio_device device = { .base = hardware->base + slot * settings->stride,
                                              .irq = hardware->irqs[0] + slot };
        start_slot(&device);
    }
    return 0;
}

const struct driver virtio_mmio = { .start = virtio_mmio_start };
