// The texts of /proc, from made-up counters.
// sources: fs/procfs.c fs/fixed.c fs/call.c fs/aio_limit.c arch/format.c drivers/device.c
#include <errno.h>
#include <string.h>

#include "aio/core.h"
#include "arch/cpu.h"
#include "dma/dma.h"
#include "drivers/device.h"
#include "fs/aio_limit.h"
#include "fs/call.h"
#include "fs/mount.h"
#include "fs/procfs.h"
#include "tests/tap.h"

// --- The counters ---

static uint32_t moment; // Counts what happens while a text is read; 0: nothing does.

int irq_statistics(unsigned irq, struct irq_statistics *statistics)
{
    static const struct irq_statistics one = { "ttyPS0", 4000000000, 20, 3 }, none;
    *statistics = irq == 59 ? one : none;
    if (irq == 59 && moment > 0)
        *statistics = (struct irq_statistics){ "ttyPS0", moment, moment, moment };
    return irq < IRQ_LIMIT ? 0 : -EINVAL;
}
struct irq_totals irq_totals(void)
{
    return (struct irq_totals){ .taken = 12, .spurious = 1 };
}
struct callback_totals callback_totals(void)
{
    return (struct callback_totals){ .run = 7, .turns = 5, .pauses = 2 };
}
uint64_t clock_ticks_to_ns(uint64_t ticks)
{
    return ticks * 10;
}
uint64_t clock_now_ns(void)
{
    return 4321000056789ULL; // 4321.000056 s.
}

struct dma_engine {
    int unused;
};
static struct dma_engine engine;
static const struct dma_capabilities capabilities = { .name = "PL330", .channels = 8 };

struct dma_engine *dma_engine_next(const struct dma_engine *before)
{
    return before ? NULL : &engine;
}
const struct dma_capabilities *dma_capabilities(const struct dma_engine *which)
{
    (void)which;
    return &capabilities;
}
const char *dma_engine_name(const struct dma_engine *which)
{
    (void)which;
    return "dma0";
}
struct dma_statistics dma_statistics(const struct dma_engine *which)
{
    (void)which;
    return (struct dma_statistics){ 10, 6, 1, 2, 1, 0, 3, 18446744073709551615ULL };
}

// --- The reader ---

void device_complete(struct io_request *request, ssize_t result)
{
    request->result = result;
}

void io_retain(struct device *device)
{
    device->references++;
}

static struct device pipe_end = { .name = "pipe", .lanes = { { .in_flight = 1 } } };

struct device *io_open_first(void)
{
    return &pipe_end;
}

struct io_totals io_totals_of_released(void)
{
    return (struct io_totals){ 5000000000, 1000 };
}

const char *mount_name(unsigned index)
{
    return index == 0 ? "dev" : index == 1 ? "tmp" : NULL;
}

struct device *mount_device(unsigned index)
{
    static struct device mounts[] = { { .name = "devfs" }, { .name = "ramfs" } };
    return &mounts[index];
}

static ssize_t start(struct io_request *request, const char *name, enum io_op op)
{
    struct device *device = device_find(name);
    request->op = op;
    request->result = -1000;
    device->ops->submit(device, request);
    return request->result;
}

static char text[1024];

// Reads a part of a text; the rest of the buffer is filled with '#'.
static ssize_t read_part(const char *name, uint64_t offset, size_t size)
{
    struct io_request request = { .offset = offset, .buffer = text, .size = size };
    memset(text, '#', sizeof text);
    return start(&request, name, IO_READ);
}

static bool reads(const char *name, const char *expected)
{
    ssize_t size = read_part(name, 0, sizeof text);
    bool same = size == (ssize_t)strlen(expected) && memcmp(text, expected, (size_t)size) == 0;
    if (!same)
        tap_note("%s: \"%.*s\"", name, size < 0 ? 0 : (int)size, text);
    return same;
}

static const char interrupts[] = "59: 4000000000 200 3 ttyPS0\n"
                                 "taken: 12\nspurious: 1\ncallbacks: 7\nturns: 5\npauses: 2\n";

