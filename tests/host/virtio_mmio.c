// The memory-mapped transport over modelled slots: what is found, agreed upon, refused.
// sources: drivers/virtio/virtio_mmio.c drivers/virtio/virtqueue.c
#include <errno.h>

#include "tests/host/virtio_model.h"
#include "tests/tap.h"

enum { CLASS_ID = 2, OTHER_ID = 9 };
#define VERSION_1 (UINT64_C(1) << 32)

static const struct virtio_mmio_settings settings = { .stride = MODEL_STRIDE,
                                                      .count = MODEL_SLOTS };
static const struct hardware hardware = {
    .base = MODEL_BASE, .irqs = { MODEL_IRQ }, .coherent = true, .settings = &settings
};

// ---- A class of our own ----

static _Alignas(VIRTQUEUE_ALIGNMENT) uint8_t memory[VIRTQUEUE_BYTES(VIRTQUEUE_MOST)];
static struct virtqueue queue;
static struct {
    unsigned started;
    uintptr_t bases[MODEL_SLOTS];
    unsigned irqs[MODEL_SLOTS];
    struct virtio_device device; // The last one.
    int negotiated, queued;
    unsigned size, size_most;
    int answer;
} class;

static int class_start(const struct virtio_device *device)
{
    class.bases[class.started] = device->base;
    class.irqs[class.started++] = device->irq;
    class.device = *device;
    class.negotiated = virtio_negotiate(&class.device, 0x21);
    if (class.negotiated)
        return class.negotiated;
    class.size = virtio_queue_size(&class.device, 0, class.size_most);
    if (class.size == 0)
        return -ENOSPC;
    virtqueue_init(&queue, memory, class.size);
    class.queued = virtio_queue_start(&class.device, 0, &queue);
    if (class.queued || class.answer)
        return class.queued ? class.queued : class.answer;
    virtio_ready(&class.device);
    return 0;
}

static const struct virtio_class class_of_ours = { .id = CLASS_ID, .start = class_start };
const struct virtio_class *const virtio_classes[] = { &class_of_ours, NULL };

static void fresh(void)
{
    model_fresh();
    memset(&class, 0, sizeof class);
    class.size_most = 256;
}

static int start(void)
{
    return virtio_mmio.start(&hardware);
}

// ---- Tests ----

static void test_scan(void)
{
    fresh();
    tap_equal(start(), 0, "test_a_board_without_devices_starts");
    tap_ok(class.started == 0 && fake_reports.count == 0,
           "test_empty_slots_are_passed_over_silently");

    fresh();
    model_plug(7, CLASS_ID, VERSION_1);
    model_plug(5, CLASS_ID, VERSION_1);
    model_plug(6, CLASS_ID, VERSION_1);
    start();
    tap_ok(class.started == 3 && class.bases[0] == MODEL_BASE + 7 * MODEL_STRIDE &&
               class.bases[1] == MODEL_BASE + 6 * MODEL_STRIDE &&
               class.bases[2] == MODEL_BASE + 5 * MODEL_STRIDE,
           "test_the_last_slot_is_the_first_device");
    tap_ok(class.irqs[0] == MODEL_IRQ + 7 && class.irqs[2] == MODEL_IRQ + 5,
           "test_each_slot_has_its_interrupt");

    fresh();
    model_plug(0, CLASS_ID, VERSION_1)->magic = 0x12345678;
    start();
    tap_equal(class.started, 0, "test_what_has_no_magic_value_is_no_device");

    fresh();
    model_plug(3, OTHER_ID, VERSION_1)->status = S_ACKNOWLEDGE | S_DRIVER | S_DRIVER_OK;
    start();
    tap_ok(class.started == 0 && model.slots[3].status == 0,
           "test_a_device_that_nobody_drives_is_left_reset");

    fresh();
    model_plug(3, CLASS_ID, 0)->version = 1;
    model_plug(2, CLASS_ID, VERSION_1);
    start();
    tap_ok(fake_reports.count == 1 && strstr(fake_reports.last, "legacy") && class.started == 1,
           "test_a_legacy_device_is_refused_and_reported");

    fresh();
    struct hardware incoherent = hardware;
    incoherent.coherent = false;
    model_plug(3, CLASS_ID, VERSION_1);
    tap_ok(virtio_mmio.start(&incoherent) == -ENOTSUP && class.started == 0,
           "test_devices_that_do_not_see_the_caches_are_not_driven");
}

