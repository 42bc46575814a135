// Requests whose memory is several pieces, on the virtio block driver over a modelled device: as
// one chain where the device takes them so, else piece by piece; and that the slots whose
// descriptors they borrow are as they were.
// sources: drivers/virtio/virtio_blk.c drivers/virtio/virtio_blk_parts.c
// sources: drivers/virtio/virtio_blk_segments.c
// sources: drivers/virtio/virtio_blk_setup.c drivers/virtio/virtio_mmio.c
// sources: drivers/virtio/virtio_service.c drivers/virtio/virtqueue.c drivers/device.c
#include <errno.h>

#include "tests/host/virtio_blk_model.h"

enum { DEPTH = 340, MOST = 300, MANY = 48, EACH = 17, PLAIN = 4 };

// Memory of which every second piece belongs to a request, and the pieces in between to nobody.
static uint8_t memory[2 * MEDIUM + 4096];
static struct io_segment list[MANY][MOST];

// Cuts `size` bytes of memory from `from` on into n pieces of odd sizes with gaps in between.
static void cut(struct io_segment *segments, unsigned n, uint8_t *from, size_t size)
{
    for (unsigned i = 0; i < n; i++) {
        size_t piece = i + 1 < n ? size / (n - i) - (size / (n - i) > 3 ? i % 3 : 0) : size;
        segments[i] = (struct io_segment){ from, piece };
        from += piece + 1 + i % 2;
        size -= piece;
    }
}

static struct io_request request_of_list(enum io_op op, uint64_t offset,
                                         const struct io_segment *segments, unsigned n)
{
    struct io_request request = { .op = op, .offset = offset, .flags = IO_SEGMENTS };
    request.buffer = (void *)(uintptr_t)segments;
    request.segments = (uint16_t)n;
    for (unsigned i = 0; i < n; i++)
        request.size += segments[i].size;
    request.places = (uint16_t)blk.disk->device.ops->places(&blk.disk->device, &request);
    return request;
}

static void submit(struct io_request *request)
{
    blk_start(request, blk.disk->device.ops->put_segments);
    blk.disk->device.ops->kick(&blk.disk->device);
}

static long run(enum io_op op, uint64_t offset, const struct io_segment *segments, unsigned n)
{
    struct io_request request = request_of_list(op, offset, segments, n);
    submit(&request);
    blk_run();
    return request.state == IO_IDLE ? (long)request.result : FAKE_WAITS;
}

static bool same(const struct io_segment *segments, unsigned n, uint64_t offset, size_t size)
{
    for (unsigned i = 0; i < n && size > 0; i++) {
        size_t piece = segments[i].size < size ? segments[i].size : size;
        if (piece > 0 && memcmp(segments[i].base, blk.medium + offset, piece) != 0)
            return false;
        offset += piece;
        size -= piece;
    }
    return true;
}

// Reads into n pieces and writes out of them elsewhere. Result: all bytes are right, and no others
// have been touched.
static bool moves(unsigned n, uint64_t offset, size_t size)
{
    uint64_t to = MEDIUM / 2 + offset;
    memset(memory, 0x5a, sizeof memory);
    cut(list[0], n, memory + 1, size);
    if (run(IO_READ, offset, list[0], n) != (long)size || !same(list[0], n, offset, size))
        return false;
    const uint8_t *byte = memory;
    for (unsigned i = 0; i < n; i++) {
        for (; byte < (uint8_t *)list[0][i].base; byte++)
            if (*byte != 0x5a)
                return false;
        byte += list[0][i].size;
    }
    for (; byte < memory + sizeof memory; byte++)
        if (*byte != 0x5a)
            return false;
    memcpy(blk.before, blk.medium, MEDIUM);
    memcpy(blk.before + to, blk.before + offset, size);
    return run(IO_WRITE, to, list[0], n) == (long)size &&
           memcmp(blk.before, blk.medium, MEDIUM) == 0;
}

// Every slot serves a plain request, all at a time.
static bool slots_are_as_they_were(void)
{
    static struct io_request plain[DEPTH];
    unsigned depth = blk.disk->device.lanes[0].depth;
    bool right = true;
    for (unsigned i = 0; i < depth; i++) {
        plain[i] = blk_request(i % 2 ? IO_WRITE : IO_READ, i % 64 * 1024, memory + i % 64 * 1024,
                               1024);
        blk_submit(&plain[i]);
    }
    right &= blk.disk->free == NULL;
    blk_run();
    for (unsigned i = 0; i < depth; i++)
        right &= plain[i].state == IO_IDLE && plain[i].result == 1024;
    return right && !blk.wrong_chain;
}

static void ready(uint32_t seg_max)
{
    blk.features = VIRTIO_BLK_F_FLUSH | (seg_max ? VIRTIO_BLK_F_SEG_MAX : 0);
    blk.seg_max = seg_max;
    blk_ready();
}

