// Virtio devices behind memory-mapped registers (Virtual I/O Device 1.2, section 4.2): what a board
// file says about them, and what a class of them (drivers/virtio/virtio_blk.c) asks of the
// transport.
//
// The transport scans a board's slots, and gives each device that it finds to the driver of its
// class. Only modern devices (version 2) on coherent memory are driven; one that is neither, or
// whose class nobody drives, is left reset.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/cpu.h"
#include "arch/hardware.h"
#include "arch/mmio.h"
#include "drivers/virtio/virtqueue.h"

// ---- For a board file ----

// A row of slots: the first one's registers at .base, its interrupt in .irqs[0], those of the
// others following one by one; .coherent must be true.
//
// Quirk: QEMU's virt machines put the first device of their command line into the last slot, the
// next one before it, and so on. The scan goes the same way, so that vda is the first one.
struct virtio_mmio_settings {
    uint32_t stride; // Bytes from slot to slot.
    unsigned count;  // Slots.
};
extern const struct driver virtio_mmio;

// ---- For the driver of a class ----

// 4.2.2, table 4.1: the registers that are used on the way of a request.
enum { VIRTIO_QUEUE_NOTIFY = 0x050, VIRTIO_INTERRUPT_STATUS = 0x060, VIRTIO_INTERRUPT_ACK = 0x064 };

// Bits of InterruptStatus: a queue's used ring; the configuration, or the device's status.
#define VIRTIO_INTERRUPT_USED BIT(0)
#define VIRTIO_INTERRUPT_CONFIG BIT(1)

// 6: features of every class.
#define VIRTIO_F_VERSION_1 (UINT64_C(1) << 32)

// A device that has been found, with what has been agreed upon with it. Copied by its class.
struct virtio_device {
    uintptr_t base;
    unsigned irq;
    uint64_t features; // Agreed upon.
};

// A class of devices: by its device ID (5), how one of them is taken into use.
struct virtio_class {
    uint32_t id;
    // Called with the device reset and ACKNOWLEDGE and DRIVER set. Result: 0: the class has set it
    // up to virtio_ready(); -errno: the transport marks it as failed and says so.
    int (*start)(const struct virtio_device *device);
};
// All that are driven, up to a NULL (drivers/virtio/virtio_classes.c).
extern const struct virtio_class *const virtio_classes[];

// Agrees upon features: those of `wanted` that the device offers, and VIRTIO_F_VERSION_1.
// Result: 0, or -ENOTSUP: the device is no modern one, or does not agree.
// Context: boot.
int virtio_negotiate(struct virtio_device *device, uint64_t wanted);

// How many descriptors a queue may have: the largest power of two that neither `most` nor the
// device exceeds; 0: the device has no such queue, or it is in use.
// Context: boot.
unsigned virtio_queue_size(const struct virtio_device *device, unsigned index, unsigned most);

// Tells the device where a queue is, which has been initialised and is empty.
// Result: 0, or -EIO: the device did not take it.
// Context: boot.
int virtio_queue_start(const struct virtio_device *device, unsigned index,
                       const struct virtqueue *queue);

// The device may start to work.
// Context: boot.
void virtio_ready(const struct virtio_device *device);

// Resets the device. Result: true: it is quiet, and will not touch memory any more; false: not yet,
// ask virtio_quiet() again.
// Context: any.
bool virtio_reset(const struct virtio_device *device);
bool virtio_quiet(const struct virtio_device *device);

// Reads from the device's configuration, at an offset in bytes, each field in its own width
// (4.2.2.2).
// Result of the last, which takes two accesses: 0, or -EIO: it never held still.
// Context: any.
uint8_t virtio_config8(const struct virtio_device *device, unsigned offset);
uint16_t virtio_config16(const struct virtio_device *device, unsigned offset);
uint32_t virtio_config32(const struct virtio_device *device, unsigned offset);
int virtio_config64(const struct virtio_device *device, unsigned offset, uint64_t *value);

// Rings the doorbell of a queue, when virtqueue_kick() asks for it.
// Context: any.
static inline void virtio_notify(const struct virtio_device *device, unsigned index)
{
    write32(device->base + VIRTIO_QUEUE_NOTIFY, index);
}

// Takes the device's interrupt back, before its queues are looked at: what comes later raises it
// anew. Result: what it was for, VIRTIO_INTERRUPT_…; 0: it was not this device's.
// Context: isr.
static inline uint32_t virtio_interrupt_take(const struct virtio_device *device)
{
    uint32_t status = read32(device->base + VIRTIO_INTERRUPT_STATUS);
    write32(device->base + VIRTIO_INTERRUPT_ACK, status);
    barrier_full(); // The rings are read after this write, or an entry between would be missed.
    return status;
}

// Has the device come to a state from which only a reset leads on (2.1.2)? Worth asking after an
// interrupt for its configuration.
// Context: any.
bool virtio_needs_reset(const struct virtio_device *device);
