// The core's promises on a device made for the purpose, which completes when the test says so: from
// main, from an interrupt, inside submit, or never.
// Under instruction counting, so that deadlines do not depend on the host.
// qemu: -icount shift=0,sleep=off
#include <errno.h>
#include <string.h>

#include "aio/core.h"
#include "arch/cpu.h"
#include "arch/memory.h"
#include "tests/tap.h"

enum { HELD = 8, MANY = 4096 };

static struct {
    struct device device;
    struct io_request *started[HELD];
    unsigned started_count, submits;
    int refuse;     // What submit answers, if not 0.
    bool immediate; // Completes inside submit.
    int cancel_answer;
    unsigned cancels;
} fake;

static struct io_request requests[MANY];
static unsigned order[MANY];
static volatile unsigned done_count, notify_count;
static bool done_outside_isr, notify_before_done, told_too_early;
static char buffer[64];

static void fake_submit(struct device *device, struct io_request *request)
{
    (void)device;
    fake.submits++;
    if (fake.refuse) {
        device_complete(request, fake.refuse);
    } else if (fake.immediate) {
        device_complete(request, (ssize_t)request->size);
        // However long the driver takes from here on, nobody may be told yet.
        for (volatile unsigned i = 0; i < 1000; i++)
            ;
        told_too_early |= notify_count != 0;
    } else
        fake.started[fake.started_count++] = request;
}

static int fake_cancel(struct device *device, struct io_request *request)
{
    (void)device;
    (void)request;
    fake.cancels++;
    return fake.cancel_answer;
}

static const struct device_ops fake_ops = { .submit = fake_submit, .cancel = fake_cancel };

static void fake_reset(uint16_t depth)
{
    memset(&fake, 0, sizeof fake);
    memset(requests, 0, sizeof requests);
    fake.device.name = "fake";
    fake.device.ops = &fake_ops;
    fake.device.lanes[0].depth = depth;
    done_count = notify_count = 0;
    done_outside_isr = notify_before_done = false;
}

// Completes the longest started request, as the device's interrupt would.
static void complete_first(ssize_t result)
{
    struct io_request *request = fake.started[0];
    fake.started_count--;
    memmove(fake.started, fake.started + 1, fake.started_count * sizeof fake.started[0]);
    device_complete(request, result);
}

static void on_done(struct io_request *request)
{
    order[done_count++] = (unsigned)(request - requests);
    done_outside_isr |= !cpu_in_isr();
}

static void on_notify(struct callback *callback)
{
    (void)callback;
    notify_before_done |= notify_count >= done_count;
    notify_count++;
}

static int submit(unsigned i, uint8_t priority)
{
    requests[i].op = IO_READ;
    requests[i].buffer = buffer;
    requests[i].size = sizeof buffer;
    requests[i].priority = priority;
    requests[i].done = on_done;
    requests[i].notify.run = on_notify;
    return io_submit(&fake.device, &requests[i]);
}

static void settle(void)
{
    for (volatile unsigned i = 0; i < 20000; i++)
        ;
}

static void test_completes_once(void)
{
    fake_reset(1);
    submit(0, 0);
    tap_ok(io_in_flight(&requests[0]) && done_count == 0, "test_an_accepted_request_is_in_flight");
    complete_first(17);
    settle();
    tap_ok(done_count == 1 && notify_count == 1, "test_a_request_completes_once");
    tap_ok(requests[0].result == 17 && requests[0].moved == 17, "test_the_result_is_the_drivers");
    tap_ok(!done_outside_isr, "test_done_runs_at_isr_level_whoever_completes");
    tap_ok(!notify_before_done, "test_notify_follows_done");
    tap_ok(!io_in_flight(&requests[0]) && requests[0].state == IO_IDLE,
           "test_a_notified_request_is_the_owners_again");
}

static void test_inside_submit(void)
{
    fake_reset(1);
    fake.immediate = true;
    submit(0, 0);
    settle();
    tap_ok(done_count == 1 && notify_count == 1 && !done_outside_isr,
           "test_completion_inside_submit_is_reported_once");
    tap_ok(!told_too_early, "test_notify_never_runs_before_submit_has_committed");
    fake_reset(1);
    fake.refuse = -EIO;
    tap_equal(submit(0, 0), 0, "test_a_driver_that_refuses_does_not_make_submit_fail");
    settle();
    tap_ok(done_count == 1 && requests[0].result == -EIO, "test_but_its_error_is_the_result");
}

static bool order_is(const unsigned *expected, unsigned count)
{
    return done_count == count && memcmp(order, expected, count * sizeof *expected) == 0;
}

