// The split virtqueue: laying it out, building and releasing chains, and what happens when it
// breaks. What every request passes through is inline in virtqueue.h.
#include "drivers/virtio/virtqueue.h"

#include <errno.h>

#include "arch/assert.h"

// The areas follow one another by falling alignment, so that none needs padding: descriptors (16),
// heads (8 at most), the used ring (4), the available ring (2), the chains' links (2). What an area
// holds past its entries, the unused event indices among it, fits into the two last words.
void virtqueue_init(struct virtqueue *queue, void *memory, unsigned descriptors)
{
    assert(descriptors > 0 && descriptors <= VIRTQUEUE_MOST);
    assert((descriptors & (descriptors - 1)) == 0);
    assert((uintptr_t)memory % VIRTQUEUE_ALIGNMENT == 0);
    *queue = (struct virtqueue){ .mask = descriptors - 1, .free_count = (uint16_t)descriptors };
    queue->desc = memory;
    queue->heads = (void *)&queue->desc[descriptors];
    queue->used = (void *)&queue->heads[descriptors];
    queue->avail = (void *)((uint16_t *)&queue->used->ring[descriptors] + 1); // avail_event.
    queue->next = &queue->avail->ring[descriptors] + 1;                       // used_event.
    queue->used->flags = queue->used->idx = 0;
    queue->avail->flags = queue->avail->idx = 0;
    for (unsigned i = 0; i < descriptors; i++) {
        queue->heads[i] = (struct virtqueue_head){ 0 };
        queue->next[i] = (uint16_t)(i + 1);
    }
    queue->next[descriptors - 1] = VIRTQUEUE_NONE;
}

unsigned virtqueue_set_part(struct virtqueue *queue, unsigned descriptor,
                            const struct virtqueue_part *part, uint16_t flags)
{
    assert(descriptor <= queue->mask); // The chain was built of as many.
    struct virtq_desc *desc = &queue->desc[descriptor];
    desc->addr = part->address;
    desc->len = part->size;
    desc->flags = flags;
    return desc->next = queue->next[descriptor];
}

uint32_t virtqueue_set_parts(struct virtqueue *queue, unsigned head,
                             const struct virtqueue_part *parts, unsigned readable,
                             unsigned writable)
{
    unsigned index = head, last = readable + writable - 1;
    uint32_t room = 0;
    assert(queue->heads[head].allowed == 0);
    for (unsigned i = 0; i <= last; i++) {
        uint16_t flags = i < last ? VIRTQ_DESC_F_NEXT : 0;
        if (i >= readable) {
            flags |= VIRTQ_DESC_F_WRITE;
            room += parts[i].size;
        }
        index = virtqueue_set_part(queue, index, &parts[i], flags);
    }
    return room;
}

int virtqueue_chain(struct virtqueue *queue, const struct virtqueue_part *parts, unsigned readable,
                    unsigned writable, void *owner)
{
    unsigned count = readable + writable;
    assert(owner);
    if (count == 0)
        return -EINVAL;
    if (count > queue->free_count)
        return -EAGAIN;
    unsigned head = queue->first_free, last = head;
    for (unsigned i = 1; i < count; i++)
        last = queue->next[last];
    queue->first_free = queue->next[last];
    queue->next[last] = VIRTQUEUE_NONE;
    queue->free_count = (uint16_t)(queue->free_count - count);
    queue->heads[head].owner = owner;
    virtqueue_set_parts(queue, head, parts, readable, writable);
    return (int)head;
}

void virtqueue_release(struct virtqueue *queue, unsigned head)
{
    assert(queue->heads[head].allowed == 0 && queue->heads[head].owner);
    queue->heads[head].owner = NULL;
    unsigned last = head;
    queue->free_count++;
    for (; queue->next[last] != VIRTQUEUE_NONE; last = queue->next[last])
        queue->free_count++;
    queue->next[last] = queue->first_free;
    queue->first_free = (uint16_t)head;
}

// The last of a chain's first `count` descriptors, or of all that it has.
static unsigned end_of(const struct virtqueue *queue, unsigned head, unsigned count)
{
    unsigned last = head;
    while (--count > 0 && queue->next[last] != VIRTQUEUE_NONE)
        last = queue->next[last];
    return last;
}

void virtqueue_join(struct virtqueue *queue, unsigned head, unsigned other)
{
    assert(queue->heads[head].allowed == 0 && queue->heads[other].allowed == 0);
    queue->next[end_of(queue, head, VIRTQUEUE_MOST)] = (uint16_t)other;
}

void virtqueue_split(struct virtqueue *queue, unsigned head, unsigned count)
{
    assert(queue->heads[head].allowed == 0 && count > 0);
    queue->next[end_of(queue, head, count)] = VIRTQUEUE_NONE;
}

struct virtq_desc *virtqueue_part(const struct virtqueue *queue, unsigned head, unsigned part)
{
    unsigned index = head;
    while (part-- > 0)
        index = queue->next[index];
    assert(index <= queue->mask);
    return &queue->desc[index];
}

void virtqueue_break(struct virtqueue *queue, const char *why)
{
    if (!queue->broken)
        queue->broken = why;
    // The device has nothing any more, as far as we are concerned: whatever its index says from now
    // on, virtqueue_used() finds no more than nothing or a jump.
    queue->added = queue->taken;
}

void virtqueue_break_entry(struct virtqueue *queue, uint32_t id)
{
    if (id > queue->mask)
        virtqueue_break(queue, "a used entry names no descriptor");
    else if (queue->heads[id].allowed == 0)
        virtqueue_break(queue, "a used entry names a chain that the device does not have");
    else
        virtqueue_break(queue, "a used entry has more bytes written than there was room for");
}
