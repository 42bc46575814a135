// The split virtqueue (Virtual I/O Device 1.2, section 2.7): rings in RAM through which a device is
// given chains of buffers and gives them back. It knows no transport: whoever owns it tells the
// device where the three areas are, rings its doorbell and takes its interrupt.
//
// A chain is a list of descriptors, first the parts that the device reads, then those that it
// writes. It is built once by virtqueue_chain() and may be given to the device again and again,
// with its parts changed in between: what stays the same from request to request is not written
// twice. Several chains may be put in before one kick.
//
// A device may be broken, or lie. Whatever it writes into the used ring is held against what it was
// given; the first thing that does not fit breaks the queue for good, and nothing else is touched.
// Memory is coherent: there is no cache maintenance here.
//
// Limits: at most VIRTQUEUE_MOST descriptors; no indirect descriptors, no event indices.
// Context: all calls with interrupts masked.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/cpu.h"

enum { VIRTQUEUE_MOST = 1024, VIRTQUEUE_NONE = 0xffff };

// 2.7.5: The Virtqueue Descriptor Table.
struct virtq_desc {
    union {
        uint64_t addr;
        uintptr_t address; // Of ours: where it is narrower, zeros stay behind it.
    };
    uint32_t len;
    uint16_t flags;
    uint16_t next;
};
enum { VIRTQ_DESC_F_NEXT = 1, VIRTQ_DESC_F_WRITE = 2 };
_Static_assert(sizeof(struct virtq_desc) == 16, "2.7.5");

// 2.7.6: The Virtqueue Available Ring.
struct virtq_avail {
    uint16_t flags;
    uint16_t idx; // Where the driver will put the next chain, not reduced to the ring.
    uint16_t ring[];
};
_Static_assert(offsetof(struct virtq_avail, ring) == 4, "2.7.6");

// 2.7.8: The Virtqueue Used Ring. Volatile: the device writes here, and each word is to be looked
// at once.
struct virtq_used_elem {
    volatile uint32_t id;  // The head of the chain that is given back.
    volatile uint32_t len; // Bytes that the device has written to it.
};
struct virtq_used {
    volatile uint16_t flags;
    volatile uint16_t idx;
    struct virtq_used_elem ring[];
};
enum { VIRTQ_USED_F_NO_NOTIFY = 1 };
_Static_assert(offsetof(struct virtq_used, ring) == 4, "2.7.8");

// What the queue knows of the chain that begins at a descriptor.
struct virtqueue_head {
    uint32_t allowed; // While the device has it: bytes it may write, and one more. Else 0.
    void *owner;
};

struct virtqueue {
    struct virtq_desc *desc;
    struct virtq_avail *avail;
    struct virtq_used *used;
    struct virtqueue_head *heads;
    uint32_t mask;      // Descriptors, a power of two, minus one.
    uint32_t added;     // Chains put in since the beginning,
    uint32_t taken;     // and those of them that have come back.
    const char *broken; // Why the queue is no longer served, or NULL.

    uint16_t *next; // The next descriptor of a chain or of the free ones, or VIRTQUEUE_NONE.
    uint16_t first_free, free_count;
};

// Bytes of memory that a queue of so many descriptors needs.
#define VIRTQUEUE_BYTES(descriptors)                                              \
    ((descriptors) * (sizeof(struct virtq_desc) + sizeof(struct virtqueue_head) + \
                      sizeof(struct virtq_used_elem) + 2 * sizeof(uint16_t)) +    \
     2 * sizeof(uint64_t))
enum { VIRTQUEUE_ALIGNMENT = 16 };

// Part of a chain: bytes that the device reads, or memory that it writes.
struct virtqueue_part {
    uintptr_t address;
    uint32_t size; // Bytes.
};

// Lays a queue of so many descriptors, a power of two up to VIRTQUEUE_MOST, into memory of
// VIRTQUEUE_BYTES(descriptors) on a boundary of VIRTQUEUE_ALIGNMENT. All descriptors are free.
void virtqueue_init(struct virtqueue *queue, void *memory, unsigned descriptors);

// Builds a chain of parts, `readable` of them for the device to read and then `writable` for it to
// write. owner: what virtqueue_take() returns for it, not NULL. The chain keeps its descriptors
// until it is released.
// Result: its head, a descriptor's number, or -EAGAIN: not enough descriptors are free; -EINVAL: no
// parts.
int virtqueue_chain(struct virtqueue *queue, const struct virtqueue_part *parts, unsigned readable,
                    unsigned writable, void *owner);

// Gives the descriptors of a chain that the device does not have back to the free ones.
void virtqueue_release(struct virtqueue *queue, unsigned head);

