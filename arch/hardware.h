// One piece of hardware as a board describes it, and the driver that runs it.
// Board files are lists of these and nothing else (board/board.h).
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { HARDWARE_IRQS = 12 };

struct hardware {
    const char *name; // As users see it: "ttyPS0" is /dev/ttyPS0.
    const struct driver *driver;
    uintptr_t base;               // Address of the first register.
    uint16_t irqs[HARDWARE_IRQS]; // Interrupt numbers, 0 ends the list; the driver says which is
                                  // which.
    uint32_t clock_hz;            // The clock that drives it, where the driver must know.
    bool coherent;        // This bus master sees the CPU's caches: no maintenance is needed.
    const void *settings; // A struct of the driver's own, or NULL.
};

struct driver {
    // Takes the hardware into use: resets it, installs its interrupts, makes it known to its room.
    // Result: 0 or -errno; a failure leaves the hardware quiet and is reported by boot.
    // Context: boot, interrupts masked.
    int (*start)(const struct hardware *hardware);
};
