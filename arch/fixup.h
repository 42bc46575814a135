// Loads and stores that may fault: what a program's pointer leads to is read and written as if it
// were all right, and only where it is not, the fault handler goes on elsewhere. So a good pointer
// costs nothing.
#pragma once

#include <stdint.h>

#include "cpu_arch.h"

// In cpu_arch.h: CPU_LOAD_OR(value, base, offset, label) reads an unsigned long at base + offset, a
// constant, into value; goes on at the label where that cannot be read, or on ARM is not aligned.
// The eight bytes there must be the program's. CPU_STORE_OR(value, base, offset, label) writes one
// in the same way. The compiler is not told that it does, which would cost it what it knows of all
// other memory: the same function must not look there again.

// For the fault handler. Result: where to go on when the access at pc has faulted; 0: nowhere.
// Context: any.
uintptr_t fixup_find(uintptr_t pc);
