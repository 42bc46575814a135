// 16550 UART: the driver for board files, and its arithmetic for whoever wants to check it.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arch/hardware.h"

extern const struct driver uart_16550;

// How the chip is wired. A board without settings gets register_shift 0.
struct uart_16550_settings {
    uint8_t register_shift; // Registers are 1 << register_shift bytes apart. At 2 they are accessed
                            // as 32-bit words, else as bytes.
};

enum {
    UART_16550_BAUD_TOLERANCE = 33
}; // A 33rd, 3 %: the 10th bit is still sampled inside itself.

// Finds the divisor that comes nearest: rate = clock_hz / (16 * divisor), baud at most 4 Mbaud.
// Result: false when none comes within the tolerance.
// Context: any.
bool uart_16550_divisor(uint32_t clock_hz, uint32_t baud, uint16_t *divisor);
