// The one translation of the POSIX face: -errno becomes -1 and errno.
#pragma once

#include <errno.h>
#include <stdint.h>

static inline int64_t posix_result(int64_t result)
{
    if (result >= 0)
        return result;
    errno = -(int)result;
    return -1;
}
