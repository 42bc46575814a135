// Requests whose memory is several pieces, in the core, over a device that does what the test says:
// one piece after another where the device takes one at a time; and the places of those that a
// device takes whole.
// sources: aio/*.c drivers/device.c
#include <errno.h>
#include <string.h>

#include "tests/host/fake/core.h"
#include "tests/tap.h"

enum { SEEN = 64 };

// What the device has been given, in order, and what it has now.
static struct io_request seen[SEEN], *held[SEEN];
static unsigned seen_count, held_count, whole_count, kicks;
static int cancel_answer;
static struct device device;
static char memory[4][100];
static struct io_request *ended[SEEN];
static unsigned ended_count;

static void submit(struct device *of, struct io_request *request)
{
    (void)of;
    seen[seen_count++] = *request;
    held[held_count++] = request;
}

static void put_segments(struct device *of, struct io_request *request)
{
    whole_count++;
    submit(of, request);
}

static void kick(struct device *of)
{
    (void)of;
    kicks++;
}

static unsigned places(const struct device *of, const struct io_request *request)
{
    (void)of;
    return request->segments;
}

static struct io_request *drop(struct io_request *request)
{
    unsigned i = 0;
    while (held[i] != request)
        i++;
    memmove(&held[i], &held[i + 1], (--held_count - i) * sizeof held[0]);
    return request;
}

static int cancel(struct device *of, struct io_request *request)
{
    (void)of;
    if (cancel_answer == 0) {
        request->moved = 3;
        device_complete(drop(request), -ECANCELED);
    }
    return cancel_answer;
}

static const struct device_ops one_by_one = { .submit = submit, .cancel = cancel };
static const struct device_ops all_at_once = {
    .submit = submit, .put = submit, .kick = kick, .places = places, .put_segments = put_segments
};

static void fresh(const struct device_ops *ops, enum device_kind kind, unsigned depth)
{
    device = (struct device){ .name = "fake", .ops = ops, .kind = kind };
    device.lanes[0].depth = (uint16_t)depth;
    seen_count = held_count = whole_count = kicks = ended_count = 0;
    cancel_answer = -EBUSY;
}

static void on_done(struct io_request *request)
{
    ended[ended_count++] = request;
}

static struct io_request of_list(enum io_op op, uint64_t offset, struct io_segment *list,
                                 unsigned count)
{
    return (struct io_request){ .op = (uint8_t)op,
                                .offset = offset,
                                .flags = IO_SEGMENTS,
                                .buffer = list,
                                .segments = (uint16_t)count,
                                .done = on_done };
}

static struct io_request plain(enum io_op op, uint64_t offset)
{
    return (struct io_request){ .op = (uint8_t)op, .offset = offset, .size = 1, .done = on_done };
}

struct answer {
    ssize_t result;
    size_t moved;
};

static void answer_isr(void *argument)
{
    const struct answer *answer = argument;
    struct io_request *request = drop(held[0]);
    request->moved = answer->moved;
    device_complete(request, answer->result);
}

// The device ends the oldest that it has, and what follows of that happens. moved: with an error.
static void answer(ssize_t result, size_t moved)
{
    struct answer said = { result, moved };
    fake_isr(answer_isr, &said);
    fake_run_all();
}

static void answer_in_full(void)
{
    answer((ssize_t)held[0]->size, 0);
}

static bool shown(unsigned index, const void *buffer, size_t size, uint64_t offset)
{
    return index < seen_count && seen[index].buffer == buffer && seen[index].size == size &&
           seen[index].offset == offset && seen[index].moved == 0;
}

static bool is_as_it_was(const struct io_request *request, uint64_t offset,
                         const struct io_segment *list, unsigned flags)
{
    return request->offset == offset && request->buffer == list &&
           request->flags == (IO_SEGMENTS | flags);
}

static struct io_segment three[] = { { memory[0], 10 }, { memory[1], 20 }, { memory[2], 30 } };

