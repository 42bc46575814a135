// The RAM file system on the board's own DMA engine: a file of 64 MiB, many
// requests in flight, and what must hold whoever moves the bytes. The suite makes /tmp anew for
// itself.
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "aio/core.h"
#include "arch/cpu.h"
#include "dma/dma.h"
#include "fs/call.h"
#include "fs/ramfs.h"
#include "tests/tap.h"

enum {
    BLOCK = RAMFS_BLOCK_BYTES,
    IN_FLIGHT = 8,
    CHUNK = 256 << 10,
    BIG_CHUNKS = 256, // 64 MiB.
    SMALL = 512 << 10,
};

extern char __tmp_start[], __tmp_end[];

static _Alignas(64) uint32_t buffers[IN_FLIGHT][CHUNK / sizeof(uint32_t)];
static _Alignas(64) uint8_t bytes[4 * BLOCK + 64], back[4 * BLOCK + 64];
static _Alignas(64) char small[SMALL];
static struct io_request requests[IN_FLIGHT];
static struct device *fs;
static volatile unsigned dones;

static void on_done(struct io_request *request)
{
    (void)request;
    dones++;
}

static int ask(struct device *device, struct fs_call *call)
{
    call->request.op = IO_CALL;
    int error = io_submit(device, &call->request);
    return error ? error : (int)io_wait(&call->request);
}

static struct device *open_file(const char *path, int flags)
{
    struct fs_call call = { .operation = FS_OPEN, .path = path, .flags = flags, .mode = 0600 };
    return ask(fs, &call) ? NULL : call.device;
}

static int unlink_file(const char *path)
{
    struct fs_call call = { .operation = FS_UNLINK, .path = path };
    return ask(fs, &call);
}

static uint64_t size_of(struct device *file)
{
    struct fs_call call = { .operation = FS_FILE_STATUS };
    ask(file, &call);
    return call.status.size;
}

static bool is_open(const struct device *file)
{
    const struct device *open = io_open_first();
    while (open && open != file)
        open = open->open_next;
    return open != NULL;
}

// A file that is closed is let go of once it is quiet, by deferred work.
static void close_file(struct device *file)
{
    io_close(file);
    uint32_t flags = irq_save();
    while (is_open(file))
        level_sleep_locked();
    irq_restore(flags);
}

static int truncate_to(struct device *file, uint64_t size)
{
    struct fs_call call = { .operation = FS_TRUNCATE, .size = size };
    return ask(file, &call);
}

static int submit(unsigned i, struct device *file, enum io_op op, void *buffer, size_t size,
                  uint64_t offset)
{
    requests[i] = (struct io_request){
        .op = op, .buffer = buffer, .size = size, .offset = offset, .done = on_done
    };
    return io_submit(file, &requests[i]);
}

static ssize_t transfer(struct device *file, enum io_op op, void *buffer, size_t size,
                        uint64_t offset)
{
    int error = submit(0, file, op, buffer, size, offset);
    return error ? error : io_wait(&requests[0]);
}

static bool are_all(const uint8_t *from, uint8_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (from[i] != value)
            return false;
    return true;
}

// Each word of a large file tells where it belongs.
static uint32_t word_of(unsigned chunk, unsigned word)
{
    return chunk * UINT32_C(0x01000193) ^ word * UINT32_C(0x9e3779b1);
}

static void fill_chunk(unsigned chunk)
{
    for (unsigned i = 0; i < CHUNK / sizeof(uint32_t); i++)
        buffers[chunk % IN_FLIGHT][i] = word_of(chunk, i);
}

static bool chunk_is_right(unsigned chunk)
{
    for (unsigned i = 0; i < CHUNK / sizeof(uint32_t); i++)
        if (buffers[chunk % IN_FLIGHT][i] != word_of(chunk, i))
            return false;
    return true;
}

// Moves the large file with all buffers in flight. Result: true: everything was moved and right.
static bool move_big(struct device *file, enum io_op op)
{
    bool right = true;
    for (unsigned chunk = 0; chunk < BIG_CHUNKS + IN_FLIGHT; chunk++) {
        unsigned slot = chunk % IN_FLIGHT;
        if (chunk >= IN_FLIGHT) {
            right &= io_wait(&requests[slot]) == CHUNK;
            right &= op != IO_READ || chunk_is_right(chunk - IN_FLIGHT);
        }
        if (chunk >= BIG_CHUNKS)
            continue;
        if (op == IO_WRITE)
            fill_chunk(chunk);
        submit(slot, file, op, buffers[slot], CHUNK, (uint64_t)chunk * CHUNK);
    }
    return right;
}

