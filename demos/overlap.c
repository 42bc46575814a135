// The main demonstration: reads a whole disk and counts primes at the same time, on one CPU and
// without a thread. The callbacks of reader.c hash what arrives; main below only counts, and looks
// at a flag in memory between two slices of work. Then a part of the disk is read again in two
// ways, in turn and at once, for comparison (compare.c).
//
//     make demo DISK=file
//
// On Linux the same source needs DEPTH=1, as said in reader.h:
//
//     gcc -O2 -o overlap demos/{overlap,compare,reader,sha256,primes,say}.c
//     DEPTH=1 ./overlap file
//
// Environment: DISK_BYTES: only so many bytes are hashed (a disk is a file padded with zeros to a
// size that a card can have; the padding is read, too). DISK_SHA256: what the digest must be.
// DEPTH: requests in flight, 8 unless given. TERM: the progress line is redrawn on a terminal that
// can do it, and grows where there is none.
//
// Exit status 0: read, in order, digest and counts right. Else one line on standard error says why.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compare.h"
#include "primes.h"
#include "reader.h"
#include "say.h"
#include "sha256.h"
#include "task.h"

#define MIB 1048576.0

enum {
    DEFAULT_DEPTH = 8,
    PROGRESS_STEP = 5, // Percent.
    LINE_BYTES = 128,
};

static struct reader reader;
static struct primes primes;

// Interrupts taken since the start, or -1 where the system does not say.
static long interrupts_taken(void)
{
    char line[LINE_BYTES];
    long taken = -1;
    FILE *file = fopen("/proc/interrupts", "r");
    if (!file)
        return -1;
    while (taken < 0 && fgets(line, sizeof line, file)) {
        if (sscanf(line, " taken: %ld", &taken) != 1)
            taken = -1;
    }
    fclose(file);
    return taken;
}

// ---- The disk and what is expected of it --------------------------------------------------------

// Reads a number from the environment, if it is there. Result: false (and a line) when it is none
// or not between least and most.
static bool environment_number(const char *name, unsigned long long least, unsigned long long most,
                               unsigned long long *number)
{
    const char *text = getenv(name);
    char *end;
    if (!text)
        return true;
    errno = 0;
    *number = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || errno != 0)
        return wrong("%s=%s is not a number", name, text);
    if (*number < least || *number > most)
        return wrong("%s=%s is not between %llu and %llu", name, text, least, most);
    return true;
}

// The size of an open disk in bytes, or -1. Where off_t has 32 bits it cannot express 2 GiB, the
// largest size of an SDSC card: lseek() answers EOVERFLOW, and the first 2 GiB can be read.
static int64_t disk_size(int disk)
{
    off_t end = lseek(disk, 0, SEEK_END);
    if (end == (off_t)-1 && errno == EOVERFLOW && sizeof(off_t) == sizeof(int32_t))
        return (int64_t)INT32_MAX + 1;
    return end;
}

static bool prepare(struct task *task, const char *path)
{
    unsigned long long depth = DEFAULT_DEPTH, file_bytes;

    task->disk = open(path, O_RDONLY);
    if (task->disk < 0)
        return wrong("cannot open %s: %s. Is there a disk? make demo DISK=file gives one", path,
                     strerror(errno));
    int64_t size = disk_size(task->disk);
    if (size < 0)
        return wrong("cannot find out the size of %s: %s", path, strerror(errno));
    if (size == 0)
        return wrong("%s is empty", path);
    file_bytes = (unsigned long long)size;
    if (!environment_number("DISK_BYTES", 0, ULLONG_MAX, &file_bytes) ||
        !environment_number("DEPTH", 1, READER_MOST_REQUESTS, &depth))
        return false;
    if (file_bytes > (unsigned long long)size)
        return wrong("DISK_BYTES=%llu, but %s has only %lld bytes", file_bytes, path,
                     (long long)size);
    task->size_bytes = (uint64_t)size;
    task->file_bytes = file_bytes;
    task->expected_digest = getenv("DISK_SHA256");
    task->depth = (unsigned)depth;
    return true;
}

