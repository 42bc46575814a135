// A virtio block device as a disk (Virtual I/O Device 1.2, section 5.2): vda, vdb … in the order in
// which the transport finds them.
//
// Whole sectors go straight between the device and the buffer, as many requests at a time as the
// ring has room for; they may overtake one another. Each slot owns a chain whose descriptors were
// written at boot, header, data, status, so that a request changes little more than the data's
// address and length. What is no whole sectors, or too long for the device, is served by
// virtio_blk_parts.c.
//
// A request whose memory is several pieces borrows descriptors of other slots
// (virtio_blk_segments.c). In the ring a request cannot be cancelled: virtio has no way to take it
// back, and a reset of the device waits for it (QEMU stands still meanwhile). Past its deadline it
// stays there, with its buffer, until the device is done with it.
//
// A device that breaks the rules of its ring is reset and not used any more. Its requests fail once
// it is quiet, so none gives its buffer back while the device may still write there.
#include <errno.h>

#include "arch/container.h"
#include "arch/report.h"
#include "drivers/virtio/virtio_blk.h"

static int error_of(uint8_t status)
{
    switch (status) {
    case VIRTIO_BLK_S_OK:
        return 0;
    case VIRTIO_BLK_S_UNSUPP:
        return -ENOTSUP;
    default:
        return -EIO; // VIRTIO_BLK_S_IOERR, or none at all.
    }
}

// ---- Starting ----

// A flush is started while nothing else is in flight, so one chain for it is enough; it has no
// data.
static void flush_start(struct virtio_blk *disk, struct io_request *request)
{
    struct virtio_blk_slot *slot = &disk->flush;
    slot->request = request;
    slot->role = VIRTIO_BLK_FLUSHES;
    slot->status = VIRTIO_BLK_S_NONE;
    slot->header.type = VIRTIO_BLK_T_FLUSH;
    virtqueue_put(&disk->service.queue, slot->head, sizeof slot->status);
}

static void flush(struct virtio_blk *disk, struct io_request *request)
{
    if (disk->service.transport.features & VIRTIO_BLK_F_FLUSH)
        flush_start(disk, request);
    else
        device_complete(request, 0); // It has nothing to flush: what is written is on the medium.
}

void virtio_blk_limits(struct virtio_blk *disk)
{
    uint64_t most = disk->size_most;
    if (most > disk->device.size_bytes)
        most = disk->device.size_bytes;
    if (disk->service.queue.broken)
        most = 0;
    uint64_t sectors = disk->device.size_bytes >> VIRTIO_BLK_SECTOR_SHIFT;
    disk->straight_end = sectors < UINT32_MAX ? (uint32_t)sectors : UINT32_MAX;
    disk->straight_most[IO_READ] = (size_t)most;
    disk->straight_most[IO_WRITE] = disk->device.read_only || disk->parts.writes > 0 ? 0
                                                                                     : (size_t)most;
}

// Opening looks at the capacity, which may have changed, and the first time asks for the serial
// number: that proves that the device answers.
static void open(struct virtio_blk *disk, struct io_request *request)
{
    int error = virtio_blk_read_capacity(disk);
    if (error || disk->device.serial)
        device_complete(request, error);
    else
        virtio_blk_put(disk, request, VIRTIO_BLK_T_GET_ID, 0, (uintptr_t)disk->serial,
                       VIRTIO_BLK_ID_BYTES, VIRTIO_BLK_IDENTIFIES);
}

// A request that goes straight after all, of `bytes` bytes inside the disk: it lies past the
// sectors whose numbers have 32 bits, or is a write while there are writes of parts, none of which
// touches its sectors.
static bool is_whole(const struct virtio_blk *disk, const struct io_request *request, size_t bytes)
{
    return bytes == request->size && bytes <= disk->size_most &&
           ((request->offset | bytes) & VIRTIO_BLK_SECTOR_MASK) == 0 &&
           (request->op == IO_READ || !virtio_blk_parts_write_to(disk, request->offset, bytes));
}

