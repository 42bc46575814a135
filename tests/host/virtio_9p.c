// The 9P transport's driver over a modelled device: its name, exchanges of all shapes, many at a
// time, and what is refused.
// sources: drivers/virtio/virtio_9p.c drivers/virtio/virtio_service.c
// sources: drivers/virtio/virtio_mmio.c drivers/virtio/virtqueue.c
#include <errno.h>

#include "tests/host/virtio_9p_model.h"

// ---- Taking a device into use ----

static void test_attach(void)
{
    tap_equal(attach("host", 4, 1 | UINT64_C(1) << 28, 128), 0, "test_a_share_is_attached");
    tap_ok(p9.slot->status & S_DRIVER_OK && !model_is_silenced(p9.slot) &&
               p9.slot->queue_num == 128,
           "test_it_is_set_to_work");
    tap_ok(p9.slot->accepted == (VERSION_1 | 1), "test_only_the_mount_tag_is_accepted");
    tap_ok(p9.registered == &p9.share.device && strcmp(p9.share.device.name, "9p/host") == 0,
           "test_it_is_called_by_its_mount_tag");
    tap_ok(p9.share.device.kind == DEVICE_STREAM && p9.share.device.calls &&
               p9.share.device.lanes[0].depth == DEPTH,
           "test_it_takes_32_calls_at_a_time");
    tap_ok(attach("host", 4, 1, 1024) == 0 && p9.share.device.lanes[0].depth == DEPTH,
           "test_a_larger_queue_is_used_in_part");
    tap_ok(attach("host", 4, 1, 8) == 0 && p9.share.device.lanes[0].depth == 2,
           "test_a_small_queue_takes_what_it_can");
    tap_equal(attach("host", 4, 1, 2), -ENOTSUP, "test_a_queue_without_room_for_one_is_refused");
    tap_equal(attach("host", 4, 0, 128), -ENOTSUP, "test_a_device_without_a_tag_is_refused");
    p9.name_taken = true;
    tap_ok(attach("host", 4, 1, 128) == -EEXIST && !model_is_installed(p9.slot) &&
               model_is_silenced(p9.slot),
           "test_a_second_share_of_one_tag_is_refused");
    p9.name_taken = false;
}

static void test_tags(void)
{
    static const struct {
        const char *tag;
        unsigned length;
        const char *name;
    } bad[] = {
        { "", 0, "test_no_tag" },
        { "0123456789abcdef0123456789abcdef", 32, "test_a_tag_of_32_bytes" },
        { "host", 65535, "test_a_length_past_all_there_is" },
        { "a/b", 3, "test_a_tag_with_a_slash" },
        { "..", 2, "test_a_tag_that_leads_up" },
        { ".hidden", 7, "test_a_tag_that_begins_with_a_dot" },
        { "a b", 3, "test_a_tag_with_a_blank" },
        { "a\nb", 3, "test_a_tag_with_a_new_line" },
        { "h\xc3\xb6st", 5, "test_a_tag_that_is_not_ascii" },
        { "host", 5, "test_a_tag_with_a_zero" },
    };
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
        tap_ok(attach(bad[i].tag, bad[i].length, 1, 128) == -EINVAL && fake_reports.count == 1 &&
                   !p9.registered && !(p9.slot->status & S_DRIVER_OK),
               bad[i].name);
    tap_ok(attach("Az09_-.0123456789abcdef01234567", 31, 1, 128) == 0 &&
               strcmp(p9.share.device.name, "9p/Az09_-.0123456789abcdef01234567") == 0,
           "test_a_tag_of_31_bytes_is_fine");
}

// ---- Exchanges ----

