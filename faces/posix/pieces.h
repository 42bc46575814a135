// Memory that is several pieces, on its way through one buffer: for streams, where one call is one
// thing. Part of uio.c.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

enum { PIECES_BUFFER = 16384 }; // No message is larger, and no pipe holds more.

struct pieces {
    const struct iovec *list;
    size_t count;
    size_t size; // Of all together.
};

// Looks at the list and works out its size. Result: 0, EFAULT (the list), EINVAL (more bytes than a
// result can say).
// Context: main | callback.
int pieces_measure(struct pieces *pieces);

// Copies `size` bytes, those from `skip` on of all the pieces, into the buffer, or with `out` out
// of it into the pieces. Result: false: a piece is not the program's memory.
// Context: main | callback.
bool pieces_copy(const struct pieces *pieces, size_t skip, char *buffer, size_t size, bool out);

// Can all the pieces be written?
// Context: main | callback.
bool pieces_can_write(const struct pieces *pieces);
