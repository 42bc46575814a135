// Serial ports: what the other rooms may ask of a UART beyond reading and writing its device.
//
// A UART is a duplex stream device. A read completes with at least one byte as soon as there is
// one; a write completes when its bytes have left the transmit FIFO: all are on the wire, the last
// one perhaps still in the shift register.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct uart_statistics {
    uint32_t overruns;       // Times bytes were lost because the receive FIFO was full.
    uint32_t framing_errors; // Bytes without a proper stop bit: a wrong speed, a break, noise.
    uint32_t parity_errors;
    uint32_t holds; // Times the ring was full and reception waited: nothing lost by that.
};

// Counters of the UART of that name since boot. Result: 0, or -ENODEV.
// Context: any.
int uart_statistics(const char *name, struct uart_statistics *statistics);

// Chooses the UART that uart_console_sink() writes to; unless chosen it is the first one that was
// started.
// Result: 0, or -ENODEV.
// Context: boot.
int uart_console_select(const char *name);

// Writes text by polling, without interrupts and past every queue: a sink for report_to(), made for
// crash messages. Bytes of a write that is under way are not lost, but the text may stand between
// them. It waits while the FIFO is full, and gives the text up when the transmitter does not move.
// Before a UART has been started the text is dropped.
// Context: any.
void uart_console_sink(const char *text, size_t size);
