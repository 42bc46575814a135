// /dev/null takes everything and gives nothing; /dev/zero gives zeros, which a DMA fill writes.
#include "fs/devfs.h"

#include <errno.h>
#include <string.h>

#include "arch/assert.h"
#include "dma/dma.h"

enum { ZERO_SLOTS = 4 }; // Fills under way at a time.

struct zero_slot {
    struct dma_transfer transfer; // First: done() gets back from it to the slot.
    struct dma_segment segment;
    struct io_request *request;
};

static struct zero_slot zero_slots[ZERO_SLOTS];

static void null_submit(struct device *device, struct io_request *request)
{
    (void)device;
    device_complete(request, request->op == IO_WRITE ? (ssize_t)request->size : 0);
}

static void zero_done(struct dma_transfer *transfer)
{
    struct zero_slot *slot = (struct zero_slot *)transfer;
    struct io_request *request = slot->request;
    slot->request = NULL;
    request->moved = request->size - transfer->residue;
    device_complete(request, transfer->status ? transfer->status : (ssize_t)request->size);
}

static struct zero_slot *zero_slot_of(const struct io_request *request)
{
    for (unsigned i = 0; i < ZERO_SLOTS; i++)
        if (zero_slots[i].request == request)
            return &zero_slots[i];
    return NULL;
}

static void zero_submit(struct device *device, struct io_request *request)
{
    if (request->op != IO_READ || request->size == 0) {
        null_submit(device, request);
        return;
    }
    struct zero_slot *slot = zero_slot_of(NULL); // The lane's depth leaves one free.
    assert(slot);
    slot->request = request;
    slot->segment.destination = (uintptr_t)request->buffer;
    slot->segment.size = request->size;
    slot->transfer.operation = DMA_FILL;
    slot->transfer.kernel_buffers = request->flags & IO_KERNEL_BUFFER;
    slot->transfer.segments = &slot->segment;
    slot->transfer.segment_count = 1;
    slot->transfer.done = zero_done;
    int error = dma_submit(dma_engine_find(NULL), &slot->transfer);
    if (error)
        slot->request = NULL;
    device_complete_refused(request, error);
}

static int zero_cancel(struct device *device, struct io_request *request)
{
    (void)device;
    struct zero_slot *slot = zero_slot_of(request);
    return slot ? dma_terminate(&slot->transfer) : -EALREADY;
}

static const struct device_ops null_ops = { .submit = null_submit };
static const struct device_ops zero_ops = { .submit = zero_submit, .cancel = zero_cancel };
static struct device null_device = {
    .name = "null", .ops = &null_ops, .kind = DEVICE_STREAM, .lanes = { { .depth = 1 } }
};
static struct device zero_device = {
    .name = "zero", .ops = &zero_ops, .kind = DEVICE_STREAM, .lanes = { { .depth = ZERO_SLOTS } }
};

static const char *disk_name;

void devfs_init(const char *disk)
{
    disk_name = disk;
    int error = device_register(&null_device);
    if (!error && dma_engine_find(NULL))
        error = device_register(&zero_device);
    assert(error == 0);
}

struct device *devfs_lookup(const char *path)
{
    static const char dev[] = "/dev/", proc[] = "/proc/";
    if (strcmp(path, "/dev/tty") == 0)
        return device_find("console");
    if (strcmp(path, "/dev/disk") == 0 && disk_name)
        return device_find(disk_name);
    if (strncmp(path, dev, sizeof dev - 1) == 0)
        return strchr(path + sizeof dev - 1, '/') ? NULL : device_find(path + sizeof dev - 1);
    if (strncmp(path, proc, sizeof proc - 1) == 0)
        return device_find(path + 1);
    return NULL;
}