// Goal: whatever the size of its pieces, a text read in pieces is the text.
static bool pieces_add_up(size_t piece)
{
    char whole[sizeof text];
    size_t got = 0;
    ssize_t size;
    while ((size = read_part("proc/interrupts", got, piece)) > 0) {
        memcpy(whole + got, text, (size_t)size);
        got += (size_t)size;
        if (text[size] != '#' || got > sizeof interrupts)
            return false;
    }
    return got == sizeof interrupts - 1 && memcmp(whole, interrupts, got) == 0;
}

// Reads a text in pieces while its numbers grow; text[] holds the whole afterwards.
static size_t read_while_it_grows(size_t piece)
{
    char whole[sizeof text];
    size_t got = 0;
    ssize_t size;
    moment = 95;
    while (got < sizeof whole - piece && (size = read_part("proc/interrupts", got, piece)) > 0) {
        memcpy(whole + got, text, (size_t)size);
        got += (size_t)size;
        moment += 3;
    }
    moment = 0;
    memcpy(text, whole, got);
    text[got] = '\0';
    return got;
}

// Goal: the first line's numbers are of one moment, and the others follow, each once and whole.
static bool is_whole(void)
{
    unsigned count, longest, unhandled;
    int length = 0;
    int found = sscanf(text, "59: %u %u %u ttyPS0\n%n", &count, &longest, &unhandled, &length);
    return found == 3 && longest == count * 10 && unhandled == count &&
           strcmp(text + length, strchr(interrupts, '\n') + 1) == 0;
}

static void test_growing(void)
{
    bool good = true;
    for (size_t piece = 1; piece < 100; piece++) {
        read_while_it_grows(piece);
        good &= is_whole();
    }
    tap_ok(good, "test_a_line_is_of_one_moment_whatever_the_pieces");
    size_t first = strchr(interrupts, '\n') + 1 - interrupts;
    tap_equal(read_part("proc/interrupts", 0, first + 5), (ssize_t)first,
              "test_a_read_ends_with_a_whole_line");
    tap_ok(read_part("proc/interrupts", 4, 6) == 6 && read_part("proc/interrupts", 0, 3) == 3 &&
               memcmp(text, interrupts, 3) == 0 && read_part("proc/interrupts", 4, 6) == 6 &&
               memcmp(text, interrupts + 4, 6) == 0,
           "test_a_reader_may_go_back");
}

// Result: as write().
static ssize_t write_text(const char *name, const char *what)
{
    struct io_request request = { .buffer = (void *)(uintptr_t)what, .size = strlen(what) };
    int error = start(&request, name, IO_WRITE);
    return error ? error : request.result;
}

static void test_limit(void)
{
    static const char most[] = "proc/sys/fs/aio-max-nr";
    tap_ok(reads(most, "65536\n") && reads("proc/sys/fs/aio-nr", "0\n"), "test_aio_nr_at_first");
    tap_ok(write_text(most, "100\n") == 4 && reads(most, "100\n"), "test_aio_max_nr_is_written");
    tap_ok(write_text(most, "") == -EINVAL && write_text(most, "\n") == -EINVAL &&
               write_text(most, "-1") == -EINVAL && write_text(most, "12x") == -EINVAL &&
               write_text(most, "4294967296") == -EINVAL && write_text(most, "1\n2") == -EINVAL &&
               reads(most, "100\n"),
           "test_what_is_no_number_is_einval_and_changes_nothing");
    tap_equal(write_text("proc/sys/fs/aio-nr", "1"), -EROFS, "test_aio_nr_is_not_written");
    tap_ok(aio_limit_reserve(100) == 0 && reads("proc/sys/fs/aio-nr", "100\n"),
           "test_as_many_as_the_limit_are_reserved");
    tap_equal(aio_limit_reserve(1), -EAGAIN, "test_one_more_is_eagain");
    write_text(most, "50");
    tap_ok(aio_limit_reserve(1) == -EAGAIN && aio_limit_reserve(UINT32_MAX) == -EAGAIN,
           "test_a_limit_below_what_is_reserved");
    aio_limit_release(60);
    tap_ok(aio_limit_reserve(10) == 0 && aio_limit_reserve(1) == -EAGAIN &&
               reads("proc/sys/fs/aio-nr", "50\n"),
           "test_what_is_released_is_reserved_again");
}

