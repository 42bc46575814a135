// Memory protection: what each architecture has of it (an MMU, a PMP, an MPU).
#pragma once

#include "arch/memory.h"

// Opens RAM and the register windows and nothing else; page zero faults, text is read-only, data is
// never executed, and the pages under each stack fault. With an MMU RAM becomes cached memory and
// the windows device memory, and the caches are switched on. mmio: whole MiB each, ended by a size
// of 0. A PMP of sixteen regions has room for three that are powers of two, or one of any size and
// one that is.
// Context: boot, before any device is touched.
void protection_init(const struct memory_range *ram, const struct memory_range *mmio);
