// PL011 UART: the driver for board files, and its arithmetic for whoever wants to check it.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arch/hardware.h"

extern const struct driver uart_pl011;

struct pl011_divisors {
    uint16_t ibrd; // 1 … 65535.
    uint8_t fbrd;  // 64ths, 0 … 63.
};

// Finds the dividers that come nearest: rate = clock_hz / (16 * (ibrd + fbrd / 64)), within one
// percent; clock_hz at most 1 GHz, baud at most 4 Mbaud.
// Result: false when the rate is out of reach.
// Context: any.
bool pl011_baud(uint32_t clock_hz, uint32_t baud, struct pl011_divisors *divisors);
