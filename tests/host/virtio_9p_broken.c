// A 9P transport that breaks the rules of its ring: its exchanges fail, once, when it is quiet, and
// it is not used any more.
// sources: drivers/virtio/virtio_9p.c drivers/virtio/virtio_service.c
// sources: drivers/virtio/virtio_mmio.c drivers/virtio/virtqueue.c
#include <errno.h>

#include "tests/host/virtio_9p_model.h"

enum { ROUNDS = 3000, NEEDS_RESET = 0x40 };

static void in_flight(void)
{
    const size_t in[2] = { 11, 9 };
    ready();
    for (unsigned i = 0; i < DEPTH; i++)
        submit(job_set(i, 1 + i % 2, in, 1 + i / 2 % 2, 11));
    int head = model_pop(&p9.device);
    model_push(&p9.device, (uint32_t)head, answer((unsigned)head));
}

// All but the first `answered` have failed, once, and so does what comes later.
static void check_broken(unsigned answered, const char *why, const char *name)
{
    bool right = fake_reports.count == 1 && strstr(fake_reports.last, why) &&
                 strstr(fake_reports.last, "9p/host");
    for (unsigned i = 0; i < DEPTH; i++) {
        const struct job *job = &p9.jobs[i];
        long expected = i < answered ? 11 : -EIO;
        right &= job->completions == 1 && job->exchange.request.result == expected;
    }
    unsigned rung = p9.slot->notified;
    const size_t in[1] = { 20 };
    struct job *later = job_set(0, 1, in, 1, 20);
    submit(later);
    right &= later->completions == 1 && later->exchange.request.result == -EIO;
    right &= submit_op(IO_OPEN) == -EIO && p9.slot->notified == rung && model_is_silenced(p9.slot);
    if (!tap_ok(right && p9.slot->status == 0, name))
        tap_note("%s", fake_reports.last);
}

static void check_lie(uint32_t id, uint32_t length, const char *why, const char *name)
{
    model_push(&p9.device, id, length);
    take_interrupt();
    check_broken(1, why, name);
}

static void test_lies(void)
{
    in_flight();
    check_lie(5000, 0, "no descriptor", "test_a_chain_that_is_not_there");
    in_flight();
    check_lie(p9.share.slots[0].head, 0, "does not have", "test_a_chain_given_back_twice");
    in_flight();
    check_lie(p9.share.slots[1].head + 1u, 0, "does not have", "test_a_part_that_is_no_chain");
    in_flight();
    check_lie((uint32_t)model_pop(&p9.device), 12, "room", "test_an_answer_one_byte_too_long");
    in_flight();
    check_lie((uint32_t)model_pop(&p9.device), UINT32_MAX, "room", "test_the_longest_answer");
    in_flight();
    p9.share.service.queue.used->idx = 100;
    take_interrupt();
    check_broken(0, "jumps", "test_an_index_that_jumps");
    in_flight();
    p9.slot->status |= NEEDS_RESET;
    p9.slot->interrupt_status |= 2;
    take_interrupt();
    check_broken(1, "asks for a reset", "test_a_device_that_asks_for_a_reset");
}

// Goal: no buffer is given back while the device may still write there.
static void test_slow_reset(void)
{
    in_flight();
    p9.slot->reset_polls = 3; // One is asked by the reset itself.
    model_push(&p9.device, 5000, 0);
    take_interrupt();
    tap_ok(p9.share.device.lanes[0].in_flight == DEPTH - 1 && fake_clock.timers,
           "test_exchanges_wait_until_the_device_is_quiet");
    while (fake_timer_expires())
        continue;
    check_broken(1, "no descriptor", "test_then_they_fail");
}

static uint32_t random_below(uint32_t limit)
{
    static uint32_t seed = 9;
    seed = seed * UINT32_C(1664525) + UINT32_C(1013904223);
    return (seed >> 8) % limit;
}

// Goal: whatever a device writes into the used ring, an exchange ends once, with no more than it
// had room for, or with -EIO. Method: entries that are half true.
static void test_random(void)
{
    unsigned broken = 0, ended = 0, wrong = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        in_flight();
        for (unsigned i = 0; i < DEPTH; i++) {
            int head = model_pop(&p9.device);
            uint32_t id = random_below(40) ? (uint32_t)head : random_below(160);
            model_push(&p9.device, id, random_below(40) ? random_below(12) : random_below(40));
            if (random_below(8) == 0)
                take_interrupt();
        }
        take_interrupt();
        broken += p9.share.service.queue.broken != NULL;
        for (unsigned i = 0; i < DEPTH; i++) {
            long result = (long)p9.jobs[i].exchange.request.result;
            long room = p9.jobs[i].exchange.in_count == 2 ? 20 : 11;
            ended += p9.jobs[i].completions;
            wrong += p9.jobs[i].completions > 1 || (p9.jobs[i].completions == 1 && result != -EIO &&
                                                    (result < 0 || result > room));
            wrong += p9.jobs[i].completions == 0 && p9.share.service.queue.broken != NULL;
        }
    }
    tap_equal(wrong, 0, "test_whatever_a_device_writes_nothing_but_eio_comes_of_it");
    tap_ok(broken > ROUNDS / 2 && ended > ROUNDS * DEPTH / 2, "test_that_was_tried_often_enough");
}

int main(void)
{
    tap_plan(11);
    test_lies();
    test_slow_reset();
    test_random();
    return tap_done();
}