static void move_otherwise(struct virtio_blk *disk, struct io_request *request)
{
    ssize_t bytes = device_clamp(&disk->device, request);
    if (request->op == IO_WRITE && disk->device.read_only)
        bytes = -EROFS;
    if (bytes <= 0)
        device_complete(request, bytes);
    else if (!is_whole(disk, request, (size_t)bytes))
        virtio_blk_parts_add(disk, request);
    else if (!(request->flags & IO_SEGMENTS))
        virtio_blk_put(disk, request, request->op, request->offset, (uintptr_t)request->buffer,
                       (uint32_t)request->size, VIRTIO_BLK_GOES_STRAIGHT);
    else if (!virtio_blk_segments_put(disk, request))
        virtio_blk_parts_add(disk, request);
}

// Everything but the straight way.
static void put_otherwise(struct virtio_blk *disk, struct io_request *request)
{
    if (disk->service.queue.broken)
        device_complete(request, -EIO);
    else if (request->op == IO_OPEN)
        open(disk, request);
    else if (request->op == IO_FLUSH)
        flush(disk, request);
    else
        move_otherwise(disk, request);
}

// A request with segments never goes straight: it has no data descriptor of its own to fill in.
void virtio_blk_put_otherwise(struct device *device, struct io_request *request)
{
    put_otherwise(container_of(device, struct virtio_blk, device), request);
}

// A read or write of whole sectors whose numbers have 32 bits.
static inline bool goes_straight(const struct virtio_blk *disk, const struct io_request *request,
                                 enum io_op op)
{
    size_t size = request->size;
    uint32_t odd = (uint32_t)(request->offset | size) << (32 - VIRTIO_BLK_SECTOR_SHIFT);
    uint32_t far = (uint32_t)(request->offset >> 32) >> VIRTIO_BLK_SECTOR_SHIFT;
    // The first comparison finds requests of no bytes, too long ones, and times at which nothing
    // goes straight; such a limit is never above the disk's size.
    return size - 1 < disk->straight_most[op] && (odd | far) == 0 &&
           (uint32_t)(request->offset >> VIRTIO_BLK_SECTOR_SHIFT) <=
               disk->straight_end - (uint32_t)(size >> VIRTIO_BLK_SECTOR_SHIFT);
}

// Result: false: the request does not go straight, and nothing has happened.
static inline __attribute__((always_inline)) bool put_straight(struct virtio_blk *disk,
                                                               struct io_request *request)
{
    if (request->op == IO_READ && goes_straight(disk, request, IO_READ))
        virtio_blk_put_read(disk, request);
    else if (request->op == IO_WRITE && goes_straight(disk, request, IO_WRITE))
        virtio_blk_put(disk, request, VIRTIO_BLK_T_OUT, request->offset, (uintptr_t)request->buffer,
                       (uint32_t)request->size, VIRTIO_BLK_GOES_STRAIGHT);
    else
        return false;
    return true;
}

void virtio_blk_put_request(struct device *device, struct io_request *request)
{
    struct virtio_blk *disk = container_of(device, struct virtio_blk, device);
    if (!put_straight(disk, request))
        put_otherwise(disk, request);
}

void virtio_blk_kick(struct device *device)
{
    struct virtio_blk *disk = container_of(device, struct virtio_blk, device);
    if (!disk->service.queue.broken)
        virtio_service_kick(&disk->service);
}

static __attribute__((noinline)) void submit_otherwise(struct virtio_blk *disk,
                                                       struct io_request *request)
{
    put_otherwise(disk, request);
    virtio_blk_kick(&disk->device);
}

void virtio_blk_submit(struct device *device, struct io_request *request)
{
    struct virtio_blk *disk = container_of(device, struct virtio_blk, device);
    if (put_straight(disk, request))
        virtio_service_kick(&disk->service);
    else
        submit_otherwise(disk, request);
}

// What waits for others' parts is not in the ring and can be given up.
int virtio_blk_cancel(struct device *device, struct io_request *request)
{
    struct virtio_blk *disk = container_of(device, struct virtio_blk, device);
    if (!virtio_blk_parts_withdraw(disk, request))
        return -EBUSY;
    device_complete(request, -ECANCELED);
    return 0;
}

