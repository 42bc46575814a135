// Pointers of the program's: each call of this face asks before it follows one, and answers EFAULT.
// What may be read and written is what arch/memory.h lets I/O do: RAM, but for the kernel's own
// data, and for writing not text and constants. aio_read() and its like, which count instructions,
// follow the pointer by a load that may fault (arch/fixup.h) and ask only where something is
// unusual.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/memory.h"

static inline bool posix_can_access(const void *at, size_t size, size_t alignment,
                                    enum memory_access access)
{
    return (uintptr_t)at % alignment == 0 && memory_check((uintptr_t)at, size, access) == 0;
}

// Can `count` objects be read, or written, here? A NULL pointer cannot, unless count is 0.
#define posix_can_read(from, count)                                                           \
    posix_can_access((from), (size_t)(count) * sizeof *(from), _Alignof(__typeof__(*(from))), \
                     MEMORY_SOURCE)
#define posix_can_write(to, count)                                                      \
    posix_can_access((to), (size_t)(count) * sizeof *(to), _Alignof(__typeof__(*(to))), \
                     MEMORY_DESTINATION)

// The same of pointers that may be NULL, where the caller does not want to say or to be told.
#define posix_may_read(from) (!(from) || posix_can_read((from), 1))
#define posix_may_write(to) (!(to) || posix_can_write((to), 1))
