// A virtio disk: what it says of itself, more requests than its ring has room for, parts of
// sectors among whole ones, the end, and what cannot be taken back. What every disk must do is in
// sd_read.c and sd_write.c.
// sd: 8M
// qemu: -global virtio-blk-device.serial=0123456789abcdefghij
#include <errno.h>
#include <string.h>

#include "arch/cpu.h"
#include "sd_image.h"
#include "tests/tap.h"
#include "tests/target/board_find.h"

enum { MANY = 1000, BYTES = 4096, PARTS = 64, PART_BYTES = 100 };

static _Alignas(64) uint8_t memory[MANY][BYTES];
static struct io_request requests[MANY];
static unsigned finished_at[MANY], done_count[MANY], finished;

static void on_done(struct io_request *request)
{
    unsigned index = (unsigned)(request - requests);
    done_count[index]++;
    finished_at[index] = finished++;
}

static uint64_t offset_of(unsigned index)
{
    return (uint64_t)(index * 1237u % (IMAGE_BYTES / BYTES)) * BYTES;
}

static void prepare(unsigned index, enum io_op op, uint64_t offset, void *buffer, size_t size)
{
    requests[index] = card_request(op, offset, buffer, size);
    requests[index].done = on_done;
    requests[index].priority = 4;
}

static void begin(void)
{
    memset(done_count, 0, sizeof done_count);
    finished = 0;
}

// Waits for the first `count` requests. True: each was done once, with all its bytes.
static bool all_done(unsigned count)
{
    bool right = true;
    for (unsigned i = 0; i < count; i++) {
        right &= io_wait(&requests[i]) == (ssize_t)requests[i].size;
        right &= done_count[i] == 1;
    }
    return right && finished == count;
}

static void test_identity(void)
{
    tap_equal(card_do(IO_OPEN, 0, NULL, 0), 0, "test_open");
    tap_equal((long long)card->size_bytes, IMAGE_BYTES, "test_the_size_is_the_images");
    tap_equal(card->block_bytes, SECTOR, "test_a_block_is_a_sector");
    tap_ok(card->serial && strcmp(card->serial, "0123456789abcdefghij") == 0,
           "test_the_serial_number_of_20_characters");
    tap_ok(!card->read_only, "test_it_may_be_written_to");
    tap_equal(card_do(IO_OPEN, 0, NULL, 0), 0, "test_open_again");
    tap_equal(card_do(IO_FLUSH, 0, NULL, 0), 0, "test_flush");
}

// Goal: the ring takes some hundreds at a time, the rest waits in the core. Method: a thousand are
// submitted before the first can be done.
static void test_many(void)
{
    bool right = true;
    begin();
    uint32_t flags = irq_save();
    for (unsigned i = 0; i < MANY; i++) {
        prepare(i, IO_READ, offset_of(i), memory[i], BYTES);
        right &= io_submit(card, &requests[i]) == 0;
    }
    unsigned in_ring = card->lanes[0].in_flight;
    irq_restore(flags);
    tap_ok(right, "test_1000_reads_are_accepted");
    tap_ok(in_ring >= 256 && in_ring < MANY, "test_the_ring_takes_256_and_more");
    tap_note("%u in the ring", in_ring);
    tap_ok(all_done(MANY), "test_1000_reads_end_once_each");
    for (unsigned i = 0; i < MANY; i++)
        right &= image_is(memory[i], offset_of(i), BYTES);
    tap_ok(right, "test_1000_reads_bring_their_own_bytes");
}

// Goal: parts of sectors that are written at the same time do not undo one another. Method: parts
// that touch every sector twice, with whole sectors in between, all in flight at once.
static void test_parts_at_once(void)
{
    enum { BASE = 1048576 + 77, SPAN = PARTS * PART_BYTES };
    static uint8_t back[SPAN + 2 * SECTOR];
    bool right = true;
    begin();
    for (unsigned i = 0; i < PARTS; i++) {
        memset(memory[i], (int)(i + 1), PART_BYTES);
        prepare(i, IO_WRITE, BASE + i * PART_BYTES, memory[i], PART_BYTES);
    }
    for (unsigned i = 0; i < PARTS; i++)
        right &= io_submit(card, &requests[i]) == 0;
    right &= all_done(PARTS);
    tap_ok(right, "test_64_writes_of_parts_at_once");
    right = card_do(IO_READ, BASE - SECTOR, back, sizeof back) == sizeof back;
    for (unsigned i = 0; i < SPAN; i++)
        right &= back[SECTOR + i] == i / PART_BYTES + 1;
    tap_ok(right, "test_every_part_is_there");
    tap_ok(image_is(back, BASE - SECTOR, SECTOR) &&
               image_is(back + SECTOR + SPAN, BASE + SPAN, SECTOR),
           "test_nothing_around_them_has_changed");
}