static void test_one_after_another(void)
{
    fresh(&one_by_one, DEVICE_FILE, 1);
    struct io_request request = of_list(IO_READ, 100, three, 3), other = plain(IO_WRITE, 7);
    tap_ok(io_submit(&device, &request) == 0 && shown(0, memory[0], 10, 100) && seen_count == 1,
           "test_the_first_segment_is_started_at_once");
    io_submit(&device, &other);
    answer_in_full();
    tap_ok(shown(1, memory[1], 20, 110) && io_in_flight(&request),
           "test_the_next_one_follows_at_its_offset");
    answer_in_full();
    answer_in_full();
    tap_ok(shown(2, memory[2], 30, 130) && seen[3].offset == 7,
           "test_nothing_else_comes_in_between");
    answer_in_full();
    tap_ok(request.result == 60 && request.moved == 60 && request.size == 60 && ended_count == 2 &&
               ended[0] == &request,
           "test_the_result_is_the_sum");
    tap_ok(is_as_it_was(&request, 100, three, 0), "test_the_owners_fields_are_as_they_were");
    tap_equal(device.statistics.completed, 2, "test_it_counts_as_one");
    tap_equal(device.lanes[0].in_flight, 0, "test_the_lane_is_empty_again");
    tap_ok(io_submit(&device, &request) == 0 && shown(4, memory[0], 10, 100),
           "test_it_may_be_submitted_again");
}

static void test_empty(void)
{
    struct io_segment list[] = {
        { NULL, 0 }, { memory[0], 5 }, { NULL, 0 }, { memory[1], 6 }, { NULL, 0 }
    };
    fresh(&one_by_one, DEVICE_FILE, 1);
    struct io_request request = of_list(IO_WRITE, 0, list, 5);
    io_submit(&device, &request);
    answer_in_full();
    answer_in_full();
    tap_ok(shown(0, memory[0], 5, 0) && shown(1, memory[1], 6, 5) && request.result == 11,
           "test_empty_segments_are_left_out");
    request = of_list(IO_WRITE, 0, list, 1);
    io_submit(&device, &request);
    tap_equal((long)seen[2].size, 0, "test_the_device_is_asked_about_nothing_too");
    answer_in_full();
    tap_equal((long)request.result, 0, "test_which_is_nothing");
}

static void test_refused(void)
{
    struct io_segment list[] = { { memory[0], SIZE_MAX / 2 }, { memory[1], 1 } };
    fresh(&one_by_one, DEVICE_STREAM, 1);
    struct io_request request = of_list(IO_READ, 0, list, 0);
    tap_equal(io_submit(&device, &request), -EINVAL, "test_no_segments");
    request = of_list(IO_READ, 0, list, 2);
    tap_equal(io_submit(&device, &request), -EINVAL, "test_more_than_a_result_can_say");
    request = of_list(IO_FLUSH, 0, three, 3);
    tap_equal(io_submit(&device, &request), -EINVAL, "test_what_has_no_memory_has_no_segments");
    request = of_list(IO_READ, 0, (void *)((char *)three + 1), 2);
    tap_equal(io_submit(&device, &request), -EFAULT, "test_a_list_that_is_not_aligned");
    device.messages = true;
    request = of_list(IO_READ, 0, three, 3);
    tap_equal(io_submit(&device, &request), -ENOTSUP, "test_messages_are_not_split");
    tap_ok(seen_count == 0 && is_as_it_was(&request, 0, three, 0) && io_idle(&request) &&
               device.statistics.refused == 5,
           "test_what_is_refused_leaves_no_trace");
}

static void test_short(void)
{
    fresh(&one_by_one, DEVICE_FILE, 1);
    struct io_request request = of_list(IO_READ, 0, three, 3);
    io_submit(&device, &request);
    answer_in_full();
    answer(19, 0);
    tap_ok(request.result == 29 && seen_count == 2, "test_a_short_segment_is_the_last");
    io_submit(&device, &request);
    answer_in_full();
    answer(0, 0);
    tap_ok(request.result == 10 && is_as_it_was(&request, 0, three, 0), "test_so_is_the_end");
    io_submit(&device, &request);
    answer(-EIO, 4);
    tap_ok(request.result == -EIO && request.moved == 4 && request.size == 60,
           "test_an_error_in_the_first_is_the_requests");
    io_submit(&device, &request);
    answer_in_full();
    answer(-EIO, 4);
    tap_ok(request.result == 14 && request.moved == 14, "test_one_in_a_later_makes_it_short");
}

