// A RAM disk as a board describes it.
#pragma once

#include <stddef.h>

struct ram_disk_settings {
    void *memory; // Aligned to CPU_CACHE_LINE_MAX.
    size_t size_bytes;
};