static void test_queue(void)
{
    fake_reset(1);
    for (unsigned i = 0; i < 5; i++)
        submit(i, 0);
    tap_ok(fake.submits == 1, "test_a_busy_device_is_given_no_more_than_its_depth");
    while (fake.started_count > 0)
        complete_first(0);
    settle();
    tap_ok(order_is((const unsigned[]){ 0, 1, 2, 3, 4 }, 5),
           "test_requests_of_one_priority_keep_their_order");

    fake_reset(1);
    submit(0, 3);
    submit(1, 7);
    submit(2, 0);
    submit(3, 3);
    submit(4, 0);
    while (fake.started_count > 0)
        complete_first(0);
    settle();
    tap_ok(order_is((const unsigned[]){ 0, 2, 4, 3, 1 }, 5),
           "test_the_more_urgent_priority_goes_first");
}

// A flush is submitted in the midst of writes: it starts when the ones before it are done.
static void test_flush(void)
{
    fake_reset(2);
    submit(0, 7);
    submit(1, 7);
    submit(2, 7);
    requests[3].op = IO_FLUSH;
    requests[3].done = on_done;
    io_submit(&fake.device, &requests[3]);
    submit(4, 7);
    complete_first(0);
    settle();
    complete_first(0);
    settle();
    bool waited = fake.started_count == 1 && fake.started[0] == &requests[2];
    complete_first(0);
    settle();
    tap_ok(waited && fake.started_count == 2 && fake.started[0] == &requests[3],
           "test_a_flush_waits_for_everything_before_it");
    while (fake.started_count > 0)
        complete_first(0);
    settle();
    tap_ok(order_is((const unsigned[]){ 0, 1, 2, 3, 4 }, 5), "test_what_comes_after_it_goes_on");
}

static void test_refused(void)
{
    extern char __text_start[];
    static char *const bad[] = { NULL, (char *)&fake_ops, (char *)4096,
                                 (char *)(UINTPTR_MAX - 15) };
    struct io_request *request = &requests[0];
    struct io_request before;
    bool refused = true, untouched = true;
    fake_reset(1);
    for (unsigned i = 0; i < 4; i++) {
        *request = (struct io_request){ .op = IO_READ, .buffer = bad[i], .size = 64 };
        before = *request;
        refused &= io_submit(&fake.device, request) == -EFAULT;
        untouched &= memcmp(request, &before, sizeof before) == 0;
    }
    *request = (struct io_request){ .op = IO_READ, .buffer = (char *)fake_ops.submit, .size = 64 };
    refused &= io_submit(&fake.device, request) == -EFAULT;
    *request = (struct io_request){ .op = IO_READ, .buffer = device_first(), .size = 4 };
    refused &= io_submit(&fake.device, request) == -EFAULT;
    tap_ok(refused, "test_null_constant_text_kernel_wrapping_and_unmapped_buffers_are_refused");
    tap_ok(untouched && fake.submits == 0, "test_a_refused_request_leaves_no_trace");
    tap_equal(fake.device.statistics.refused, 6, "test_refusals_are_counted");
    extern char __isr_stack_bottom[], __callback_stack_guard[], __main_stack_bottom[];
    const uintptr_t stacks[] = { (uintptr_t)__isr_stack_bottom,
                                 (uintptr_t)__callback_stack_guard + 1,
                                 (uintptr_t)__main_stack_bottom - 1 };
    bool stacks_refused = true;
    for (unsigned i = 0; i < 3; i++) {
        *request = (struct io_request){ .op = IO_READ, .buffer = (void *)stacks[i], .size = 64 };
        stacks_refused &= io_submit(&fake.device, request) == -EFAULT;
    }
    tap_ok(stacks_refused, "test_the_kernels_stacks_and_all_guards_are_refused");
    *request = (struct io_request){ .op = IO_WRITE, .buffer = __text_start, .size = 64 };
    tap_equal(io_submit(&fake.device, request), 0, "test_constants_may_be_written_from");
    complete_first(64);
    settle();
    *request = (struct io_request){
        .op = IO_READ, .buffer = buffer, .size = 64, .priority = IO_PRIORITIES
    };
    tap_equal(io_submit(&fake.device, request), -EINVAL, "test_a_priority_out_of_range_is_refused");
    *request = (struct io_request){ .op = IO_READ, .buffer = NULL, .size = 0 };
    tap_equal(io_submit(&fake.device, request), 0, "test_no_buffer_is_fine_for_no_bytes");
    complete_first(0);
    settle();
}

