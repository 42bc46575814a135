// In turn or at once: the same bytes read and hashed, the same primes counted, two ways.
//
// In turn is what a program does that knows read() only: it reads a piece and waits, hashes it,
// reads the next; when all is read, it counts. At once, callbacks read and hash, and main counts
// meanwhile and to the end. What is gained is the time in which the CPU would wait for the disk.
// The other way round, nothing is: where the disk is faster than the hash, callbacks leave main
// little time until all is read.
//
// The clock of an emulator runs in the time of its host, where other programs run as well. So both
// ways are measured several times, one after the other, and the middle ratio is the one that is
// shown.
#include "compare.h"

#include <errno.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "primes.h"
#include "reader.h"
#include "say.h"
#include "sha256.h"

#define MIB 1048576.0
#define MEGABYTE 1e6
#define NANOSECONDS_PER_SECOND 1e9

enum {
    COMPARISONS = 3,
    COMPARED_BYTES = 16 * 1024 * 1024, // At most; about a second of work.
    BYTES_PER_SLICE = 16 * 1024,       // A slice of counting for so many bytes read.
    CACHE_LINE_BYTES = 64,
    PERCENT = 100,
};

// What one way of doing the work gave, and how long it took.
struct run {
    double read_seconds;      // Until the last byte was read and hashed.
    double seconds;           // Until all was counted, too.
    double counted_meanwhile; // The part of the counting that was done while the disk was read.
    uint64_t primes;
    uint8_t digest[SHA256_DIGEST_BYTES];
};

struct comparison {
    struct run in_turn, at_once;
};

static struct reader reader;
static struct primes primes;

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / NANOSECONDS_PER_SECOND;
}

static uint32_t slices_for(uint64_t size_bytes)
{
    return (uint32_t)(size_bytes / BYTES_PER_SLICE);
}

// Should the counting be done before the reading, main goes on with it, since it has nothing else
// to do; what it finds on top is left out.
static bool run_at_once(const struct task *task, uint64_t size_bytes, struct run *run)
{
    uint32_t slices = slices_for(size_bytes), counted = 0;
    double start = seconds_now();

    primes_start(&primes, PRIMES_MOST_SLICES);
    reader_start(&reader, task->disk, size_bytes, size_bytes, task->depth);
    for (; !reader.finished; counted++) {
        if (counted == slices)
            run->primes = primes.found;
        primes_step(&primes);
    }
    run->read_seconds = seconds_now() - start;
    if (reader.failure)
        return reader_wrong(&reader);
    run->counted_meanwhile = counted < slices ? (double)counted / slices : 1;
    for (; counted < slices; counted++)
        primes_step(&primes);
    if (counted == slices)
        run->primes = primes.found;
    run->seconds = seconds_now() - start;
    sha256_finish(&reader.hash, run->digest);
    return true;
}

// The CPU waits while the disk works, and the disk while the CPU does.
static bool read_in_turn(int disk, uint64_t size_bytes, uint8_t digest[SHA256_DIGEST_BYTES])
{
    static alignas(CACHE_LINE_BYTES) uint8_t piece[READER_PIECE_BYTES];
    struct sha256 hash;

    sha256_start(&hash);
    if (lseek(disk, 0, SEEK_SET) != 0)
        return wrong("cannot go back to the beginning: %s", strerror(errno));
    for (uint64_t left = size_bytes; left > 0;) {
        size_t wanted = left < sizeof piece ? (size_t)left : sizeof piece;
        ssize_t got = read(disk, piece, wanted);
        if (got != (ssize_t)wanted)
            return wrong("read() gave %ld of %lu bytes: %s", (long)got, (unsigned long)wanted,
                         got < 0 ? strerror(errno) : "the disk ends early");
        sha256_add(&hash, piece, wanted);
        left -= wanted;
    }
    sha256_finish(&hash, digest);
    return true;
}

