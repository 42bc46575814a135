// Polls, and the closing of a device, on a device made for the purpose, which is ready for what the
// test says.
// Under instruction counting, so that deadlines do not depend on the host.
// qemu: -icount shift=0,sleep=off
#include <errno.h>
#include <string.h>

#include "aio/poll.h"
#include "arch/cpu.h"
#include "irq/clock.h"
#include "tests/tap.h"

enum { POLLS = 4, DEADLINE_NS = 100000 };

static struct {
    struct device device;
    unsigned ready; // enum io_ready.
    struct io_request *volatile held;
    unsigned releases;
} fake;

static struct io_request polls[POLLS], reading;
static unsigned told;
static char buffer[16];

static void fake_submit(struct device *device, struct io_request *request)
{
    (void)device;
    fake.held = request;
}

static unsigned fake_ready(const struct device *device)
{
    (void)device;
    return fake.ready;
}

static void fake_release(struct device *device)
{
    (void)device;
    fake.releases++;
}

static const struct device_ops fake_ops = { .submit = fake_submit,
                                            .ready = fake_ready,
                                            .release = fake_release };

static void fake_reset(void)
{
    memset(&fake, 0, sizeof fake);
    memset(polls, 0, sizeof polls);
    memset(&reading, 0, sizeof reading);
    fake.device.name = "fake";
    fake.device.ops = &fake_ops;
    fake.device.lanes[0].depth = 1;
    told = 0;
}

static void on_done(struct io_request *poll)
{
    (void)poll;
    told++;
}

static struct io_request *ask(unsigned i, unsigned events)
{
    polls[i].done = on_done;
    return io_poll(&fake.device, &polls[i], events) == 0 ? &polls[i] : NULL;
}

static void become_ready(unsigned ready)
{
    fake.ready = ready;
    device_ready(&fake.device);
}

static void test_ready_already(void)
{
    fake_reset();
    fake.ready = IO_READY_READ | IO_READY_WRITE;
    tap_equal(io_wait(ask(0, IO_READY_WRITE)), IO_READY_WRITE,
              "test_poll_of_a_ready_device_completes_with_what_was_asked_for");
    tap_ok(fake.device.polls == NULL, "test_poll_that_is_answered_leaves_the_list");
}

static void test_becomes_ready(void)
{
    fake_reset();
    ask(0, IO_READY_READ);
    become_ready(IO_READY_WRITE);
    tap_ok(io_in_flight(&polls[0]), "test_poll_waits_while_something_else_is_ready");
    become_ready(IO_READY_READ | IO_READY_WRITE);
    tap_equal(io_wait(&polls[0]), IO_READY_READ, "test_poll_completes_when_the_device_is_ready");
}

static void test_hangup_is_always_told(void)
{
    fake_reset();
    ask(0, 0);
    become_ready(IO_READY_READ | IO_READY_HANGUP);
    tap_equal(io_wait(&polls[0]), IO_READY_HANGUP, "test_poll_for_nothing_is_told_of_a_hangup");
    fake.ready = IO_READY_ERROR;
    tap_equal(io_wait(ask(1, IO_READY_READ)), IO_READY_ERROR, "test_poll_is_told_of_an_error");
}

static void test_only_those_that_match(void)
{
    fake_reset();
    ask(0, IO_READY_READ);
    ask(1, IO_READY_WRITE);
    ask(2, IO_READY_READ);
    ask(3, IO_READY_WRITE);
    become_ready(IO_READY_WRITE);
    io_wait(&polls[1]);
    io_wait(&polls[3]);
    tap_ok(told == 2 && io_in_flight(&polls[0]) && io_in_flight(&polls[2]),
           "test_only_polls_that_match_are_told");
    tap_equal(io_cancel(&polls[2]), 0, "test_poll_that_waits_can_be_cancelled");
    tap_equal(io_wait(&polls[2]), -ECANCELED, "test_cancelled_poll_completes_with_ECANCELED");
    become_ready(IO_READY_READ);
    tap_equal(io_wait(&polls[0]), IO_READY_READ, "test_the_others_of_the_list_stay");
    tap_equal(told, 4, "test_each_poll_completes_once");
}

static void test_deadline(void)
{
    fake_reset();
    io_set_deadline(&polls[0], clock_now_ns() + DEADLINE_NS);
    tap_equal(io_wait(ask(0, IO_READY_READ)), -ETIMEDOUT, "test_poll_ends_at_its_deadline");
    tap_ok(fake.device.polls == NULL, "test_late_poll_leaves_the_list");
}

static void test_asks_no_lane(void)
{
    fake_reset();
    reading.op = IO_READ;
    reading.buffer = buffer;
    reading.size = sizeof buffer;
    tap_ok(io_submit(&fake.device, &reading) == 0 && fake.held == &reading,
           "test_read_is_with_the_device");
    fake.ready = IO_READY_WRITE;
    tap_equal(io_wait(ask(0, IO_READY_WRITE)), IO_READY_WRITE,
              "test_poll_does_not_wait_behind_a_read");
    device_complete(&reading, 0);
    io_wait(&reading);
}

static void test_always_ready(void)
{
    static const struct device_ops ops = { .submit = fake_submit };
    fake_reset();
    fake.device.ops = &ops;
    tap_equal(io_wait(ask(0, IO_READY_READ | IO_READY_WRITE)), IO_READY_READ | IO_READY_WRITE,
              "test_device_that_does_not_say_is_always_ready");
}