static void test_status(void)
{
    static const uint32_t expected[] = { 0, S_ACKNOWLEDGE, S_ACKNOWLEDGE | S_DRIVER,
                                         S_ACKNOWLEDGE | S_DRIVER | S_FEATURES_OK,
                                         S_ACKNOWLEDGE | S_DRIVER | S_FEATURES_OK | S_DRIVER_OK };
    fresh();
    struct model_slot *slot = model_plug(4, CLASS_ID, VERSION_1 | 0x23);
    slot->status = S_DRIVER_OK; // Somebody before us.
    start();
    tap_ok(slot->statuses_seen == 5 && memcmp(slot->statuses, expected, sizeof expected) == 0,
           "test_the_sequence_of_3_1_1");
    tap_ok(slot->accepted == (VERSION_1 | 0x21) && class.device.features == slot->accepted,
           "test_features_that_both_know_are_agreed_upon");

    fresh();
    slot = model_plug(4, CLASS_ID, 0x21);
    start();
    tap_ok(class.negotiated == -ENOTSUP && slot->status & S_FAILED && fake_reports.count == 1,
           "test_a_device_without_version_1_fails");

    fresh();
    slot = model_plug(4, CLASS_ID, VERSION_1);
    slot->refuses_features = true;
    start();
    tap_ok(class.negotiated == -ENOTSUP && slot->status & S_FAILED && !(slot->status & S_DRIVER_OK),
           "test_a_device_that_does_not_agree_fails");

    fresh();
    slot = model_plug(4, CLASS_ID, VERSION_1);
    model_plug(3, CLASS_ID, VERSION_1);
    class.answer = -ENODEV;
    start();
    tap_ok(class.started == 2 && slot->status & S_FAILED && fake_reports.count == 2,
           "test_a_failure_does_not_keep_the_others_from_starting");

    fresh();
    slot = model_plug(4, CLASS_ID, VERSION_1);
    slot->reset_polls = 1000000;
    start();
    tap_ok(class.started == 0 && fake_reports.count == 1,
           "test_a_device_that_does_not_reset_is_left");
}

static void test_queue(void)
{
    fresh();
    struct model_slot *slot = model_plug(4, CLASS_ID, VERSION_1);
    start();
    tap_ok(class.size == 256 && slot->queue_num == 256, "test_the_queue_has_the_size_wanted");
    tap_ok(slot->desc == (uintptr_t)queue.desc && slot->driver == (uintptr_t)queue.avail &&
               slot->device == (uintptr_t)queue.used && slot->queue_ready == 1,
           "test_the_areas_addresses_are_told_with_64_bits");
    tap_ok(model.ready_after_barrier, "test_the_empty_rings_are_published_before_queue_ready");

    fresh();
    model_plug(4, CLASS_ID, VERSION_1)->queue_num_max = 100;
    start();
    tap_equal(class.size, 64, "test_the_size_is_a_power_of_two_that_the_device_takes");

    fresh();
    slot = model_plug(4, CLASS_ID, VERSION_1);
    slot->queue_num_max = 0;
    start();
    tap_ok(class.size == 0 && slot->status & S_FAILED, "test_no_queue_no_device");

    fresh();
    slot = model_plug(4, CLASS_ID, VERSION_1);
    slot->refuses_queue = true;
    start();
    tap_ok(class.queued == -EIO && slot->status & S_FAILED,
           "test_a_queue_that_is_not_taken_is_an_error");
}

static void test_config(void)
{
    uint64_t value = 0;
    fresh();
    struct model_slot *slot = model_plug(4, CLASS_ID, VERSION_1);
    start();
    memcpy(slot->config, "\x01\x02\x03\x04\x05\x06\x07\x08\x99", 9);
    tap_equal(virtio_config32(&class.device, 4), 0x08070605, "test_config_of_32_bits");
    tap_equal(virtio_config16(&class.device, 2), 0x0403, "test_config_of_16_bits");
    tap_equal(virtio_config8(&class.device, 7), 0x08, "test_config_of_8_bits");
    tap_ok(virtio_config64(&class.device, 0, &value) == 0 && value == 0x0807060504030201,
           "test_config_of_64_bits");
    slot->moving = 3;
    tap_ok(virtio_config64(&class.device, 0, &value) == 0 && value == 0x0807060504030201,
           "test_config_that_changes_is_read_again");
    slot->moving = 1000000;
    tap_equal(virtio_config64(&class.device, 0, &value), -EIO,
              "test_config_that_never_holds_still_is_an_error");
}

static void test_running(void)
{
    fresh();
    struct model_slot *slot = model_plug(4, CLASS_ID, VERSION_1);
    start();
    virtio_notify(&class.device, 0);
    tap_equal(slot->notified, 1, "test_the_doorbell");
    tap_ok(!virtio_interrupt_take(&class.device), "test_no_interrupt_is_not_ours");
    slot->interrupt_status = 3;
    tap_ok(virtio_interrupt_take(&class.device) && slot->interrupt_status == 0,
           "test_an_interrupt_is_acknowledged_with_all_its_causes");
    slot->reset_polls = 1;
    tap_ok(!virtio_reset(&class.device) && virtio_quiet(&class.device),
           "test_a_reset_that_takes_its_time_is_asked_for_again");
}

int main(void)
{
    tap_plan(30);
    test_scan();
    test_status();
    test_queue();
    test_config();
    test_running();
    return tap_done();
}
