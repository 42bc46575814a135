// /dev, and in it: /dev/null takes everything and gives nothing; /dev/zero gives zeros, which a DMA
// fill writes.
#include "fs/devfs.h"

#include <errno.h>

#include "arch/assert.h"
#include "dma/dma.h"
#include "fs/fixed.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

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

// What is there under a second name.
static struct alias {
    const char *name, *stands_for;
} aliases[] = { { "tty", "console" }, { "disk", NULL } };

static bool has_slash(const char *name)
{
    while (*name && *name != '/')
        name++;
    return *name != '\0';
}

static bool is_shown(const struct device *device)
{
    return (device->kind == DEVICE_BLOCK || device->kind == DEVICE_STREAM) &&
           !has_slash(device->name);
}

// The aliases that lead somewhere come first: what is registered later is added behind.
static bool dev_entry(unsigned index, struct fixed_entry *entry)
{
    for (unsigned i = 0; i < COUNT(aliases); i++) {
        entry->name = aliases[i].name;
        entry->device = aliases[i].stands_for ? device_find(aliases[i].stands_for) : NULL;
        if (entry->device && index-- == 0)
            return true;
    }
    for (struct device *device = device_first(); device; device = device->next) {
        entry->name = device->name;
        entry->device = device;
        if (is_shown(device) && index-- == 0)
            return true;
    }
    return false;
}

struct device *devfs_init(const char *disk)
{
    static struct fixed_folder folder;
    aliases[1].stands_for = disk;
    int error = device_register(&null_device);
    if (!error && dma_engine_find(NULL))
        error = device_register(&zero_device);
    assert(error == 0);
    fixed_folder_init(&folder, "devfs", dev_entry, -EACCES);
    return &folder.device;
}
