// PSCI: the calls by which a kernel asks the firmware, or QEMU in its place, to switch cores and
// the machine on and off (ARM DEN 0022). Kept by the architectures that have it.
#pragma once

#include <stdint.h>

enum psci_function { PSCI_SYSTEM_OFF = 0x84000008 };

// One call without arguments, by `hvc`, the conduit where nothing but the firmware is above us.
// Result: as the function says; a negative number is an error (5.2.2).
// Context: any.
int32_t psci_call(enum psci_function function);
