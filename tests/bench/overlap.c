// Does the CPU get all of its time while a slow disk works? 4 MiB are read in pieces of 64 KiB,
// alone; a loop computes for about as long, alone; then both at once. Five times, in wall-clock
// time: what is best tells what the kernel does, the others what the host did meanwhile.
//
// The disk is one that QEMU throttles. What it has not used for a while it may move at once, so it
// is made to use that up before every measurement.
#include <aio.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdalign.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    PIECE_BYTES = 65536,
    PIECES = 64,
    PRIMING_PIECES = 8, // More than a tenth of a second's worth.
    IN_FLIGHT = 4,
    TIMES = 5,
    LOOP_TRIAL = 20000000,
    TRIALS = 5,
};

static alignas(64) char buffers[IN_FLIGHT][PIECE_BYTES];
static struct aiocb blocks[IN_FLIGHT];
static int disk;
static volatile unsigned asked, ended, wanted, failed;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void read_piece(struct aiocb *block)
{
    block->aio_offset = (off_t)(asked++ * PIECE_BYTES);
    if (aio_read(block) != 0)
        failed++;
}

static void on_piece(union sigval value)
{
    struct aiocb *block = value.sival_ptr;
    if (aio_return(block) != PIECE_BYTES)
        failed++;
    ended++;
    if (asked < wanted)
        read_piece(block);
}

static void begin_reading(unsigned pieces)
{
    asked = ended = 0;
    wanted = pieces;
    for (unsigned i = 0; i < IN_FLIGHT; i++) {
        blocks[i] = (struct aiocb){ .aio_fildes = disk, .aio_buf = buffers[i] };
        blocks[i].aio_nbytes = PIECE_BYTES;
        blocks[i].aio_sigevent.sigev_notify = SIGEV_THREAD;
        blocks[i].aio_sigevent.sigev_notify_function = on_piece;
        blocks[i].aio_sigevent.sigev_value.sival_ptr = &blocks[i];
    }
    for (unsigned i = 0; i < IN_FLIGHT; i++)
        read_piece(&blocks[i]);
}

// Each of the blocks is waited for until it is not submitted anew any more.
static void finish_reading(void)
{
    for (unsigned i = 0; i < IN_FLIGHT; i++) {
        const struct aiocb *const list[] = { &blocks[i] };
        while (aio_error(&blocks[i]) == EINPROGRESS)
            aio_suspend(list, 1, NULL);
    }
}

// Aligned: a loop over two pages is ten times as slow in QEMU. noipa: for a function without
// effects the compiler would do once what is to be measured each time.
static __attribute__((noipa, aligned(256))) unsigned compute(unsigned iterations)
{
    unsigned x = 1;
    while (iterations-- > 0) {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
    }
    return x;
}

static volatile unsigned computed;

static double compute_for(unsigned iterations)
{
    double begun = now();
    computed = compute(iterations);
    return now() - begun;
}

// The shortest counts: QEMU translates the loop in the first, and the host may do something else in
// any.
static double trial_time(void)
{
    double best = compute_for(LOOP_TRIAL);
    for (unsigned i = 1; i < TRIALS; i++) {
        double time = compute_for(LOOP_TRIAL);
        best = time < best ? time : best;
    }
    return best;
}

static void prime(void)
{
    begin_reading(PRIMING_PIECES);
    finish_reading();
}

static double read_alone(void)
{
    prime();
    double begun = now();
    begin_reading(PIECES);
    finish_reading();
    return now() - begun;
}

static double read_and_compute(unsigned iterations)
{
    prime();
    double begun = now();
    begin_reading(PIECES);
    computed = compute(iterations);
    finish_reading();
    return now() - begun;
}

int main(void)
{
    disk = open("/dev/disk", O_RDONLY);
    if (disk < 0) {
        printf("overlap: /dev/disk: %s\n", strerror(errno));
        return 1;
    }
    double reading = read_alone();
    unsigned iterations = (unsigned)(LOOP_TRIAL / trial_time() * reading);
    for (unsigned i = 0; i < TIMES; i++) {
        reading = read_alone();
        double computing = compute_for(iterations);
        double both = read_and_compute(iterations);
        printf("overlap reading_ms=%u computing_ms=%u both_ms=%u\n", (unsigned)(reading * 1e3),
               (unsigned)(computing * 1e3), (unsigned)(both * 1e3));
    }
    if (failed)
        printf("overlap: %u calls failed\n", failed);
    return failed != 0;
}
