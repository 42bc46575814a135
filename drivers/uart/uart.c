// Serial ports: requests on one side, a chip's FIFOs on the other.
//
// Received bytes wait in a ring until somebody reads them. When the ring is full the receive
// interrupt is masked and the FIFO keeps the bytes; a sender with flow control, as QEMU's is, then
// waits, so piped input is never lost. Bytes that a FIFO loses are counted. A write goes straight
// from the request's buffer to the FIFO, a FIFO at a time. A waiting read can be cancelled at once;
// a started write cannot: what is in the FIFO goes out.
#include "drivers/uart/uart.h"

#include <errno.h>

#include "arch/assert.h"
#include "arch/container.h"
#include "arch/cpu.h"
#include "arch/smaller.h"
#include "drivers/device.h"
#include "drivers/uart/uart_chip.h"

enum {
    RING_SIZE = 1024,         // Bytes, a power of two: the counters below wrap without harm.
    MOST_PER_INTERRUPT = 64,  // Bytes moved at a time in either direction: a Cadence FIFO.
    POLLS_PER_BYTE = 1000000, // A transmitter that is slower than this is stuck.
};

struct uart {
    struct device device;
    const struct hardware *hardware;
    const struct uart_chip *chip;
    struct io_request *reading; // Waits for the first byte.
    struct io_request *writing; // Its `moved` counts what the FIFO has been given.
    uint8_t ring[RING_SIZE];
    uint32_t put, taken;  // Bytes ever put into the ring and taken from it.
    bool held;            // The ring was full: the receive interrupt is masked.
    bool deferred;        // `look` is waiting.
    struct irq_work look; // Looks into the FIFO again.
    struct uart_statistics statistics;
};

static struct uart uarts[UART_LIMIT];
static unsigned uart_count, uart_console;

static struct uart *uart_of(struct device *device)
{
    return container_of(device, struct uart, device);
}

static size_t ring_room(const struct uart *uart)
{
    return RING_SIZE - (uart->put - uart->taken);
}

// A look at isr level, soon. Whatever this was called from, nothing nests: a reader that submits
// its next request from done() would else go one level deeper for every request that the ring can
// answer.
static void look_later(struct uart *uart)
{
    if (!uart->deferred) {
        uart->deferred = true;
        irq_defer(&uart->look);
    }
}

// Completes the waiting read with what the ring has.
static void deliver(struct uart *uart)
{
    struct io_request *request = uart->reading;
    uint8_t *to = request->buffer;
    size_t size = smaller(request->size, uart->put - uart->taken);
    for (size_t i = 0; i < size; i++)
        to[i] = uart->ring[uart->taken++ % RING_SIZE];
    // Reception resumes only with room for a whole turn, or a slow reader would cost an interrupt
    // for every byte.
    if (uart->held && ring_room(uart) >= MOST_PER_INTERRUPT)
        look_later(uart);
    uart->reading = NULL;
    request->moved = size;
    device_complete(request, (ssize_t)size);
}

enum left { LEFT_NOTHING, LEFT_UNKNOWN, LEFT_NO_ROOM };

// Moves bytes from the FIFO to the ring, at most MOST_PER_INTERRUPT, and says what that left in the
// FIFO.
static enum left fill_ring(struct uart *uart)
{
    size_t budget = MOST_PER_INTERRUPT;
    while (ring_room(uart) > 0 && budget > 0) {
        size_t start = uart->put % RING_SIZE;
        size_t limit = smaller(smaller(ring_room(uart), RING_SIZE - start), budget);
        size_t got = uart->chip->receive(uart->hardware, &uart->ring[start], limit);
        uart->put += (uint32_t)got;
        budget -= got;
        if (got < limit)
            return LEFT_NOTHING;
    }
    return ring_room(uart) == 0 ? LEFT_NO_ROOM : LEFT_UNKNOWN;
}

static void hold(struct uart *uart, bool held)
{
    if (uart->held == held)
        return;
    uart->held = held;
    uart->statistics.holds += held;
    uart->chip->receive_interrupt(uart->hardware, !held);
}

void uart_received_isr(struct uart *uart)
{
    enum left left = fill_ring(uart);
    hold(uart, left == LEFT_NO_ROOM);
    // Nobody says that a chip interrupts again for bytes which it has already announced, so we come
    // back ourselves.
    if (left == LEFT_UNKNOWN)
        look_later(uart);
    if (uart->reading != NULL && (uart->put != uart->taken || uart->reading->size == 0))
        deliver(uart);
    device_ready(&uart->device);
}

static void look(struct irq_work *work)
{
    struct uart *uart = container_of(work, struct uart, look);
    uart->deferred = false;
    uart_received_isr(uart);
}

void uart_lost_isr(struct uart *uart, enum uart_loss loss)
{
    uart->statistics.overruns += loss == UART_OVERRUN;
    uart->statistics.framing_errors += loss == UART_FRAMING_ERROR;
    uart->statistics.parity_errors += loss == UART_PARITY_ERROR;
}

