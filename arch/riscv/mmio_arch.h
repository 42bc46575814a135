// Register access on RISC-V: the chips that we know keep accesses to their I/O regions in order.
#pragma once

#include "arch/mmio_volatile.h"
