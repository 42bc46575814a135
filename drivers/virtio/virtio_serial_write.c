// Writing to a virtio console device (Virtual I/O Device 1.2, section 5.3). Bytes go straight from
// the writer's buffer; the write is done when the device gives the buffer back, and cannot be
// cancelled while it has it. It waits for the first connection, and is EPIPE from when the host's
// side closes until somebody connects again: QEMU would throw the bytes away. One that must not
// wait (IO_NONBLOCK) is copied, as much as fits, and done at once; where the copy before it is
// still on its way it is EAGAIN. As with any stream, bytes that are written need not have been read
// when the other end closes.
//
// Quirk: what a client that goes has read a part of, QEMU forgets, and never gives back. So what
// the device still has at the end of a connection ends with it, as EPIPE: its buffer can only have
// been read from. Should a device give it back later, that is passed over: later writes go other
// ways. There are eight; the one of which nothing has been heard for longest is used again when
// nothing else is left.
//
// Quirk: QEMU drops a socket on which both directions have been closed without reading what is left
// in it. A client that wants its last bytes read shuts down its sending side and waits for the end.
#include <errno.h>

#include "arch/smaller.h"

#include "arch/assert.h"
#include "drivers/virtio/virtio_serial.h"

enum { WRITE_MOST = 1 << 30 };

void virtio_serial_end_write(struct virtio_serial_port *port, ssize_t result)
{
    struct io_request *request = port->writing;
    port->writing = NULL;
    device_complete(request, result);
}

// A chain for the next write: one that the device does not have, or else the one that it has had
// for longest.
static struct virtio_serial_chain *spare_chain(struct virtio_serial_port *port)
{
    struct virtio_serial_chain *spare = NULL;
    uint32_t most = 0, now = port->transmit.added;
    for (unsigned i = 0; i < port->chain_count; i++) {
        struct virtio_serial_chain *chain = &port->chains[i];
        if (!virtqueue_holds(&port->transmit, chain->head))
            return chain;
        if (chain != port->straight && chain != port->copied && now - chain->since >= most) {
            most = now - chain->since;
            spare = chain;
        }
    }
    return spare;
}

// Result: the chain by which the bytes are with the device.
static struct virtio_serial_chain *put(struct virtio_serial_port *port, const void *buffer,
                                       size_t size)
{
    struct virtio_serial_chain *chain = spare_chain(port);
    assert(chain); // There are two at least, and no more than one is under way.
    struct virtq_desc *part = virtqueue_part(&port->transmit, chain->head, 0);
    part->addr = (uintptr_t)buffer;
    part->len = (uint32_t)size;
    chain->since = port->transmit.added;
    virtqueue_put(&port->transmit, chain->head, 0);
    virtio_serial_kick(port->serial, &port->transmit, virtio_serial_queue(port->number) + 1);
    return chain;
}

static void put_straight(struct virtio_serial_port *port)
{
    const struct io_request *request = port->writing;
    port->straight = put(port, request->buffer, smaller(request->size, WRITE_MOST));
}

void virtio_serial_write_on(struct virtio_serial_port *port)
{
    if (port->writing && port->writing->op == IO_WRITE && !port->straight)
        put_straight(port);
}

static int write_copied(struct virtio_serial_port *port, struct io_request *request)
{
    const uint8_t *from = request->buffer;
    size_t size = smaller(request->size, sizeof port->copy);
    if (port->host != HOST_CONNECTED || port->copied)
        return -EAGAIN;
    for (size_t i = 0; i < size; i++)
        port->copy[i] = from[i];
    port->copied = put(port, port->copy, size);
    device_complete(request, (ssize_t)size);
    return 0;
}

int virtio_serial_write(struct virtio_serial_port *port, struct io_request *request)
{
    if (request->size == 0) {
        device_complete(request, 0);
        return 0;
    }
    if (port->host == HOST_GONE)
        return -EPIPE;
    if (request->flags & IO_NONBLOCK)
        return write_copied(port, request);
    port->writing = request;
    if (port->host == HOST_CONNECTED)
        put_straight(port);
    return 0;
}

int virtio_serial_flush(struct virtio_serial_port *port, struct io_request *request)
{
    if (port->copied)
        port->writing = request; // Writes that went straight have ended before it is started.
    else
        device_complete(request, 0);
    return 0;
}

static void end_straight(struct virtio_serial_port *port, int error)
{
    if (!port->straight)
        return;
    size_t size = smaller(port->writing->size, WRITE_MOST);
    port->straight = NULL;
    virtio_serial_end_write(port, error ? error : (ssize_t)size);
}

static void end_copied(struct virtio_serial_port *port, int error)
{
    port->copied = NULL;
    if (port->writing && port->writing->op == IO_FLUSH)
        virtio_serial_end_write(port, error);
}

void virtio_serial_forget(struct virtio_serial_port *port)
{
    end_straight(port, -EPIPE);
    end_copied(port, -EPIPE);
}

void virtio_serial_sent(struct virtio_serial_port *port)
{
    unsigned count = virtqueue_used(&port->transmit);
    uint32_t written;
    if (count == 0)
        return;
    for (; count > 0; count--) {
        const struct virtio_serial_chain *chain = virtqueue_take(&port->transmit, &written);
        if (!chain)
            break;
        if (chain == port->straight)
            end_straight(port, 0);
        else if (chain == port->copied)
            end_copied(port, 0);
    }
    device_ready(&port->device);
}
