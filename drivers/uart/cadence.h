// Cadence UART: the driver for board files, and its arithmetic for whoever wants to check it.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arch/hardware.h"

extern const struct driver uart_cadence;

struct cadence_divisors {
    uint16_t cd;  // 1 … 65535.
    uint8_t bdiv; // 4 … 255.
};

enum { CADENCE_BAUD_TOLERANCE = 33 }; // A 33rd, 3 %: the 10th bit is still sampled inside itself.

// Finds the dividers that come nearest: rate = clock_hz / (cd * (bdiv + 1)), clock_hz at most 1
// GHz, baud at most 4 Mbaud.
// Result: false when no pair comes within the tolerance.
// Context: any.
bool cadence_baud(uint32_t clock_hz, uint32_t baud, struct cadence_divisors *best);