// Goal: what the device takes goes as one chain, in as many places as its descriptors need.
static void test_straight(void)
{
    static const unsigned counts[] = { 1, 2, 3, 4, 5, 17, 125, 126 };
    bool right = true, one = true, places = true;
    ready(126);
    for (unsigned i = 0; i < 8; i++) {
        blk.command_count = 0;
        right &= moves(counts[i], 512 * i, 8192);
        one &= blk.command_count == 2 && blk.sizes[1] == 8192 && blk.piece_count == counts[i];
        struct io_request request = request_of_list(IO_READ, 0, list[0], counts[i]);
        places &= request.places == (counts[i] + 4) / 3;
    }
    tap_ok(right, "test_pieces_of_odd_sizes_from_1_to_126");
    tap_ok(one && !blk.wrong_chain, "test_each_is_one_request_of_the_device");
    tap_ok(places, "test_places_are_a_third_of_the_descriptors");
    tap_ok(slots_are_as_they_were(), "test_the_slots_are_as_they_were");
}

static void test_empty(void)
{
    ready(4);
    struct io_segment with_empty[] = { { memory, 0 },         { memory, 100 }, { NULL, 0 },
                                       { memory + 200, 924 }, { NULL, 0 },     { memory, 0 } };
    tap_ok(run(IO_READ, 1024, with_empty, 6) == 1024 && blk.piece_count == 2 && !blk.wrong_chain &&
               same(with_empty, 6, 1024, 1024),
           "test_pieces_of_no_bytes_are_left_out");
    struct io_segment nothing[] = { { NULL, 0 }, { NULL, 0 } };
    tap_ok(run(IO_READ, 0, nothing, 2) == 0 && blk.command_count == 1,
           "test_nothing_but_such_pieces_is_nothing");
}

// Goal: what is more than the device takes moves all the same.
static void test_limits(void)
{
    static const uint32_t limits[] = { 0, 1, 2 };
    bool right = true, alone = true, places = true;
    for (unsigned i = 0; i < 3; i++) {
        ready(limits[i]);
        unsigned most = limits[i] ? limits[i] : 1;
        for (unsigned n = 1; n <= 5; n++) {
            blk.command_count = 0;
            right &= moves(n, 1024, 4096);
            alone &= (blk.command_count == 2) == (n <= most);
            struct io_request request = request_of_list(IO_READ, 0, list[0], n);
            places &= request.places == (n <= most ? (n + 4) / 3 : 1);
        }
    }
    tap_ok(right && alone && places, "test_seg_max_of_none_one_and_two");
    blk.queue_num_max = 16; // Four slots: 12 descriptors.
    ready(126);
    tap_ok(moves(10, 0, 4096) && blk.command_count == 2, "test_a_chain_of_all_slots");
    tap_ok(moves(11, 0, 4096) && blk.command_count > 4, "test_more_than_all_slots_goes_in_pieces");
    tap_ok(slots_are_as_they_were(), "test_few_slots_are_as_they_were");
    blk.queue_num_max = 0;
    ready(126);
    blk.features |= VIRTIO_BLK_F_SIZE_MAX;
    blk.size_max = 1024;
    blk_ready();
    tap_ok(moves(3, 0, 4096) && blk.command_count > 2, "test_more_bytes_than_the_device_takes");
    blk.size_max = 0;
}

// Goal: wherever a piece ends within a sector, and wherever the request begins and ends.
static void test_boundaries(void)
{
    bool right = true;
    ready(1);
    for (unsigned n = 1; n <= 40; n += 3)
        for (unsigned offset = 0; offset < 1200; offset += 149)
            right &= moves(n, offset, 1 + n * 97 + offset % 512);
    tap_ok(right && !blk.wrong_chain, "test_any_boundary_piece_by_piece");
    blk.command_count = 0;
    struct io_segment two[] = { { memory, 700 }, { memory + 4096, 836 } };
    run(IO_WRITE, 0, two, 2);
    bool reads = false;
    for (unsigned i = 0; i < blk.command_count; i++)
        reads |= blk.commands[i].type == VIRTIO_BLK_T_IN;
    tap_ok(!reads && blk.command_count == 3, "test_a_sector_of_two_pieces_is_not_read_first");
    ready(126);
    right = moves(7, 100, 4096) && moves(7, 512, 4000);
    tap_ok(right, "test_what_is_not_whole_sectors_in_total");
    tap_ok(run(IO_READ, MEDIUM - 1024, list[0], 7) == 1024 &&
               same(list[0], 7, MEDIUM - 1024, 1024) && run(IO_READ, MEDIUM, list[0], 7) == 0 &&
               run(IO_WRITE, MEDIUM, list[0], 7) == -ENOSPC,
           "test_the_end_of_the_disk");
}

