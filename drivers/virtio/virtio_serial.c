// Serial ports of a virtio console device (Virtual I/O Device 1.2, section 5.3): vport0p1 and so
// on, each a duplex stream to whoever connects at the host's side.
//
// Reading. A port keeps one buffer of its own in its receive ring and the CPU copies from there to
// the reader. It could be the reader's buffer and no copy, but what is in a ring cannot be taken
// back, and a read that waits for somebody to speak must be cancellable; and a poll could not tell
// whether there is something to read. The buffer goes back into the ring when it has been emptied:
// until then the host keeps its bytes, so nothing is lost, however slow the reader.
//
// A read waits for a connection. When the host's side closes it gets what came before that, then 0,
// once: the next one waits for the next connection, so that a server reads on and sleeps until
// then. A connection that came and went while nobody read leaves its end behind all the same,
// between its bytes and those of the next one. Connections before the port was opened at all do not
// count.
#include "drivers/virtio/virtio_serial.h"

#include <errno.h>

#include "arch/container.h"
#include "arch/report.h"
#include "arch/smaller.h"

enum { RESET_POLL_NS = 1000000, SETTLE_NS = 1000000000 };

static struct virtio_serial_port *port_of(const struct device *device)
{
    return container_of(device, struct virtio_serial_port, device);
}

// ---- A broken device ----

static void fail_port(struct virtio_serial_port *port)
{
    struct io_request *reading = port->reading;
    port->reading = NULL;
    if (reading)
        device_complete(reading, -EIO);
    if (port->writing)
        virtio_serial_end_write(port, -EIO);
    device_ready(&port->device);
}

// Ends all requests once the device has let go of their buffers.
static void fail_when_quiet(struct virtio_serial *serial)
{
    if (!virtio_quiet(&serial->transport)) {
        timer_arm(&serial->patience, clock_now_ns() + RESET_POLL_NS);
        return;
    }
    for (unsigned i = 0; i < serial->port_count; i++)
        fail_port(&serial->ports[i]);
}

static void give_up(struct virtio_serial *serial, const char *why)
{
    if (serial->broken)
        return;
    serial->broken = why;
    report("virtio: %s is broken and not used any more: %s\n", serial->name, why);
    irq_disable(serial->transport.irq);
    virtio_reset(&serial->transport);
    fail_when_quiet(serial);
}

// Gives the device up if one of its queues is broken.
static void check(struct virtio_serial *serial)
{
    const char *why = serial->control_in.broken ? serial->control_in.broken
                                                : serial->control_out.broken;
    for (unsigned i = 0; i < serial->port_count && !why; i++) {
        const struct virtio_serial_port *port = &serial->ports[i];
        why = port->receive.broken ? port->receive.broken : port->transmit.broken;
    }
    if (why)
        give_up(serial, why);
}

// ---- Reading ----

// Gives the buffer to the device, once all that was in it has been read.
static void receive_more(struct virtio_serial_port *port)
{
    if (port->taken < port->received || port->serial->broken ||
        virtqueue_holds(&port->receive, port->received_head))
        return;
    virtqueue_put(&port->receive, port->received_head, VIRTIO_SERIAL_BUFFER);
    virtio_serial_kick(port->serial, &port->receive, virtio_serial_queue(port->number));
}

static bool read_waits(const struct virtio_serial_port *port)
{
    return port->taken == port->received && !port->end_first;
}

// Result: bytes moved; 0: the end, which is told by that.
static size_t take(struct virtio_serial_port *port, uint8_t *to, size_t most)
{
    size_t size = port->end_first ? 0 : smaller(most, port->received - port->taken);
    for (size_t i = 0; i < size; i++)
        to[i] = port->buffer[port->taken++];
    if (size == 0) {
        port->end_first = false;
    } else if (port->taken == port->received) {
        port->end_first = port->end_last;
        port->end_last = false;
    }
    receive_more(port);
    return size;
}

static void answer_reader(struct virtio_serial_port *port)
{
    struct io_request *request = port->reading;
    if (!request || read_waits(port))
        return;
    port->reading = NULL;
    device_complete(request, (ssize_t)take(port, request->buffer, request->size));
}

static int submit_read(struct virtio_serial_port *port, struct io_request *request)
{
    if (request->size == 0) {
        device_complete(request, 0);
        return 0;
    }
    if (request->flags & IO_NONBLOCK && read_waits(port))
        return -EAGAIN;
    port->reading = request;
    answer_reader(port);
    return 0;
}

// Looks for bytes in the receive ring.
static void receive(struct virtio_serial_port *port)
{
    uint32_t size;
    if (virtqueue_used(&port->receive) == 0 || !virtqueue_take(&port->receive, &size))
        return;
    port->taken = 0;
    port->received = size;
    answer_reader(port);
    receive_more(port);
    device_ready(&port->device);
}

// ---- Opening ----

