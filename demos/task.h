// What the demonstration is to do: which disk to read and what must come out.
#pragma once

#include <stdint.h>

struct task {
    int disk;                    // Open for reading.
    unsigned depth;              // Requests in flight.
    uint64_t size_bytes;         // Of the disk.
    uint64_t file_bytes;         // Of the file that lies at its beginning.
    const char *expected_digest; // Of the file; NULL: not known.
};