static void test_streams(void)
{
    fresh(&one_by_one, DEVICE_STREAM, 1);
    struct io_request request = of_list(IO_READ, 0, three, 3);
    io_submit(&device, &request);
    answer_in_full();
    tap_ok(!(seen[0].flags & IO_NONBLOCK) && seen[1].flags & IO_NONBLOCK,
           "test_reading_waits_for_the_first_only");
    answer(-EAGAIN, 0);
    tap_ok(request.result == 10 && is_as_it_was(&request, 0, three, 0),
           "test_what_there_is_no_more_of_ends_it");
    request.flags |= IO_NONBLOCK;
    io_submit(&device, &request);
    answer(-EAGAIN, 0);
    tap_ok(request.result == -EAGAIN && is_as_it_was(&request, 0, three, IO_NONBLOCK),
           "test_nothing_at_all_is_eagain");
    request = of_list(IO_WRITE, 0, three, 3);
    io_submit(&device, &request);
    answer_in_full();
    tap_ok(!(seen[4].flags & IO_NONBLOCK), "test_writing_waits_for_each");
    answer_in_full();
    answer(-EPIPE, 0);
    tap_equal((long)request.result, 30, "test_a_reader_who_leaves_makes_it_short");
}

static void cancel_between(void *argument)
{
    struct answer said = { 10, 0 };
    answer_isr(&said);
    io_cancel(argument); // Its next segment has not been started.
}

static void test_cancel(void)
{
    struct io_request first = plain(IO_READ, 0), request = of_list(IO_READ, 50, three, 3);
    fresh(&one_by_one, DEVICE_FILE, 1);
    io_submit(&device, &first);
    io_submit(&device, &request);
    tap_equal(io_cancel(&request), 0, "test_cancel_in_the_queue");
    fake_run_all();
    tap_ok(request.result == -ECANCELED && request.moved == 0 && seen_count == 1 &&
               is_as_it_was(&request, 50, three, 0),
           "test_then_the_device_never_sees_it");
    answer_in_full();

    io_submit(&device, &request);
    answer_in_full();
    cancel_answer = 0;
    tap_equal(io_cancel(&request), 0, "test_cancel_in_a_segment");
    fake_run_all();
    tap_ok(request.result == -ECANCELED && request.moved == 13 && request.size == 60,
           "test_what_was_moved_before_counts");

    cancel_answer = -EBUSY;
    io_submit(&device, &request);
    tap_ok(io_cancel(&request) == 0 && io_cancel(&request) == -EALREADY,
           "test_cancel_of_a_segment_that_cannot_be_given_up");
    answer_in_full();
    tap_ok(request.result == -ECANCELED && request.moved == 10, "test_it_ends_with_that_segment");

    io_submit(&device, &request);
    answer_in_full();
    answer_in_full();
    tap_equal(io_cancel(&request), -EBUSY, "test_the_last_one_cannot_be_given_up");
    answer_in_full();
    tap_equal((long)request.result, 60, "test_and_ends_as_if_nothing_had_been_asked");

    io_submit(&device, &request);
    unsigned before = seen_count;
    fake_isr(cancel_between, &request);
    fake_run_all();
    tap_ok(request.result == -ECANCELED && request.moved == 10 && seen_count == before,
           "test_cancel_between_two_segments");
    tap_equal(device.lanes[0].in_flight, 0, "test_no_place_is_lost");
}

static void expire(void *argument)
{
    struct timer *timer = argument;
    timer->expired(timer);
}

