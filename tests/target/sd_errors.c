// What goes wrong with an SD card: broken descriptor tables, memory that is not there, commands
// without an interrupt, requests cancelled or late while they run. After each the request has ended
// with the right error, what it says it moved is there, and the next request works.
// qemu: -icount shift=0,sleep=off
// sd: 8M
#include <errno.h>
#include <string.h>

#include "board_find.h"
#include "drivers/sd/sd_card.h"
#include "sd_image.h"
#include "tests/tap.h"
#include "tests/target/board_find.h"

enum {
    MEBIBYTE = 1048576,
    UNMAPPED = 0x60000000, // Nothing answers there on any board: neither RAM nor a register.
    CANCELS = 100,
    SECOND_NS = 1000000000,
};

static _Alignas(64) uint8_t buffer[MEBIBYTE + 64];
static struct io_request request;

// The driver's own card: these tests break things that no request can.
static struct sd_card *sd_card(void)
{
    return (struct sd_card *)((char *)card - offsetof(struct sd_card, device));
}

static struct adma2_descriptor *descriptor_of_piece(unsigned piece)
{
    struct adma2_table *table = &sd_card()->host.table;
    return &table->entries[table->lead + piece * table->stride];
}

static unsigned sd_irq(void)
{
    return board_find(card->name)->irqs[0];
}

// Interrupts of the controller that had a reason. QEMU's PLIC also remembers what was raised and
// withdrawn while the one before was being served, as it happens in a storm.
static uint32_t sd_interrupts(void)
{
    struct irq_statistics statistics;
    irq_statistics(sd_irq(), &statistics);
    return statistics.count - statistics.unhandled;
}

static void spin(unsigned iterations)
{
    for (volatile unsigned i = 0; i < iterations; i++)
        ;
}

static void start_read(uint64_t offset, void *memory, size_t size)
{
    memset(memory, 0, size);
    request = card_request(IO_READ, offset, memory, size);
    io_submit(card, &request);
}

static bool moved_is_true(uint64_t offset, const uint8_t *memory)
{
    return request.moved < request.size && request.moved % SECTOR == 0 &&
           image_is(memory, offset, request.moved);
}

static void check_next_request(const char *name)
{
    tap_ok(card_do(IO_READ, 4096, buffer, 65536) == 65536 && image_is(buffer, 4096, 65536), name);
}

// The controller stops at a descriptor that is not valid.
static void test_invalid_descriptor(void)
{
    size_t piece = sd_card()->host.table.piece_bytes;
    uint32_t interrupts = sd_interrupts();

    start_read(0, buffer, MEBIBYTE);
    descriptor_of_piece(3)->length_attributes = 0;
    tap_equal((long)io_wait(&request), -EIO, "test_sd_invalid_descriptor_is_eio");
    tap_ok(sd_card()->host.errors & SDHCI_INTERRUPT_ADMA_ERROR,
           "test_sd_the_controller_reported_an_adma_error");
    tap_ok(request.moved <= 3 * piece && moved_is_true(0, buffer),
           "test_sd_adma_error_moved_is_true");
    tap_note("moved %u of the %u bytes before the error", (unsigned)request.moved,
             (unsigned)(3 * piece));
    tap_equal(sd_interrupts() - interrupts, 1, "test_sd_adma_error_is_one_interrupt");
    check_next_request("test_sd_read_after_adma_error");
}

// QEMU's controller raises an error for each further attempt to write where no memory is, and goes
// on trying.
static void test_storm(void)
{
    uint32_t interrupts = sd_interrupts();

    start_read(0, buffer, MEBIBYTE);
    descriptor_of_piece(1)->address = UNMAPPED;
    tap_equal((long)io_wait(&request), -EIO, "test_sd_unmapped_memory_is_eio");
    tap_ok(moved_is_true(0, buffer), "test_sd_unmapped_memory_moved_is_true");
    spin(100000);
    tap_equal(sd_interrupts() - interrupts, 1, "test_sd_error_storm_is_stopped");
    check_next_request("test_sd_read_after_error_storm");
}

// Goal: R1's bits are looked at: no interrupt tells of an address past the end. Method: the device
// is told a lie about the card's size, so that nothing else stops the request.
static void test_card_status(void)
{
    card->size_bytes = 2 * IMAGE_BYTES;
    tap_equal(card_do(IO_READ, IMAGE_BYTES + 512, buffer, 4096), -EIO,
              "test_sd_read_past_the_end_shows_in_r1");
    tap_equal((long)card_moved, 0, "test_sd_read_past_the_end_moved_nothing");
    tap_equal(card_do(IO_OPEN, 0, NULL, 0), 0, "test_sd_open_after_r1_error");
    tap_equal((long long)card->size_bytes, IMAGE_BYTES, "test_sd_size_is_read_anew");
    card->size_bytes = 2 * IMAGE_BYTES;
    tap_equal(card_do(IO_WRITE, IMAGE_BYTES + 512, buffer, 512), -ENOSPC,
              "test_sd_write_past_the_end_shows_in_r1");
    check_next_request("test_sd_read_after_r1_error");
}