// Result: as a call of this operation ends.
static ssize_t call(struct device *fs, struct fs_call *call, enum fs_operation operation)
{
    call->operation = operation;
    call->request.op = IO_CALL;
    fs->ops->submit(fs, &call->request);
    return call->request.result;
}

static void test_names(struct device *fs)
{
    struct fs_entry entry;
    struct fs_call one = { .path = "sys/fs/aio-nr", .entry = &entry };
    struct device *limit = device_find("proc/sys/fs/aio-nr");
    tap_ok(call(fs, &one, FS_OPEN) == 0 && one.device == limit && limit->references == 1,
           "test_an_open_gives_the_device_and_retains_it");
    one.path = "sys/fs/aio";
    tap_equal(call(fs, &one, FS_OPEN), -ENOENT, "test_a_shorter_name_is_another");
    one.path = "sys/fs/aio-nr-2";
    tap_equal(call(fs, &one, FS_OPEN), -ENOENT, "test_a_longer_name_is_another");
    one.path = "uptime/x";
    tap_equal(call(fs, &one, FS_OPEN), -ENOTDIR, "test_nothing_lies_below_a_text");
    int entries = 0;
    for (; call(fs, &one, FS_NEXT_ENTRY) == 1; entries++)
        one.cookie = entry.cookie;
    tap_equal(entries, 6, "test_the_folder_has_its_entries");
    one.cookie = UINT64_MAX;
    tap_equal(call(fs, &one, FS_NEXT_ENTRY), 0, "test_a_cookie_beyond_the_end");
}

int main(void)
{
    static struct io_request waiting[3];
    static struct device busy = {
        .name = "sd0",
        .duplex = true,
        .lanes = { { .in_flight = 1 }, { .in_flight = 2 } },
        .statistics = { 4, 1 },
    };
    waiting[0].next = &waiting[1];
    busy.lanes[0].queue[3].head = &waiting[0];
    busy.lanes[1].queue[7].head = &waiting[2];

    struct device *fs = procfs_init();
    tap_plan(33);
    tap_ok(reads("proc/interrupts", interrupts), "test_procfs_interrupts");
    tap_ok(reads("proc/dma", "dma0 8 1 0 3 10 6 1 2 18446744073709551615\n"), "test_procfs_dma");
    tap_ok(reads("proc/uptime", "4321.000056\n"), "test_procfs_uptime");
    device_register(&busy);
    read_part("proc/aio", 0, sizeof text);
    tap_ok(strstr(text, "proc/aio 0 0 0 0 0\n") != NULL, "test_procfs_aio_idle_device");
    tap_ok(strstr(text, "\nsd0 3 3 10 4 1\n") != NULL, "test_procfs_aio_busy_device");
    tap_ok(strstr(text, "\npipe 0 1 1 0 0\ntotal ") != NULL, "test_procfs_aio_open_device");
    tap_ok(strstr(text, "\ntotal 3 4 5000000011 5000000004 1001\n") != NULL,
           "test_procfs_aio_total_has_those_that_have_gone");
    tap_ok(reads("proc/mounts", "/dev devfs\n/tmp ramfs\n"), "test_procfs_mounts");
    bool good = true;
    for (size_t piece = 1; piece < 100; piece++)
        good &= pieces_add_up(piece);
    tap_ok(good, "test_procfs_text_in_pieces_is_the_text");
    tap_equal(read_part("proc/uptime", 12, 10), 0, "test_procfs_read_at_the_end_is_empty");
    tap_equal(read_part("proc/uptime", UINT64_MAX, 10), 0, "test_procfs_read_far_behind_is_empty");
    tap_equal(read_part("proc/uptime", 0, 0), 0, "test_procfs_read_of_nothing_is_empty");
    tap_ok(read_part("proc/uptime", 5, 3) == 3 && memcmp(text, "000#", 4) == 0,
           "test_procfs_read_stops_at_its_size");
    struct io_request request = { .buffer = text, .size = 4 };
    tap_equal(start(&request, "proc/aio", IO_WRITE), -EROFS, "test_procfs_write_is_erofs");
    tap_ok(start(&request, "proc/aio", IO_OPEN) == 0 && request.result == 0, "test_procfs_opens");
    tap_ok(device_find("proc/aio")->read_only, "test_procfs_is_read_only");
    test_growing();
    test_limit();
    test_names(fs);
    return tap_done();
}
