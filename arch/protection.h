// Memory protection: what each architecture has of it (an MMU, a PMP, an MPU).
#pragma once

#include "arch/memory.h"

// Maps RAM as cached memory, the register windows as device memory and nothing else; page zero
// faults, text is read-only, data is never executed, and the page under each stack faults. Switches
// the caches on. mmio: whole MiB each, ended by a size of 0. A PMP of sixteen regions has room for
// three that are powers of two, or one of any size and one that is.
// Context: boot, before any device is touched.
void protection_init(const struct memory_range *ram, const struct memory_range *mmio);
