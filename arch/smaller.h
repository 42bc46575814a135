// The smaller of two sizes, which is how much of something fits.
#pragma once

#include <stddef.h>

// Context: any.
static inline size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}
