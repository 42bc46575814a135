// The console's two ways. Bytes come from one read that is always under way on the serial device,
// go through the line discipline (tty_line.c) and leave it line by line; the echo and the program's
// output are writes on the serial device, each of them whole, so an echo never tears what one
// write() put out.
//
// tty_run_isr() is the engine of the input: it moves bytes on wherever they can move. Whoever
// changes something (a read came, a request completed) calls it, at isr level or by way of a
// software interrupt; called from inside itself it takes another round.
#include "fs/tty.h"

#include <errno.h>

#include "aio/core.h"
#include "arch/assert.h"
#include "arch/cpu.h"
#include "fs/tty_line.h"

enum { RECEIVE_SIZE = 64 }; // Bytes asked of the serial device at a time.

static struct {
    struct device device;
    struct device *serial;
    void (*interrupt)(void);
    struct tty_line line;
    bool running, again, kicked;
    struct irq_work kick;

    // Input.
    struct io_request receive;
    uint8_t received[RECEIVE_SIZE];
    size_t received_size, received_taken;
    bool failed;                // The serial device had no bytes, but an error, or 0 at its end:
    ssize_t failure;            // the next reader gets it, and then the device is tried again.
    struct io_request *reading; // Waits for a line.

    // Echo.
    struct io_request echoing;
    size_t echo_sent; // The running request is not counted.

    // Output: the program's request, and the one that carries a piece of it on the serial device.
    struct io_request *writing;
    struct io_request output;
    size_t written, piece; // Bytes of the program's buffer: sent, being sent.
} tty;

static void start_echo(void)
{
    if (io_in_flight(&tty.echoing) || tty.echo_sent == tty.line.echo_end)
        return;
    tty.echoing.buffer = &tty.line.echo[tty.echo_sent];
    tty.echoing.size = tty.line.echo_end - tty.echo_sent;
    if (io_submit(tty.serial, &tty.echoing) != 0)
        tty.echo_sent = tty.line.echo_end = 0;
}

static void take_received(void)
{
    while (tty.received_taken < tty.received_size) {
        enum tty_key key = tty_line_key(&tty.line, tty.received[tty.received_taken]);
        if (key == TTY_KEY_WAITS)
            return;
        tty.received_taken++;
        if (key == TTY_KEY_INTERRUPT && tty.interrupt != NULL) {
            start_echo(); // Before a program that this ends takes the machine with it.
            tty.interrupt();
        }
    }
}

static void answer_reader(void)
{
    struct io_request *request = tty.reading;
    bool waits = !tty_line_ready(&tty.line) && request != NULL && request->size > 0;
    if (request == NULL || (waits && !tty.failed))
        return;
    tty.reading = NULL;
    tty.again = true; // There may be room now, and the next read may come from inside.
    ssize_t result = tty.failure;
    if (waits)
        tty.failed = false;
    else
        result = (ssize_t)tty_line_read(&tty.line, request->buffer, request->size);
    device_complete(request, result);
}

static void start_receive(void)
{
    if (tty.failed || io_in_flight(&tty.receive) || tty.received_taken < tty.received_size)
        return;
    tty.received_size = tty.received_taken = 0;
    int error = io_submit(tty.serial, &tty.receive);
    tty.failure = error;
    tty.failed = tty.again = error != 0;
}

static void tty_run_isr(void)
{
    tty.again = true;
    if (tty.running)
        return;
    tty.running = true;
    while (tty.again) {
        tty.again = false;
        take_received();
        answer_reader();
        start_echo();
        start_receive();
    }
    tty.running = false;
    device_ready(&tty.device);
}

static void received(struct io_request *request)
{
    tty.failed = request->result <= 0;
    tty.failure = request->result;
    tty.received_size = tty.failed ? 0 : (size_t)request->result;
    if (tty.failed)
        tty_line_finish(&tty.line);
    tty_run_isr();
}

static void echoed(struct io_request *request)
{
    tty.echo_sent += request->size; // Whatever became of it, nobody would want the echo later.
    if (tty.echo_sent == tty.line.echo_end)
        tty.echo_sent = tty.line.echo_end = 0;
    tty_run_isr();
}

static void kicked(struct irq_work *work)
{
    (void)work;
    tty.kicked = false;
    tty_run_isr();
}

// Has the engine run soon, at isr level: an interrupt key that was held back is handled there as
// well.
static void tty_kick_locked(void)
{
    if (tty.kicked)
        return;
    tty.kicked = true;
    tty.kick.run = kicked;
    irq_defer(&tty.kick);
}

