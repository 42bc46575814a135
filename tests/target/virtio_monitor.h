// QEMU's monitor, asked by a suite that says `// monitor: yes` (tools/run-test), and what it is
// good for: a request is held inside the device, in flight for as long as the suite likes, and let
// go. The disk that can do so is one over QEMU's `blkdebug`.
#pragma once

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/tap.h"

// Has QEMU do something; it has been done on return. Anything that it has to say is an error.
__attribute__((format(printf, 1, 2))) static inline void monitor(const char *format, ...)
{
    char answer[128] = "";
    va_list arguments;
    va_start(arguments, format);
    printf("# monitor: ");
    vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
    fflush(stdout);
    if (fgets(answer, sizeof answer, stdin) && answer[0] == '\n')
        return;
    printf("Bail out! QEMU's monitor: %s\n", answer);
    exit(1);
}

// The next request that comes to this event of a disk stays there: read_aio, write_aio,
// flush_to_disk.
static inline void hold_next(const char *disk, const char *event, char tag)
{
    monitor("qemu-io -d %s \"break %s %c\"", disk, event, tag);
}

// Returns when a request is held; QEMU itself waits for it, so it must be on its way.
static inline void wait_held(const char *disk, char tag)
{
    monitor("qemu-io -d %s \"wait_break %c\"", disk, tag);
}

static inline void let_go(const char *disk, char tag)
{
    monitor("qemu-io -d %s \"resume %c\"", disk, tag);
}
