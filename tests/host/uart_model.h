// A serial chip made of two arrays, for the serial class.
#pragma once

#include <errno.h>
#include <string.h>

#include "drivers/uart/uart_chip.h"
#include "tests/host/fake/requests.h"
#include "tests/host/fake/work.h"
#include "tests/tap.h"

// --- The chip: a receive FIFO that a sender with flow control fills, and a transmit FIFO ---

enum { FIFO = 16, LINE = 8192, RING = 1024, TURN = 64 };

static struct {
    uint8_t line[LINE];                     // What the other end wants to send.
    size_t line_size, line_sent, line_read; // Line_sent - line_read bytes are in the FIFO.
    uint8_t out[LINE];
    size_t out_size, out_queued; // Bytes sent ever; of these still in the FIFO.
    bool receive_on, send_on, stuck, instant;
    unsigned most_received; // Bytes of the largest receive() call.
} chip;

static void line_flows(void)
{
    while (chip.line_sent < chip.line_size && chip.line_sent - chip.line_read < FIFO)
        chip.line_sent++;
}

static size_t chip_receive(const struct hardware *hardware, uint8_t *bytes, size_t limit)
{
    (void)hardware;
    size_t got = 0;
    while (got < limit && chip.line_read < chip.line_sent) {
        bytes[got++] = chip.line[chip.line_read++];
        line_flows();
    }
    return got;
}

static size_t chip_send(const struct hardware *hardware, const uint8_t *bytes, size_t size)
{
    (void)hardware;
    size_t sent = 0;
    while (sent < size && chip.out_queued < FIFO && !chip.stuck) {
        chip.out[chip.out_size++] = bytes[sent++];
        chip.out_queued += !chip.instant;
    }
    return sent;
}

static bool chip_sent(const struct hardware *hardware)
{
    (void)hardware;
    return chip.out_queued == 0;
}

static void chip_receive_interrupt(const struct hardware *hardware, bool on)
{
    (void)hardware;
    chip.receive_on = on;
}

static void chip_send_interrupt(const struct hardware *hardware, bool on)
{
    (void)hardware;
    chip.send_on = on;
}

static const struct uart_chip ops = {
    .receive = chip_receive,
    .send = chip_send,
    .sent = chip_sent,
    .receive_interrupt = chip_receive_interrupt,
    .send_interrupt = chip_send_interrupt,
};

// --- Requests ---

static struct uart *uart;
static struct device *device;

// Result: -EAGAIN, or 0: it is taken.
static int submit(struct io_request *request, enum io_op op, void *buffer, size_t size)
{
    fake_submit(device, request, op, buffer, size);
    return request->result == -EAGAIN ? -EAGAIN : 0;
}

static void isr(void (*top_half)(struct uart *))
{
    fake_enter_isr();
    top_half(uart);
    fake_leave_isr();
}