static void test_cancel(void)
{
    fake_reset(1);
    for (unsigned i = 0; i < 3; i++)
        submit(i, 0);
    tap_equal(io_cancel(&requests[1]), 0, "test_a_queued_request_can_be_cancelled");
    settle();
    tap_ok(done_count == 1 && requests[1].result == -ECANCELED && fake.cancels == 0,
           "test_it_completes_without_the_driver");
    tap_equal(io_cancel(&requests[1]), -EALREADY, "test_a_done_request_is_too_late");

    fake.cancel_answer = -EBUSY;
    tap_equal(io_cancel(&requests[0]), -EBUSY, "test_a_driver_may_say_not_cancelable");
    fake.cancel_answer = 0;
    tap_equal(io_cancel(&requests[0]), 0, "test_a_driver_may_give_a_request_up");
    tap_equal(io_cancel(&requests[0]), -EALREADY, "test_a_request_is_cancelled_only_once");
    requests[0].moved = 5;
    complete_first(-ECANCELED);
    settle();
    tap_ok(requests[0].result == -ECANCELED && requests[0].moved == 5,
           "test_bytes_moved_before_a_cancel_are_reported");
    tap_ok(fake.started_count == 1 && fake.started[0] == &requests[2],
           "test_the_queue_goes_on_after_a_cancel");
    complete_first(0);
    settle();
    tap_equal(done_count, 3, "test_cancelled_requests_complete_once");
}

static void wait_ns(uint64_t ns)
{
    for (uint64_t end = clock_now_ns() + ns; clock_now_ns() < end;)
        ;
}

static void test_deadline(void)
{
    fake_reset(1);
    io_set_deadline(&requests[0], clock_now_ns() + 1000000);
    io_set_deadline(&requests[1], clock_now_ns() + 1000000);
    submit(0, 0);
    submit(1, 0);
    wait_ns(2000000);
    tap_ok(requests[1].result == -ETIMEDOUT && done_count == 1,
           "test_a_queued_request_is_late_at_its_deadline");
    tap_ok(fake.cancels == 1 && io_in_flight(&requests[0]),
           "test_a_started_one_not_before_the_device_is_quiet");
    complete_first(-ECANCELED);
    settle();
    tap_ok(requests[0].result == -ETIMEDOUT && done_count == 2, "test_then_it_is_late");

    fake_reset(1);
    fake.cancel_answer = -EBUSY;
    io_set_deadline(&requests[0], clock_now_ns() + 1000000);
    submit(0, 0);
    wait_ns(2000000);
    bool quarantined = io_in_flight(&requests[0]);
    complete_first(64);
    settle();
    tap_ok(quarantined && requests[0].result == -ETIMEDOUT && requests[0].moved == 64,
           "test_a_request_that_cannot_be_withdrawn_stays_in_quarantine");

    fake_reset(1);
    io_set_deadline(&requests[0], clock_now_ns() + 1000000);
    submit(0, 0);
    complete_first(64);
    wait_ns(2000000);
    tap_ok(requests[0].result == 64 && done_count == 1 && fake.cancels == 0,
           "test_a_request_in_time_forgets_its_deadline");
}

// A device that completes inside submit, and requests that submit the next one from done(): no
// recursion, one each.
static void chain(struct io_request *request)
{
    on_done(request);
    if (request + 1 < requests + MANY) {
        request[1].op = IO_READ;
        request[1].done = chain;
        io_submit(&fake.device, request + 1);
    }
}

static void test_chain(void)
{
    fake_reset(1);
    fake.immediate = true;
    requests[0].op = IO_READ;
    requests[0].done = chain;
    io_submit(&fake.device, &requests[0]);
    for (int i = 0; i < 100 && done_count < MANY; i++)
        settle();
    bool in_order = true;
    for (unsigned i = 0; i < MANY; i++)
        in_order &= order[i] == i;
    tap_ok(done_count == MANY && in_order,
           "test_a_chain_of_4096_immediate_requests_does_not_recurse");
}

static void test_many_waiting(void)
{
    fake_reset(1);
    fake.refuse = 0;
    for (unsigned i = 0; i < MANY; i++)
        submit(i, 0);
    fake.immediate = true;
    complete_first(0);
    for (int i = 0; i < 200 && notify_count < MANY; i++)
        settle();
    bool in_order = true;
    for (unsigned i = 0; i < MANY; i++)
        in_order &= order[i] == i;
    tap_ok(done_count == MANY && notify_count == MANY && in_order,
           "test_4096_waiting_requests_complete_in_order");
}

int main(void)
{
    tap_plan(38);
    test_completes_once();
    test_inside_submit();
    test_queue();
    test_flush();
    test_refused();
    test_cancel();
    test_deadline();
    test_chain();
    test_many_waiting();
    return tap_done();
}
