// Requests of the RAM file system that end early: cancelled, refused, cut short by the engine; and
// transfers of many pieces.
// sources: fs/ramfs.c fs/ramfs_tree.c fs/ramfs_blocks.c fs/ramfs_queue.c fs/ramfs_io.c
// sources: dma/dma.c aio/*.c
#include "tests/host/ramfs_machine.h"

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
    fake_memory.kernel_is_bad = true;
    ssize_t bad = write_at(file, out, BUFFER, 0);
    fake_memory.kernel_is_bad = false;
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
    tap_plan(15);
    test_cancel();
    test_cut_writes();
    test_scattered();
    return tap_done();
}
