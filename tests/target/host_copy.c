// A user's program: 64 MiB are copied from the host's folder to /tmp and back, with 8 requests in
// flight each time, while main computes. That the copy is the original is looked at on the host,
// when the board is off.
// share: yes
// share-has: head -c 67108864 /dev/urandom > original
#include <aio.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/tap.h"

enum { PIECE = 256 * 1024, IN_FLIGHT = 8, COPY_BYTES = 64 * 1024 * 1024 };

// A piece of the copy: it is read, then written, then it stands for the next one but seven.
struct piece {
    struct aiocb block;
    off_t next;
    bool reading;
    char bytes[PIECE];
};

static struct piece pieces[IN_FLIGHT];
static int from, to;
static atomic_uint in_flight, ended; // Main and callbacks count.
static unsigned in_flight_most, failures;

static void start(struct piece *piece, bool reading, size_t size)
{
    piece->reading = reading;
    piece->block.aio_fildes = reading ? from : to;
    piece->block.aio_nbytes = size;
    if ((reading ? aio_read : aio_write)(&piece->block) != 0) {
        failures++;
        ended++;
        return;
    }
    unsigned now = ++in_flight;
    if (now > in_flight_most)
        in_flight_most = now;
}

static void read_next(struct piece *piece)
{
    if (piece->next >= COPY_BYTES) {
        ended++;
        return;
    }
    piece->block.aio_offset = piece->next;
    piece->next += IN_FLIGHT * PIECE;
    start(piece, true, PIECE);
}

static void on_end(union sigval value)
{
    struct piece *piece = value.sival_ptr;
    ssize_t bytes = aio_return(&piece->block);
    in_flight--;
    if (bytes != PIECE) {
        failures++;
        ended++;
    } else if (piece->reading) {
        start(piece, false, (size_t)bytes);
    } else {
        read_next(piece);
    }
}

static void copy(const char *source, const char *target, const char *name)
{
    char text[80];
    unsigned long computed = 0;
    from = open(source, O_RDONLY);
    to = open(target, O_RDWR | O_CREAT | O_TRUNC, 0666);
    in_flight = ended = 0;
    in_flight_most = failures = 0;
    for (unsigned i = 0; i < IN_FLIGHT; i++) {
        struct aiocb *block = &pieces[i].block;
        memset(block, 0, sizeof *block);
        block->aio_buf = pieces[i].bytes;
        block->aio_sigevent.sigev_notify = SIGEV_THREAD;
        block->aio_sigevent.sigev_notify_function = on_end;
        block->aio_sigevent.sigev_value.sival_ptr = &pieces[i];
    }
    for (unsigned i = 0; i < IN_FLIGHT; i++) {
        pieces[i].next = (off_t)i * PIECE;
        read_next(&pieces[i]);
    }
    while (ended < IN_FLIGHT)
        computed++;
    struct stat status;
    bool whole = fstat(to, &status) == 0 && status.st_size == COPY_BYTES;
    snprintf(text, sizeof text, "test_64_MiB_%s_arrive", name);
    tap_ok(failures == 0 && whole, text);
    snprintf(text, sizeof text, "test_main_computes_while_%s", name);
    tap_ok(computed > 0, text);
    snprintf(text, sizeof text, "test_8_requests_are_in_flight_%s", name);
    tap_equal(in_flight_most, IN_FLIGHT, text);
    close(from);
    close(to);
}

int main(void)
{
    tap_plan(6);
    if (access("/host/original", R_OK) != 0)
        return tap_skip_rest("this board shares no folder");
    copy("/host/original", "/tmp/copy", "from_the_host");
    copy("/tmp/copy", "/host/copy", "to_the_host");
    return tap_done();
}