// The descriptor of a chain's part, counted from 0: its address, length and direction may be
// changed while the device does not have it.
struct virtq_desc *virtqueue_part(const struct virtqueue *queue, unsigned head, unsigned part);

// Gives a chain that the device does not have other parts, at least one and no more than it was
// built of. Those that are left over stay its own, for the next time.
// Result: bytes that the device may write, as virtqueue_put() wants to know.
uint32_t virtqueue_set_parts(struct virtqueue *queue, unsigned head,
                             const struct virtqueue_part *parts, unsigned readable,
                             unsigned writable);

// Writes one descriptor of a chain that the device does not have: the chain's first, or the result
// of the call before. flags: VIRTQ_DESC_F_NEXT in all but the last, VIRTQ_DESC_F_WRITE.
// Result: the chain's next descriptor, VIRTQUEUE_NONE behind its last.
unsigned virtqueue_set_part(struct virtqueue *queue, unsigned descriptor,
                            const struct virtqueue_part *part, uint16_t flags);

// Hangs a chain behind another one, the device having neither: they are one with the first one's
// head and owner, and its parts have to be set. virtqueue_split() takes it off again, behind the
// first one's own `count` descriptors.
void virtqueue_join(struct virtqueue *queue, unsigned head, unsigned other);
void virtqueue_split(struct virtqueue *queue, unsigned head, unsigned count);

// Marks the queue as broken, for good: nothing is taken out any more, and nothing may be put in.
// Only the first reason counts.
void virtqueue_break(struct virtqueue *queue, const char *why);

// Says what is wrong with a used entry, and breaks the queue for it.
void virtqueue_break_entry(struct virtqueue *queue, uint32_t id);

// Puts a chain that the device does not have at the ring's end. The device does not know before the
// next virtqueue_kick(). There is always room: every chain has its place.
// writable: bytes of all its parts that the device may write.
static inline void virtqueue_put(struct virtqueue *queue, unsigned head, uint32_t writable)
{
    queue->heads[head].allowed = writable + 1;
    queue->avail->ring[queue->added++ & queue->mask] = (uint16_t)head;
}

// True from virtqueue_put() until virtqueue_take() has returned the chain.
static inline bool virtqueue_holds(const struct virtqueue *queue, unsigned head)
{
    return queue->heads[head].allowed != 0;
}

// Makes everything that has been put in known to the device; to do so again does no harm.
// Result: true: the device wants its doorbell to be rung for it; every store is ordered before.
static inline bool virtqueue_kick(struct virtqueue *queue)
{
    uint32_t added = queue->added;
    struct virtq_avail *avail = queue->avail;
    const struct virtq_used *used = queue->used;
    // The device must see descriptors and ring entries before the index that covers them (2.7.13).
    barrier_store();
    avail->idx = (uint16_t)added;
    // It must see the index before its wish is looked at, or both would wait for each other; and
    // before the doorbell.
    barrier_full();
    return (used->flags & VIRTQ_USED_F_NO_NOTIFY) == 0;
}

// Result: how many chains the device has given back that have not been taken yet; 0 when the queue
// is broken, which an index that jumps makes it. Whatever has been put in must have been kicked: a
// chain that the device does not know of yet passes for one that it has.
static inline unsigned virtqueue_used(struct virtqueue *queue)
{
    unsigned count = (uint16_t)(queue->used->idx - queue->taken);
    if (count > queue->added - queue->taken) {
        virtqueue_break(queue, "the used index jumps");
        return 0;
    }
    // The index is read before the entries that it covers, and before what the device has written
    // into the buffers.
    barrier_consume();
    return count;
}

// Takes the next chain of those that virtqueue_used() has counted; *written: bytes that the device
// says it has written to it. place: the queue, or a copy of it for a loop, whose compiler then need
// not load anew each time what does not change; afterwards its `taken` goes back into the queue.
// Result: the chain's owner; NULL: the entry is not true, and the queue is broken.
static inline void *virtqueue_take_at(struct virtqueue *queue, struct virtqueue *place,
                                      uint32_t *written)
{
    const struct virtq_used_elem *entry = &place->used->ring[place->taken & place->mask];
    uint32_t id = entry->id;
    *written = entry->len;
    // One comparison finds a chain that is not with the device and a length that is too long.
    if (id > place->mask || *written >= place->heads[id].allowed) {
        queue->taken = place->taken;
        virtqueue_break_entry(queue, id);
        return NULL;
    }
    struct virtqueue_head *head = &place->heads[id];
    place->taken++;
    head->allowed = 0;
    if (!head->owner)
        __builtin_unreachable(); // What was put in has one: the caller's test is the one above.
    return head->owner;
}

static inline void *virtqueue_take(struct virtqueue *queue, uint32_t *written)
{
    return virtqueue_take_at(queue, queue, written);
}
