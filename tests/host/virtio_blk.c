// The virtio block driver over a modelled device: requests of all shapes, many at a time, and what
// it refuses.
// sources: drivers/virtio/virtio_blk.c drivers/virtio/virtio_blk_parts.c
// sources: drivers/virtio/virtio_blk_segments.c
// sources: drivers/virtio/virtio_blk_setup.c drivers/virtio/virtio_mmio.c
// sources: drivers/virtio/virtio_service.c drivers/virtio/virtqueue.c drivers/device.c
#include <errno.h>

#include "tests/host/virtio_blk_model.h"

enum { DEPTH = 340 };

static uint8_t memory[MEDIUM + 1024];
static struct io_request many[DEPTH];

static void test_attach(void)
{
    blk.features = VIRTIO_BLK_F_FLUSH | UINT64_C(1) << 28 | UINT64_C(1) << 29;
    tap_equal(blk_new(), 0, "test_a_disk_is_attached");
    tap_ok(blk.slot->status & S_DRIVER_OK && !model_is_silenced(blk.slot),
           "test_it_is_set_to_work");
    tap_ok(blk.slot->accepted == (VERSION_1 | VIRTIO_BLK_F_FLUSH),
           "test_features_that_are_not_used_are_not_accepted");
    tap_equal((long long)blk.disk->device.size_bytes, MEDIUM, "test_capacity_in_bytes");
    tap_equal(blk.disk->device.block_bytes, 512, "test_a_block_is_a_sector");
    tap_equal(blk.disk->device.lanes[0].depth, DEPTH, "test_340_requests_fit_into_1024");
    tap_ok(device_find(blk.disk->name) == &blk.disk->device, "test_the_device_is_found_by_name");

    blk.queue_num_max = 8;
    tap_ok(blk_new() == 0 && blk.disk->device.lanes[0].depth == 2,
           "test_a_small_queue_takes_what_it_can");
    blk.queue_num_max = 4;
    tap_equal(blk_new(), -ENOTSUP, "test_a_queue_without_room_for_a_request_is_refused");
    blk.queue_num_max = 0;

    blk.features = VIRTIO_BLK_F_BLK_SIZE;
    blk.block_size = 4096;
    tap_equal(blk_new(), -ENOTSUP, "test_blocks_larger_than_a_sector_are_refused");
    blk.block_size = 512;
    tap_equal(blk_new(), 0, "test_blocks_of_512_bytes_are_fine");
    blk.features = VIRTIO_BLK_F_SIZE_MAX;
    blk.size_max = 100;
    tap_equal(blk_new(), -ENOTSUP, "test_a_device_that_takes_no_sector_is_refused");
    blk.features = VIRTIO_BLK_F_FLUSH;
}

static void test_open(void)
{
    blk_ready();
    tap_ok(blk.disk->device.serial == NULL, "test_no_serial_number_before_it_is_asked_for");
    tap_equal(blk_do(IO_OPEN, 0, NULL, 0), 0, "test_open");
    tap_ok(blk.disk->device.serial && strcmp(blk.disk->device.serial, "a-disk") == 0,
           "test_opening_reads_the_serial_number");
    tap_ok(blk.command_count == 1 && blk.commands[0].type == VIRTIO_BLK_T_GET_ID &&
               blk.commands[0].sector == 0 && blk.sizes[0] == 20,
           "test_get_id_has_20_bytes");
    blk_set_config(0, 16, 8);
    tap_ok(blk_do(IO_OPEN, 0, NULL, 0) == 0 && blk.command_count == 1,
           "test_opening_again_asks_no_more");
    tap_equal((long long)blk.disk->device.size_bytes, 16 * 512,
              "test_opening_looks_at_the_capacity");
    blk.slot->moving = 1000;
    tap_equal(blk_do(IO_OPEN, 0, NULL, 0), -EIO, "test_a_capacity_that_never_holds_still");

    blk_ready();
    blk.status = VIRTIO_BLK_S_UNSUPP;
    blk.status_sector = UINT64_MAX;
    tap_ok(blk_do(IO_OPEN, 0, NULL, 0) == 0 && blk.disk->device.serial[0] == 0,
           "test_a_device_without_a_serial_number_opens_too");
}