static int open(struct virtio_serial_port *port)
{
    if (!port->exists)
        return -ENXIO;
    if (port->opened)
        return 0;
    port->opened = true;
    port->end_first = false;
    if (port->host == HOST_GONE)
        port->host = HOST_AWAITED;
    virtio_serial_say(port->serial, port->number, VIRTIO_CONSOLE_PORT_OPEN, 1);
    receive_more(port);
    return 0;
}

static int submit_open(struct virtio_serial_port *port, struct io_request *request)
{
    struct virtio_serial *serial = port->serial;
    if (serial->settled) {
        device_complete(request, open(port));
        check(serial); // The message may have been one too many.
        return 0;
    }
    port->writing = request;
    if (!timer_armed(&serial->patience))
        timer_arm(&serial->patience, clock_now_ns() + SETTLE_NS);
    return 0;
}

void virtio_serial_settled(struct virtio_serial *serial)
{
    serial->settled = true;
    for (unsigned i = 0; i < serial->port_count; i++) {
        struct virtio_serial_port *port = &serial->ports[i];
        if (port->writing && port->writing->op == IO_OPEN)
            virtio_serial_end_write(port, open(port));
    }
}

void virtio_serial_patience_expired(struct timer *timer)
{
    struct virtio_serial *serial = container_of(timer, struct virtio_serial, patience);
    if (serial->broken) {
        fail_when_quiet(serial);
    } else if (!serial->settled) {
        virtio_serial_settled(serial);
        check(serial);
    }
}

// ---- The host's side ----

void virtio_serial_connected(struct virtio_serial_port *port)
{
    if (port->host == HOST_CONNECTED)
        return;
    port->host = HOST_CONNECTED;
    virtio_serial_write_on(port);
    device_ready(&port->device);
}

void virtio_serial_gone(struct virtio_serial_port *port)
{
    if (port->host != HOST_CONNECTED)
        return;
    // What is in the ring by now came before: only where the host has connected anew and spoken
    // within the interrupt's time, nobody can tell.
    receive(port);
    virtio_serial_sent(port);
    port->host = HOST_GONE;
    virtio_serial_forget(port);
    if (port->taken < port->received)
        port->end_last = true;
    else
        port->end_first = true;
    answer_reader(port);
    device_ready(&port->device);
}

void virtio_serial_removed(struct virtio_serial_port *port)
{
    port->exists = false;
    if (port->host == HOST_CONNECTED) {
        virtio_serial_gone(port);
        return;
    }
    port->host = HOST_GONE;
    if (port->writing && port->writing->op == IO_WRITE)
        virtio_serial_end_write(port, -EPIPE);
    if (port->reading) {
        port->end_first = true;
        answer_reader(port);
    }
    device_ready(&port->device);
}

// ---- The device's operations ----

static int serve(struct device *device, struct io_request *request)
{
    struct virtio_serial_port *port = port_of(device);
    if (port->serial->broken)
        return -EIO;
    switch (request->op) {
    case IO_READ:
        return submit_read(port, request);
    case IO_WRITE:
        return virtio_serial_write(port, request);
    case IO_FLUSH:
        return virtio_serial_flush(port, request);
    case IO_OPEN:
        return submit_open(port, request);
    case IO_CALL: // Never comes.
        break;
    }
    return -EINVAL;
}

void virtio_serial_submit(struct device *device, struct io_request *request)
{
    device_complete_refused(request, serve(device, request));
}

int virtio_serial_cancel(struct device *device, struct io_request *request)
{
    struct virtio_serial_port *port = port_of(device);
    if (request == port->writing) {
        if (port->straight)
            return -EBUSY;
        port->writing = NULL;
    } else if (request == port->reading) {
        port->reading = NULL;
    } else {
        return -EALREADY;
    }
    device_complete(request, -ECANCELED);
    return 0;
}

unsigned virtio_serial_ready(const struct device *device)
{
    const struct virtio_serial_port *port = port_of(device);
    unsigned ready = read_waits(port) ? 0 : IO_READY_READ;
    if (port->serial->broken)
        return IO_READY_READ | IO_READY_WRITE | IO_READY_ERROR;
    if (port->host == HOST_GONE)
        return ready | IO_READY_WRITE | (port->end_first || port->end_last ? IO_READY_HANGUP : 0);
    if (port->host == HOST_CONNECTED && !port->writing && !port->copied)
        ready |= IO_READY_WRITE;
    return ready;
}

// Bounded: a port has nine chains, and each message is taken once.
bool virtio_serial_interrupt(void *context)
{
    struct virtio_serial *serial = context;
    uint32_t raised = virtio_interrupt_take(&serial->transport);
    if (raised == 0)
        return false;
    virtio_serial_listen(serial);
    for (unsigned i = 0; i < serial->port_count; i++) {
        receive(&serial->ports[i]);
        virtio_serial_sent(&serial->ports[i]);
    }
    check(serial);
    if (raised & VIRTIO_INTERRUPT_CONFIG && virtio_needs_reset(&serial->transport))
        give_up(serial, "the device asks for a reset");
    return true;
}
