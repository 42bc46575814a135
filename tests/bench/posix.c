// What the reads of reads.h cost by the POSIX face, in a program as a user writes it: aio_read(),
// and a function of SIGEV_THREAD that retrieves the result and reads the next block into the same
// buffer. Main sleeps until a signal says that a round is over.
#include <aio.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdalign.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "arch/cpu.h"
#include "tests/bench/reads.h"

static alignas(READ_BYTES) uint8_t buffers[READ_DEPTH_MOST][READ_BYTES];
static struct aiocb blocks[READ_DEPTH_MOST];
static int disk;
static unsigned failed;

static struct read_mark read_mark(void)
{
    struct timespec now;
    struct read_mark mark = { .instructions = cpu_instructions() };
    clock_gettime(CLOCK_MONOTONIC, &now);
    mark.ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
    return mark;
}

static void next(struct aiocb *block)
{
    block->aio_offset = (off_t)reads_next_offset();
    failed += aio_read(block) != 0;
}

static void on_read(union sigval value)
{
    struct aiocb *block = value.sival_ptr;
    failed += aio_return(block) != READ_BYTES;
    if (reads_another())
        next(block);
    else if (reads_over())
        raise(SIGUSR1);
}

static void on_signal(int number)
{
    (void)number;
}

static void prepare(unsigned index)
{
    struct aiocb *block = &blocks[index];
    memset(block, 0, sizeof *block);
    block->aio_fildes = disk;
    block->aio_buf = buffers[index];
    block->aio_nbytes = READ_BYTES;
    block->aio_sigevent.sigev_notify = SIGEV_THREAD;
    block->aio_sigevent.sigev_notify_function = on_read;
    block->aio_sigevent.sigev_value.sival_ptr = block;
}

// There are thousands of reads to do when main goes to sleep, so the signal does not come before.
static void round_run(unsigned round)
{
    static const struct aiocb *const none[] = { NULL };
    reads_begin(round);
    for (unsigned i = 0; i < reads.result->depth; i++)
        prepare(i);
    for (unsigned i = 0; i < reads.result->depth; i++)
        next(&blocks[i]);
    while (!reads_over())
        aio_suspend(none, 1, NULL); // Ends by a signal only.
}

int main(void)
{
    disk = open("/dev/disk", O_RDONLY);
    if (disk < 0) {
        printf("posix: /dev/disk: %s\n", strerror(errno));
        return 1;
    }
    signal(SIGUSR1, on_signal);
    for (unsigned round = 0; round < READ_RESULTS; round++)
        round_run(round);
    for (unsigned round = 0; round < READ_RESULTS; round++)
        printf(READ_RESULT_FORMAT, READ_RESULT_FIELDS(&read_results[round]));
    if (failed)
        printf("posix: %u calls failed\n", failed);
    return failed != 0;
}
