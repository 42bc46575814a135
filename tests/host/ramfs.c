// The RAM file system's files: holes, ends, order, cancel, and what is free afterwards; over an
// engine that moves bytes when the test says so and cannot fill.
// sources: fs/ramfs.c fs/ramfs_tree.c fs/ramfs_blocks.c fs/ramfs_queue.c fs/ramfs_io.c dma/dma.c aio/core.c aio/poll.c
#include "tests/host/ramfs_machine.h"

enum { SMALL = 512 << 10, IN_FLIGHT = RAMFS_IN_FLIGHT, BUFFER = 6 * BLOCK };

static uint8_t out[BUFFER], in[BUFFER];
static struct io_request requests[64];
static unsigned order[64], done_count;

static void on_done(struct io_request *request)
{
    order[done_count++] = (unsigned)(request - requests);
}

// Submits without waiting.
static void submit(unsigned i, struct device *file, enum io_op op, void *buffer, size_t size,
                   uint64_t offset)
{
    requests[i] = (struct io_request){
        .op = op, .buffer = buffer, .size = size, .offset = offset, .done = on_done
    };
    io_submit(file, &requests[i]);
}

static unsigned running(void)
{
    return dma_statistics(&engine).running;
}

// A file with nothing in it, in a file system with nothing else in it.
static struct device *fresh_file(size_t bytes)
{
    machine_reset(bytes);
    memset(in, 0x77, sizeof in);
    for (size_t i = 0; i < sizeof out; i++)
        out[i] = (uint8_t)(i * 7 + i / 251 + 1);
    done_count = most_running = 0;
    return open_file("file", O_RDWR | O_CREAT);
}

static unsigned blocks_taken(void)
{
    struct ramfs_space space = ramfs_space(fs);
    return space.blocks - space.blocks_free;
}

static void test_reading_and_writing(void)
{
    struct device *file = fresh_file(SMALL);
    tap_ok(read_at(file, in, 10, 0) == 0 && status_of(file).size == 0, "test_a_new_file_is_empty");
    tap_ok(write_at(file, out, BUFFER - 9, 5) == BUFFER - 9 && status_of(file).size == BUFFER - 4 &&
               read_at(file, in, BUFFER, 5) == BUFFER - 9 && memcmp(in, out, BUFFER - 9) == 0 &&
               in[BUFFER - 9] == 0x77,
           "test_what_was_written_is_read_up_to_the_end");
    tap_ok(read_at(file, in, 5, 0) == 5 && are_all(in, 0, 5),
           "test_bytes_before_a_write_are_zeros");
    tap_ok(read_at(file, in, 1, BUFFER - 4) == 0 && read_at(file, in, 1, UINT64_MAX) == 0,
           "test_reading_past_the_end_is_0");
    tap_ok(write_at(file, out, 0, 1 << 20) == 0 && status_of(file).size == BUFFER - 4,
           "test_writing_nothing_moves_no_end");
    tap_ok(write_at(file, out, 1, RAMFS_FILE_LIMIT) == -EFBIG &&
               write_at(file, out, 2, RAMFS_FILE_LIMIT - 1) == 1 &&
               truncate_to(file, RAMFS_FILE_LIMIT + 1) == -EFBIG,
           "test_a_file_ends_at_the_limit");
    tap_ok(read_at(file, in, 100, RAMFS_FILE_LIMIT - 3) == 3 && in[0] == 0 && in[2] == out[0],
           "test_a_file_may_be_as_sparse_as_it_likes");
    tap_equal(transfer(file, IO_FLUSH, NULL, 0, 0), 0, "test_there_is_nothing_to_flush");
}