// ---- Ending ----

static void identified(struct virtio_blk *disk, struct io_request *request)
{
    // All of it may be used, so the zero behind it is ours; a device without one leaves it empty.
    disk->device.serial = disk->serial;
    device_complete(request, 0);
}

// What has failed, or did not go straight, or is waited for.
static __attribute__((noinline)) void end_otherwise(struct virtio_blk *disk,
                                                    struct virtio_blk_slot *slot)
{
    struct io_request *request = slot->request;
    enum virtio_blk_role role = slot->role;
    int error = error_of(slot->status);
    bool several = role != VIRTIO_BLK_SERVES_PARTS && request->flags & IO_SEGMENTS;
    if (several) {
        virtio_blk_segments_free(disk, slot);
    } else if (role != VIRTIO_BLK_FLUSHES) {
        virtio_blk_slot_prepare(slot);
        virtio_blk_slot_free(disk, slot);
    }
    if (role == VIRTIO_BLK_SERVES_PARTS)
        virtio_blk_parts_ended(disk, error);
    else if (role == VIRTIO_BLK_IDENTIFIES)
        identified(disk, request);
    else if (role == VIRTIO_BLK_FLUSHES || error)
        device_complete(request, error);
    else
        device_complete(request, (ssize_t)request->size);
    if (role == VIRTIO_BLK_IS_AWAITED)
        virtio_blk_parts_go_on(disk);
    if (role == VIRTIO_BLK_IS_AWAITED || role == VIRTIO_BLK_SERVES_PARTS)
        virtio_service_kick(&disk->service); // Before the next entry is taken; the rare time when
                                             // nothing was put in is no harm.
}

// Result: what device_complete_isr() says.
static inline __attribute__((always_inline)) unsigned end(struct virtio_service *service,
                                                          void *owner, uint32_t written)
{
    struct virtio_blk *disk = container_of(service, struct virtio_blk, service);
    struct virtio_blk_slot *slot = owner;
    (void)written; // The status says whether all of it was.
    struct io_request *request = slot->request;
    // The compiler makes one load of the two bytes.
    uint32_t ended = slot->status | (uint32_t)slot->role << 8;
    if (ended != (VIRTIO_BLK_S_OK | VIRTIO_BLK_READS << 8)) {
        if (ended != (VIRTIO_BLK_S_OK | VIRTIO_BLK_GOES_STRAIGHT << 8)) {
            end_otherwise(disk, slot);
            return 1;
        }
        virtio_blk_slot_prepare(slot);
    }
    virtio_blk_slot_free(disk, slot);
    return device_complete_isr(request, request->size);
}

// ---- What the service asks for ----

static void stop(struct virtio_service *service)
{
    virtio_blk_limits(container_of(service, struct virtio_blk, service));
}

static void fail_slot(struct virtio_blk *disk, struct virtio_blk_slot *slot)
{
    // What the parts' slot works for is first in their queue.
    if (virtqueue_holds(&disk->service.queue, slot->head) && slot->role != VIRTIO_BLK_SERVES_PARTS)
        device_complete(slot->request, -EIO);
}

static void fail(struct virtio_service *service)
{
    struct virtio_blk *disk = container_of(service, struct virtio_blk, service);
    for (unsigned i = 0; i < disk->device.lanes[0].depth; i++)
        fail_slot(disk, &disk->slots[i]);
    fail_slot(disk, &disk->flush);
    virtio_blk_parts_fail(disk);
}

static void drain(struct virtio_service *service)
{
    struct virtio_blk *disk = container_of(service, struct virtio_blk, service);
    virtio_service_drain(service, &disk->device, end);
}

static bool interrupt(void *service)
{
    struct virtio_blk *disk = container_of(service, struct virtio_blk, service);
    return virtio_service_interrupt(service, &disk->device, end);
}

const struct virtio_service_ops virtio_blk_service_ops = {
    .interrupt = interrupt,
    .drain = drain,
    .stop = stop,
    .fail = fail,
};
