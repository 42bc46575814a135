// A virtio block device with a medium for host tests, and requests for it made as the core would
// make them.
#pragma once

#include "drivers/virtio/virtio_blk.h"
#include "tests/host/fake/requests.h"
#include "tests/host/virtio_model.h"
#include "tests/tap.h"

enum { MEDIUM = 65536, MACHINES = 90, SLOT = 2, COMMANDS = 4096 };
#define VERSION_1 (UINT64_C(1) << 32)

static struct {
    struct virtio_blk disks[MACHINES]; // Devices are never forgotten: each test has its own.
    unsigned used;
    struct virtio_blk *disk;
    struct model_slot *slot;
    struct model_device device;
    uint8_t medium[MEDIUM], before[MEDIUM];
    unsigned command_count;
    struct virtio_blk_header commands[COMMANDS];
    uint32_t sizes[COMMANDS];
    uint32_t size, piece_count; // Of the last one's data.
    uint64_t features;          // Of the next machine, besides VERSION_1.
    uint32_t size_max, seg_max, block_size, queue_num_max;

    uint8_t status;         // Answered instead of OK,
    uint64_t status_sector; // for this sector, or all when it is UINT64_MAX.
    bool wrong_chain;       // A chain was not as 5.2.6 has it.
} blk;

const struct virtio_class *const virtio_classes[] = { NULL }; // Nobody scans slots.

// ---- The device ----

static void blk_move(const struct virtio_blk_header *header, uint64_t offset, uint8_t *data,
                     uint32_t size)
{
    if (header->type == VIRTIO_BLK_T_GET_ID) {
        memset(data, 0, size);
        memcpy(data, "a-disk", 6);
    } else if (offset + size > MEDIUM) {
        blk.wrong_chain = true;
    } else if (header->type == VIRTIO_BLK_T_IN) {
        memcpy(data, blk.medium + offset, size);
    } else {
        memcpy(blk.medium + offset, data, size);
    }
}

// Goes through the data of a chain from its second descriptor on, moving it or not. Result: the
// last one, its status.
static const struct virtq_desc *blk_data(const struct virtq_desc *desc,
                                         const struct virtq_desc *piece, bool moves,
                                         struct virtio_blk_header header)
{
    uint16_t flags = header.type == VIRTIO_BLK_T_OUT ? VIRTQ_DESC_F_NEXT
                                                     : VIRTQ_DESC_F_NEXT | VIRTQ_DESC_F_WRITE;
    uint64_t offset = header.sector * 512;
    blk.size = blk.piece_count = 0;
    for (; piece->flags & VIRTQ_DESC_F_NEXT; piece = &desc[piece->next]) {
        blk.wrong_chain |= piece->flags != flags || piece->len == 0 ||
                           blk.piece_count++ > VIRTIO_BLK_DESCRIPTORS;
        if (moves)
            blk_move(&header, offset + blk.size, (uint8_t *)(uintptr_t)piece->addr, piece->len);
        blk.size += piece->len;
    }
    return piece;
}

// Executes a chain. Result: the length for the used ring.
static uint32_t blk_execute(unsigned head)
{
    const struct virtq_desc *desc = (const void *)(uintptr_t)blk.slot->desc, *first = &desc[head];
    const struct virtio_blk_header *header = (const void *)(uintptr_t)first->addr;
    bool flush = header->type == VIRTIO_BLK_T_FLUSH;
    bool fails = blk.status &&
                 (blk.status_sector == UINT64_MAX || blk.status_sector == header->sector);
    const struct virtq_desc *last = blk_data(desc, &desc[first->next], !fails && !flush, *header);
    blk.wrong_chain |= first->flags != VIRTQ_DESC_F_NEXT || first->len != 16 ||
                       header->reserved != 0 || last->flags != VIRTQ_DESC_F_WRITE ||
                       last->len != 1 || flush != (blk.piece_count == 0);
    if (blk.command_count < COMMANDS) {
        blk.commands[blk.command_count] = *header;
        blk.sizes[blk.command_count++] = blk.size;
    }
    if (blk.status != VIRTIO_BLK_S_NONE || !fails)
        *(uint8_t *)(uintptr_t)last->addr = fails ? blk.status : VIRTIO_BLK_S_OK;
    return 1 + (header->type == VIRTIO_BLK_T_OUT ? 0 : blk.size);
}

// Serves one chain. False: there is none.
static bool blk_serve(void)
{
    int head = blk.slot->status & S_DRIVER_OK ? model_pop(&blk.device) : -1;
    if (head < 0)
        return false;
    model_push(&blk.device, (uint32_t)head, blk_execute((unsigned)head));
    blk.slot->interrupt_status |= 1;
    return true;
}

// Serves everything that comes, with the interrupts taken.
static void blk_run(void)
{
    for (;;) {
        while (blk_serve())
            ;
        if (fake_run_one())
            continue;
        if (!blk.slot->interrupt_status)
            return;
        model_interrupt(blk.slot);
    }
}

// ---- Requests ----

static void blk_start(struct io_request *request,
                      void (*start)(struct device *device, struct io_request *request))
{
    fake_start(&blk.disk->device, request, start);
}

static void blk_submit(struct io_request *request)
{
    blk_start(request, blk.disk->device.ops->submit);
}

static struct io_request blk_request(enum io_op op, uint64_t offset, void *buffer, size_t size)
{
    return (struct io_request){ .op = op, .offset = offset, .buffer = buffer, .size = size };
}

static inline long blk_do(enum io_op op, uint64_t offset, void *buffer, size_t size)
{
    struct io_request request = blk_request(op, offset, buffer, size);
    blk_submit(&request);
    blk_run();
    if (request.state != IO_IDLE) {
        printf("Bail out! a request never completed\n");
        exit(1);
    }
    return (long)request.result;
}

// ---- Machines ----

static void blk_set_config(unsigned offset, uint64_t value, unsigned bytes)
{
    memcpy(blk.slot->config + offset, &value, bytes);
}

// A fresh machine with a disk that is not attached yet. Result: what attaching says.
static int blk_new(void)
{
    if (blk.used == MACHINES)
        abort();
    model_fresh();
    blk.slot = model_plug(SLOT, 2, VERSION_1 | blk.features);
    blk.slot->queue_num_max = blk.queue_num_max ? blk.queue_num_max : 1024;
    blk_set_config(0, MEDIUM / 512, 8);
    blk_set_config(8, blk.size_max, 4);
    blk_set_config(12, blk.seg_max, 4);
    blk_set_config(20, blk.block_size, 4);
    for (size_t i = 0; i < MEDIUM; i++)
        blk.medium[i] = (uint8_t)(i * 7 + i / 512 * 13);
    memcpy(blk.before, blk.medium, MEDIUM);
    blk.disk = &blk.disks[blk.used];
    const struct virtio_device device = { .base = MODEL_BASE + SLOT * MODEL_STRIDE,
                                          .irq = MODEL_IRQ + SLOT };
    int error = virtio_blk_attach(blk.disk, &device, (char)('!' + blk.used++));
    blk.device = (struct model_device){ .queue = &blk.disk->service.queue };
    fake_requests.completed = blk.command_count = 0;
    blk.status = 0;
    blk.wrong_chain = false;
    return error;
}

static void blk_ready(void)
{
    if (blk_new() != 0)
        abort();
}