static void test_holes(void)
{
    struct device *file = fresh_file(SMALL);
    write_at(file, out, 10, 3 * BLOCK + 100);
    tap_ok(blocks_taken() == 1 && read_at(file, in, 3 * BLOCK + 100, 0) == 3 * BLOCK + 100 &&
               are_all(in, 0, 3 * BLOCK + 100),
           "test_a_hole_takes_no_block_and_reads_as_zeros");
    write_at(file, out, 10, BLOCK + 50);
    tap_ok(read_at(file, in, BLOCK, BLOCK) == BLOCK && are_all(in, 0, 50) &&
               memcmp(in + 50, out, 10) == 0 && are_all(in + 60, 0, BLOCK - 60),
           "test_a_write_into_a_hole_leaves_zeros_around");

    file = fresh_file(SMALL);
    write_at(file, out, 100, 0);
    truncate_to(file, 10);
    write_at(file, out, 10, 50);
    tap_ok(read_at(file, in, 60, 0) == 60 && memcmp(in, out, 10) == 0 && are_all(in + 10, 0, 40) &&
               memcmp(in + 50, out, 10) == 0,
           "test_a_write_past_the_end_makes_what_was_cut_off_zeros");
    truncate_to(file, 20);
    tap_ok(truncate_to(file, 2 * BLOCK) == 0 && read_at(file, in, BUFFER, 0) == 2 * BLOCK &&
               memcmp(in, out, 10) == 0 && are_all(in + 10, 0, 2 * BLOCK - 10),
           "test_a_longer_file_ends_in_zeros");
    truncate_to(file, 30);
    write_at(file, out, 10, 3 * BLOCK + 5);
    tap_ok(read_at(file, in, BUFFER, 10) == 3 * BLOCK + 5 && are_all(in, 0, 3 * BLOCK - 5),
           "test_a_write_some_blocks_past_the_end_makes_zeros");
}

static void test_truncate(void)
{
    struct device *file = fresh_file(SMALL);
    write_at(file, out, BUFFER, 0);
    unsigned all = blocks_taken();
    truncate_to(file, 2 * BLOCK + 1);
    tap_ok(all == 6 && blocks_taken() == 3 && status_of(file).size == 2 * BLOCK + 1 &&
               read_at(file, in, BUFFER, 0) == 2 * BLOCK + 1 && memcmp(in, out, 2 * BLOCK + 1) == 0,
           "test_truncate_gives_back_the_blocks_behind");
    truncate_to(file, 0);
    tap_equal(blocks_taken(), 0, "test_truncate_to_nothing_gives_back_all");
    write_at(file, out, 10, 0);
    int64_t before = status_of(file).modified_ns;
    struct device *again = open_file("file", O_WRONLY | O_TRUNC);
    tap_ok(again == file && blocks_taken() == 0 && status_of(file).size == 0 &&
               status_of(file).modified_ns > before,
           "test_opening_with_o_trunc_empties_the_file");
}

static void test_full(void)
{
    struct device *file = fresh_file(96 << 10);
    unsigned blocks = ramfs_space(fs).blocks;
    tap_ok(blocks >= 3 && blocks < 6, "test_the_suites_small_file_system_is_small");
    ssize_t size = write_at(file, out, BUFFER, 7);
    tap_equal(size, blocks * BLOCK - 7, "test_a_write_that_fits_in_part_writes_that_part");
    tap_ok(write_at(file, out, 1, blocks * BLOCK) == -ENOSPC &&
               status_of(file).size == blocks * BLOCK,
           "test_a_write_that_does_not_fit_is_enospc");
    tap_ok(read_at(file, in, BUFFER, 7) == size && memcmp(in, out, (size_t)size) == 0,
           "test_a_full_file_system_can_be_read");
    tap_ok(write_at(file, out + 1, 100, 0) == 100 && truncate_to(file, 10 * BLOCK) == 0 &&
               read_at(file, in, 100, 9 * BLOCK) == 100 && are_all(in, 0, 100),
           "test_a_full_file_system_takes_what_needs_no_block");
    unsigned made = 0;
    char name[8];
    do
        snprintf(name, sizeof name, "f%u", made++);
    while (open_error(name, O_CREAT | O_RDWR) == 0);
    tap_ok(made + 1 == ramfs_space(fs).inodes && by_path(FS_MKDIR, "d", NULL) == -ENOSPC &&
               open_error(name, O_CREAT | O_RDWR) == -ENOSPC,
           "test_one_inode_too_many_is_enospc");
    tap_ok(ramfs_init(memory, 100) == NULL && ramfs_init(memory, 60 << 10) == NULL,
           "test_too_little_memory_makes_no_file_system");
}

static void test_reads_together_writes_in_order(void)
{
    struct device *file = fresh_file(SMALL);
    write_at(file, out, BUFFER, 0);
    for (unsigned i = 0; i < 3; i++)
        submit(i, file, IO_READ, in + i * BLOCK, BLOCK, i * BLOCK);
    submit(3, file, IO_WRITE, out + 1, 2 * BLOCK, BLOCK / 2);
    submit(4, file, IO_WRITE, out + 2, 2 * BLOCK, BLOCK / 2);
    submit(5, file, IO_READ, in + 3 * BLOCK, BLOCK, BLOCK);
    tap_equal(running(), 3, "test_reads_go_together_and_a_write_waits_for_them");
    channel_step(0, SIZE_MAX);
    channel_step(2, SIZE_MAX);
    bool waits = running() == 1;
    channel_step(1, SIZE_MAX);
    tap_ok(waits && running() == 1, "test_a_write_has_the_file_to_itself");
    settle();
    tap_ok(memcmp(in, out, 3 * BLOCK) == 0, "test_reads_see_nothing_of_a_later_write");
    tap_ok(memcmp(in + 3 * BLOCK, out + 2 + BLOCK / 2, BLOCK) == 0 && done_count == 6 &&
               order[3] == 3 && order[4] == 4 && order[5] == 5,
           "test_a_read_sees_all_earlier_writes");
}

