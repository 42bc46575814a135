// What drivers of virtio devices share, under the smallest driver there is: the budget of an
// interrupt, and how a broken device is given up.
// sources: drivers/virtio/virtio_service.c drivers/virtio/virtio_mmio.c
// sources: drivers/virtio/virtqueue.c
#include <errno.h>

#include "drivers/virtio/virtio_service.h"
#include "tests/host/virtio_model.h"
#include "tests/tap.h"

enum { DESCRIPTORS = 256, CHAINS = 220, SLOT = 3, CHANGED = 2, NEEDS_RESET = 0x40 };

const struct virtio_class *const virtio_classes[] = { NULL }; // Nobody scans slots.

static struct device device = { .name = "thing" };
static struct virtio_service service;
static struct model_device modelled;
static struct model_slot *slot;
static _Alignas(VIRTQUEUE_ALIGNMENT) uint8_t memory[VIRTQUEUE_BYTES(DESCRIPTORS)];
static unsigned heads[CHAINS], ended, stopped, failed;
static uint32_t written_sum;
static int register_answer;
static unsigned counted_back, freed; // What end() says; what the core hears.

int device_register(struct device *registered)
{
    (void)registered;
    return register_answer;
}

void device_lane_freed_isr(struct device *of, struct io_lane *lane, unsigned requests)
{
    freed += of == &device && lane == &device.lanes[0] ? requests : 1000;
}

// ---- The driver ----

static unsigned end(struct virtio_service *of, void *owner, uint32_t written)
{
    ended += of == &service && owner == &heads[ended];
    written_sum += written;
    return counted_back;
}

static bool interrupt(void *context)
{
    return virtio_service_interrupt(context, &device, end);
}

static void drain(struct virtio_service *of)
{
    virtio_service_drain(of, &device, end);
}

static void stop(struct virtio_service *of)
{
    stopped += slot->status != 0 && of->queue.broken;
}

static void fail(struct virtio_service *of)
{
    failed += virtio_quiet(&of->transport) && of->queue.broken;
}

static int start(void)
{
    static const struct virtio_service_ops ops = {
        .interrupt = interrupt, .drain = drain, .stop = stop, .fail = fail
    };
    model_fresh();
    slot = model_plug(SLOT, 1, UINT64_C(1) << 32);
    ended = freed = stopped = failed = 0;
    written_sum = 0;
    service = (struct virtio_service){ .device = &device, .ops = &ops };
    service.transport.base = MODEL_BASE + SLOT * MODEL_STRIDE;
    service.transport.irq = MODEL_IRQ + SLOT;
    virtqueue_init(&service.queue, memory, DESCRIPTORS);
    modelled = (struct model_device){ .queue = &service.queue };
    return virtio_service_start(&service);
}

static void give_back(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        model_push(&modelled, (uint32_t)model_pop(&modelled), 8);
}

// All chains are with the device, which has given the first few of them back.
static void ready(unsigned given_back)
{
    const struct virtqueue_part part = { 0x1000, 8 };
    if (start() != 0)
        abort();
    for (unsigned i = 0; i < CHAINS; i++) {
        heads[i] = (unsigned)virtqueue_chain(&service.queue, &part, 0, 1, &heads[i]);
        virtqueue_put(&service.queue, heads[i], 8);
    }
    virtio_service_kick(&service);
    give_back(given_back);
}

static bool raise(uint32_t why)
{
    slot->interrupt_status |= why;
    return model_interrupt(slot);
}

// ---- The tests ----

static void test_start(void)
{
    tap_ok(start() == 0 && slot->status & S_DRIVER_OK && !model_is_silenced(slot) &&
               model_is_installed(slot),
           "test_a_started_device_is_set_to_work");
    register_answer = -EEXIST;
    tap_ok(start() == -EEXIST && !model_is_installed(slot) && model_is_silenced(slot) &&
               !(slot->status & S_DRIVER_OK),
           "test_one_whose_name_is_taken_is_left_alone");
    register_answer = 0;
}

static void test_budget(void)
{
    ready(140);
    tap_ok(slot->notified == 1, "test_a_kick_rings_the_doorbell");
    tap_ok(raise(1) && ended == 64 && fake_work.head,
           "test_an_interrupt_ends_64_and_defers_the_rest");
    raise(1); // Another one: it may go on, but what is deferred must not be deferred again.
    tap_equal(ended, 128, "test_another_interrupt_before_the_rest_goes_on");
    fake_run_one();
    tap_ok(ended == 140 && written_sum == 8 * 140 && !fake_work.head, "test_each_of_140_ends_once");
    give_back(80);
    tap_ok(raise(1) && ended == 204 && fake_work.head, "test_the_next_rest_is_deferred_too");
    fake_run_one();
    tap_ok(!raise(0) && ended == CHAINS, "test_an_interrupt_of_somebody_else_is_not_claimed");
    tap_ok(raise(CHANGED) && ended == CHAINS && !failed,
           "test_a_change_of_configuration_ends_nothing");

    ready(2);
    tap_ok(raise(1 | CHANGED) && ended == 2, "test_an_interrupt_may_tell_of_both");
    tap_equal(freed, 2, "test_the_lane_hears_of_all_that_have_ended");
    counted_back = 1;
    ready(3);
    tap_ok(raise(1) && ended == 3 && freed == 0, "test_and_of_none_that_has_counted_itself");
    counted_back = 0;
}

static void test_giving_up(void)
{
    ready(3);
    model_push(&modelled, 5000, 0);
    raise(1);
    tap_ok(ended == 3 && failed == 1, "test_what_came_before_a_lie_has_ended_and_the_others_fail");
    tap_ok(fake_reports.count == 1 && strstr(fake_reports.last, "thing") &&
               strstr(fake_reports.last, "no descriptor"),
           "test_it_is_said_who_and_why");
    tap_equal(freed, 3, "test_the_lane_does_not_hear_of_the_lie");
    tap_equal(stopped, 1, "test_the_driver_hears_of_it_before_the_reset");
    tap_ok(slot->status == 0 && model_is_silenced(slot), "test_the_device_is_reset_and_silenced");
    raise(1);
    virtio_service_give_up(&service);
    tap_ok(failed == 1 && fake_reports.count == 1 && ended == 3, "test_a_device_is_given_up_once");

    ready(70);
    raise(1);
    virtqueue_break(&service.queue, "a test");
    fake_run_one();
    tap_equal(ended, 64, "test_what_was_deferred_is_not_believed_when_the_device_is_broken");

    ready(5);
    slot->status |= NEEDS_RESET;
    raise(1 | CHANGED);
    tap_ok(ended == 5 && failed == 1 && strstr(fake_reports.last, "asks for a reset"),
           "test_a_device_that_needs_a_reset_is_given_up_after_what_it_has_done");
}

// Goal: no buffer is given back while the device may still write there.
static void test_slow_reset(void)
{
    unsigned polls = 0;
    ready(0);
    slot->reset_polls = 4; // One is asked by the reset itself.
    service.queue.used->idx = 999;
    raise(1);
    tap_ok(failed == 0 && fake_clock.timers, "test_nothing_fails_until_the_device_is_quiet");
    while (fake_timer_expires())
        polls++;
    tap_ok(failed == 1 && polls == 3, "test_then_all_fail");
}

int main(void)
{
    tap_plan(22);
    test_start();
    test_budget();
    test_giving_up();
    test_slow_reset();
    return tap_done();
}
