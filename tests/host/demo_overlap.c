// The main demonstration as a whole, over a device that the test plays: its exit status must be 0
// for a disk that is read rightly, whatever its size, and not 0, with one line that says why, when
// anything at all is wrong.
//
// Nothing here depends on time. A request waits in a list until the test lets it complete, which it
// does after each slice of the main loop's work, in the place of an interrupt. Each run is a
// process of its own, so that it begins with fresh variables.
// sources: demos/compare.c demos/reader.c demos/say.c demos/sha256.c
#include <aio.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "tests/host/fake/cpu_arch.h"
#include "tests/tap.h"

#define primes_step sieve_step
#include "demos/primes.c"
#undef primes_step
void primes_step(struct primes *primes);

#define main overlap_main
#include "demos/overlap.c"
#undef main

enum {
    KIB = 1024,
    MOST_IN_FLIGHT = READER_MOST_REQUESTS,
    TEXT_BYTES = 4096,
};

// What goes wrong, and with which request, counted from 1; 0: nothing.
static struct {
    int swap, fail, shorten, refuse, twice, corrupt;
    bool miscount;
} fault;

static struct {
    struct aiocb *waiting[MOST_IN_FLIGHT];
    int numbers[MOST_IN_FLIGHT]; // As the faults count.
    unsigned count, most;
    int requests;
    int error;    // Of the request whose callback runs,
    ssize_t size; // and its result.
} device;

static char image[] = "/tmp/demo_overlap.XXXXXX";

// ---- The device: takes the place of the C library's functions -----------------------------------

int aio_read(struct aiocb *request)
{
    int number = ++device.requests;
    if (number == fault.refuse) {
        errno = EAGAIN;
        return -1;
    }
    if (device.count == MOST_IN_FLIGHT || request->aio_sigevent.sigev_notify != SIGEV_THREAD)
        abort();
    device.waiting[device.count] = request;
    device.numbers[device.count++] = number;
    device.most = device.count > device.most ? device.count : device.most;
    return 0;
}

int aio_error(const struct aiocb *request)
{
    (void)request;
    return device.error;
}

ssize_t aio_return(struct aiocb *request)
{
    (void)request;
    return device.error ? -1 : device.size;
}

static struct aiocb *withdraw(unsigned index)
{
    struct aiocb *request = device.waiting[index];
    device.count--;
    for (unsigned i = index; i < device.count; i++) {
        device.waiting[i] = device.waiting[i + 1];
        device.numbers[i] = device.numbers[i + 1];
    }
    return request;
}

// Copies what is needed, since the callback makes its next request with the same control block.
static void complete_one(void)
{
    unsigned index = device.count > 1 && device.numbers[0] == fault.swap;
    int number = device.numbers[index];
    struct aiocb *request = withdraw(index);
    struct sigevent event = request->aio_sigevent;
    uint8_t *buffer = (uint8_t *)request->aio_buf;

    device.error = number == fault.fail ? EIO : 0;
    device.size = pread(request->aio_fildes, buffer,
                        request->aio_nbytes - (number == fault.shorten), request->aio_offset);
    buffer[0] ^= number == fault.corrupt;
    event.sigev_notify_function(event.sigev_value);
    if (number == fault.twice)
        event.sigev_notify_function(event.sigev_value);
}

// A slice of main's work, and the interrupt that comes meanwhile.
void primes_step(struct primes *primes)
{
    sieve_step(primes);
    primes->found += fault.miscount;
    if (device.count > 0)
        complete_one();
}

// ---- Runs of the demonstration ------------------------------------------------------------------

struct outcome {
    int status;
    char out[TEXT_BYTES], error[TEXT_BYTES];
};

static void make_image(size_t size_bytes)
{
    FILE *file = fopen(image, "w");
    if (!file)
        abort();
    for (size_t i = 0; i < size_bytes; i++)
        putc((int)(i * i >> 8 ^ i), file);
    fclose(file);
}

static void read_back(FILE *file, char text[TEXT_BYTES])
{
    rewind(file);
    text[fread(text, 1, TEXT_BYTES - 1, file)] = '\0';
    fclose(file);
}

static void run_child(const char *path, FILE *out, FILE *error)
{
    char name[] = "overlap", argument[sizeof image];
    snprintf(argument, sizeof argument, "%s", path);
    dup2(fileno(out), STDOUT_FILENO);
    dup2(fileno(error), STDERR_FILENO);
    int status = overlap_main(2, (char *[]){ name, argument, NULL });
    printf("most in flight: %u\n", device.most);
    fflush(stdout);
    _exit(status);
}

static struct outcome run(const char *path)
{
    static struct outcome outcome;
    FILE *out = tmpfile(), *error = tmpfile();
    int status = -1;

    if (!out || !error)
        abort();
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        run_child(path, out, error);
    waitpid(child, &status, 0);
    outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    read_back(out, outcome.out);
    read_back(error, outcome.error);
    memset(&fault, 0, sizeof fault);
    unsetenv("DISK_BYTES");
    unsetenv("DISK_SHA256");
    unsetenv("DEPTH");
    return outcome;
}

// The run failed and said so in one line, which has the text.
static void refused(const char *path, const char *text, const char *name)
{
    struct outcome outcome = run(path);
    const char *end = strchr(outcome.error, '\n');
    bool one_line = end && end[1] == '\0';
    if (!tap_ok(outcome.status == EXIT_FAILURE && one_line && strstr(outcome.error, text), name))
        tap_note("status %d, standard error: %s", outcome.status, outcome.error);
}

static void accepted(const char *text, const char *name)
{
    struct outcome outcome = run(image);
    if (!tap_ok(outcome.status == 0 && outcome.error[0] == '\0' && strstr(outcome.out, text), name))
        tap_note("status %d, %s%s", outcome.status, outcome.out, outcome.error);
}