static void test_append(void)
{
    struct device *file = fresh_file(SMALL);
    uint8_t expected[100];
    bool placed = true;
    write_at(file, out, 3, 0);
    for (unsigned i = 0; i < 12; i++) {
        requests[i] = (struct io_request){ .op = IO_WRITE,
                                           .flags = IO_APPEND,
                                           .buffer = out + i * 10,
                                           .size = i + 1,
                                           .offset = 12345 };
        io_submit(file, &requests[i]);
    }
    settle();
    size_t end = 3;
    memcpy(expected, out, 3);
    for (unsigned i = 0; i < 12; i++) {
        placed &= requests[i].offset == end && requests[i].result == (ssize_t)i + 1;
        memcpy(expected + end, out + i * 10, i + 1);
        end += i + 1;
    }
    tap_ok(placed, "test_an_append_tells_where_it_went");
    tap_ok(status_of(file).size == end && read_at(file, in, 100, 0) == (ssize_t)end &&
               memcmp(in, expected, end) == 0,
           "test_appends_follow_each_other_in_call_order");
}

static void test_slots(void)
{
    enum { FILES = 5, EACH = 4 };
    struct device *files[FILES];
    fresh_file(SMALL);
    for (unsigned i = 0; i < FILES; i++) {
        char name[2] = { (char)('a' + i) };
        files[i] = open_file(name, O_RDWR | O_CREAT);
        write_at(files[i], out + i, EACH * 100, 0);
    }
    memset(in, 0, sizeof in);
    for (unsigned i = 0; i < FILES * EACH; i++)
        submit(i, files[i / EACH], IO_READ, in + i * 100, 100, i % EACH * 100);
    struct dma_statistics at_work = dma_statistics(&engine);
    tap_equal(at_work.running + at_work.queued, RAMFS_IN_FLIGHT,
              "test_as_many_transfers_as_there_are_slots");
    settle();
    bool right = done_count == FILES * EACH;
    for (unsigned i = 0; i < FILES; i++)
        right &= memcmp(in + i * EACH * 100, out + i, EACH * 100) == 0;
    tap_ok(right, "test_requests_beyond_the_slots_wait_and_are_not_lost");
}

static void test_unlink_while_open(void)
{
    struct device *file = fresh_file(SMALL);
    write_at(file, out, 2 * BLOCK, 0);
    tap_ok(by_path(FS_UNLINK, "file", NULL) == 0 && open_error("file", O_RDWR) == -ENOENT &&
               status_of(file).links == 0 && read_at(file, in, 2 * BLOCK, 0) == 2 * BLOCK &&
               memcmp(in, out, 2 * BLOCK) == 0 && write_at(file, out, BLOCK, 2 * BLOCK) == BLOCK,
           "test_an_unlinked_file_that_is_open_goes_on");
    struct device *other = open_file("file", O_RDWR | O_CREAT);
    tap_ok(other && other != file && status_of(other).size == 0,
           "test_its_name_is_free_for_another_file");
    submit(0, file, IO_WRITE, out, BLOCK, 4 * BLOCK);
    io_close(file);
    unsigned during = blocks_taken();
    settle();
    tap_ok(during == 4 && requests[0].result == BLOCK && blocks_taken() == 0,
           "test_its_blocks_are_free_when_it_is_closed_and_quiet");
    io_close(other);
    by_path(FS_UNLINK, "file", NULL);
    tap_ok(all_is_free(), "test_a_closed_file_is_gone_with_its_name");
}

static void test_reopening(void)
{
    struct device *file = fresh_file(SMALL);
    submit(0, file, IO_WRITE, out, BLOCK, 0);
    io_close(file);
    struct fs_call call = { .request.op = IO_CALL, .operation = FS_OPEN, .path = "file" };
    io_submit(fs, &call.request); // Before the write has ended.
    run_deferred();
    by_path(FS_UNLINK, "file", NULL);
    settle();
    tap_ok(call.device == file && read_at(file, in, BLOCK, 0) == BLOCK &&
               memcmp(in, out, BLOCK) == 0,
           "test_a_file_opened_again_before_it_is_quiet_stays");
    io_close(file);
    tap_ok(all_is_free(), "test_and_is_let_go_of_when_it_is_closed_again");

    file = fresh_file(SMALL);
    write_at(file, out, 100, 0);
    io_close(file);
    tap_ok(open_file("file", O_RDONLY) == file && read_at(file, in, 200, 0) == 100,
           "test_a_closed_file_is_opened_anew");
}

