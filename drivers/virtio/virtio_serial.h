// The inside of the virtio console driver: a device, its ports and the messages about them. Others
// see a struct device for each port.
#pragma once

#include "drivers/device.h"
#include "drivers/virtio/virtio.h"
#include "drivers/virtio/virtqueue.h"

enum {
    VIRTIO_SERIAL_DEVICES = 2,
    VIRTIO_SERIAL_PORTS = 8,           // Of a device: those with the numbers 0 to 7.
    VIRTIO_SERIAL_BUFFER = 4096,       // Bytes; as many as QEMU takes from a socket at a time.
    VIRTIO_SERIAL_MESSAGES = 32,       // Each way; QEMU drops what finds no place.
    VIRTIO_SERIAL_MESSAGE_BYTES = 256, // The longest is a port's name.
    VIRTIO_SERIAL_NAME = 31,           // Bytes of a port's name that are kept.
    VIRTIO_SERIAL_TRANSMIT = 8,        // A write that goes straight, one that was copied, and those
                                       // that a device may have kept of connections before.
    VIRTIO_SERIAL_TRANSMIT_LEAST = 2,
};

// 5.3.2: Virtqueues.
enum { VIRTIO_SERIAL_CONTROL_IN = 2, VIRTIO_SERIAL_CONTROL_OUT = 3 };

// 5.3.3: Feature bits.
#define VIRTIO_CONSOLE_F_MULTIPORT (UINT64_C(1) << 1)

// 5.3.6.2: Multiport Device Operation.
enum virtio_console_event {
    VIRTIO_CONSOLE_DEVICE_READY = 0,
    VIRTIO_CONSOLE_PORT_ADD = 1,
    VIRTIO_CONSOLE_PORT_REMOVE = 2,
    VIRTIO_CONSOLE_PORT_READY = 3,
    VIRTIO_CONSOLE_CONSOLE_PORT = 4,
    VIRTIO_CONSOLE_RESIZE = 5,
    VIRTIO_CONSOLE_PORT_OPEN = 6,
    VIRTIO_CONSOLE_PORT_NAME = 7,
};
struct virtio_console_control {
    uint32_t id; // The port's number.
    uint16_t event;
    uint16_t value;
};
_Static_assert(sizeof(struct virtio_console_control) == 8, "5.3.6.2");

struct virtio_serial_message {
    union {
        struct virtio_console_control control;
        uint8_t bytes[VIRTIO_SERIAL_MESSAGE_BYTES];
    };
    uint16_t head;
    struct virtio_serial_message *next; // Of the free ones, on the way out.
};

// A way for a write to the device.
struct virtio_serial_chain {
    uint16_t head;
    uint32_t since; // As many had been given to the device when it was, the last time.
};

// Who is at the host's side of a port.
enum virtio_serial_host {
    HOST_AWAITED, // Nobody has been there since the port was opened.
    HOST_CONNECTED,
    HOST_GONE,
};

struct virtio_serial_port {
    struct device device;
    struct virtio_serial *serial;
    uint32_t number;
    bool exists; // The device has announced it.
    bool opened; // The device knows that we read.
    enum virtio_serial_host host;

    // Reading. What has been received lies in the buffer, of which `taken` bytes have been read. It
    // is of one connection; ends that no reader has been told of come before it or after it.
    struct io_request *reading; // Waits for something to end it with.
    size_t received, taken;
    bool end_first, end_last;
    uint16_t received_head;

    // The other lane: a write; or an opening, or a flush, that waits.
    struct io_request *writing;
    struct virtio_serial_chain *straight; // By which it is with the device, or NULL.
    struct virtio_serial_chain *copied;   // The same of a copy, whose write has ended.
    struct virtio_serial_chain chains[VIRTIO_SERIAL_TRANSMIT];
    unsigned chain_count;

    struct virtqueue receive, transmit;
    char name[sizeof "vport0p0"];
    char label[VIRTIO_SERIAL_NAME + 1]; // What the host calls it.
    uint8_t buffer[VIRTIO_SERIAL_BUFFER], copy[VIRTIO_SERIAL_BUFFER];
    _Alignas(VIRTQUEUE_ALIGNMENT) uint8_t receive_memory[VIRTQUEUE_BYTES(1)];
    _Alignas(VIRTQUEUE_ALIGNMENT) uint8_t transmit_memory[VIRTQUEUE_BYTES(VIRTIO_SERIAL_TRANSMIT)];
};

