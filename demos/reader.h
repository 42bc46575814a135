// Reads a disk from its beginning with several requests in flight and hashes what arrives, all of
// it in callbacks. Whoever starts it need not look at it again until `finished` is set.
//
// Requests must complete in the order in which they were made, as on an SD card, and callbacks
// must run one at a time, as Inflight promises. Linux runs each callback in a thread of its own:
// there, ask for one request at a time.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "sha256.h"

enum { READER_PIECE_BYTES = 65536, READER_MOST_REQUESTS = 16 };

struct reader {
    // As given to reader_start().
    int disk;
    unsigned depth;
    uint64_t size_bytes, hash_bytes;

    // What main may look at meanwhile.
    atomic_bool finished; // All of it has arrived, or it failed. The callbacks' last write.
    atomic_uint arrived;  // Pieces, in order.
    unsigned piece_count; // So many there will be.

    // The callbacks' own until finished.
    struct sha256 hash;
    unsigned requests;     // aio_read() was called so often,
    unsigned callbacks;    // and these came back.
    const char *failure;   // NULL, or what went wrong,
    int error;             // with its errno, or 0,
    unsigned failed_piece; // and where.
};

// Starts reading size_bytes (at least 1) of an open file, a piece per request, up to depth (1 to
// READER_MOST_REQUESTS) requests at a time; the first hash_bytes of them are hashed.
// There is one set of buffers: one reader at a time.
// Context: main.
void reader_start(struct reader *reader, int disk, uint64_t size_bytes, uint64_t hash_bytes,
                  unsigned depth);

// Says on standard error, in one line, why a finished reader failed. Result: false.
// Context: main.
bool reader_wrong(const struct reader *reader);