static void test_big_file(void)
{
    fs = ramfs_init(__tmp_start, (size_t)(__tmp_end - __tmp_start));
    struct ramfs_space space = ramfs_space(fs);
    tap_note("figure: /tmp has %u blocks of %u KiB and %u inodes", space.blocks, BLOCK >> 10,
             space.inodes);
    struct device *file = open_file("big", O_RDWR | O_CREAT | O_EXCL);
    tap_ok(move_big(file, IO_WRITE) && size_of(file) == (uint64_t)BIG_CHUNKS * CHUNK,
           "test_a_file_of_64_mib_is_written_with_8_requests_in_flight");
    tap_ok(move_big(file, IO_READ), "test_it_is_read_as_it_was_written");
    unlink_file("big");
    close_file(file);
    tap_equal(ramfs_space(fs).blocks_free, space.blocks,
              "test_its_blocks_are_free_when_it_is_gone");
    tap_equal(transfer(device_find("ram0"), IO_READ, __tmp_start + 4096, 512, 0), -EFAULT,
              "test_a_programs_io_is_kept_out_of_the_memory_of_tmp");
}

// A file in a file system of its own, which the test closes, and bytes to write.
static struct device *fresh_file(void)
{
    memset(small, 0xa5, sizeof small); // Nothing has cleared it.
    fs = ramfs_init(small, sizeof small);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 251 + 1);
    memset(back, 0x77, sizeof back);
    dones = 0;
    return open_file("file", O_RDWR | O_CREAT);
}

static void test_odd_addresses(void)
{
    struct device *file = fresh_file();
    size_t size = 2 * BLOCK + 13;
    ssize_t written = transfer(file, IO_WRITE, bytes + 3, size, 5);
    ssize_t read = transfer(file, IO_READ, back + 7, 3 * BLOCK, 5);
    tap_ok(written == (ssize_t)size && read == (ssize_t)size &&
               memcmp(back + 7, bytes + 3, size) == 0,
           "test_odd_addresses_and_lengths");
    tap_ok(are_all(back, 0x77, 7) && are_all(back + 7 + size, 0x77, 32),
           "test_bytes_around_the_buffer_are_untouched");
    tap_ok(transfer(file, IO_READ, back, 5, 0) == 5 && are_all(back, 0, 5),
           "test_bytes_before_the_first_write_are_zeros");
    close_file(file);
}

static void test_in_flight(void)
{
    struct device *file = fresh_file();
    transfer(file, IO_WRITE, bytes, 4 * BLOCK, 0);
    dones = 0;
    for (unsigned i = 0; i < IN_FLIGHT; i++)
        submit(i, file, IO_READ, back + i * BLOCK / 2, BLOCK / 2, i * BLOCK / 2);
    bool asynchronous = dma_capabilities(dma_engine_find(NULL))->asynchronous;
    for (unsigned i = 0; i < IN_FLIGHT; i++)
        io_wait(&requests[i]);
    tap_ok(dones == IN_FLIGHT && memcmp(back, bytes, 4 * BLOCK) == 0,
           asynchronous ? "test_8_reads_in_flight" : "test_8_reads_in_flight (by the CPU)");
    close_file(file);
}

static void test_append(void)
{
    struct device *file = fresh_file();
    uint8_t expected[200];
    size_t end = 0;
    for (unsigned i = 0; i < IN_FLIGHT; i++) {
        requests[i] = (struct io_request){
            .op = IO_WRITE, .flags = IO_APPEND, .buffer = bytes + i * 100, .size = 10 + i
        };
        memcpy(expected + end, bytes + i * 100, 10 + i);
        end += 10 + i;
        io_submit(file, &requests[i]);
    }
    for (unsigned i = 0; i < IN_FLIGHT; i++)
        io_wait(&requests[i]);
    tap_ok(size_of(file) == end && transfer(file, IO_READ, back, 200, 0) == (ssize_t)end &&
               memcmp(back, expected, end) == 0,
           "test_appends_in_flight_follow_each_other_in_call_order");
    close_file(file);
}