// A part is written into each of the sectors that whole writes before it are still on their way to.
static void test_parts_after_wholes(void)
{
    enum { BASE = 2097152, SECTORS = 32 };
    static uint8_t back[SECTORS * SECTOR];
    bool right = true;
    begin();
    for (unsigned i = 0; i < SECTORS; i++) {
        memset(memory[i], 0x11, SECTOR);
        memset(memory[SECTORS + i], 0x22, 3);
        prepare(i, IO_WRITE, BASE + i * SECTOR, memory[i], SECTOR);
        prepare(SECTORS + i, IO_WRITE, BASE + i * SECTOR + 250, memory[SECTORS + i], 3);
    }
    uint32_t flags = irq_save();
    for (unsigned i = 0; i < 2 * SECTORS; i++)
        right &= io_submit(card, &requests[i]) == 0;
    irq_restore(flags);
    right &= all_done(2 * SECTORS) && card_do(IO_READ, BASE, back, sizeof back) == sizeof back;
    for (unsigned i = 0; i < sizeof back; i++)
        right &= back[i] == (i % SECTOR >= 250 && i % SECTOR < 253 ? 0x22 : 0x11);
    tap_ok(right, "test_a_part_waits_for_the_whole_sector_under_way");
}

static void test_end(void)
{
    tap_equal(card_do(IO_READ, IMAGE_BYTES, memory, SECTOR), 0, "test_read_at_the_end");
    tap_equal(card_do(IO_READ, IMAGE_BYTES - SECTOR, memory, BYTES), SECTOR,
              "test_read_across_the_end");
    tap_ok(image_is(memory[0], IMAGE_BYTES - SECTOR, SECTOR), "test_the_last_sector");
    tap_equal(card_do(IO_WRITE, IMAGE_BYTES, memory, SECTOR), -ENOSPC, "test_write_at_the_end");
    tap_equal(card_do(IO_WRITE, IMAGE_BYTES - 1, memory[0] + SECTOR - 1, 2), 1,
              "test_write_across_the_end");
    tap_equal(card_do(IO_READ, UINT64_MAX - 511, memory, SECTOR), 0, "test_read_far_past_the_end");
}

static void test_cancel(void)
{
    begin();
    uint32_t flags = irq_save();
    unsigned depth = card->lanes[0].depth;
    for (unsigned i = 0; i <= depth; i++) {
        prepare(i, IO_READ, offset_of(i), memory[i], BYTES);
        io_submit(card, &requests[i]);
    }
    int in_ring = io_cancel(&requests[0]), waiting = io_cancel(&requests[depth]);
    irq_restore(flags);
    tap_equal(in_ring, -EBUSY, "test_in_the_ring_it_cannot_be_cancelled");
    tap_equal(waiting, 0, "test_while_it_waits_it_can");
    tap_equal(io_wait(&requests[depth]), -ECANCELED, "test_the_cancelled_one_says_so");
    bool right = true;
    for (unsigned i = 0; i < depth; i++)
        right &= io_wait(&requests[i]) == BYTES && done_count[i] == 1;
    tap_ok(right && image_is(memory[0], offset_of(0), BYTES),
           "test_the_one_in_the_ring_completes_all_the_same");
}

// Goal: a flush comes after all that was submitted before it.
static void test_flush_order(void)
{
    enum { WRITES = 400 };
    begin();
    uint32_t flags = irq_save();
    for (unsigned i = 0; i < WRITES; i++) {
        memset(memory[i], (int)i, BYTES);
        prepare(i, IO_WRITE, 4194304 + i * BYTES, memory[i], BYTES);
        io_submit(card, &requests[i]);
    }
    prepare(WRITES, IO_FLUSH, 0, NULL, 0);
    io_submit(card, &requests[WRITES]);
    irq_restore(flags);
    tap_ok(all_done(WRITES + 1), "test_400_writes_and_a_flush");
    tap_equal(finished_at[WRITES], WRITES, "test_the_flush_is_the_last_to_end");
}

int main(void)
{
    tap_plan(28);
    if (!board_find("virtio"))
        return tap_skip_rest("this board has no virtio");
    card = device_find("vda");
    if (!tap_ok(card != NULL, "test_vda_is_there"))
        return tap_done();
    test_identity();
    test_many();
    test_parts_at_once();
    test_parts_after_wholes();
    test_end();
    test_cancel();
    test_flush_order();
    return tap_done();
}
