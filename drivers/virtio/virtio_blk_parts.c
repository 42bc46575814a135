// What a virtio disk does not move in one go: parts of sectors, and sectors whose memory is several
// pieces, through a bounce buffer of one sector, and requests that are more than the device takes.
// One request at a time, one step at a time, in one slot of the ring.
//
// A write of part of a sector reads it first. Nothing else may write that sector in between, or the
// bytes around the part would be put back to what they were: so while a write is here, further
// writes to its sectors come here and wait behind it, and those that are on their way to the same
// sector are waited for.
//
// Limits: while the device sits on a step, other parts on that disk wait, reads of parts too; until
// its turn has come, a request can be cancelled and times out at its deadline. Whole sectors go on.
#include <errno.h>

#include "drivers/virtio/virtio_blk.h"

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

// memcpy() of the C library uses floating-point registers, which belong to the interrupted program.
static void copy(uint8_t *to, const uint8_t *from, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        to[i] = from[i];
}

// Where the first request has got to.
static uint64_t position(const struct virtio_blk *disk)
{
    return disk->parts.first->offset + disk->parts.first->moved;
}

// Where the first request's byte number `at` is in memory, which never comes before the one asked
// for last; *size: bytes from there on that are one piece.
static uint8_t *piece(struct virtio_blk *disk, size_t at, size_t *size)
{
    struct virtio_blk_parts *parts = &disk->parts;
    if (!(parts->first->flags & IO_SEGMENTS)) {
        *size = parts->first->size - at;
        return (uint8_t *)parts->first->buffer + at;
    }
    for (; at - parts->before >= parts->segment->size; parts->segment++)
        parts->before += parts->segment->size;
    at -= parts->before;
    *size = parts->segment->size - at;
    return (uint8_t *)parts->segment->base + at;
}

// Copies the part under way between the first request's memory and the bounce buffer.
static void copy_part(struct virtio_blk *disk, enum io_op op)
{
    struct virtio_blk_parts *parts = &disk->parts;
    size_t done = 0, size;
    for (; done < parts->part; done += size) {
        uint8_t *theirs = piece(disk, parts->first->moved + done, &size);
        uint8_t *ours = parts->bounce + parts->skip + done;
        size = smaller(size, parts->part - done);
        if (op == IO_READ)
            copy(theirs, ours, size);
        else
            copy(ours, theirs, size);
    }
}

static void straight(struct virtio_blk *disk, uint8_t *memory, size_t size)
{
    struct virtio_blk_parts *parts = &disk->parts;
    size = smaller(size & ~(size_t)VIRTIO_BLK_SECTOR_MASK, disk->size_most);
    parts->step = STEP_STRAIGHT;
    parts->part = size;
    virtio_blk_put(disk, parts->first, (uint32_t)parts->first->op, position(disk),
                   (uintptr_t)memory, (uint32_t)size, VIRTIO_BLK_SERVES_PARTS);
}

static void move_sector(struct virtio_blk *disk, uint32_t type, enum virtio_blk_step step)
{
    struct virtio_blk_parts *parts = &disk->parts;
    parts->step = step;
    virtio_blk_put(disk, parts->first, type, position(disk) - parts->skip, (uintptr_t)parts->bounce,
                   VIRTIO_BLK_SECTOR_BYTES, VIRTIO_BLK_SERVES_PARTS);
}

static bool writes_sector(const struct virtio_blk *disk, const struct virtio_blk_slot *slot,
                          uint64_t sector)
{
    return virtqueue_holds(&disk->service.queue, slot->head) &&
           slot->role <= VIRTIO_BLK_IS_AWAITED && slot->header.type == VIRTIO_BLK_T_OUT &&
           sector >= slot->header.sector &&
           sector - slot->header.sector < slot->request->size >> VIRTIO_BLK_SECTOR_SHIFT;
}

// Looks for a write to this sector that is on its way. Result: true: the machine goes on when it
// has ended.
static bool must_wait(struct virtio_blk *disk, uint64_t sector)
{
    for (unsigned i = 0; i < disk->device.lanes[0].depth; i++)
        if (writes_sector(disk, &disk->slots[i], sector)) {
            disk->slots[i].role = VIRTIO_BLK_IS_AWAITED;
            return true;
        }
    return false;
}

static void fill_and_write(struct virtio_blk *disk)
{
    copy_part(disk, IO_WRITE);
    move_sector(disk, VIRTIO_BLK_T_OUT, STEP_WRITE);
}

