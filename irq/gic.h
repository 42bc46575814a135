// The GIC as a board describes it: .base is the distributor.
#pragma once

#include <stdint.h>

struct gic_settings {
    uintptr_t cpu_interface; // Address of GICC_CTLR.
};
