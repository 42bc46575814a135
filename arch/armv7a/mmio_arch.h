// Register access on ARMv7-A: the MMU maps registers as device memory.
#pragma once

#include "arch/mmio_volatile.h"
