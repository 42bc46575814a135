// What a driver of a virtio device with one queue does between the interrupt and its requests:
// emptying the used ring within a budget, and giving up a device that breaks the rules.
//
// A driver has a struct virtio_service in its own struct for a device. It puts chains into the
// queue and kicks; here they are taken out again, and handed to the driver's end(), which is named
// where the code is expanded, so that the loop has no call in it.
//
// A device that breaks the rules of its ring, or asks for a reset, is reset and not used any more.
// Its requests fail once it is quiet, so none gives its buffer back while the device may still
// write there.
#pragma once

#include "drivers/device.h"
#include "drivers/virtio/virtio.h"
#include "drivers/virtio/virtqueue.h"

enum {
    VIRTIO_SERVICE_QUEUE = 0,       // The only one that is used.
    VIRTIO_SERVICE_DRAIN_MOST = 64, // Chains ended in one go before other interrupts get a turn.
};

struct virtio_service;

struct virtio_service_ops {
    // The top half: virtio_service_interrupt() with the driver's end().
    irq_handler *interrupt;
    // The same of virtio_service_drain().
    void (*drain)(struct virtio_service *service);
    // The device is about to be given up: nothing more must be put into the queue. May be NULL.
    void (*stop)(struct virtio_service *service);
    // The device is broken, and quiet: every request that the driver has ends with -EIO. At isr
    // level, once. From before that on queue.broken says why, and requests fail at once.
    void (*fail)(struct virtio_service *service);
};

struct virtio_service {
    // Set by the driver; the transport as agreed upon, the queue as the device has been told.
    struct virtio_device transport;
    struct virtqueue queue;
    struct device *device;
    const struct virtio_service_ops *ops;

    bool rest_waits, given_up;
    struct irq_work rest;  // Takes what one interrupt has left in the used ring.
    struct timer patience; // Until a broken device is quiet.
};

// Takes the interrupt, makes the device known by its name, and sets it to work.
// Result: 0, or -errno: the interrupt or the name is taken.
// Context: boot.
int virtio_service_start(struct virtio_service *service);

// Gives the device up for what broke its queue; the second time does nothing.
// Context: isr.
void virtio_service_give_up(struct virtio_service *service);

// The ways that are rarely gone.
// Context: isr.
void virtio_service_drain_later(struct virtio_service *service);
bool virtio_service_interrupt_otherwise(struct virtio_service *service, uint32_t raised);

// Tells the device of everything that has been put into the queue.
// Context: any, interrupts masked.
static inline void virtio_service_kick(struct virtio_service *service)
{
    if (virtqueue_kick(&service->queue))
        virtio_notify(&service->transport, VIRTIO_SERVICE_QUEUE);
}

// What a chain's owner, as virtqueue_chain() was told, wants done with what the device has written.
// Result: 0: a request has ended by device_complete_isr(), which left its place in the lane to be
// counted back; 1: there is nothing to count.
typedef unsigned virtio_service_end(struct virtio_service *service, void *owner, uint32_t written);

// device: the service's, as the driver has it at hand; its requests wait in the first lane.
// Context: isr.
static inline __attribute__((always_inline)) void virtio_service_drain(
    struct virtio_service *service, struct device *device, virtio_service_end *end)
{
    unsigned count = virtqueue_used(&service->queue);
    struct virtqueue place = service->queue; // What is needed of it stays in registers.
    if (count > VIRTIO_SERVICE_DRAIN_MOST) {
        virtio_service_drain_later(service);
        count = VIRTIO_SERVICE_DRAIN_MOST;
    }
    unsigned left = count, counted = 0;
    for (; left > 0; left--) {
        uint32_t written;
        void *owner = virtqueue_take_at(&service->queue, &place, &written);
        if (!owner)
            break;
        counted += end(service, owner, written);
    }
    service->queue.taken = place.taken;
    device_lane_freed_isr(device, &device->lanes[0], count - left - counted);
    if (service->queue.broken)
        virtio_service_give_up(service);
}

// Result: was the interrupt this device's?
// Context: isr.
static inline __attribute__((always_inline)) bool virtio_service_interrupt(
    struct virtio_service *service, struct device *device, virtio_service_end *end)
{
    uint32_t raised = virtio_interrupt_take(&service->transport);
    if (__builtin_expect(raised != VIRTIO_INTERRUPT_USED, 0))
        return virtio_service_interrupt_otherwise(service, raised);
    virtio_service_drain(service, device, end);
    return true;
}
