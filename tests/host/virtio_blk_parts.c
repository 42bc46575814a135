// Parts of sectors on a virtio disk: what the driver makes of them, what waits for them and what
// does not. That the bytes are right in all shapes is tested in virtio_blk.c.
// sources: drivers/virtio/virtio_blk.c drivers/virtio/virtio_blk_parts.c
// sources: drivers/virtio/virtio_blk_segments.c
// sources: drivers/virtio/virtio_blk_setup.c drivers/virtio/virtio_mmio.c
// sources: drivers/virtio/virtio_service.c drivers/virtio/virtqueue.c drivers/device.c
#include <errno.h>

#include "tests/host/virtio_blk_model.h"

static uint8_t memory[MEDIUM];

static void test_parts(void)
{
    blk_ready();
    blk_do(IO_READ, 500, memory, 12 + 1024 + 3);
    tap_ok(blk.command_count == 3 && blk.sizes[0] == 512 && blk.sizes[1] == 1024 &&
               blk.sizes[2] == 512,
           "test_whole_sectors_between_parts_go_straight");
    blk.command_count = 0;
    blk_do(IO_WRITE, 600, memory, 100);
    tap_ok(blk.command_count == 2 && blk.commands[0].type == VIRTIO_BLK_T_IN &&
               blk.commands[1].type == VIRTIO_BLK_T_OUT && blk.commands[1].sector == 1,
           "test_part_of_a_sector_is_read_first");
    blk.features |= VIRTIO_BLK_F_SIZE_MAX;
    blk.size_max = 1300;
    blk_ready();
    tap_ok(blk_do(IO_READ, 512, memory, 4096) == 4096 && blk.command_count == 4 &&
               blk.sizes[0] == 1024 && memcmp(memory, blk.medium + 512, 4096) == 0,
           "test_a_long_request_goes_in_pieces_that_the_device_takes");
    blk.features = VIRTIO_BLK_F_FLUSH;
}

// Goal: nothing writes a sector between a part's reading and writing of it.
static void test_parts_alone(void)
{
    struct io_request whole = blk_request(IO_WRITE, 1024, memory, 1024);
    struct io_request part = blk_request(IO_WRITE, 1024 + 600, memory + 2048, 10);
    struct io_request after = blk_request(IO_WRITE, 1024, memory + 4096, 1024);
    struct io_request read = blk_request(IO_READ, 0, memory + 8192, 512);
    blk_ready();
    memset(memory, 0x11, 1024);
    memset(memory + 2048, 0x22, 10);
    memset(memory + 4096, 0x33, 1024);
    blk_submit(&whole);
    blk_submit(&part);
    tap_equal(blk.disk->service.queue.added, 1,
              "test_a_part_waits_for_the_write_that_is_under_way");
    blk_submit(&after);
    tap_equal(blk.disk->service.queue.added, 1, "test_writes_after_it_wait_behind_it");
    blk_submit(&read);
    tap_equal(blk.disk->service.queue.added, 2, "test_reads_go_on");
    blk_serve();
    model_interrupt(blk.slot);
    tap_ok(whole.result == 1024 && blk.disk->service.queue.added == 3,
           "test_then_its_turn_has_come");
    blk_run();
    tap_ok(part.result == 10 && after.result == 1024 && read.result == 512 &&
               fake_requests.completed == 4,
           "test_all_of_them_end");
    tap_ok(blk.commands[2].type == VIRTIO_BLK_T_IN && blk.commands[3].type == VIRTIO_BLK_T_OUT &&
               blk.commands[4].type == VIRTIO_BLK_T_OUT && blk.sizes[4] == 1024 &&
               blk.medium[1024 + 600] == 0x33,
           "test_they_are_written_in_the_order_of_submission");
    tap_ok(blk.disk->straight_most[IO_WRITE] == MEDIUM, "test_afterwards_writes_go_straight_again");
}

static int cancel(struct io_request *request)
{
    return fake_cancel(&blk.disk->device, request);
}

// Goal: a write of parts holds up only what writes to its sectors, and that can be taken back.
static void test_parts_beside(void)
{
    struct io_request parts = blk_request(IO_WRITE, 1024 + 10, memory, 600); // Sectors 2 and 3.
    struct io_request before = blk_request(IO_WRITE, 0, memory, 1024);
    struct io_request behind = blk_request(IO_WRITE, 2048, memory, 512);
    struct io_request first = blk_request(IO_WRITE, 1024, memory + 1024, 512);
    struct io_request last = blk_request(IO_WRITE, 1536, memory + 2048, 512);
    struct io_request again = blk_request(IO_WRITE, 1536 + 5, memory + 3072, 5);
    blk_ready();
    for (unsigned i = 0; i < 4; i++)
        memset(memory + 1024 * i, (int)(0x10 + i), 1024);
    blk_submit(&parts);
    blk_submit(&before);
    blk_submit(&behind);
    tap_equal(blk.disk->service.queue.added, 3,
              "test_writes_of_the_sectors_next_to_it_go_straight");
    blk_submit(&first);
    blk_submit(&last);
    tap_equal(blk.disk->service.queue.added, 3, "test_writes_of_its_first_and_last_sector_wait");
    tap_ok(cancel(&parts) == -EBUSY && cancel(&before) == -EBUSY && fake_requests.completed == 0,
           "test_what_is_in_the_ring_stays_there");
    tap_ok(cancel(&last) == 0 && last.result == -ECANCELED && fake_requests.completed == 1,
           "test_what_waits_is_given_up");
    blk_submit(&again);
    blk_run();
    tap_ok(parts.result == 600 && before.result == 1024 && behind.result == 512 &&
               first.result == 512 && again.result == 5 && fake_requests.completed == 6,
           "test_the_others_end_once");
    tap_ok(blk.medium[1024] == 0x11 && blk.medium[1536] == 0x10 && blk.medium[1536 + 5] == 0x13,
           "test_in_the_order_of_submission_where_they_touch");
    tap_ok(cancel(&last) == -EBUSY && blk.disk->straight_most[IO_WRITE] == MEDIUM,
           "test_there_is_nothing_to_wait_for_or_give_up_any_more");
}

// The same, too long for the device: it goes in pieces all the same.
static void test_long_beside_parts(void)
{
    struct io_request parts = blk_request(IO_WRITE, 10, memory, 10);
    struct io_request longer = blk_request(IO_WRITE, 8192, memory, 4096);
    blk.features |= VIRTIO_BLK_F_SIZE_MAX;
    blk.size_max = 1024;
    blk_ready();
    blk_submit(&parts);
    blk_submit(&longer);
    blk_run();
    tap_ok(longer.result == 4096 && blk.command_count == 6 && blk.sizes[5] == 1024,
           "test_a_long_write_beside_parts_goes_in_pieces");
    blk.features = VIRTIO_BLK_F_FLUSH;
}

int main(void)
{
    tap_plan(18);
    blk.features = VIRTIO_BLK_F_FLUSH;
    test_parts();
    test_parts_alone();
    test_parts_beside();
    test_long_beside_parts();
    return tap_done();
}