static void test_straight(void)
{
    blk_ready();
    tap_equal(blk_do(IO_READ, 1024, memory, 4096), 4096, "test_read");
    tap_ok(memcmp(memory, blk.medium + 1024, 4096) == 0, "test_read_brings_the_bytes");
    tap_ok(blk.command_count == 1 && blk.commands[0].type == VIRTIO_BLK_T_IN &&
               blk.commands[0].sector == 2 && blk.sizes[0] == 4096 && blk.slot->notified == 1,
           "test_a_read_is_one_request_and_one_doorbell");
    memset(memory, 0x77, 4096);
    tap_equal(blk_do(IO_WRITE, 8192, memory, 4096), 4096, "test_write");
    tap_ok(memcmp(memory, blk.medium + 8192, 4096) == 0 &&
               memcmp(blk.before, blk.medium, 8192) == 0,
           "test_write_lands_where_it_should");
    tap_ok(blk.commands[1].type == VIRTIO_BLK_T_OUT && blk.commands[1].sector == 16,
           "test_a_write_is_one_request");
    tap_equal(blk_do(IO_READ, 0, memory, MEDIUM), MEDIUM, "test_read_of_the_whole_disk");
    tap_equal(fake_requests.completed, 3, "test_each_completes_once");
    tap_ok(!blk.wrong_chain, "test_chains_are_as_5_2_6_has_them");
    blk.disk->service.queue.used->flags = VIRTQ_USED_F_NO_NOTIFY;
    unsigned before = blk.slot->notified;
    tap_ok(blk_do(IO_READ, 0, memory, 512) == 512 && blk.slot->notified == before,
           "test_no_doorbell_where_the_device_wants_none");
}

static void test_shapes(void)
{
    static const size_t offsets[] = { 0, 1, 511, 512, 700, 1023 };
    static const size_t sizes[] = { 1, 3, 511, 512, 513, 1024, 1500, 4096, 4097, 9000 };
    bool reads = true, reads_alone = true, writes = true, writes_alone = true;

    blk_ready();
    for (unsigned o = 0; o < 6; o++)
        for (unsigned s = 0; s < 10; s++) {
            size_t offset = offsets[o], size = sizes[s];
            uint8_t *buffer = memory + 256 + o % 3;
            memset(memory, 0x5a, 16384);
            reads &= blk_do(IO_READ, offset, buffer, size) == (long)size;
            reads &= memcmp(buffer, blk.medium + offset, size) == 0;
            for (uint8_t *b = memory; b < memory + 16384; b++)
                reads_alone &= (b >= buffer && b < buffer + size) || *b == 0x5a;

            for (size_t i = 0; i < size; i++)
                buffer[i] = (uint8_t)(i * 31 + o + s);
            memcpy(blk.before, blk.medium, MEDIUM);
            writes &= blk_do(IO_WRITE, offset, buffer, size) == (long)size;
            writes &= memcmp(buffer, blk.medium + offset, size) == 0;
            memcpy(blk.before + offset, buffer, size);
            writes_alone &= memcmp(blk.before, blk.medium, MEDIUM) == 0;
        }
    tap_ok(reads, "test_reads_of_all_shapes");
    tap_ok(reads_alone, "test_reads_leave_the_neighbours_alone");
    tap_ok(writes, "test_writes_of_all_shapes");
    tap_ok(writes_alone, "test_writes_leave_the_neighbours_alone");
}