static bool run_in_turn(const struct task *task, uint64_t size_bytes, struct run *run)
{
    double start = seconds_now();
    if (!read_in_turn(task->disk, size_bytes, run->digest))
        return false;
    run->read_seconds = seconds_now() - start;
    run->counted_meanwhile = 0;
    primes_start(&primes, PRIMES_MOST_SLICES);
    for (uint32_t i = slices_for(size_bytes); i > 0; i--)
        primes_step(&primes);
    run->seconds = seconds_now() - start;
    run->primes = primes.found;
    return true;
}

static bool compare(const struct task *task, uint64_t size_bytes, struct comparison *comparison)
{
    struct run *at_once = &comparison->at_once, *in_turn = &comparison->in_turn;

    if (!run_at_once(task, size_bytes, at_once) || !run_in_turn(task, size_bytes, in_turn))
        return false;
    if (memcmp(at_once->digest, in_turn->digest, sizeof at_once->digest) != 0)
        return wrong("the same bytes have another digest when they are read in turn");
    if (at_once->primes != in_turn->primes)
        return wrong("main found %llu primes at once, but %llu in turn",
                     (unsigned long long)at_once->primes, (unsigned long long)in_turn->primes);
    return true;
}

static double ratio(const struct comparison *comparison)
{
    return comparison->in_turn.seconds / comparison->at_once.seconds;
}

static int by_ratio(const void *a, const void *b)
{
    double difference = ratio(a) - ratio(b);
    return (difference > 0) - (difference < 0);
}

// One line of the table: a figure of each way.
static void print_row(const char *name, const char *unit, int decimals, double in_turn,
                      double at_once)
{
    printf("  %-28s %9.*f %-5s %9.*f %s\n", name, decimals, in_turn, unit, decimals, at_once, unit);
}

// Counting is the same work both ways. So at once, too, main had the time that it takes alone.
static void print_table(const struct comparison *comparison, uint64_t size_bytes)
{
    const struct run *in_turn = &comparison->in_turn, *at_once = &comparison->at_once;
    double megabytes = (double)size_bytes / MEGABYTE;
    double count_seconds = in_turn->seconds - in_turn->read_seconds;
    char number[NUMBER_BYTES];

    printf("  %-28s %9s %-5s %9s\n", "", "in turn", "", "at once");
    print_row("everything done after", "s", 3, in_turn->seconds, at_once->seconds);
    print_row("all read and hashed after", "s", 3, in_turn->read_seconds, at_once->read_seconds);
    print_row("bytes over the whole time", "MB/s", 1, megabytes / in_turn->seconds,
              megabytes / at_once->seconds);
    print_row("main's share of the time", "%", 0, PERCENT * count_seconds / in_turn->seconds,
              PERCENT * count_seconds / at_once->seconds);
    print_row("counted while reading", "%", 0, PERCENT * in_turn->counted_meanwhile,
              PERCENT * at_once->counted_meanwhile);
    printf("  Both found %s primes and the same digest.\n", grouped(at_once->primes, number));
}

bool compare_both_ways(const struct task *task)
{
    static struct comparison comparison[COMPARISONS];
    const struct comparison *middle = &comparison[COMPARISONS / 2];
    uint64_t size_bytes = task->size_bytes < COMPARED_BYTES ? task->size_bytes : COMPARED_BYTES;

    for (int i = 0; i < COMPARISONS; i++) {
        if (!compare(task, size_bytes, &comparison[i]))
            return false;
    }
    qsort(comparison, COMPARISONS, sizeof *comparison, by_ratio);
    printf("\nThe first %.1f MiB again, in two ways. In turn: main reads a piece, waits, hashes\n"
           "it, reads the next, and counts at the end. At once: as above, it counts meanwhile.\n\n",
           (double)size_bytes / MIB);
    print_table(middle, size_bytes);
    printf("\nAt once is %.2f times as fast (the middle of %d comparisons: %.2f to %.2f).\n",
           ratio(middle), COMPARISONS, ratio(&comparison[0]), ratio(&comparison[COMPARISONS - 1]));
    return true;
}
