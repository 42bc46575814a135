// Taking a virtio console device into use: features, queues, and a device for each port (Virtual
// I/O Device 1.2, sections 5.3.3 to 5.3.5).
//
// All ports that the device may have are known by their names from boot on, since their queues must
// be there before the device starts; opening one that is never announced is ENXIO. A device without
// VIRTIO_CONSOLE_F_MULTIPORT has one port, which counts as connected always.
#include <errno.h>

#include "arch/report.h"
#include "drivers/virtio/virtio_serial.h"

enum { VIRTIO_ID_CONSOLE = 3 };   // 5: Device Types.
enum { CONFIG_MAX_NR_PORTS = 4 }; // 5.3.4, offset in bytes.
_Static_assert(VIRTIO_SERIAL_DEVICES <= 10 && VIRTIO_SERIAL_PORTS <= 10, "names have one digit");

static const struct device_ops virtio_serial_ops = { .submit = virtio_serial_submit,
                                                     .cancel = virtio_serial_cancel,
                                                     .ready = virtio_serial_ready };

// Makes the empty queue `index`, of at most so many descriptors. Result: how many, or -errno.
static int queue_init(const struct virtio_serial *serial, unsigned index, struct virtqueue *queue,
                      void *memory, unsigned most)
{
    unsigned descriptors = virtio_queue_size(&serial->transport, index, most);
    if (descriptors == 0)
        return -ENOTSUP;
    virtqueue_init(queue, memory, descriptors);
    int error = virtio_queue_start(&serial->transport, index, queue);
    return error ? error : (int)descriptors;
}

// A chain of one part. Result: its head; there is one.
static uint16_t chain(struct virtqueue *queue, const void *base, uint32_t size, bool writable,
                      void *owner)
{
    const struct virtqueue_part part = { (uintptr_t)base, size };
    return (uint16_t)virtqueue_chain(queue, &part, !writable, writable, owner);
}

// ---- Messages ----

static int control_init(struct virtio_serial *serial)
{
    int in = queue_init(serial, VIRTIO_SERIAL_CONTROL_IN, &serial->control_in, serial->in_memory,
                        VIRTIO_SERIAL_MESSAGES);
    int out = queue_init(serial, VIRTIO_SERIAL_CONTROL_OUT, &serial->control_out,
                         serial->out_memory, VIRTIO_SERIAL_MESSAGES);
    serial->free = NULL;
    for (int i = 0; i < in; i++) {
        struct virtio_serial_message *message = &serial->in[i];
        message->head = chain(&serial->control_in, message->bytes, sizeof message->bytes, true,
                              message);
        virtqueue_put(&serial->control_in, message->head, sizeof message->bytes);
    }
    for (int i = 0; i < out; i++) {
        struct virtio_serial_message *message = &serial->out[i];
        message->head = chain(&serial->control_out, &message->control, sizeof message->control,
                              false, message);
        message->next = serial->free;
        serial->free = message;
    }
    return in < 0 ? in : out < 0 ? out : 0;
}

// ---- Ports ----

// The chains' owners tell the writes apart.
static int transmit_init(struct virtio_serial *serial, struct virtio_serial_port *port)
{
    int count = queue_init(serial, virtio_serial_queue(port->number) + 1, &port->transmit,
                           port->transmit_memory, VIRTIO_SERIAL_TRANSMIT);
    if (count < 0)
        return count;
    if (count < VIRTIO_SERIAL_TRANSMIT_LEAST)
        return -ENOTSUP;
    for (int i = 0; i < count; i++) {
        struct virtio_serial_chain *write = &port->chains[i];
        write->head = chain(&port->transmit, NULL, 0, false, write);
    }
    port->chain_count = (unsigned)count;
    return 0;
}

static int port_queues_init(struct virtio_serial *serial, struct virtio_serial_port *port)
{
    int error = queue_init(serial, virtio_serial_queue(port->number), &port->receive,
                           port->receive_memory, 1);
    if (error < 0)
        return error;
    port->received_head = chain(&port->receive, port->buffer, sizeof port->buffer, true, port);
    return transmit_init(serial, port);
}

static void port_init(struct virtio_serial *serial, uint32_t number, char digit)
{
    static const char name[] = "vport0p0";
    struct virtio_serial_port *port = &serial->ports[number];
    for (unsigned i = 0; i < sizeof name; i++)
        port->name[i] = name[i];
    port->name[sizeof "vport" - 1] = digit;
    port->name[sizeof "vport0p" - 1] = (char)('0' + number);
    port->serial = serial;
    port->number = number;
    port->device.name = port->name;
    port->device.ops = &virtio_serial_ops;
    port->device.kind = DEVICE_STREAM;
    port->device.duplex = true;
    port->device.lanes[0].depth = 1;
    port->device.lanes[1].depth = 1;
}

static int ports_init(struct virtio_serial *serial, char digit)
{
    int error = 0;
    for (unsigned i = 0; i < serial->port_count && !error; i++) {
        port_init(serial, i, digit);
        error = port_queues_init(serial, &serial->ports[i]);
    }
    return error;
}

// Without messages about them: there is one port, and all that there is to know.
static int without_messages(struct virtio_serial *serial)
{
    serial->settled = true;
    serial->ports[0].exists = true;
    serial->ports[0].host = HOST_CONNECTED;
    return 0;
}

// ---- The device ----

static int publish(struct virtio_serial *serial)
{
    int error = irq_install(serial->transport.irq, serial->name, virtio_serial_interrupt, serial);
    if (error)
        return error;
    for (unsigned i = 0; i < serial->port_count; i++)
        if (device_register(&serial->ports[i].device) != 0)
            report("virtio: there is another %s\n", serial->ports[i].name);
    virtio_ready(&serial->transport);
    irq_enable(serial->transport.irq);
    return 0;
}

static void name_device(struct virtio_serial *serial, char digit)
{
    static const char name[] = "vport0";
    for (unsigned i = 0; i < sizeof name; i++)
        serial->name[i] = name[i];
    serial->name[sizeof "vport" - 1] = digit;
}

int virtio_serial_attach(struct virtio_serial *serial, const struct virtio_device *device,
                         char digit)
{
    serial->transport = *device;
    serial->patience.expired = virtio_serial_patience_expired;
    name_device(serial, digit);
    int error = virtio_negotiate(&serial->transport, VIRTIO_CONSOLE_F_MULTIPORT);
    if (error)
        return error;
    bool messages = virtio_serial_has_messages(serial);
    uint32_t ports = messages ? virtio_config32(&serial->transport, CONFIG_MAX_NR_PORTS) : 1;
    serial->port_count = ports < VIRTIO_SERIAL_PORTS ? ports : VIRTIO_SERIAL_PORTS;
    error = ports_init(serial, digit);
    if (!error)
        error = messages ? control_init(serial) : without_messages(serial);
    if (!error)
        error = publish(serial);
    if (!error && messages) {
        virtio_serial_kick(serial, &serial->control_in, VIRTIO_SERIAL_CONTROL_IN);
        virtio_serial_say(serial, 0, VIRTIO_CONSOLE_DEVICE_READY, 1);
    }
    return error;
}

static int virtio_serial_start(const struct virtio_device *device)
{
    static struct virtio_serial serials[VIRTIO_SERIAL_DEVICES];
    static unsigned used;

    if (used == VIRTIO_SERIAL_DEVICES)
        return -ENOMEM;
    int error = virtio_serial_attach(&serials[used], device, (char)('0' + used));
    used += error == 0;
    return error;
}

const struct virtio_class virtio_serial_class = { .id = VIRTIO_ID_CONSOLE,
                                                  .start = virtio_serial_start };
