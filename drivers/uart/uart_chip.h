// Between the class (uart.c), which keeps the ring and the requests, and a chip's driver, which
// knows the registers.
//
// The chip's driver claims a UART, installs its interrupt, sets the chip up and registers the UART.
// Its top half acknowledges and calls uart_received_isr(), uart_sent_isr() and uart_lost_isr() as
// the chip's status says.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/hardware.h"
#include "drivers/uart/uart.h"

// A chip's operations. All are called with interrupts masked; none waits.
struct uart_chip {
    // Moves what the receive FIFO holds to bytes, at most limit. Result: bytes moved; fewer than
    // limit: it is empty.
    size_t (*receive)(const struct hardware *hardware, uint8_t *bytes, size_t limit);
    // Moves bytes to the transmit FIFO as far as it takes them now. Result: bytes moved; it may be
    // 0 until the FIFO is empty.
    size_t (*send)(const struct hardware *hardware, const uint8_t *bytes, size_t size);
    // True when the transmit FIFO is empty.
    bool (*sent)(const struct hardware *hardware);
    // Lets the receive interrupt through or masks it. An interrupt that came while it was masked
    // may be lost: the class looks into the FIFO itself.
    void (*receive_interrupt)(const struct hardware *hardware, bool on);
    // The same for the interrupt of an empty transmit FIFO. Once it was let through, send()
    // follows; from then on it must come when the FIFO is empty.
    void (*send_interrupt)(const struct hardware *hardware, bool on);
};

enum { UART_LIMIT = 4 }; // UARTs of a board.

struct uart;

// Takes a UART from the pool. It is used up only when it is registered.
// Result: the UART, or NULL when the board has more than UART_LIMIT.
// Context: boot, interrupts masked.
struct uart *uart_claim(const struct hardware *hardware, const struct uart_chip *chip);

// Makes the UART known as a device and looks for bytes that the FIFO holds already.
// Result: 0, or -EEXIST for a name in use.
// Context: boot, interrupts masked.
int uart_register(struct uart *uart);

// The hardware that the UART was claimed for.
// Context: any.
const struct hardware *uart_hardware(const struct uart *uart);

// The receive FIFO has bytes: takes a bounded number of them and sees to the rest later.
// Context: isr, or boot once the UART is claimed.
void uart_received_isr(struct uart *uart);

// The transmit FIFO is empty, or was a moment ago.
// Context: isr.
void uart_sent_isr(struct uart *uart);

enum uart_loss { UART_OVERRUN, UART_FRAMING_ERROR, UART_PARITY_ERROR };

// The chip reports that reception went wrong. Some chips do so whenever their status is read.
// Context: any, interrupts masked.
void uart_lost_isr(struct uart *uart, enum uart_loss loss);