static void test_ends(void)
{
    blk_ready();
    tap_equal(blk_do(IO_READ, MEDIUM, memory, 512), 0, "test_read_at_the_end");
    tap_equal(blk_do(IO_READ, UINT64_MAX - 511, memory, 512), 0, "test_read_at_the_last_offset");
    tap_equal(blk_do(IO_READ, MEDIUM - 700, memory, 4096), 700, "test_read_across_the_end");
    tap_ok(memcmp(memory, blk.medium + MEDIUM - 700, 700) == 0, "test_bytes_up_to_the_end");
    tap_equal(blk_do(IO_WRITE, MEDIUM, memory, 512), -ENOSPC, "test_write_at_the_end");
    tap_equal(blk_do(IO_WRITE, MEDIUM - 512, memory, 1024), 512, "test_write_across_the_end");
    tap_equal(blk_do(IO_READ, 0, memory, 0), 0, "test_read_of_nothing");
    tap_equal(blk_do(IO_READ, 0, memory, MEDIUM + 512), MEDIUM, "test_more_than_the_whole_disk");
    blk.features |= VIRTIO_BLK_F_RO;
    blk_ready();
    blk.features = VIRTIO_BLK_F_FLUSH;
    tap_ok(blk.disk->device.read_only, "test_a_device_that_may_only_be_read_says_so");
    tap_equal(blk_do(IO_WRITE, 0, memory, 512), -EROFS, "test_it_is_not_written_to");
    tap_equal(blk_do(IO_WRITE, 3, memory, 5), -EROFS, "test_nor_are_parts_of_its_sectors");
    tap_equal(blk_do(IO_READ, 0, memory, 512), 512, "test_it_is_read");
    tap_equal(blk.command_count, 1, "test_what_is_refused_never_reaches_the_device");
}

static void test_flush(void)
{
    blk_ready();
    tap_equal(blk_do(IO_FLUSH, 0, NULL, 0), 0, "test_flush");
    tap_ok(blk.command_count == 1 && blk.commands[0].type == VIRTIO_BLK_T_FLUSH &&
               blk.commands[0].sector == 0 && !blk.wrong_chain,
           "test_a_flush_has_no_data");
    blk.status = VIRTIO_BLK_S_IOERR;
    blk.status_sector = UINT64_MAX;
    tap_equal(blk_do(IO_FLUSH, 0, NULL, 0), -EIO, "test_a_flush_that_fails");
    blk.features = 0;
    blk_ready();
    blk.features = VIRTIO_BLK_F_FLUSH;
    tap_ok(blk_do(IO_FLUSH, 0, NULL, 0) == 0 && blk.command_count == 0,
           "test_a_device_without_a_cache_has_nothing_to_flush");
}

static void test_errors(void)
{
    static const struct {
        uint8_t status;
        int error;
        const char *name;
    } answers[] = {
        { VIRTIO_BLK_S_IOERR, -EIO, "test_ioerr_is_eio" },
        { VIRTIO_BLK_S_UNSUPP, -ENOTSUP, "test_unsupp_is_enotsup" },
        { 77, -EIO, "test_an_unknown_status_is_eio" },
        { VIRTIO_BLK_S_NONE, -EIO, "test_no_status_is_eio" },
    };
    blk_ready();
    for (unsigned i = 0; i < 4; i++) {
        struct io_request request = blk_request(IO_READ, 1024, memory, 512);
        blk.status = answers[i].status;
        blk.status_sector = 2;
        blk_do(IO_READ, 512, memory, 512); // The slot's last status was fine.
        blk_submit(&request);
        blk_run();
        tap_ok(request.result == answers[i].error && request.moved == 0, answers[i].name);
    }
    tap_equal(blk_do(IO_READ, 0, memory, 512), 512, "test_the_next_request_works");

    struct io_request read = blk_request(IO_READ, 700, memory, 3000);
    blk.status_sector = 2;
    blk_submit(&read);
    blk_run();
    tap_ok(read.result == -EIO && read.moved == 324, "test_what_was_moved_before_an_error_counts");
    blk.status = VIRTIO_BLK_S_IOERR;
    blk.status_sector = 9;
    memcpy(blk.before, blk.medium, MEDIUM);
    tap_ok(blk_do(IO_WRITE, 9 * 512 + 5, memory, 7) == -EIO &&
               memcmp(blk.before, blk.medium, MEDIUM) == 0,
           "test_a_part_whose_sector_cannot_be_read_is_not_written");
    blk.status = 0;
    tap_equal(blk_do(IO_WRITE, 9 * 512 + 5, memory, 7), 7, "test_the_parts_go_on_after_errors");
}

