// A virtio disk that breaks the rules of its ring: its requests fail, once, when it is quiet, and
// it is not used any more.
// sources: drivers/virtio/virtio_blk.c drivers/virtio/virtio_blk_parts.c
// sources: drivers/virtio/virtio_blk_segments.c
// sources: drivers/virtio/virtio_blk_setup.c drivers/virtio/virtio_mmio.c
// sources: drivers/virtio/virtio_service.c drivers/virtio/virtqueue.c drivers/device.c
#include <errno.h>

#include "tests/host/virtio_blk_model.h"

enum { REQUESTS = 6 };

static uint8_t memory[REQUESTS][1024];
static struct io_request requests[REQUESTS];

// Four straight ones, of which the first ends, and two parts; the second of these waits.
static void in_flight(void)
{
    blk_ready();
    for (unsigned i = 0; i < REQUESTS; i++) {
        unsigned offset = i < 4 ? i * 1024 : i * 1024 + 3;
        requests[i] = blk_request(i % 2 ? IO_WRITE : IO_READ, offset, memory[i],
                                  i < 4 ? 1024 : 100);
        blk_submit(&requests[i]);
    }
    memcpy(blk.before, blk.medium, MEDIUM);
    blk_serve();
}

static bool all_failed_but_the_first(void)
{
    bool right = requests[0].result == 1024 && fake_requests.completed == REQUESTS;
    for (unsigned i = 1; i < REQUESTS; i++)
        right &= requests[i].state == IO_IDLE && requests[i].result == -EIO;
    return right;
}

static void check_broken(const char *why, const char *name)
{
    blk.slot->interrupt_status |= 1;
    model_interrupt(blk.slot);
    if (!tap_ok(all_failed_but_the_first(), name))
        tap_note("%u completions", fake_requests.completed);
    tap_ok(fake_reports.count == 1 && strstr(fake_reports.last, why) &&
               strstr(fake_reports.last, blk.disk->name),
           "test_it_is_said_once_why");
    tap_ok(blk.slot->status == 0 && model_is_silenced(blk.slot),
           "test_the_device_is_reset_and_silenced");
    tap_ok(memcmp(blk.before, blk.medium, MEDIUM) == 0, "test_nothing_else_is_touched");
    unsigned rung = blk.slot->notified;
    tap_ok(blk_do(IO_READ, 0, memory[0], 512) == -EIO &&
               blk_do(IO_WRITE, 1, memory[0], 5) == -EIO && blk_do(IO_OPEN, 0, NULL, 0) == -EIO &&
               blk_do(IO_FLUSH, 0, NULL, 0) == -EIO && blk.slot->notified == rung &&
               fake_reports.count == 1,
           "test_later_requests_fail_at_once");
}

static void test_ways_to_break(void)
{
    in_flight();
    model_push(&blk.device, 5000, 1);
    check_broken("no descriptor", "test_an_id_out_of_range_fails_all");
    in_flight();
    model_push(&blk.device, requests[0].moved ? 0 : blk.disk->slots[300].head, 1);
    check_broken("does not have", "test_a_chain_that_is_not_in_flight_fails_all");
    in_flight();
    model_push(&blk.device, (uint32_t)model_pop(&blk.device), 2); // A write: only the status.
    check_broken("room", "test_a_length_beyond_the_offer_fails_all");
}

// An index that jumps hides also what is true: nobody can tell.
// The device itself gives up, with requests in its ring (2.1.2).
static void test_device_needs_reset(void)
{
    in_flight();
    blk.slot->status |= 0x40;
    blk.slot->interrupt_status |= 2;
    check_broken("asks for a reset", "test_a_device_that_needs_a_reset_fails_all");
}

static void test_jump(void)
{
    in_flight();
    blk.disk->service.queue.used->idx = 100;
    blk.slot->interrupt_status = 1;
    model_interrupt(blk.slot);
    bool right = fake_requests.completed == REQUESTS;
    for (unsigned i = 0; i < REQUESTS; i++)
        right &= requests[i].result == -EIO;
    tap_ok(right && strstr(fake_reports.last, "jumps"), "test_an_index_that_jumps_fails_all");
}

// Goal: no buffer is given back while the device may still write there.
static void test_slow_reset(void)
{
    in_flight();
    blk.slot->reset_polls = 4; // One is asked by the reset itself.
    model_push(&blk.device, 5000, 1);
    model_interrupt(blk.slot);
    tap_ok(fake_requests.completed == 1 && fake_clock.timers,
           "test_requests_wait_until_the_device_is_quiet");
    tap_equal(blk_do(IO_READ, 0, memory[0], 512), -EIO, "test_new_ones_do_not_wait");
    fake_requests.completed--;
    unsigned polls = 0;
    while (fake_timer_expires())
        polls++;
    tap_ok(all_failed_but_the_first() && polls == 3, "test_then_they_fail");
}

static void test_flush_and_open(void)
{
    struct io_request flush = blk_request(IO_FLUSH, 0, NULL, 0);
    struct io_request open = blk_request(IO_OPEN, 0, NULL, 0);
    blk_ready();
    blk_submit(&flush);
    blk_submit(&open);
    blk.disk->service.queue.used->idx = 7;
    blk.slot->interrupt_status = 1;
    model_interrupt(blk.slot);
    tap_ok(flush.result == -EIO && open.result == -EIO && fake_requests.completed == 2,
           "test_a_flush_and_an_opening_under_way_fail_too");
}

int main(void)
{
    tap_plan(25);
    blk.features = VIRTIO_BLK_F_FLUSH;
    test_ways_to_break();
    test_jump();
    test_device_needs_reset();
    test_slow_reset();
    test_flush_and_open();
    return tap_done();
}