static void test_close(void)
{
    fake_reset();
    io_close(&fake.device);
    tap_equal(fake.releases, 1, "test_quiet_device_is_released_at_once");

    fake_reset();
    reading.op = IO_READ;
    reading.buffer = buffer;
    reading.size = sizeof buffer;
    io_submit(&fake.device, &reading);
    io_close(&fake.device);
    tap_equal(fake.releases, 0, "test_device_with_a_request_in_flight_stays");
    device_complete(&reading, sizeof buffer);
    tap_equal(io_wait(&reading), sizeof buffer, "test_its_last_request_completes_as_if_open");
    tap_equal(fake.releases, 1, "test_then_it_is_released_once");

    fake_reset();
    ask(0, IO_READY_READ);
    io_close(&fake.device);
    tap_equal(fake.releases, 0, "test_device_that_is_polled_stays");
    io_cancel(&polls[0]);
    io_wait(&polls[0]);
    tap_equal(fake.releases, 1, "test_it_is_released_after_its_last_poll");
}

static void poll_and_close(struct io_request *request)
{
    (void)request;
    ask(0, IO_READY_READ);
    io_close(&fake.device);
}

static void poll_close_and_cancel(struct io_request *request)
{
    poll_and_close(request);
    io_cancel(&polls[0]);
}

// Runs a function at isr level, and waits for the poll that it submits.
static ssize_t poll_from_isr(void (*function)(struct io_request *))
{
    struct io_request trigger = { .done = function };
    io_fail(&trigger, -EIO);
    io_wait(&trigger);
    return io_wait(&polls[0]);
}

// Goal: however a poll ends that was submitted at isr level, its device is released behind it.
static void test_close_under_polls_from_isr(void)
{
    fake_reset();
    tap_equal(poll_from_isr(poll_close_and_cancel), -ECANCELED,
              "test_poll_from_isr_level_can_be_cancelled_there");
    tap_equal(fake.releases, 1, "test_its_device_is_released");

    fake_reset();
    io_set_deadline(&polls[0], clock_now_ns() + DEADLINE_NS);
    tap_equal(poll_from_isr(poll_and_close), -ETIMEDOUT,
              "test_poll_from_isr_level_ends_at_its_deadline");
    tap_equal(fake.releases, 1, "test_its_device_is_released_then");

    fake_reset();
    io_set_deadline(&polls[0], 1);
    tap_equal(poll_from_isr(poll_and_close), -ETIMEDOUT,
              "test_poll_from_isr_level_whose_deadline_has_passed");
    tap_equal(fake.releases, 1, "test_its_device_is_released_as_well");

    fake_reset();
    fake.ready = IO_READY_READ;
    tap_equal(poll_from_isr(poll_and_close), IO_READY_READ,
              "test_poll_from_isr_level_of_a_ready_device");
    tap_equal(fake.releases, 1, "test_its_device_is_released_at_once");
}

static unsigned released_before_done;

static void look_at_releases(struct io_request *request)
{
    (void)request;
    released_before_done = fake.releases;
}

// Goal: release() comes after the done() of the last request, whoever ends that, and at what level.
static void test_release_follows_done(void)
{
    fake_reset();
    reading = (struct io_request){ .op = IO_OPEN, .done = look_at_releases };
    io_submit(&fake.device, &reading);
    io_close(&fake.device);
    device_complete(&reading, 0);
    io_wait(&reading);
    tap_ok(released_before_done == 0 && fake.releases == 1,
           "test_device_is_released_after_done_of_its_last_request");

    fake_reset();
    reading = (struct io_request){ .op = IO_OPEN, .done = look_at_releases };
    io_submit(&fake.device, &reading);
    uint32_t flags = irq_save();
    device_complete(&reading, 0);
    io_close(&fake.device);
    irq_restore(flags);
    io_wait(&reading);
    tap_ok(released_before_done == 0 && fake.releases == 1,
           "test_also_when_it_is_closed_in_between");
}

static void test_close_with_a_queue(void)
{
    static struct io_request behind;
    fake_reset();
    memset(&behind, 0, sizeof behind);
    reading = (struct io_request){ .op = IO_READ, .buffer = buffer, .size = sizeof buffer };
    behind = reading;
    io_submit(&fake.device, &reading);
    io_submit(&fake.device, &behind);
    io_close(&fake.device);
    device_complete(&reading, 1);
    io_wait(&reading);
    while (fake.held != &behind) {} // It is started at the tail of the software interrupt.
    tap_equal(fake.releases, 0, "test_requests_in_the_queue_come_first");
    device_complete(&behind, 2);
    tap_equal(io_wait(&behind), 2, "test_each_of_them_completes");
    tap_equal(fake.releases, 1, "test_the_device_is_released_behind_them");
}

static void test_call(void)
{
    struct io_request request = { .op = IO_CALL };
    fake_reset();
    tap_equal(io_submit(&fake.device, &request), -ENOTSUP,
              "test_call_to_a_device_that_knows_none_is_ENOTSUP");
}

int main(void)
{
    tap_plan(36);
    test_ready_already();
    test_becomes_ready();
    test_hangup_is_always_told();
    test_only_those_that_match();
    test_deadline();
    test_asks_no_lane();
    test_always_ready();
    test_close();
    test_close_under_polls_from_isr();
    test_release_follows_done();
    test_close_with_a_queue();
    test_call();
    return tap_done();
}