static void fill_ring(void)
{
    for (unsigned i = 0; i < DEPTH; i++) {
        many[i] = blk_request(IO_READ, i % 128 * 512, memory + i % 128 * 512, 512);
        blk_submit(&many[i]);
    }
}

static void test_many(void)
{
    unsigned heads[DEPTH];
    bool right = true;
    blk_ready();
    fill_ring();
    for (unsigned i = 0; i < DEPTH; i++)
        heads[i] = (unsigned)model_pop(&blk.device);
    tap_equal(model_pop(&blk.device), -1, "test_340_requests_are_in_the_ring");
    for (unsigned i = DEPTH; i-- > 0;)
        model_push(&blk.device, heads[i], blk_execute(heads[i]));
    blk.slot->interrupt_status = 1;
    model_interrupt(blk.slot);
    tap_ok(fake_requests.completed == 64 && fake_work.head,
           "test_an_interrupt_ends_64_and_defers_the_rest");
    right &= many[DEPTH - 1].state == IO_IDLE && many[0].state != IO_IDLE;
    tap_ok(right, "test_they_end_in_the_devices_order");
    blk_run();
    for (unsigned i = 0; i < DEPTH; i++)
        right &= many[i].state == IO_IDLE && many[i].result == 512;
    tap_ok(right && fake_requests.completed == DEPTH, "test_each_of_340_ends_once");
    tap_ok(memcmp(memory, blk.medium, 65536) == 0, "test_each_brings_its_own_bytes");
    fake_requests.completed = 0;
    fill_ring();
    blk_run();
    tap_equal(fake_requests.completed, DEPTH, "test_all_slots_serve_again");
    tap_ok(!model_interrupt(blk.slot), "test_an_interrupt_of_somebody_else_is_not_claimed");
    blk.slot->interrupt_status = 2;
    tap_ok(model_interrupt(blk.slot) && fake_requests.completed == DEPTH,
           "test_a_change_of_configuration_ends_nothing");
}

// Goal: of several that the core starts in a row none rings, and the one kick behind them does.
static void test_one_doorbell(void)
{
    struct io_request reads[3];
    blk_ready();
    struct device *device = &blk.disk->device;
    for (unsigned i = 0; i < 3; i++) {
        reads[i] = blk_request(IO_READ, 512 * i, memory, i == 1 ? 0 : 512);
        blk_start(&reads[i], device->ops->put);
    }
    tap_ok(blk.slot->notified == 0 && model_pop(&blk.device) == -1,
           "test_no_doorbell_while_more_are_started");
    device->ops->kick(device);
    tap_equal(blk.slot->notified, 1, "test_one_kick_rings_for_all");
    blk_run();
    tap_equal(fake_requests.completed, 3, "test_all_of_them_are_served");
    reads[1] = blk_request(IO_WRITE, MEDIUM, memory, 512);
    blk_start(&reads[0], device->ops->put);
    blk_submit(&reads[1]);
    tap_ok(reads[1].result == -ENOSPC && blk.slot->notified == 2,
           "test_a_submit_that_is_refused_rings_for_what_was_put");
    blk_run();
}

int main(void)
{
    tap_plan(71);
    test_attach();
    test_open();
    test_straight();
    test_shapes();
    test_ends();
    test_flush();
    test_errors();
    test_many();
    test_one_doorbell();
    return tap_done();
}
