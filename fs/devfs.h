// Names: which device a path means, and the two devices that every system has, null and zero.
#pragma once

#include "drivers/device.h"

// Registers /dev/null and /dev/zero.
// Context: boot.
void devfs_init(void);

// The device that a path names: /dev/NAME, /proc/NAME (registered as proc/NAME), /dev/tty for the
// console.
// Result: the device, or NULL.
// Context: any.
struct device *devfs_lookup(const char *path);