// Goal: writes of parts and segments do not disturb one another.
static void test_beside_parts(void)
{
    ready(126);
    struct io_segment pieces[] = { { memory, 300 }, { memory + 400, 212 } };
    struct io_segment others[] = { { memory + 1000, 7 }, { memory + 1100, 6 } };
    memset(memory, 0x11, 612);
    memset(memory + 1000, 0x22, 106);
    struct io_request whole = request_of_list(IO_WRITE, 1024, pieces, 2);
    struct io_request part = request_of_list(IO_WRITE, 1024 + 100, others, 2);
    struct io_request again = request_of_list(IO_WRITE, 1024, pieces, 2);
    submit(&whole);
    submit(&part);
    tap_equal(blk.disk->service.queue.added, 1,
              "test_a_part_waits_for_the_write_of_segments_that_is_under_way");
    submit(&again);
    tap_equal(blk.disk->service.queue.added, 1, "test_a_write_of_segments_waits_behind_it");
    blk_serve();
    model_interrupt(blk.slot);
    blk_serve();
    model_interrupt(blk.slot);
    blk_serve();
    model_interrupt(blk.slot);
    tap_ok(part.result == 13 && blk.medium[1124] == 0x22 && blk.medium[1136] == 0x22 &&
               blk.medium[1137] == 0x11,
           "test_the_part_is_written_between_them");
    blk_run();
    tap_ok(whole.result == 512 && again.result == 512 && blk.medium[1124] == 0x11 &&
               fake_requests.completed == 3,
           "test_they_end_in_the_order_of_submission");
    tap_ok(slots_are_as_they_were(), "test_the_slots_are_as_they_were_after_waiting");
}

static struct io_request many[MANY], plain[PLAIN];

// 48 requests of 17 pieces are 336 places; four plain ones fill the ring.
static void fill_ring(void)
{
    memset(memory, 0, sizeof memory);
    for (unsigned i = 0; i < MANY; i++) {
        cut(list[i], EACH, memory + i * 1100, 1024);
        many[i] = request_of_list(IO_READ, i * 1024, list[i], EACH);
        submit(&many[i]);
    }
    for (unsigned i = 0; i < PLAIN; i++) {
        plain[i] = blk_request(IO_READ, i * 512, memory + MANY * 1100 + i * 512, 512);
        blk_submit(&plain[i]);
    }
}

static void test_full(void)
{
    unsigned heads[MANY + PLAIN], count = 0;
    bool right = true;
    ready(126);
    fill_ring();
    tap_ok(blk.disk->free == NULL, "test_the_ring_is_full_to_its_last_slot");
    for (int head; (head = model_pop(&blk.device)) >= 0;)
        heads[count++] = (unsigned)head;
    tap_equal(count, MANY + PLAIN, "test_each_is_one_chain");
    for (unsigned i = count; i-- > 0;)
        model_push(&blk.device, heads[i], blk_execute(heads[i]));
    blk.slot->interrupt_status = 1;
    blk_run();
    for (unsigned i = 0; i < MANY; i++)
        right &= many[i].result == 1024 && same(list[i], EACH, i * 1024, 1024);
    for (unsigned i = 0; i < PLAIN; i++)
        right &= plain[i].result == 512;
    tap_ok(right && fake_requests.completed == count, "test_in_any_order_each_brings_its_bytes");
    tap_ok(slots_are_as_they_were(), "test_all_slots_are_as_they_were");
}

static void test_errors(void)
{
    ready(126);
    cut(list[0], EACH, memory, 2048);
    struct io_request request = request_of_list(IO_READ, 512, list[0], EACH);
    blk.status = VIRTIO_BLK_S_IOERR;
    blk.status_sector = 1;
    submit(&request);
    blk_run();
    tap_ok(request.result == -EIO && request.moved == 0, "test_an_error_is_the_whole_requests");
    blk.status = 0;
    tap_ok(run(IO_READ, 512, list[0], EACH) == 2048 && slots_are_as_they_were(),
           "test_the_slots_are_as_they_were_after_an_error");
    struct io_request flush = blk_request(IO_FLUSH, 0, NULL, 0);
    submit(&request);
    blk_run();
    blk_submit(&flush);
    blk_run();
    tap_ok(flush.result == 0 && request.result == 2048, "test_a_flush_behind_it");
    blk.features |= VIRTIO_BLK_F_RO;
    blk_ready();
    tap_equal(run(IO_WRITE, 0, list[0], EACH), -EROFS, "test_a_read_only_disk_refuses_segments");
}

// Goal: a device that lies fails each request once, whatever slots it has.
static void test_broken(void)
{
    bool right = true;
    ready(126);
    fill_ring();
    unsigned borrowed = many[0].size ? blk.disk->slots[1].head : 0;
    blk_serve();
    model_push(&blk.device, borrowed, 1); // The second slot of the first request.
    blk.slot->interrupt_status = 1;
    model_interrupt(blk.slot);
    for (unsigned i = 1; i < MANY; i++)
        right &= many[i].result == -EIO && many[i].state == IO_IDLE;
    tap_ok(right && many[0].result == 1024 && plain[0].result == -EIO,
           "test_a_slot_that_was_only_borrowed_ends_nothing");
    tap_equal(fake_requests.completed, MANY + PLAIN, "test_each_fails_once");
    struct io_request late = request_of_list(IO_READ, 0, list[0], EACH);
    submit(&late);
    tap_equal((long)late.result, -EIO, "test_a_broken_disk_refuses_segments");
}

int main(void)
{
    tap_plan(31);
    test_straight();
    test_empty();
    test_limits();
    test_boundaries();
    test_beside_parts();
    test_full();
    test_errors();
    test_broken();
    return tap_done();
}