// Sends the next piece of the program's write: all of it; or with crlf a line, or a line's end.
static int send_piece(void)
{
    static char line_end[] = "\r\n";
    const struct io_request *request = tty.writing;
    char *from = (char *)request->buffer + tty.written;
    size_t left = request->size - tty.written;
    tty.output.buffer = from;
    tty.output.flags = request->flags;
    tty.output.size = tty.piece = left;
    if (tty.line.crlf) {
        for (tty.piece = 0; tty.piece < left && from[tty.piece] != '\n'; tty.piece++) {}
        tty.output.size = tty.piece;
    }
    if (tty.piece == 0 && left > 0) {
        tty.piece = 1;
        tty.output.buffer = line_end;
        tty.output.flags |= IO_KERNEL_BUFFER;
        tty.output.size = sizeof line_end - 1;
    }
    return io_submit(tty.serial, &tty.output);
}

static void finish_write(ssize_t result)
{
    struct io_request *request = tty.writing;
    tty.writing = NULL;
    request->moved = tty.written;
    device_complete(request, result);
    device_ready(&tty.device);
}

static void sent(struct io_request *output)
{
    // A line end's two bytes stand for one of the program's.
    tty.written += output->size == tty.piece ? output->moved : output->moved / 2;
    if (output->result < 0) {
        finish_write(output->result);
    } else if (output->moved < output->size || tty.written == tty.writing->size) {
        finish_write((ssize_t)tty.written);
    } else {
        int error = send_piece();
        if (error)
            finish_write(error);
    }
}

static int submit_read(struct io_request *request)
{
    bool waits = !tty_line_ready(&tty.line) && request->size > 0 && !tty.failed;
    if (waits && (request->flags & IO_NONBLOCK))
        return -EAGAIN;
    assert(tty.reading == NULL);
    tty.reading = request;
    if (!waits)
        tty_kick_locked();
    return 0;
}

static int submit_write(struct io_request *request)
{
    assert(tty.writing == NULL);
    tty.writing = request;
    tty.written = 0;
    int error = send_piece();
    if (error)
        tty.writing = NULL;
    return error;
}

static int start(struct io_request *request)
{
    switch (request->op) {
    case IO_READ:
        return submit_read(request);
    case IO_WRITE:
        return submit_write(request);
    case IO_FLUSH: // A write that has completed is on the wire.
    case IO_OPEN:
    case IO_CALL: // Never comes.
        device_complete(request, 0);
        return 0;
    }
    return -EINVAL;
}

static void tty_submit(struct device *device, struct io_request *request)
{
    (void)device;
    device_complete_refused(request, start(request));
}

static int tty_cancel(struct device *device, struct io_request *request)
{
    (void)device;
    if (request == tty.writing)
        return io_cancel(&tty.output); // Where it succeeds, sent() passes the result on.
    if (request != tty.reading)
        return -EALREADY;
    tty.reading = NULL;
    device_complete(request, -ECANCELED);
    return 0;
}

static unsigned tty_ready(const struct device *device)
{
    (void)device;
    return (tty_line_ready(&tty.line) || tty.failed ? IO_READY_READ : 0) |
           (tty.writing == NULL ? IO_READY_WRITE : 0);
}

static const struct device_ops tty_ops = { .submit = tty_submit,
                                           .cancel = tty_cancel,
                                           .ready = tty_ready };

static void requests_init(void)
{
    tty.receive.op = IO_READ;
    tty.receive.flags = IO_KERNEL_BUFFER;
    tty.receive.buffer = tty.received;
    tty.receive.size = RECEIVE_SIZE;
    tty.receive.done = received;
    tty.echoing.op = IO_WRITE;
    tty.echoing.flags = IO_KERNEL_BUFFER;
    tty.echoing.done = echoed;
    tty.output.op = IO_WRITE;
    tty.output.done = sent;
}

int tty_init(struct device *serial)
{
    if (serial == NULL)
        return -ENODEV;
    tty.serial = serial;
    requests_init();
    tty.device.name = "console";
    tty.device.ops = &tty_ops;
    tty.device.kind = DEVICE_STREAM;
    tty.device.duplex = true;
    tty.device.terminal = true;
    tty.device.lanes[0].depth = 1;
    tty.device.lanes[1].depth = 1;
    int error = device_register(&tty.device);
    if (error)
        return error;
    uint32_t flags = irq_save();
    tty_kick_locked();
    irq_restore(flags);
    return 0;
}

void tty_set_echo(bool on)
{
    tty.line.no_echo = !on;
}

void tty_set_crlf(bool on)
{
    tty.line.crlf = on;
}

void tty_on_interrupt(void (*interrupt)(void))
{
    tty.interrupt = interrupt;
}
