// A virtio 9P transport (Virtual I/O Device 1.2, section 5, device ID 9) as a device that
// exchanges messages: an IO_CALL is a struct exchange (drivers/exchange.h). What a message says is
// nothing to this driver; fs/p9fs.c knows.
//
// The specification lists the device's number only. What else there is, the feature and the
// configuration, which have not changed since 2010, is as Linux's include/uapi/linux/virtio_9p.h
// and QEMU's hw/9pfs have it: one queue, whose chains are a message's bytes and then room for the
// answer's.
//
// Quirks, seen in QEMU 7.2: a message that ends before its fields do, or an answer that is longer
// than the room for it, is no error of the exchange: the device asks for a reset, and is lost.
// There is no way to take an exchange back; 9P's Tflush is a message like any other.
#include "drivers/virtio/virtio_9p.h"

#include <errno.h>

#include "arch/container.h"
#include "arch/report.h"

#define VIRTIO_9P_MOUNT_TAG (UINT64_C(1) << 0)

// The configuration, offsets in bytes.
enum { CONFIG_TAG_LEN = 0, CONFIG_TAG = 2 };

enum {
    VIRTIO_ID_9P = 9,                  // 5: Device Types.
    MESSAGE_MOST = 1024 * 1024 * 1024, // Bytes that go out or come back, so that they are a
                                       // ssize_t.
};

// ---- Starting ----

// Lists an exchange's parts as the queue wants them. Result: false: they are no message.
static bool list(struct virtqueue_part *parts, const struct exchange_part *from, unsigned count)
{
    size_t left = MESSAGE_MOST;
    if (count == 0 || count > EXCHANGE_PARTS)
        return false;
    for (unsigned i = 0; i < count; i++) {
        if (from[i].size == 0 || from[i].size > left)
            return false;
        left -= from[i].size;
        parts[i] = (struct virtqueue_part){ (uintptr_t)from[i].base, (uint32_t)from[i].size };
    }
    return true;
}

// Puts an exchange into the ring. There is a free slot: the lane's depth is how many there are.
static int exchange_put(struct virtio_9p *share, struct exchange *exchange)
{
    struct virtqueue *queue = &share->service.queue;
    struct virtqueue_part parts[VIRTIO_9P_SLOT_DESCRIPTORS];
    if (!list(parts, exchange->out, exchange->out_count) ||
        !list(parts + exchange->out_count, exchange->in, exchange->in_count))
        return -EINVAL;
    struct virtio_9p_slot *slot = share->free;
    share->free = slot->next;
    slot->request = &exchange->request;
    virtqueue_put(
        queue, slot->head,
        virtqueue_set_parts(queue, slot->head, parts, exchange->out_count, exchange->in_count));
    return 0;
}

static struct virtio_9p *share_of(struct device *device)
{
    return container_of(device, struct virtio_9p, device);
}

static void put(struct device *device, struct io_request *request)
{
    struct virtio_9p *share = share_of(device);
    int error = request->op == IO_OPEN ? 0 : -ENOTSUP;
    if (share->service.queue.broken)
        error = -EIO;
    else if (request->op == IO_CALL)
        error = exchange_put(share, container_of(request, struct exchange, request));
    if (error || request->op == IO_OPEN)
        device_complete(request, error);
}

static void kick(struct device *device)
{
    struct virtio_9p *share = share_of(device);
    if (!share->service.queue.broken)
        virtio_service_kick(&share->service);
}

static void submit(struct device *device, struct io_request *request)
{
    put(device, request);
    kick(device);
}

// ---- Ending ----

static void slot_free(struct virtio_9p *share, struct virtio_9p_slot *slot)
{
    slot->next = share->free;
    share->free = slot;
}

static inline unsigned end(struct virtio_service *service, void *owner, uint32_t written)
{
    struct virtio_9p_slot *slot = owner;
    slot_free(container_of(service, struct virtio_9p, service), slot);
    device_complete(slot->request, (ssize_t)written);
    return 1;
}

static bool interrupt(void *context)
{
    struct virtio_service *service = context;
    return virtio_service_interrupt(service, service->device, end);
}

static void drain(struct virtio_service *service)
{
    virtio_service_drain(service, service->device, end);
}

