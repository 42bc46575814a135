// /dev: every device that is registered, /dev/tty for the console, /dev/disk for the board's disk,
// and two devices that every system has, null and zero. Of devices whose names have a '/' it shows
// none: they belong to somebody else.
#pragma once

#include "drivers/device.h"

// Registers /dev/null and /dev/zero. disk: what /dev/disk stands for, or NULL.
// Result: the file system, to be mounted.
// Context: boot.
struct device *devfs_init(const char *disk);