// Gives the FIFO what it takes of the write under way.
static void fill_fifo(struct uart *uart)
{
    struct io_request *request = uart->writing;
    const uint8_t *from = (const uint8_t *)request->buffer + request->moved;
    // Bounded even where the FIFO never fills: QEMU's passes every byte on within the register
    // write.
    size_t size = smaller(request->size - request->moved, MOST_PER_INTERRUPT);
    request->moved += uart->chip->send(uart->hardware, from, size);
}

void uart_sent_isr(struct uart *uart)
{
    struct io_request *request = uart->writing;
    // The status is remembered by the chip: the FIFO may have been filled after it had been set.
    if (request == NULL || !uart->chip->sent(uart->hardware))
        return;
    if (request->moved < request->size) {
        fill_fifo(uart);
        return;
    }
    uart->chip->send_interrupt(uart->hardware, false);
    uart->writing = NULL;
    device_complete(request, (ssize_t)request->moved);
    device_ready(&uart->device);
}

static int submit_read(struct uart *uart, struct io_request *request)
{
    bool ready = uart->put != uart->taken || request->size == 0;
    if (!ready && (request->flags & IO_NONBLOCK))
        return -EAGAIN;
    assert(uart->reading == NULL);
    uart->reading = request;
    if (ready)
        look_later(uart);
    return 0;
}

static int submit_write(struct uart *uart, struct io_request *request)
{
    assert(uart->writing == NULL);
    request->moved = 0;
    if (request->size == 0) {
        device_complete(request, 0);
        return 0;
    }
    uart->writing = request;
    // In this order: the interrupt is for the emptiness that follows the filling.
    uart->chip->send_interrupt(uart->hardware, true);
    fill_fifo(uart);
    return 0;
}

static int start(struct uart *uart, struct io_request *request)
{
    switch (request->op) {
    case IO_READ:
        return submit_read(uart, request);
    case IO_WRITE:
        return submit_write(uart, request);
    case IO_FLUSH: // A write that has completed is on the wire.
    case IO_OPEN:
    case IO_CALL: // Never comes.
        device_complete(request, 0);
        return 0;
    }
    return -EINVAL;
}

static void uart_submit(struct device *device, struct io_request *request)
{
    device_complete_refused(request, start(uart_of(device), request));
}

static int uart_cancel(struct device *device, struct io_request *request)
{
    struct uart *uart = uart_of(device);
    if (request == uart->writing)
        return -EBUSY;
    if (request != uart->reading)
        return -EALREADY;
    uart->reading = NULL;
    request->moved = 0;
    device_complete(request, -ECANCELED);
    return 0;
}

static unsigned uart_ready(const struct device *device)
{
    const struct uart *uart = container_of(device, struct uart, device);
    return (uart->put != uart->taken ? IO_READY_READ : 0) |
           (uart->writing == NULL ? IO_READY_WRITE : 0);
}

static const struct device_ops uart_ops = { .submit = uart_submit,
                                            .cancel = uart_cancel,
                                            .ready = uart_ready };

struct uart *uart_claim(const struct hardware *hardware, const struct uart_chip *chip)
{
    if (uart_count == UART_LIMIT)
        return NULL;
    struct uart *uart = &uarts[uart_count];
    uart->hardware = hardware;
    uart->chip = chip;
    uart->look.run = look;
    uart->device.name = hardware->name;
    uart->device.ops = &uart_ops;
    uart->device.kind = DEVICE_STREAM;
    uart->device.duplex = true;
    uart->device.terminal = true;
    uart->device.lanes[0].depth = 1;
    uart->device.lanes[1].depth = 1;
    return uart;
}

int uart_register(struct uart *uart)
{
    assert(uart == &uarts[uart_count]);
    int error = device_register(&uart->device);
    if (error)
        return error;
    uart_count++;
    look_later(uart);
    return 0;
}

const struct hardware *uart_hardware(const struct uart *uart)
{
    return uart->hardware;
}

// Result: the index of the UART of that name, or -ENODEV.
static int uart_index(const char *name)
{
    for (unsigned i = 0; i < uart_count; i++) {
        const char *a = uarts[i].device.name, *b = name;
        while (*a == *b && *a != '\0')
            a++, b++;
        if (*a == *b)
            return (int)i;
    }
    return -ENODEV;
}

int uart_statistics(const char *name, struct uart_statistics *statistics)
{
    int index = uart_index(name);
    if (index < 0)
        return index;
    uint32_t flags = irq_save();
    *statistics = uarts[index].statistics;
    irq_restore(flags);
    return 0;
}

int uart_console_select(const char *name)
{
    int index = uart_index(name);
    if (index < 0)
        return index;
    uart_console = (unsigned)index;
    return 0;
}

void uart_console_sink(const char *text, size_t size)
{
    if (uart_count == 0)
        return;
    const struct uart *uart = &uarts[uart_console];
    uint32_t flags = irq_save();
    size_t sent = 0;
    uint32_t polls = 0;
    // The one place that polls: whoever writes here may be about to end the machine.
    while (sent < size && polls++ < POLLS_PER_BYTE) {
        size_t moved = uart->chip->send(uart->hardware, (const uint8_t *)text + sent, size - sent);
        sent += moved;
        if (moved > 0)
            polls = 0;
    }
    irq_restore(flags);
}