static void test_truncating_opening(void)
{
    struct device *file = fresh_file(SMALL);
    submit(0, file, IO_WRITE, out, 3 * BLOCK, 0);
    struct fs_call call = { .operation = FS_OPEN, .path = "file", .flags = O_RDWR | O_TRUNC };
    call.request.op = IO_CALL;
    io_submit(fs, &call.request);
    bool waits = io_in_flight(&call.request);
    submit(1, file, IO_WRITE, out, 10, 0);
    settle();
    tap_ok(waits && call.request.result == 0 && call.device == file && status_of(file).size == 10 &&
               blocks_taken() == 1,
           "test_o_trunc_waits_for_the_write_before_it");

    submit(0, file, IO_WRITE, out, 3 * BLOCK, 0);
    io_submit(fs, &call.request);
    io_close(file);
    by_path(FS_UNLINK, "file", NULL); // Settles, too.
    tap_ok(call.request.result == 0 && status_of(file).size == 0,
           "test_a_file_that_is_being_opened_survives_its_name");
    io_close(file);
    tap_ok(all_is_free(), "test_and_is_gone_when_it_is_closed");

    file = open_file("file", O_RDWR | O_CREAT);
    submit(0, file, IO_WRITE, out, 3 * BLOCK, 0);
    io_submit(fs, &call.request);
    submit(1, file, IO_READ, in, 10, 0);
    int cancelled = io_cancel(&call.request);
    settle();
    tap_ok(cancelled == 0 && call.request.result == -ECANCELED &&
               status_of(file).size == 3 * BLOCK && requests[1].result == 10,
           "test_a_waiting_o_trunc_can_be_cancelled");
    io_close(file);
    by_path(FS_UNLINK, "file", NULL);
    tap_ok(all_is_free(), "test_a_cancelled_opening_holds_nothing");
}

static void test_cancel(void)
{
    struct device *file = fresh_file(SMALL);
    write_at(file, out, BUFFER, 0);
    submit(0, file, IO_READ, in, BLOCK, 0);
    submit(1, file, IO_WRITE, out + 5, BLOCK, 0);
    submit(2, file, IO_READ, in + BLOCK, BLOCK, 0);
    int waiting = io_cancel(&requests[1]);
    tap_ok(waiting == 0 && running() == 2,
           "test_cancelling_a_waiting_write_lets_those_behind_it_go");
    settle();
    tap_ok(requests[1].result == -ECANCELED && requests[1].moved == 0 &&
               requests[2].result == BLOCK && memcmp(in + BLOCK, out, BLOCK) == 0,
           "test_a_write_cancelled_before_its_turn_writes_nothing");

    submit(0, file, IO_READ, in, BUFFER, 0);
    channel_step(0, 1000);
    int started = io_cancel(&requests[0]), again = io_cancel(&requests[0]);
    settle();
    tap_ok(started == 0 && again == -EALREADY && requests[0].result == -ECANCELED &&
               requests[0].moved >= 1000,
           "test_a_started_read_is_cancelled_and_tells_its_count");
    terminate_answer = -EALREADY;
    submit(0, file, IO_READ, in, BUFFER, 0);
    int late = io_cancel(&requests[0]);
    settle();
    tap_ok(late == -EALREADY && requests[0].result == BUFFER, "test_cancel_comes_too_late");
}

// Ends a write of three blocks, at offset, after so many bytes of its transfer. Result: its count.
static size_t cut_write(struct device *file, uint64_t offset, size_t bytes, int error)
{
    submit(0, file, IO_WRITE, out, 3 * BLOCK, offset);
    channel_step(0, bytes);
    if (error == -EIO)
        engine_breaks = true;
    else
        io_cancel(&requests[0]);
    channel_step(0, 0);
    settle();
    return requests[0].result == error ? requests[0].moved : SIZE_MAX;
}