static void test_deadline(void)
{
    struct io_request request = of_list(IO_READ, 0, three, 3);
    fresh(&one_by_one, DEVICE_FILE, 1);
    io_set_deadline(&request, 1000);
    io_submit(&device, &request);
    answer_in_full();
    fake_isr(expire, &request.timer);
    tap_ok(io_in_flight(&request), "test_a_deadline_waits_for_the_segment_under_way");
    answer_in_full();
    tap_ok(request.result == -ETIMEDOUT && request.moved == 30 && seen_count == 2,
           "test_then_no_other_follows");
    io_submit(&device, &request);
    for (unsigned i = 0; i < 3; i++)
        answer_in_full();
    tap_ok(request.result == 60 && is_as_it_was(&request, 0, three, IO_DEADLINE),
           "test_in_time_it_ends_as_any");
}

// Several at a time, on a device that takes several: each goes on by itself.
static void test_several(void)
{
    struct io_request requests[3];
    bool right = true;
    fresh(&one_by_one, DEVICE_FILE, 2);
    for (unsigned i = 0; i < 3; i++) {
        requests[i] = of_list(IO_READ, 1000 * i, three, 3);
        io_submit(&device, &requests[i]);
    }
    right &= held_count == 2;
    while (held_count > 0) {
        answer_in_full();
        right &= device.lanes[0].in_flight <= 2;
    }
    for (unsigned i = 0; i < 3; i++)
        right &= requests[i].result == 60;
    tap_ok(right && seen_count == 9 && ended_count == 3, "test_several_at_a_time");
}

// Goal: a request takes as many places as the device says; one that needs many comes to its turn.
static void test_places(void)
{
    struct io_request a = plain(IO_READ, 0), b = plain(IO_READ, 0), late = plain(IO_READ, 0);
    struct io_request heavy = of_list(IO_READ, 0, three, 3), flush = plain(IO_FLUSH, 0);
    fresh(&all_at_once, DEVICE_BLOCK, 4);
    io_submit(&device, &heavy);
    tap_ok(seen_count == 1 && whole_count == 1 && kicks == 1 && seen[0].segments == 3 &&
               seen[0].size == 60 && seen[0].buffer == three,
           "test_a_device_that_takes_segments_gets_all_at_once");
    tap_equal(device.lanes[0].in_flight, 3, "test_it_takes_its_places");
    io_submit(&device, &flush);
    answer_in_full();
    tap_ok(heavy.result == 60 && held_count == 1 && seen[1].op == IO_FLUSH,
           "test_a_flush_comes_behind_it");
    answer(0, 0);
    tap_equal(device.lanes[0].in_flight, 0, "test_all_places_are_given_back");

    io_submit(&device, &a);
    io_submit(&device, &b);
    io_submit(&device, &heavy);
    io_submit(&device, &late);
    tap_ok(held_count == 2 && heavy.state == IO_QUEUED && late.state == IO_QUEUED,
           "test_what_has_no_room_waits_and_others_behind_it");
    answer_in_full();
    tap_ok(held_count == 2 && whole_count == 2 && device.lanes[0].in_flight == 4 &&
               late.state == IO_QUEUED,
           "test_it_starts_as_soon_as_it_fits");
    answer_in_full();
    tap_ok(held_count == 2 && late.state == IO_STARTED, "test_then_those_behind_it_do");
    answer_in_full();
    answer_in_full();

    io_submit(&device, &a);
    io_submit(&device, &b);
    io_submit(&device, &heavy);
    io_submit(&device, &late);
    tap_equal(io_cancel(&heavy), 0, "test_cancel_of_one_that_waits_for_room");
    fake_run_all();
    tap_ok(heavy.result == -ECANCELED && held_count == 3 && device.lanes[0].in_flight == 3,
           "test_those_behind_it_go_on");
    while (held_count > 0)
        answer_in_full();
    tap_equal(device.lanes[0].in_flight, 0, "test_no_place_is_lost_by_that");
}

int main(void)
{
    tap_plan(50);
    test_one_after_another();
    test_empty();
    test_refused();
    test_short();
    test_streams();
    test_cancel();
    test_deadline();
    test_several();
    test_places();
    return tap_done();
}
