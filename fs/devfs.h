// Names: which device a path means, and the two devices that every system has, null and zero.
#pragma once

#include "drivers/device.h"

// Registers /dev/null and /dev/zero. disk: what /dev/disk stands for, or NULL.
// Context: boot.
void devfs_init(const char *disk);

// The device that a path names: /dev/NAME, /proc/NAME (registered as proc/NAME), /dev/tty for the
// console, /dev/disk for the board's disk.
// Result: the device, or NULL.
// Context: any.
struct device *devfs_lookup(const char *path);