// Goal: an interrupt that never comes ends the request all the same.
static void test_lost_interrupt(void)
{
    uint64_t start = clock_now_ns();

    irq_disable(sd_irq());
    start_read(0, buffer, 65536);
    tap_equal((long)io_wait(&request), -EIO, "test_sd_lost_interrupt_is_eio");
    uint64_t taken = clock_now_ns() - start;
    tap_ok(taken >= SECOND_NS && taken < 5ull * SECOND_NS, "test_sd_watchdog_takes_seconds");
    irq_enable(sd_irq());
    check_next_request("test_sd_read_after_lost_interrupt");
}

static void test_cancel(void)
{
    start_read(512, buffer, MEBIBYTE);
    spin(400);
    tap_equal(io_cancel(&request), 0, "test_sd_cancel_while_running");
    tap_equal((long)io_wait(&request), -ECANCELED, "test_sd_cancelled");
    tap_ok(request.moved > 0 && moved_is_true(512, buffer), "test_sd_cancel_moved_is_true");
    tap_note("moved %u", (unsigned)request.moved);
    memset(buffer, 0x77, MEBIBYTE);
    spin(100000);
    bool untouched = true;
    for (size_t i = 0; i < MEBIBYTE; i++)
        untouched &= buffer[i] == 0x77;
    tap_ok(untouched, "test_sd_a_cancelled_read_writes_no_more");
    check_next_request("test_sd_read_after_cancel");

    start_read(512, buffer, SECTOR);
    uint32_t flags = irq_save();
    spin(10000);
    tap_equal(io_cancel(&request), -EALREADY, "test_sd_cancel_too_late");
    irq_restore(flags);
    tap_equal((long)io_wait(&request), SECTOR, "test_sd_too_late_to_cancel_has_its_data");
}

// A request cancelled at every moment of its life, bringing the card up included, ends once and
// leaves order behind.
static void test_many_cancels(void)
{
    unsigned cancelled = 0;
    bool right = true;

    for (unsigned i = 0; i < CANCELS; i++) {
        uint8_t *memory = buffer + (i % 10 == 9 ? 1 : i % 8 * 4);
        size_t size = i % 10 == 9 ? 10000 : 131072;
        if (i % 2 == 0)
            right &= card_do(IO_OPEN, 0, NULL, 0) == 0;
        start_read(i * 512 + i / 50, memory, size);
        spin(i * 10);
        int error = io_cancel(&request);
        long result = (long)io_wait(&request);
        cancelled += error == 0;
        right &= error == 0 ? result == -ECANCELED : error == -EALREADY && result == (long)size;
        right &= request.moved <= size && image_is(memory, i * 512 + i / 50, request.moved);
    }
    tap_ok(right, "test_sd_100_requests_cancelled_at_any_moment");
    tap_ok(cancelled >= CANCELS / 4 && cancelled < CANCELS,
           "test_sd_some_of_them_were_done_before");
    tap_note("%u cancelled, the others were done", cancelled);
    check_next_request("test_sd_read_after_100_cancels");
}

static void test_deadline(void)
{
    memset(buffer, 0, MEBIBYTE);
    request = card_request(IO_READ, 0, buffer, MEBIBYTE);
    io_set_deadline(&request, clock_now_ns() + 4000);
    io_submit(card, &request);
    struct io_request next = card_request(IO_READ, 8192, buffer + MEBIBYTE - SECTOR, SECTOR);
    io_submit(card, &next);
    tap_equal((long)io_wait(&request), -ETIMEDOUT, "test_sd_deadline_while_running");
    tap_ok(moved_is_true(0, buffer), "test_sd_late_request_moved_is_true");
    tap_ok(clock_now_ns() >= request.deadline_ns, "test_sd_deadline_is_not_reported_early");
    tap_equal((long)io_wait(&next), SECTOR, "test_sd_the_queue_goes_on_after_a_deadline");
    tap_ok(image_is(buffer + MEBIBYTE - SECTOR, 8192, SECTOR),
           "test_sd_the_queue_goes_on_with_the_right_data");
    request = card_request(IO_READ, 0, buffer, 65536);
    io_set_deadline(&request, clock_now_ns() + SECOND_NS);
    io_submit(card, &request);
    tap_equal((long)io_wait(&request), 65536, "test_sd_deadline_that_is_kept");
}

int main(void)
{
    tap_plan(35);
    if (!board_find("mmcblk0"))
        return tap_skip_rest("this board has no SD card");
    card = device_find("mmcblk0");
    tap_equal(card_do(IO_OPEN, 0, NULL, 0), 0, "test_sd_open");
    test_invalid_descriptor();
    test_storm();
    test_card_status();
    test_lost_interrupt();
    test_cancel();
    test_many_cancels();
    test_deadline();
    return tap_done();
}