static void test_cut_writes(void)
{
    struct device *file = fresh_file(SMALL);
    size_t moved = cut_write(file, 0, 2 * BLOCK + 5, -ECANCELED);
    tap_ok(moved == 2 * BLOCK && status_of(file).size == moved && blocks_taken() == 2,
           "test_a_cancelled_write_keeps_the_new_blocks_that_are_complete");
    tap_ok(truncate_to(file, BUFFER) == 0 && read_at(file, in, BUFFER, 0) == BUFFER &&
               memcmp(in, out, moved) == 0 && are_all(in + moved, 0, BUFFER - moved),
           "test_what_it_did_not_write_is_a_hole");
    moved = cut_write(file, 10, BLOCK, -EIO);
    tap_equal(moved, BLOCK, "test_an_old_block_counts_to_the_byte");
    moved = cut_write(file, 3 * BLOCK + 10, 2 * BLOCK, -EIO);
    tap_ok(moved == 2 * BLOCK - 10 && status_of(file).size == BUFFER &&
               read_at(file, in, BLOCK, 5 * BLOCK) == BLOCK && are_all(in, 0, BLOCK),
           "test_an_engines_error_leaves_holes_for_unwritten_blocks");

    file = fresh_file(SMALL);
    truncate_to(file, BUFFER);
    understated = 100; // More is moved than is known.
    moved = cut_write(file, 10, 3 * BLOCK + 10 + 150, -ECANCELED);
    tap_ok(moved == 3 * BLOCK - 10 && read_at(file, in, BUFFER, 0) == BUFFER &&
               are_all(in, 0, 10) && memcmp(in + 10, out, moved) == 0 &&
               are_all(in + 10 + moved, 0, BUFFER - 10 - moved),
           "test_a_block_without_its_last_zeros_is_not_complete");
    truncate_to(file, 0);
    write_at(file, out, 10, 0);
    moved = cut_write(file, 20, 500, -ECANCELED);
    tap_ok(moved == 390 && truncate_to(file, 1000) == 0 && read_at(file, in, 1000, 0) == 1000 &&
               are_all(in + 10, 0, 10) && memcmp(in + 20, out, moved) == 0 &&
               are_all(in + 20 + moved, 0, 1000 - 20 - moved),
           "test_bytes_that_are_not_counted_never_come_up_later");
    addresses_are_bad = true;
    ssize_t bad = write_at(file, out, BUFFER, 0);
    addresses_are_bad = false;
    tap_ok(bad == -EFAULT && status_of(file).size == 1000 && blocks_taken() == 1,
           "test_a_transfer_that_dma_refuses_takes_no_blocks");
    by_path(FS_UNLINK, "file", NULL);
    io_close(file);
    tap_ok(all_is_free(), "test_cut_writes_lose_no_blocks");
}

// A file scattered over the memory, so that a transfer of it has many pieces.
static void test_scattered(void)
{
    enum { BLOCKS = 40 };
    static uint8_t bytes[BLOCKS * BLOCK], back[BLOCKS * BLOCK];
    struct device *file = fresh_file(MACHINE_BYTES), *other = open_file("other", O_RDWR | O_CREAT);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 13 + i / BLOCK);
    for (unsigned i = 0; i < BLOCKS; i++) {
        write_at(i % 3 ? file : other, out, 1, (uint64_t)i * BLOCK);
        write_at(i % 3 ? other : file, out, 1, (uint64_t)(BLOCKS - i) * BLOCK);
    }
    uint32_t before = dma_statistics(&engine).submitted;
    ssize_t written = write_at(file, bytes + 3, sizeof bytes - 3, 3);
    tap_ok(written == sizeof bytes - 3 && dma_statistics(&engine).submitted - before > 1,
           "test_many_pieces_are_several_transfers");
    tap_ok(read_at(file, back, sizeof back, 0) == sizeof back &&
               memcmp(back + 3, bytes + 3, sizeof back - 3) == 0,
           "test_a_scattered_file_is_written_and_read");
    submit(0, file, IO_WRITE, bytes, sizeof bytes, 0);
    terminate_answer = -EALREADY; // Its first transfer is over, its second one can be kept back.
    int error = io_cancel(&requests[0]);
    settle();
    tap_ok(error == 0 && requests[0].result == -ECANCELED && requests[0].moved > 0 &&
               requests[0].moved < sizeof bytes,
           "test_cancel_between_two_transfers");
}

int main(void)
{
    tap_plan(59);
    test_reading_and_writing();
    test_holes();
    test_truncate();
    test_full();
    test_reads_together_writes_in_order();
    test_append();
    test_slots();
    test_unlink_while_open();
    test_reopening();
    test_truncating_opening();
    test_cancel();
    test_cut_writes();
    test_scattered();
    return tap_done();
}
