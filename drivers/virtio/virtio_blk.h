// The inside of the virtio block driver: a disk, its slots in the ring, and the machine that serves
// what does not go straight. Others see a struct device.
#pragma once

#include "drivers/device.h"
#include "drivers/virtio/virtio_service.h"

enum {
    VIRTIO_BLK_DISKS = 4,
    // Three of them per request: 340 at a time, as far as the device has as many.
    VIRTIO_BLK_DESCRIPTORS = 1024,
    VIRTIO_BLK_SLOT_DESCRIPTORS = 3,
    VIRTIO_BLK_SLOTS = VIRTIO_BLK_DESCRIPTORS / VIRTIO_BLK_SLOT_DESCRIPTORS,
    VIRTIO_BLK_SECTOR_SHIFT = 9, // Always 512 bytes, whatever the medium's blocks are (5.2.6).
    VIRTIO_BLK_SECTOR_BYTES = 1 << VIRTIO_BLK_SECTOR_SHIFT,
    VIRTIO_BLK_SECTOR_MASK = VIRTIO_BLK_SECTOR_BYTES - 1,
    VIRTIO_BLK_ID_BYTES = 20,
};

// 5.2.3: Feature bits.
#define VIRTIO_BLK_F_SIZE_MAX (UINT64_C(1) << 1)
#define VIRTIO_BLK_F_SEG_MAX (UINT64_C(1) << 2)
#define VIRTIO_BLK_F_RO (UINT64_C(1) << 5)
#define VIRTIO_BLK_F_BLK_SIZE (UINT64_C(1) << 6)
#define VIRTIO_BLK_F_FLUSH (UINT64_C(1) << 9)

// 5.2.6: Device Operation.
enum {
    VIRTIO_BLK_T_IN = 0,
    VIRTIO_BLK_T_OUT = 1,
    VIRTIO_BLK_T_FLUSH = 4,
    VIRTIO_BLK_T_GET_ID = 8,
};
_Static_assert((int)VIRTIO_BLK_T_IN == (int)IO_READ, "an operation is its request's type");
_Static_assert((int)VIRTIO_BLK_T_OUT == (int)IO_WRITE, "an operation is its request's type");
enum {
    VIRTIO_BLK_S_OK = 0,
    VIRTIO_BLK_S_IOERR = 1,
    VIRTIO_BLK_S_UNSUPP = 2,
    VIRTIO_BLK_S_NONE = 0xff, // Ours: the device has not said anything.
};

struct virtio_blk_header {
    uint32_t type, reserved;
    union {
        uint64_t sector;
        uint32_t sector_low;
    };
};
_Static_assert(sizeof(struct virtio_blk_header) == 16, "5.2.6");

// What a slot's request is in the ring for.
enum virtio_blk_role {
    VIRTIO_BLK_READS,         // A read, straight to its buffer, as the slot is prepared for it.
    VIRTIO_BLK_GOES_STRAIGHT, // All of another request, straight to or from its buffer.
    VIRTIO_BLK_HAS_SEGMENTS,  // The same, and it may have taken other slots' descriptors.
    VIRTIO_BLK_IS_AWAITED,    // One of these, and the parts' machine waits for its end.
    VIRTIO_BLK_SERVES_PARTS,  // A step of the parts' machine.
    VIRTIO_BLK_IDENTIFIES,
    VIRTIO_BLK_FLUSHES,
};

// A place in the ring: a chain of a header, data and a status. A free one is prepared for a read of
// a sector whose number has 32 bits; others put that back when they have ended.
struct virtio_blk_slot {
    struct virtio_blk_header header;
    uint8_t status; // Written by the device.
    uint8_t role;   // enum virtio_blk_role.
    uint16_t head;  // Of its chain.
    struct io_request *request;
    struct virtq_desc *data;
    struct virtio_blk_slot *next; // Of the free ones, or of those that a request has.
};

// What the parts' machine is doing for the first request in its queue.
enum virtio_blk_step { STEP_STRAIGHT, STEP_READ, STEP_FILL, STEP_WRITE };

struct virtio_blk_parts {
    struct io_request *first, *last; // One at a time, in the order of submission.
    unsigned writes;                 // Of these.
    enum virtio_blk_step step;
    size_t left;                      // Bytes of the first one that are still to be moved.
    const struct io_segment *segment; // If it has segments: the one it has got to,
    size_t before;                    // and the bytes before that one.
    size_t skip, part; // Where in its sector the part under way begins, and its bytes.
    _Alignas(8) uint8_t bounce[VIRTIO_BLK_SECTOR_BYTES];
};

struct virtio_blk {
    struct virtio_service service; // First: a top half has one pointer for both.
    struct device device;
    size_t straight_most[IO_WRITE + 1]; // By operation: bytes of the longest request that may go
                                        // straight; 0: none may.
    uint32_t straight_end;              // And the sector behind the last one where that is so.
    struct virtio_blk_slot *free;
    struct virtio_blk_slot flush; // Without data.
    uint32_t size_most;           // Bytes of the device's longest request,
    uint32_t segments_most;       // and of how many pieces of memory it may be.
    char name[4];
    char serial[VIRTIO_BLK_ID_BYTES + 1];
    struct virtio_blk_parts parts;
    struct virtio_blk_slot slots[VIRTIO_BLK_SLOTS];
    _Alignas(VIRTQUEUE_ALIGNMENT) uint8_t queue_memory[VIRTQUEUE_BYTES(VIRTIO_BLK_DESCRIPTORS)];
};

