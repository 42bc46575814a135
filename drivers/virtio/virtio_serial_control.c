// What a virtio console device and its driver tell one another about ports (Virtual I/O Device 1.2,
// section 5.3.6.2): which there are, what they are called, who is connected.
//
// Nothing says that the last port has been announced. The device is asked for its ports by the
// first message; when it gives that one back, it has had the time to announce them, as QEMU has.
// One that keeps the message is waited for for a second. Ports may come and go afterwards, too.
#include "arch/report.h"
#include "drivers/virtio/virtio_serial.h"

void virtio_serial_say(struct virtio_serial *serial, uint32_t port, enum virtio_console_event event,
                       uint16_t value)
{
    struct virtio_serial_message *message = serial->free;
    if (!virtio_serial_has_messages(serial) || serial->control_out.broken)
        return;
    if (!message) {
        virtqueue_break(&serial->control_out, "the device leaves messages unread");
        return;
    }
    serial->free = message->next;
    message->control.id = port;
    message->control.event = (uint16_t)event;
    message->control.value = value;
    virtqueue_put(&serial->control_out, message->head, 0);
    virtio_serial_kick(serial, &serial->control_out, VIRTIO_SERIAL_CONTROL_OUT);
}

// ---- What the device says ----

static void port_added(struct virtio_serial *serial, struct virtio_serial_port *port)
{
    port->exists = true;
    virtio_serial_say(serial, port->number, VIRTIO_CONSOLE_PORT_READY, 1);
    if (port->opened) // It had been taken away, and somebody may still want to read.
        virtio_serial_say(serial, port->number, VIRTIO_CONSOLE_PORT_OPEN, 1);
}

// 5.3.6.2: the name follows the message; it need not end with a zero.
static void port_named(struct virtio_serial_port *port, const uint8_t *name, size_t size)
{
    size_t i = 0;
    for (; i < size && i < VIRTIO_SERIAL_NAME && name[i] != '\0'; i++)
        port->label[i] = (char)name[i];
    port->label[i] = '\0';
    port->device.serial = port->label;
}

// Everything that is of no use here, and whatever is not known, is passed over.
static void heard(struct virtio_serial *serial, const struct virtio_serial_message *message,
                  size_t size)
{
    struct virtio_console_control control = message->control;
    if (size < sizeof control)
        return;
    if (control.id >= serial->port_count) {
        if (control.event == VIRTIO_CONSOLE_PORT_ADD)
            report("virtio: %s: port %u is not used: there is room for %u\n", serial->name,
                   (unsigned)control.id, serial->port_count);
        return;
    }
    struct virtio_serial_port *port = &serial->ports[control.id];
    if (control.event == VIRTIO_CONSOLE_PORT_ADD)
        port_added(serial, port);
    else if (control.event == VIRTIO_CONSOLE_PORT_REMOVE)
        virtio_serial_removed(port);
    else if (control.event == VIRTIO_CONSOLE_PORT_NAME)
        port_named(port, message->bytes + sizeof control, size - sizeof control);
    else if (control.event == VIRTIO_CONSOLE_PORT_OPEN && control.value)
        virtio_serial_connected(port);
    else if (control.event == VIRTIO_CONSOLE_PORT_OPEN)
        virtio_serial_gone(port);
}

// Takes back the messages that the device has read. Result: was the first one of all among them?
static bool take_back(struct virtio_serial *serial)
{
    bool first = false;
    uint32_t written;
    for (unsigned count = virtqueue_used(&serial->control_out); count > 0; count--) {
        struct virtio_serial_message *message = virtqueue_take(&serial->control_out, &written);
        if (!message)
            break;
        message->next = serial->free;
        serial->free = message;
        first |= message->control.event == VIRTIO_CONSOLE_DEVICE_READY;
    }
    return first;
}

void virtio_serial_listen(struct virtio_serial *serial)
{
    if (!virtio_serial_has_messages(serial))
        return;
    // Looked at first: what the device announces before it gives that message back is found below.
    bool had_its_say = take_back(serial);
    unsigned count = virtqueue_used(&serial->control_in);
    uint32_t size;
    for (unsigned i = 0; i < count; i++) {
        struct virtio_serial_message *message = virtqueue_take(&serial->control_in, &size);
        if (!message)
            return;
        heard(serial, message, size);
        virtqueue_put(&serial->control_in, message->head, VIRTIO_SERIAL_MESSAGE_BYTES);
    }
    if (count > 0)
        virtio_serial_kick(serial, &serial->control_in, VIRTIO_SERIAL_CONTROL_IN);
    if (had_its_say)
        virtio_serial_settled(serial);
}