struct virtio_serial {
    struct virtio_device transport;
    bool settled;          // The device has had the time to say which ports there are.
    const char *broken;    // Why it is not used any more, or NULL.
    struct timer patience; // Until a broken device is quiet, or a slow one has had its time.
    char name[sizeof "vport0"];
    unsigned port_count;

    // Messages about ports.
    struct virtqueue control_in, control_out;
    struct virtio_serial_message *free;
    struct virtio_serial_message in[VIRTIO_SERIAL_MESSAGES], out[VIRTIO_SERIAL_MESSAGES];
    _Alignas(VIRTQUEUE_ALIGNMENT) uint8_t in_memory[VIRTQUEUE_BYTES(VIRTIO_SERIAL_MESSAGES)];
    _Alignas(VIRTQUEUE_ALIGNMENT) uint8_t out_memory[VIRTQUEUE_BYTES(VIRTIO_SERIAL_MESSAGES)];

    struct virtio_serial_port ports[VIRTIO_SERIAL_PORTS];
};

// Does the device say which ports it has, and who is connected?
static inline bool virtio_serial_has_messages(const struct virtio_serial *serial)
{
    return (serial->transport.features & VIRTIO_CONSOLE_F_MULTIPORT) != 0;
}

// Tells the device of what has been put into a queue.
static inline void virtio_serial_kick(const struct virtio_serial *serial, struct virtqueue *queue,
                                      unsigned index)
{
    if (virtqueue_kick(queue))
        virtio_notify(&serial->transport, index);
}

// ---- virtio_serial.c: requests, reading, the host's side ----

void virtio_serial_submit(struct device *device, struct io_request *request);
int virtio_serial_cancel(struct device *device, struct io_request *request);
unsigned virtio_serial_ready(const struct device *device);
bool virtio_serial_interrupt(void *serial);
void virtio_serial_patience_expired(struct timer *timer);

// 5.3.2: a port's queues are this one, which receives, and the next, which transmits.
static inline unsigned virtio_serial_queue(uint32_t port)
{
    return port == 0 ? 0 : 2 * port + 2;
}

// Somebody connects to the host's side of a port, or leaves it.
// Context: any, interrupts masked.
void virtio_serial_connected(struct virtio_serial_port *port);
void virtio_serial_gone(struct virtio_serial_port *port);

// The port is taken away: nobody waits for a connection to it any longer.
// Context: any, interrupts masked.
void virtio_serial_removed(struct virtio_serial_port *port);

// The device has announced its ports: ends the openings that have waited for that.
// Context: isr.
void virtio_serial_settled(struct virtio_serial *serial);

// ---- virtio_serial_write.c: writing ----

// Starts a write or a flush. Result: 0, or -errno: it has not been taken.
// Context: submit().
int virtio_serial_write(struct virtio_serial_port *port, struct io_request *request);
int virtio_serial_flush(struct virtio_serial_port *port, struct io_request *request);

// Somebody has connected: gives the device the write that has waited for it, if there is one.
// Context: any, interrupts masked.
void virtio_serial_write_on(struct virtio_serial_port *port);

// Takes back what the device has read, if only now what it had of connections before.
// Context: any, interrupts masked.
void virtio_serial_sent(struct virtio_serial_port *port);

// A connection has ended: so has what the device still has of it, as -EPIPE.
// Context: any, interrupts masked.
void virtio_serial_forget(struct virtio_serial_port *port);

// Ends the request of the port's other lane; there is one.
// Context: any, interrupts masked.
void virtio_serial_end_write(struct virtio_serial_port *port, ssize_t result);

// ---- virtio_serial_control.c: messages about ports ----

// Sends a message. A device that takes none any more is broken.
// Context: any, interrupts masked.
void virtio_serial_say(struct virtio_serial *serial, uint32_t port, enum virtio_console_event event,
                       uint16_t value);

// Takes what the device says.
// Context: isr.
void virtio_serial_listen(struct virtio_serial *serial);

// ---- virtio_serial_setup.c ----

// Takes a device into use; its ports are vport<digit>p0 and so on. serial is all zeros, or what a
// failure left of it.
// Result: 0 or -errno.
// Context: boot.
int virtio_serial_attach(struct virtio_serial *serial, const struct virtio_device *device,
                         char digit);