static void fail(struct virtio_service *service)
{
    struct virtio_9p *share = container_of(service, struct virtio_9p, service);
    for (unsigned i = 0; i < share->device.lanes[0].depth; i++)
        if (virtqueue_holds(&service->queue, share->slots[i].head))
            device_complete(share->slots[i].request, -EIO);
}

// ---- Taking it into use ----

static bool is_tag_character(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
}

// The name is 9p/ and the mount tag, which must not lead a path anywhere else.
static int read_name(struct virtio_9p *share)
{
    const struct virtio_device *transport = &share->service.transport;
    static const char prefix[] = "9p/";
    char *end = share->name;
    for (const char *from = prefix; *from; from++)
        *end++ = *from;
    unsigned length = virtio_config16(transport, CONFIG_TAG_LEN);
    bool sane = length > 0 && length <= VIRTIO_9P_TAG_MOST;
    for (unsigned i = 0; sane && i < length; i++) {
        uint8_t c = virtio_config8(transport, CONFIG_TAG + i);
        sane = is_tag_character(c) && (i > 0 || c != '.');
        *end++ = (char)c;
    }
    *end = 0;
    if (!sane)
        report("virtio: a mount tag of 9P is 1 to %d of A-Za-z0-9_-. and begins with no dot\n",
               VIRTIO_9P_TAG_MOST);
    return sane ? 0 : -EINVAL;
}

// The parts of a chain are not known before there is an exchange.
static int slot_init(struct virtio_9p *share, struct virtio_9p_slot *slot)
{
    static const struct virtqueue_part parts[VIRTIO_9P_SLOT_DESCRIPTORS];
    int head = virtqueue_chain(&share->service.queue, parts, EXCHANGE_PARTS, EXCHANGE_PARTS, slot);
    if (head < 0)
        return head;
    slot->head = (uint16_t)head;
    slot_free(share, slot);
    return 0;
}

static int queue_init(struct virtio_9p *share)
{
    struct virtio_service *service = &share->service;
    unsigned descriptors = virtio_queue_size(&service->transport, VIRTIO_SERVICE_QUEUE,
                                             VIRTIO_9P_DESCRIPTORS);
    unsigned slots = descriptors / VIRTIO_9P_SLOT_DESCRIPTORS;
    int error = 0;
    if (slots == 0)
        return -ENOTSUP;
    virtqueue_init(&service->queue, share->queue_memory, descriptors);
    share->free = NULL;
    for (unsigned i = slots; i-- > 0 && !error;)
        error = slot_init(share, &share->slots[i]);
    share->device.lanes[0].depth = (uint16_t)slots;
    return error ? error
                 : virtio_queue_start(&service->transport, VIRTIO_SERVICE_QUEUE, &service->queue);
}

// No cancel: what is in the ring stays there.
static const struct device_ops device_ops = { .submit = submit, .put = put, .kick = kick };
static const struct virtio_service_ops service_ops = { .interrupt = interrupt,
                                                       .drain = drain,
                                                       .fail = fail };

int virtio_9p_attach(struct virtio_9p *share, const struct virtio_device *device)
{
    struct virtio_service *service = &share->service;
    share->device.name = share->name;
    share->device.ops = &device_ops;
    share->device.kind = DEVICE_STREAM;
    share->device.calls = true;
    service->transport = *device;
    service->device = &share->device;
    service->ops = &service_ops;
    int error = virtio_negotiate(&service->transport, VIRTIO_9P_MOUNT_TAG);
    if (!error && !(service->transport.features & VIRTIO_9P_MOUNT_TAG))
        error = -ENOTSUP;
    if (!error)
        error = read_name(share);
    if (!error)
        error = queue_init(share);
    return error ? error : virtio_service_start(service);
}

static int virtio_9p_start(const struct virtio_device *device)
{
    static struct virtio_9p shares[VIRTIO_9P_SHARES];
    static unsigned used;

    if (used == VIRTIO_9P_SHARES)
        return -ENOMEM;
    int error = virtio_9p_attach(&shares[used], device);
    used += error == 0;
    return error;
}

extern const struct virtio_class virtio_9p_class;
const struct virtio_class virtio_9p_class = { .id = VIRTIO_ID_9P, .start = virtio_9p_start };
