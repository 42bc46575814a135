// A disk in memory whose every transfer is a DMA copy: the CPU never touches the data.
// Up to RAM_DISK_SLOTS requests are with the engine at a time; they may overtake one another.
#include "drivers/ram/ram_disk.h"

#include <errno.h>

#include "arch/assert.h"
#include "arch/cpu.h"
#include "dma/dma.h"
#include "drivers/device.h"

enum { RAM_DISK_LIMIT = 2, RAM_DISK_SLOTS = 8 };

// A request on its way through the engine.
struct ram_disk_slot {
    struct dma_transfer transfer; // First: done() gets back from it to the slot.
    struct dma_segment segment;
    struct io_request *request;
};

struct ram_disk {
    struct device device; // First: the core's device is the disk.
    uintptr_t memory;
    struct dma_engine *engine;
    struct ram_disk_slot slots[RAM_DISK_SLOTS];
};

static struct ram_disk disks[RAM_DISK_LIMIT];
static unsigned disk_count;

static void transfer_done(struct dma_transfer *transfer)
{
    struct ram_disk_slot *slot = (struct ram_disk_slot *)transfer;
    struct io_request *request = slot->request;
    size_t moved = slot->segment.size - transfer->residue;
    slot->request = NULL;
    request->moved = moved;
    device_complete(request, transfer->status ? transfer->status : (ssize_t)moved);
}

static struct ram_disk_slot *slot_of(struct ram_disk *disk, const struct io_request *request)
{
    for (unsigned i = 0; i < RAM_DISK_SLOTS; i++)
        if (disk->slots[i].request == request)
            return &disk->slots[i];
    return NULL;
}

static void ram_disk_submit(struct device *device, struct io_request *request)
{
    struct ram_disk *disk = (struct ram_disk *)device;
    ssize_t size = request->op > IO_WRITE ? 0 : device_clamp(device, request);
    if (size <= 0) {
        device_complete(request, size);
        return;
    }
    struct ram_disk_slot *slot = slot_of(disk, NULL); // The lane's depth leaves one free.
    assert(slot);
    uintptr_t memory = disk->memory + (uintptr_t)request->offset;
    uintptr_t buffer = (uintptr_t)request->buffer;
    slot->request = request;
    slot->segment.destination = request->op == IO_READ ? buffer : memory;
    slot->segment.source = request->op == IO_READ ? memory : buffer;
    slot->segment.size = (size_t)size;
    int error = dma_submit(disk->engine, &slot->transfer);
    if (error)
        slot->request = NULL;
    device_complete_refused(request, error);
}

static int ram_disk_cancel(struct device *device, struct io_request *request)
{
    struct ram_disk_slot *slot = slot_of((struct ram_disk *)device, request);
    return slot ? dma_terminate(&slot->transfer) : -EALREADY;
}

static const struct device_ops ram_disk_ops = { .submit = ram_disk_submit,
                                                .cancel = ram_disk_cancel };

static int ram_disk_start(const struct hardware *hardware)
{
    const struct ram_disk_settings *settings = hardware->settings;
    if (disk_count == RAM_DISK_LIMIT)
        return -ENOSPC;
    struct ram_disk *disk = &disks[disk_count];
    disk->engine = dma_engine_find(NULL);
    if (!disk->engine)
        return -ENODEV;
    disk->memory = (uintptr_t)settings->memory;
    disk->device.name = hardware->name;
    disk->device.ops = &ram_disk_ops;
    disk->device.kind = DEVICE_BLOCK;
    disk->device.size_bytes = settings->size_bytes;
    disk->device.block_bytes = CPU_CACHE_LINE;
    disk->device.lanes[0].depth = RAM_DISK_SLOTS;
    for (unsigned i = 0; i < RAM_DISK_SLOTS; i++) {
        struct ram_disk_slot *slot = &disk->slots[i];
        slot->transfer.operation = DMA_COPY;
        slot->transfer.kernel_buffers = true; // The disk itself is; the core has checked the user's
                                              // buffer.
        slot->transfer.segments = &slot->segment;
        slot->transfer.segment_count = 1;
        slot->transfer.done = transfer_done;
    }
    int error = device_register(&disk->device);
    disk_count += error == 0;
    return error;
}

const struct driver ram_disk = { ram_disk_start };