static void test_unlink_while_open(void)
{
    struct device *file = fresh_file();
    transfer(file, IO_WRITE, bytes, 2 * BLOCK, 0);
    submit(1, file, IO_WRITE, bytes, BLOCK, 2 * BLOCK);
    int error = unlink_file("file");
    tap_ok(error == 0 && !open_file("file", O_RDWR) && io_wait(&requests[1]) == BLOCK &&
               transfer(file, IO_READ, back, 3 * BLOCK, 0) == 3 * BLOCK &&
               memcmp(back, bytes, 2 * BLOCK) == 0,
           "test_an_unlinked_file_that_is_open_goes_on");
    submit(1, file, IO_READ, back, BLOCK, 0);
    close_file(file);
    struct ramfs_space space = ramfs_space(fs);
    tap_ok(io_idle(&requests[1]) && requests[1].result == BLOCK &&
               space.blocks_free == space.blocks,
           "test_it_is_gone_when_it_is_closed_and_quiet");
}

static void test_holes(void)
{
    struct device *file = fresh_file();
    transfer(file, IO_WRITE, bytes, 100, 2 * BLOCK + 50);
    tap_ok(transfer(file, IO_READ, back, 4 * BLOCK, 0) == 2 * BLOCK + 150 &&
               are_all(back, 0, 2 * BLOCK + 50) && memcmp(back + 2 * BLOCK + 50, bytes, 100) == 0,
           "test_a_hole_reads_as_zeros");
    truncate_to(file, 2 * BLOCK + 60);
    truncate_to(file, 3 * BLOCK);
    tap_ok(transfer(file, IO_READ, back, BLOCK, 2 * BLOCK) == BLOCK && are_all(back, 0, 50) &&
               memcmp(back + 50, bytes, 10) == 0 && are_all(back + 60, 0, BLOCK - 60),
           "test_what_was_cut_off_reads_as_zeros");
    close_file(file);
}

static void test_full(void)
{
    struct device *file = fresh_file();
    size_t all = ramfs_space(fs).blocks * BLOCK;
    ssize_t last = 0;
    size_t size = 0;
    while ((last = transfer(file, IO_WRITE, bytes, 3 * BLOCK, size)) > 0)
        size += (size_t)last;
    tap_ok(last == -ENOSPC && size == all && size_of(file) == all,
           "test_a_full_file_system_is_enospc_after_a_short_write");
    truncate_to(file, BLOCK);
    tap_ok(transfer(file, IO_WRITE, bytes, BLOCK, BLOCK) == BLOCK &&
               ramfs_space(fs).blocks_free == ramfs_space(fs).blocks - 2,
           "test_truncate_makes_room");
    close_file(file);
}

static void test_cancel(void)
{
    fs = ramfs_init(__tmp_start, (size_t)(__tmp_end - __tmp_start));
    struct device *file = open_file("file", O_RDWR | O_CREAT);
    size_t size = sizeof buffers;
    memset(buffers, 0x5a, size);
    // The engine may be quick, but nobody hears of it before both are cancelled.
    uint32_t flags = irq_save();
    submit(0, file, IO_WRITE, buffers, size, 0);
    submit(1, file, IO_WRITE, buffers, size, size);
    int waiting = io_cancel(&requests[1]), started = io_cancel(&requests[0]);
    irq_restore(flags);
    ssize_t first = io_wait(&requests[0]), second = io_wait(&requests[1]);
    tap_ok(waiting == 0 && second == -ECANCELED && requests[1].moved == 0,
           "test_a_write_is_cancelled_before_its_turn");
    // It takes several transfers, of which the first may be complete.
    tap_ok(started == 0 && first == -ECANCELED && requests[0].moved < size,
           "test_a_started_write_is_cancelled");
    tap_equal((long long)size_of(file), (long long)requests[0].moved,
              "test_a_cancelled_write_leaves_what_it_counts");
    tap_ok(transfer(file, IO_WRITE, buffers, size, 0) == (ssize_t)size &&
               transfer(file, IO_READ, back, BLOCK, size - BLOCK) == BLOCK &&
               are_all(back, 0x5a, BLOCK),
           "test_a_file_goes_on_after_a_cancel");
    close_file(file);
}

int main(void)
{
    tap_plan(19);
    if (!dma_engine_find(NULL))
        return tap_skip_rest("this board has no DMA engine");
    test_big_file();
    test_odd_addresses();
    test_in_flight();
    test_append();
    test_unlink_while_open();
    test_holes();
    test_full();
    test_cancel();
    return tap_done();
}
