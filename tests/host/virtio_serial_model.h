// A virtio console device for host tests: a host that announces ports, connects, speaks, listens
// and lies; and requests as the core would make them.
#pragma once

#include <errno.h>

#include "drivers/virtio/virtio_serial.h"
#include "tests/host/fake/requests.h"
#include "tests/host/virtio_model.h"
#include "tests/tap.h"

enum { SLOT = 3, MACHINES = 40, PORTS = 4, HEARD = 8192, SAID = 256 };

const struct virtio_class *const virtio_classes[] = { NULL }; // Nobody scans slots.

static struct {
    struct virtio_serial serials[MACHINES]; // Devices are never forgotten: each test has its own.
    unsigned used;
    struct virtio_serial *serial;
    struct model_slot *slot;
    struct model_device control_in, control_out, receive[PORTS], transmit[PORTS];
    struct virtio_console_control said[SAID]; // By the driver.
    unsigned said_count;
    uint8_t heard[PORTS][HEARD]; // What came out at the host's side.
    size_t heard_size[PORTS];
    bool deaf; // It reads no messages.
} host;

// ---- Requests ----

static struct device *port(unsigned number)
{
    return &host.serial->ports[number].device;
}

static struct io_request *submit(unsigned number, struct io_request *request, enum io_op op,
                                 void *buffer, size_t size)
{
    fake_submit(port(number), request, op, buffer, size);
    return request;
}

static int cancel(unsigned number, struct io_request *request)
{
    return fake_cancel(port(number), request);
}

static unsigned ready(unsigned number)
{
    return port(number)->ops->ready(port(number));
}

// ---- The host's side ----

static const struct virtq_desc *host_desc(const struct model_device *device, int head)
{
    return &device->queue->desc[head];
}

static void host_interrupt(void)
{
    host.slot->interrupt_status |= 1;
    if (!model_is_silenced(host.slot))
        model_interrupt(host.slot);
}

// Puts a message into the control queue; the interrupt comes with the next one. False: no room.
static bool host_puts(uint32_t id, unsigned event, unsigned value, const char *rest)
{
    int head = model_pop(&host.control_in);
    if (head < 0)
        return false;
    uint8_t *to = (uint8_t *)(uintptr_t)host_desc(&host.control_in, head)->addr;
    struct virtio_console_control control = { id, (uint16_t)event, (uint16_t)value };
    memcpy(to, &control, sizeof control);
    memcpy(to + sizeof control, rest, strlen(rest));
    model_push(&host.control_in, (uint32_t)head, (uint32_t)(sizeof control + strlen(rest)));
    return true;
}

static void host_says(uint32_t id, unsigned event, unsigned value)
{
    host_puts(id, event, value, "");
    host_interrupt();
}

// Reads the driver's messages, without an interrupt.
static void host_listens(void)
{
    int head;
    while (!host.deaf && (head = model_pop(&host.control_out)) >= 0) {
        const struct virtq_desc *desc = host_desc(&host.control_out, head);
        if (desc->len != 8 || host.said_count == SAID)
            abort();
        memcpy(&host.said[host.said_count++], (void *)(uintptr_t)desc->addr, 8);
        model_push(&host.control_out, (uint32_t)head, 0);
    }
}

// Result: times the driver has said this of a port.
static inline unsigned said(uint32_t id, unsigned event, unsigned value)
{
    unsigned times = 0;
    host_listens();
    for (unsigned i = 0; i < host.said_count; i++)
        times += host.said[i].id == id && host.said[i].event == event &&
                 host.said[i].value == value;
    return times;
}

// Puts bytes into a port, without an interrupt. Result: how many there is room for.
static size_t host_sends(unsigned number, const void *bytes, size_t size)
{
    int head = model_pop(&host.receive[number]);
    if (head < 0)
        return 0;
    const struct virtq_desc *desc = host_desc(&host.receive[number], head);
    size = size < desc->len ? size : desc->len;
    memcpy((void *)(uintptr_t)desc->addr, bytes, size);
    model_push(&host.receive[number], (uint32_t)head, (uint32_t)size);
    return size;
}

static inline size_t host_types(unsigned number, const char *text)
{
    size_t size = host_sends(number, text, strlen(text));
    host_interrupt();
    return size;
}

// Reads one write of a port, without an interrupt. Result: its bytes, or -1.
static long host_receives(unsigned number)
{
    int head = model_pop(&host.transmit[number]);
    if (head < 0)
        return -1;
    const struct virtq_desc *desc = host_desc(&host.transmit[number], head);
    if (host.heard_size[number] + desc->len > HEARD)
        abort();
    memcpy(host.heard[number] + host.heard_size[number], (void *)(uintptr_t)desc->addr, desc->len);
    host.heard_size[number] += desc->len;
    model_push(&host.transmit[number], (uint32_t)head, 0);
    return desc->len;
}

static bool host_heard(unsigned number, const char *text)
{
    size_t size = host.heard_size[number];
    host.heard_size[number] = 0;
    return size == strlen(text) && memcmp(host.heard[number], text, size) == 0;
}

// ---- Machines ----

// A device with so many ports, attached; it has said nothing. Result: as virtio_serial_attach().
static int host_fresh(uint32_t ports, uint64_t features)
{
    struct virtio_device device = { .base = MODEL_BASE + SLOT * MODEL_STRIDE,
                                    .irq = MODEL_IRQ + SLOT };
    if (host.used == MACHINES)
        abort();
    struct virtio_serial *serial = &host.serials[host.used];
    model_fresh();
    host.serial = serial;
    host.slot = model_plug(SLOT, 3, VIRTIO_F_VERSION_1 | features);
    host.slot->queue_count = 2 * ports + 2;
    memcpy(host.slot->config + 4, &ports, sizeof ports);
    host.said_count = fake_requests.completed = fake_requests.told = 0;
    host.deaf = false;
    memset(host.heard_size, 0, sizeof host.heard_size);
    host.control_in = (struct model_device){ .queue = &serial->control_in };
    host.control_out = (struct model_device){ .queue = &serial->control_out };
    for (unsigned i = 0; i < PORTS; i++) {
        host.receive[i] = (struct model_device){ .queue = &serial->ports[i].receive };
        host.transmit[i] = (struct model_device){ .queue = &serial->ports[i].transmit };
    }
    // After ten of them the names are taken: it is said, and does no harm.
    int error = virtio_serial_attach(serial, &device, (char)('0' + host.used++ % 10));
    fake_reports.count = 0;
    return error;
}

// One with ports 0 to 3, of which 1 and 2 are announced, with nobody connected.
static void host_announced(void)
{
    host_fresh(PORTS, VIRTIO_CONSOLE_F_MULTIPORT);
    host_listens();
    host_puts(1, VIRTIO_CONSOLE_PORT_ADD, 1, "");
    host_says(2, VIRTIO_CONSOLE_PORT_ADD, 1);
}

// The same with port 1 open.
static void host_opened(void)
{
    struct io_request open = { 0 };
    host_announced();
    submit(1, &open, IO_OPEN, NULL, 0);
    host_listens();
    fake_requests.told = 0;
}

static void host_connected(void)
{
    host_opened();
    host_says(1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    fake_requests.told = 0;
}
