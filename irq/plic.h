// The PLIC and the CLINT's software interrupt as a board describes them: .base is the PLIC.
//
// Interrupt numbers below PLIC_HART are the PLIC's sources; PLIC_HART + n is the hart's own
// interrupt n, as mcause counts them.
#pragma once

#include <stdint.h>

#include "irq/irq.h"

enum {
    PLIC_HART = IRQ_LIMIT - 16,
    PLIC_HART_SOFTWARE = PLIC_HART + 3,
    PLIC_HART_TIMER = PLIC_HART + 7,
};

struct plic_settings {
    uintptr_t software_interrupt; // Address of the hart's MSIP register in the CLINT.
    unsigned sources;             // Interrupts 1 … sources - 1, at most PLIC_HART.
    unsigned context;             // Of the hart's machine mode.
};