// ---- The whole disk -----------------------------------------------------------------------------

// Shows how far the reader is, every PROGRESS_STEP percent. Result: the percentage last shown.
static unsigned show_progress(unsigned shown, bool redraw)
{
    unsigned percent = (unsigned)((uint64_t)reader.arrived * 100 / reader.piece_count);

    percent -= percent % PROGRESS_STEP;
    if (percent == shown)
        return shown;
    if (redraw) {
        char number[NUMBER_BYTES];
        printf("\r  read %3u %%, and %s primes counted meanwhile ", percent,
               grouped(primes.found, number));
    }
    for (unsigned step = shown + PROGRESS_STEP; !redraw && step <= percent; step += PROGRESS_STEP)
        printf(" %u", step);
    fflush(stdout);
    return percent;
}

// The main loop: all that main does while the disk is read.
static void count_until_finished(void)
{
    const char *terminal = getenv("TERM");
    bool redraw = terminal && strcmp(terminal, "dumb") != 0 && isatty(STDOUT_FILENO);
    unsigned shown = 0;

    if (!redraw)
        printf("  percent:");
    while (!reader.finished) {
        primes_step(&primes);
        shown = show_progress(shown, redraw);
    }
    show_progress(shown, redraw);
    printf("\n");
}

static void print_whole_disk(const struct task *task, const char *digest, long interrupts)
{
    char number[NUMBER_BYTES];
    printf("\n  sha256      %s\n", digest);
    printf("              of the first %s bytes%s\n", grouped(task->file_bytes, number),
           task->expected_digest ? ", as expected" : "");
    printf("  requests    %u, at most %u in flight\n", reader.requests, task->depth);
    printf("  callbacks   %u, in order\n", reader.callbacks);
    if (interrupts >= 0)
        printf("  interrupts  %ld\n", interrupts);
    printf("  primes      %s found by main meanwhile", grouped(primes.found, number));
    printf(" (checked with Legendre's formula)\n");
}

static bool read_whole_disk(const struct task *task)
{
    uint8_t digest[SHA256_DIGEST_BYTES];
    char text[SHA256_TEXT_BYTES];
    long before = interrupts_taken();

    primes_start(&primes, PRIMES_MOST_SLICES);
    reader_start(&reader, task->disk, task->size_bytes, task->file_bytes, task->depth);
    count_until_finished();
    long after = interrupts_taken();
    if (reader.failure)
        return reader_wrong(&reader);
    if (reader.requests != reader.piece_count || reader.callbacks != reader.piece_count)
        return wrong("%u pieces took %u requests and %u callbacks", reader.piece_count,
                     reader.requests, reader.callbacks);
    uint64_t expected = primes_expected(&primes);
    if (primes.found != expected)
        return wrong("main found %llu primes where there are %llu",
                     (unsigned long long)primes.found, (unsigned long long)expected);
    sha256_finish(&reader.hash, digest);
    sha256_text(digest, text);
    if (task->expected_digest && strcmp(text, task->expected_digest) != 0)
        return wrong("the digest is %s, but must be %s", text, task->expected_digest);
    print_whole_disk(task, text, before < 0 ? -1 : after - before);
    return true;
}

int main(int argc, char **argv)
{
    const char *path = argc > 1 ? argv[1] : "/dev/disk";
    struct task task;

    if (!prepare(&task, path))
        return EXIT_FAILURE;
    printf("Reading %s, %.1f MiB, in pieces of %d KiB; main counts primes meanwhile.\n", path,
           (double)task.size_bytes / MIB, READER_PIECE_BYTES / 1024);
    if (!read_whole_disk(&task) || !compare_both_ways(&task))
        return EXIT_FAILURE;
    return EXIT_SUCCESS;
}