// Digest of the first size bytes of the image, by another program, for DISK_SHA256.
static void expect_digest_of(size_t size_bytes)
{
    char command[sizeof image + 64], digest[SHA256_TEXT_BYTES] = "";
    snprintf(command, sizeof command, "head -c %zu %s | sha256sum", size_bytes, image);
    FILE *pipe = popen(command, "r");
    if (!pipe || !fgets(digest, sizeof digest, pipe))
        abort();
    pclose(pipe);
    setenv("DISK_SHA256", digest, 1);
}

// ---- Claims -------------------------------------------------------------------------------------

static void test_sizes(void)
{
    static const struct {
        size_t size_kib;
        const char *name;
    } sizes[] = {
        { 512, "test_overlap_reads_the_smallest_disk" },
        { 1024, "test_overlap_reads_1_mib" },
        { 700, "test_overlap_reads_a_size_that_is_no_multiple_of_a_piece" },
        { 1, "test_overlap_reads_less_than_a_piece" },
        { 18 * 1024, "test_overlap_reads_more_than_it_compares" },
    };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        make_image(sizes[i].size_kib * KIB);
        expect_digest_of(sizes[i].size_kib * KIB);
        accepted(", as expected", sizes[i].name);
    }
}

static void test_padding_is_read_but_not_hashed(void)
{
    static const char *const sizes[] = { "0", "1", "65535", "65536", "65537", "524287" };
    unsigned wrong_ones = 0;
    make_image(512 * KIB);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        expect_digest_of(strtoul(sizes[i], NULL, 10));
        setenv("DISK_BYTES", sizes[i], 1);
        struct outcome outcome = run(image);
        wrong_ones += outcome.status != 0 || !strstr(outcome.out, "  requests    8,");
    }
    tap_equal(wrong_ones, 0, "test_overlap_reads_the_padding_but_hashes_only_the_file");
}

static void test_depth(void)
{
    make_image(2 * 1024 * KIB);
    accepted("most in flight: 8\n", "test_overlap_keeps_eight_requests_in_flight");
    setenv("DEPTH", "1", 1);
    accepted("most in flight: 1\n", "test_overlap_keeps_to_a_depth_of_1");
    setenv("DEPTH", "16", 1);
    accepted("most in flight: 16\n", "test_overlap_keeps_to_a_depth_of_16");
    setenv("DEPTH", "17", 1);
    refused(image, "DEPTH=17 is not between 1 and 16", "test_overlap_refuses_a_depth_of_17");
    setenv("DEPTH", "many", 1);
    refused(image, "DEPTH=many is not a number", "test_overlap_refuses_a_depth_in_words");
}

static void test_progress(void)
{
    make_image(512 * KIB);
    accepted("percent: 5 10 15 20 25 30 35 40 45 50 55 60 65 70 75 80 85 90 95 100\n",
             "test_overlap_progress_is_one_line_in_a_log");
}

static void test_bad_disks(void)
{
    refused("/nonexistent/disk", "make demo DISK=file",
            "test_overlap_without_a_disk_says_how_to_give_one");
    make_image(0);
    refused(image, "is empty", "test_overlap_refuses_an_empty_disk");
    make_image(512 * KIB);
    setenv("DISK_BYTES", "524289", 1);
    refused(image, "has only 524288 bytes", "test_overlap_refuses_a_file_larger_than_the_disk");
    setenv("DISK_BYTES", "99999999999999999999", 1);
    refused(image, "is not a number", "test_overlap_refuses_a_file_size_beyond_64_bits");
    setenv("DISK_BYTES", "-1", 1);
    refused(image, "is not a number", "test_overlap_refuses_a_negative_file_size");
    setenv("DISK_SHA256", "0123", 1);
    refused(image, "but must be 0123", "test_overlap_sees_a_wrong_digest");
}

static void test_faults(void)
{
    make_image(1024 * KIB); // 16 pieces: requests 1 to 16 read the whole, 17 on are compared.
    fault.swap = 5;
    refused(image, "piece 5 of 16 arrived out of order", "test_overlap_sees_a_wrong_order");
    fault.fail = 3;
    refused(image, "piece 2 of 16 could not be read: ", "test_overlap_sees_a_failed_read");
    fault.shorten = 16;
    refused(image, "piece 15 of 16 arrived incomplete", "test_overlap_sees_a_short_read");
    fault.refuse = 1;
    refused(image, "piece 0 of 16 could not be asked", "test_overlap_sees_a_first_read_refused");
    fault.refuse = 9;
    refused(image, "piece 8 of 16 could not be asked", "test_overlap_sees_a_later_read_refused");
    fault.twice = 2;
    refused(image, "out of order", "test_overlap_sees_a_callback_that_comes_twice");
    fault.twice = 16;
    refused(image, "16 pieces took 16 requests and 17 callbacks",
            "test_overlap_sees_a_callback_too_many_at_the_end");
    fault.miscount = true;
    refused(image, "primes where there are", "test_overlap_sees_a_wrong_count_of_primes");
    fault.corrupt = 20;
    refused(image, "another digest", "test_overlap_compares_digests_of_both_ways");
    fault.fail = 18;
    refused(image, "piece 1 of 16 could not be read", "test_overlap_sees_a_failure_when_comparing");
}

int main(void)
{
    int file = mkstemp(image);
    if (file < 0)
        abort();
    close(file);
    tap_plan(28);
    test_sizes();
    test_padding_is_read_but_not_hashed();
    test_depth();
    test_progress();
    test_bad_disks();
    test_faults();
    unlink(image);
    return tap_done();
}