static void test_shapes(void)
{
    static const size_t in[][2] = { { 11, 37 }, { 1, 1 }, { 48, 48 }, { 7, 1 } };
    bool right = true, answered = true;
    ready();
    for (unsigned round = 0; round < 3 * DEPTH; round++)
        for (unsigned s = 0; s < 4; s++)
            for (unsigned counts = 0; counts < 4; counts++) {
                unsigned in_count = 1 + counts / 2, room = (unsigned)in[s][0];
                room += in_count == 2 ? (unsigned)in[s][1] : 0;
                unsigned wanted = round % (room + 1);
                struct job *job = job_set(round % DEPTH, 1 + counts % 2, in[s], in_count, wanted);
                submit(job);
                right &= job->completions == 0;
                serve_all();
                answered &= job_is_answered(job, round % DEPTH, wanted);
            }
    tap_ok(right && p9.wrong_chains == 0, "test_each_message_reaches_the_device_whole");
    tap_ok(answered, "test_each_answer_comes_back_over_its_parts_and_nowhere_else");
}

// As many as there are slots, answered in another order, twice, with other shapes.
static void test_many(void)
{
    const size_t in[2] = { 11, 40 };
    unsigned heads[DEPTH];
    bool right = true;
    ready();
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < DEPTH; i++)
            submit(job_set(i, 1 + (i + round) % 2, in, 2 - round, 11 - round * i % 12));
        for (unsigned i = 0; i < DEPTH; i++)
            heads[i] = (unsigned)model_pop(&p9.device);
        right &= model_pop(&p9.device) == -1;
        for (unsigned i = 0; i < DEPTH; i++) {
            unsigned at = (i * 13 + round) % DEPTH;
            model_push(&p9.device, heads[at], answer(heads[at]));
            if (i == DEPTH / 2)
                take_interrupt();
        }
        take_interrupt();
        for (unsigned i = 0; i < DEPTH; i++)
            right &= job_is_answered(&p9.jobs[i], i, 11 - round * i % 12);
    }
    tap_ok(right && p9.wrong_chains == 0, "test_32_exchanges_in_flight_end_in_any_order");
}

static void test_doorbell(void)
{
    const size_t in[1] = { 20 };
    ready();
    put(job_set(0, 1, in, 1, 20));
    put(job_set(1, 1, in, 1, 20));
    tap_ok(p9.slot->notified == 0, "test_no_doorbell_while_more_are_started");
    struct job *refused = job_set(2, 0, in, 1, 20);
    put(refused);
    p9.share.device.ops->kick(&p9.share.device);
    tap_ok(p9.slot->notified == 1 && refused->exchange.request.result == -EINVAL,
           "test_the_last_one_rings_for_all_even_when_it_is_refused");
    serve_all();
    tap_ok(job_is_answered(&p9.jobs[0], 0, 20) && job_is_answered(&p9.jobs[1], 1, 20),
           "test_those_before_it_are_answered");
}

static void test_refused(void)
{
    const size_t in[2] = { 20, 20 };
    bool right = true;
    ready();
    tap_equal(submit_op(IO_OPEN), 0, "test_opening_is_no_message");
    tap_ok(submit_op(IO_READ) == -ENOTSUP && submit_op(IO_WRITE) == -ENOTSUP &&
               submit_op(IO_FLUSH) == -ENOTSUP,
           "test_what_is_no_exchange_is_refused");
    for (unsigned i = 0; i < 6; i++) {
        struct job *job = job_set(i, 1, in, 2, 20);
        unsigned *counts[] = { &job->exchange.out_count, &job->exchange.in_count };
        if (i < 4)
            *counts[i % 2] = i < 2 ? 0 : EXCHANGE_PARTS + 1;
        else
            job->exchange.in[1].size = i == 4 ? 0 : (size_t)1 << 30;
        submit(job);
        right &= job->completions == 1 && job->exchange.request.result == -EINVAL;
    }
    tap_ok(right && model_pop(&p9.device) == -1, "test_what_is_no_message_is_refused");
    tap_ok(p9.share.device.ops->cancel == NULL, "test_an_exchange_cannot_be_taken_back");
}

int main(void)
{
    tap_plan(31);
    test_attach();
    test_tags();
    test_shapes();
    test_many();
    test_doorbell();
    test_refused();
    return tap_done();
}