// Starts the first request's next step.
static void next(struct virtio_blk *disk)
{
    struct virtio_blk_parts *parts = &disk->parts;
    size_t size;
    uint8_t *memory = piece(disk, parts->first->moved, &size);
    size = smaller(size, parts->left);
    parts->skip = (size_t)position(disk) & VIRTIO_BLK_SECTOR_MASK;
    if (parts->skip == 0 && size >= VIRTIO_BLK_SECTOR_BYTES) {
        straight(disk, memory, size);
        return;
    }
    parts->part = smaller(VIRTIO_BLK_SECTOR_BYTES - parts->skip, parts->left);
    if (parts->first->op == IO_READ)
        move_sector(disk, VIRTIO_BLK_T_IN, STEP_READ);
    else if (parts->part == VIRTIO_BLK_SECTOR_BYTES)
        fill_and_write(disk);
    else if (!must_wait(disk, position(disk) >> VIRTIO_BLK_SECTOR_SHIFT))
        move_sector(disk, VIRTIO_BLK_T_IN, STEP_FILL);
}

static void begin(struct virtio_blk *disk)
{
    ssize_t bytes = device_clamp(&disk->device, disk->parts.first);
    // A disk that has shrunk meanwhile says so itself.
    disk->parts.left = bytes > 0 ? (size_t)bytes : disk->parts.first->size;
    disk->parts.segment = disk->parts.first->buffer;
    disk->parts.before = 0;
    next(disk);
}

void virtio_blk_parts_add(struct virtio_blk *disk, struct io_request *request)
{
    struct virtio_blk_parts *parts = &disk->parts;
    request->next = NULL;
    if (request->op == IO_WRITE && parts->writes++ == 0)
        virtio_blk_limits(disk);
    if (parts->first) {
        parts->last->next = request;
        parts->last = request;
    } else {
        parts->first = parts->last = request;
        begin(disk);
    }
}

static void leave(struct virtio_blk *disk, const struct io_request *request)
{
    if (request->op == IO_WRITE && --disk->parts.writes == 0)
        virtio_blk_limits(disk);
}

bool virtio_blk_parts_withdraw(struct virtio_blk *disk, const struct io_request *request)
{
    struct virtio_blk_parts *parts = &disk->parts;
    struct io_request *before = parts->first;
    while (before && before->next != request)
        before = before->next;
    if (!before)
        return false;
    before->next = request->next;
    if (parts->last == request)
        parts->last = before;
    leave(disk, request);
    return true;
}

bool virtio_blk_parts_write_to(const struct virtio_blk *disk, uint64_t offset, size_t size)
{
    for (const struct io_request *other = disk->parts.first; other; other = other->next) {
        uint64_t first = other->offset & ~(uint64_t)VIRTIO_BLK_SECTOR_MASK;
        uint64_t end = (other->offset + other->size + VIRTIO_BLK_SECTOR_MASK) &
                       ~(uint64_t)VIRTIO_BLK_SECTOR_MASK;
        if (other->op == IO_WRITE && first < offset + size && offset < end)
            return true;
    }
    return false;
}

// The first request leaves, and the next one's turn has come before the core hears of it.
static void finish(struct virtio_blk *disk, ssize_t result)
{
    struct virtio_blk_parts *parts = &disk->parts;
    struct io_request *request = parts->first;
    parts->first = request->next;
    leave(disk, request);
    if (parts->first)
        begin(disk);
    device_complete(request, result);
}

void virtio_blk_parts_ended(struct virtio_blk *disk, int error)
{
    struct virtio_blk_parts *parts = &disk->parts;
    if (error) {
        finish(disk, error);
        return;
    }
    if (parts->step == STEP_FILL) {
        fill_and_write(disk);
        return;
    }
    if (parts->step == STEP_READ)
        copy_part(disk, IO_READ);
    parts->first->moved += parts->part;
    parts->left -= parts->part;
    virtio_blk_parts_go_on(disk);
}

void virtio_blk_parts_go_on(struct virtio_blk *disk)
{
    if (disk->parts.left == 0)
        finish(disk, (ssize_t)disk->parts.first->moved);
    else
        next(disk);
}

void virtio_blk_parts_fail(struct virtio_blk *disk)
{
    struct io_request *request = disk->parts.first;
    disk->parts.first = NULL;
    disk->parts.writes = 0;
    while (request) {
        struct io_request *following = request->next; // It is its owner's when it has completed.
        device_complete(request, -EIO);
        request = following;
    }
}
