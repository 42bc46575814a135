// What suites of the program's end begin with: streams with something unwritten, functions for
// exit(), and writes in flight. What became of it is looked at when the board is off (NAME.after).
#pragma once

#include <aio.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/tap.h"

enum { IN_FLIGHT_BYTES = 4 << 20 };

static char in_flight[IN_FLIGHT_BYTES];
static FILE *order;

static void write_first(void)
{
    fputs("first\n", order);
}

// May itself ask for I/O.
static void write_second(void)
{
    static const char text[] = "asynchronous\n";
    struct aiocb block = { .aio_fildes = open("/host/atexit", O_RDWR | O_CREAT, 0600),
                           .aio_buf = (void *)(uintptr_t)text,
                           .aio_nbytes = sizeof text - 1 };
    const struct aiocb *list[] = { &block };
    aio_write(&block);
    aio_suspend(list, 1, NULL);
    fputs("second\n", order);
}

static struct aiocb start_write(const char *path)
{
    struct aiocb block = { .aio_fildes = open(path, O_RDWR | O_CREAT, 0600),
                           .aio_buf = in_flight,
                           .aio_nbytes = IN_FLIGHT_BYTES };
    return block;
}

// Result: false: this board shares no folder.
static bool leave_unfinished(void)
{
    static struct aiocb host, disk;
    tap_plan(1);
    if (access("/host", W_OK) != 0) {
        tap_skip_rest("this board shares no folder");
        return false;
    }
    for (unsigned i = 0; i < IN_FLIGHT_BYTES; i++)
        in_flight[i] = (char)(i * 7 + i / 256 * 3);
    tap_ok(true, "test_what_is_unfinished_at_the_end"); // Said before: nobody could afterwards.
    fflush(stdout);
    order = fopen("/host/order", "w");
    FILE *stream = fopen("/host/stream", "w");
    fputs("unwritten", stream);
    atexit(write_first);
    atexit(write_second);
    host = start_write("/host/flight");
    disk = start_write("/dev/disk");
    aio_write(&host);
    aio_write(&disk);
    return true;
}