// ---- virtio_blk.c ----

// Puts a request into the ring; the device does not know of it before the next kick. There is a
// free slot: a request takes one at a time, and the lane's depth is how many there are.
// type: VIRTIO_BLK_T_IN, OUT or GET_ID. offset: bytes, whole sectors. address, size: of the data.
static inline void virtio_blk_put(struct virtio_blk *disk, struct io_request *request,
                                  uint32_t type, uint64_t offset, uintptr_t address, uint32_t size,
                                  enum virtio_blk_role role)
{
    struct virtio_blk_slot *slot = disk->free;
    struct virtq_desc *data = slot->data;
    bool out = type == VIRTIO_BLK_T_OUT;
    disk->free = slot->next;
    slot->request = request;
    slot->role = (uint8_t)role;
    slot->status = VIRTIO_BLK_S_NONE;
    slot->header.type = type;
    slot->header.sector = offset >> VIRTIO_BLK_SECTOR_SHIFT;
    data->addr = address;
    data->len = size;
    data->flags = out ? VIRTQ_DESC_F_NEXT : VIRTQ_DESC_F_NEXT | VIRTQ_DESC_F_WRITE;
    virtqueue_put(&disk->service.queue, slot->head,
                  (uint32_t)sizeof slot->status + (out ? 0 : size));
}

// The same for a read that goes straight.
static inline void virtio_blk_put_read(struct virtio_blk *disk, struct io_request *request)
{
    struct virtio_blk_slot *slot = disk->free;
    struct virtq_desc *data = slot->data;
    uint32_t size = (uint32_t)request->size;
    disk->free = slot->next;
    slot->request = request;
    slot->role = VIRTIO_BLK_READS;
    slot->status = VIRTIO_BLK_S_NONE;
    slot->header.sector_low = (uint32_t)(request->offset >> VIRTIO_BLK_SECTOR_SHIFT);
    data->address = (uintptr_t)request->buffer;
    data->len = size;
    virtqueue_put(&disk->service.queue, slot->head, (uint32_t)sizeof slot->status + size);
}

// Works out which requests may go straight.
void virtio_blk_limits(struct virtio_blk *disk);

// Reads the capacity. Result: 0 or -EIO.
int virtio_blk_read_capacity(struct virtio_blk *disk);

// The operations, for virtio_blk_setup.c.
void virtio_blk_submit(struct device *device, struct io_request *request);
void virtio_blk_put_request(struct device *device, struct io_request *request);
void virtio_blk_kick(struct device *device);
void virtio_blk_put_otherwise(struct device *device, struct io_request *request);
int virtio_blk_cancel(struct device *device, struct io_request *request);
extern const struct virtio_service_ops virtio_blk_service_ops;

static inline void virtio_blk_slot_prepare(struct virtio_blk_slot *slot)
{
    slot->header.type = VIRTIO_BLK_T_IN;
    slot->header.sector = 0;
    slot->data->flags = VIRTQ_DESC_F_NEXT | VIRTQ_DESC_F_WRITE;
}

static inline void virtio_blk_slot_free(struct virtio_blk *disk, struct virtio_blk_slot *slot)
{
    slot->next = disk->free;
    disk->free = slot;
}

// ---- virtio_blk_segments.c ----

// How many slots a request with segments takes: those whose descriptors its chain needs, or one,
// where it is more than the device takes at a time.
unsigned virtio_blk_places(const struct device *device, const struct io_request *request);

// Puts a request of whole sectors with segments into the ring. Result: false: it is more than the
// device takes, or than it has places for, and nothing has happened.
bool virtio_blk_segments_put(struct virtio_blk *disk, struct io_request *request);

// Gives back the slots of such a request that has ended.
void virtio_blk_segments_free(struct virtio_blk *disk, struct virtio_blk_slot *slot);

// ---- virtio_blk_parts.c ----

// Takes a read or write that lies inside the disk. A kick is due afterwards.
void virtio_blk_parts_add(struct virtio_blk *disk, struct io_request *request);

// Takes a request back that waits here for its turn. Result: false: it is not here, or its turn has
// come.
bool virtio_blk_parts_withdraw(struct virtio_blk *disk, const struct io_request *request);

// Does a write that is here touch one of these sectors? offset, size: bytes, whole sectors.
bool virtio_blk_parts_write_to(const struct virtio_blk *disk, uint64_t offset, size_t size);

// A step has ended, with 0 or -errno. A kick may be due afterwards.
void virtio_blk_parts_ended(struct virtio_blk *disk, int error);

// What the machine has waited for has ended. A kick may be due afterwards.
void virtio_blk_parts_go_on(struct virtio_blk *disk);

// The device is broken: all requests here fail.
void virtio_blk_parts_fail(struct virtio_blk *disk);

// ---- virtio_blk_setup.c ----

// Writes a slot's own chain: header, data that is set for each request, status.
void virtio_blk_slot_describe(struct virtio_blk *disk, struct virtio_blk_slot *slot);

// Takes a device into use as the disk vd<letter>; disk is all zeros, or what a failure left of it.
// Result: 0 or -errno.
// Context: boot.
int virtio_blk_attach(struct virtio_blk *disk, const struct virtio_device *device, char letter);
