// A board is data: where its RAM and registers are and which hardware it has, in the order in which
// boot starts it.
#pragma once

#include <stdbool.h>

#include "arch/hardware.h"
#include "arch/memory.h"

enum { BOARD_HARDWARE = 24, BOARD_MMIO = 6 };

struct board {
    const char *name;
    struct memory_range ram;
    struct memory_range mmio[BOARD_MMIO]; // Register windows; everything else faults. See
                                          // protection_init().
    const char *console;                  // The serial port that stdin and stdout are on.
    const char *disk;                     // The block device that /dev/disk stands for.
    bool semihosting; // Arguments, exit status and stderr go to the debugger or QEMU.
    struct hardware hardware[BOARD_HARDWARE]; // Ends with a NULL name.
};

extern const struct board board;
