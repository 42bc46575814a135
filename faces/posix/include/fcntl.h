// newlib's <fcntl.h> knows these flags on Cygwin only.
#pragma once

#include_next <fcntl.h>

#ifndef O_DSYNC
#define O_DSYNC 0x800000 // A bit that newlib has no use for, so that it is another than O_SYNC.
#define O_RSYNC O_SYNC
#endif
