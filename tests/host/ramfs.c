// The RAM file system's files: holes, ends, order, and what is free afterwards; over an
// engine that moves bytes when the test says so and cannot fill.
// sources: fs/ramfs.c fs/ramfs_tree.c fs/ramfs_blocks.c fs/ramfs_queue.c fs/ramfs_io.c
// sources: dma/dma.c aio/*.c
#include "tests/host/ramfs_machine.h"

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
    fake_run_round();
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
    io_close(file);                   // It had been opened twice before.
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

int main(void)
{
    tap_plan(43);
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
    return tap_done();
}
