// Reads a disk with several requests in flight: each callback hashes its piece and asks for the
// next one, into the same buffer. The CPU is needed for the hash only.
#include "reader.h"

#include <aio.h>
#include <errno.h>
#include <stdalign.h>
#include <string.h>

#include "say.h"

enum { CACHE_LINE_BYTES = 64 }; // Of the largest cache that this will meet.

// A request with what its callback needs. Piece n of the disk always goes to slot n % depth: when
// piece n has arrived and is hashed, piece n + depth takes its place.
struct slot {
    struct aiocb request;
    struct reader *reader;
    unsigned piece;
};

static struct slot slots[READER_MOST_REQUESTS];
static alignas(CACHE_LINE_BYTES) uint8_t buffers[READER_MOST_REQUESTS][READER_PIECE_BYTES];

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

// The first failure counts; what is still in flight then arrives and is ignored.
static void fail(struct reader *reader, unsigned piece, const char *failure, int error)
{
    reader->failure = failure;
    reader->error = error;
    reader->failed_piece = piece;
    reader->finished = true;
}

static void piece_arrived(union sigval value);

static void request_piece(struct reader *reader, unsigned piece)
{
    struct slot *slot = &slots[piece % reader->depth];
    uint64_t offset = (uint64_t)piece * READER_PIECE_BYTES;

    slot->reader = reader;
    slot->piece = piece;
    slot->request = (struct aiocb){
        .aio_fildes = reader->disk,
        .aio_offset = (off_t)offset,
        .aio_buf = buffers[piece % reader->depth],
        .aio_nbytes = smaller(reader->size_bytes - offset, READER_PIECE_BYTES),
    };
    slot->request.aio_sigevent.sigev_notify = SIGEV_THREAD;
    slot->request.aio_sigevent.sigev_notify_function = piece_arrived;
    slot->request.aio_sigevent.sigev_value.sival_ptr = slot;
    reader->requests++;
    if (aio_read(&slot->request) != 0)
        fail(reader, piece, "could not be asked for", errno);
}

static void hash_piece(struct reader *reader, const struct slot *slot)
{
    uint64_t offset = (uint64_t)slot->piece * READER_PIECE_BYTES;
    if (offset < reader->hash_bytes)
        sha256_add(&reader->hash, buffers[slot->piece % reader->depth],
                   smaller(reader->hash_bytes - offset, slot->request.aio_nbytes));
}

// The end of one request. It preempts main; other callbacks wait until it has returned.
static void piece_arrived(union sigval value)
{
    struct slot *slot = value.sival_ptr;
    struct reader *reader = slot->reader;
    int error = aio_error(&slot->request);
    ssize_t size = aio_return(&slot->request);

    reader->callbacks++;
    if (reader->finished)
        return;
    if (slot->piece != reader->arrived)
        return fail(reader, slot->piece, "arrived out of order", 0);
    if (error != 0)
        return fail(reader, slot->piece, "could not be read", error);
    if (size != (ssize_t)slot->request.aio_nbytes)
        return fail(reader, slot->piece, "arrived incomplete", 0);

    hash_piece(reader, slot);
    reader->arrived++;
    while (reader->requests < reader->piece_count && !reader->finished &&
           reader->requests < reader->arrived + reader->depth)
        request_piece(reader, reader->requests);
    if (reader->arrived == reader->piece_count)
        reader->finished = true;
}

// Only the first request is made here. Its callback makes the next ones, up to the full depth:
// from then on only callbacks make requests, and as they never interrupt one another, the order
// of the requests is the order of the disk.
void reader_start(struct reader *reader, int disk, uint64_t size_bytes, uint64_t hash_bytes,
                  unsigned depth)
{
    *reader = (struct reader){ .disk = disk, .depth = depth };
    reader->size_bytes = size_bytes;
    reader->hash_bytes = hash_bytes;
    reader->piece_count = (unsigned)((size_bytes + READER_PIECE_BYTES - 1) / READER_PIECE_BYTES);
    sha256_start(&reader->hash);
    request_piece(reader, 0);
}

bool reader_wrong(const struct reader *reader)
{
    return wrong("piece %u of %u %s%s%s", reader->failed_piece, reader->piece_count,
                 reader->failure, reader->error ? ": " : "",
                 reader->error ? strerror(reader->error) : "");
}
