// A virtio console device that breaks the rules of its rings, or is another one than expected: its
// requests fail, once, when it is quiet, and it is not used any more.
// sources: drivers/virtio/virtio_serial.c drivers/virtio/virtio_serial_control.c
// sources: drivers/virtio/virtio_serial_write.c drivers/virtio/virtio_serial_setup.c
// sources: drivers/virtio/virtio_mmio.c drivers/virtio/virtqueue.c drivers/device.c
#include "virtio_serial_model.h"

static char buffer[64];
static struct io_request reading, writing, waiting;

// A read and a write in flight on port 1, a read on port 2.
static void in_flight(void)
{
    struct io_request open = { 0 };
    host_connected();
    submit(2, &open, IO_OPEN, NULL, 0);
    host_listens();
    submit(1, &reading, IO_READ, buffer, sizeof buffer);
    submit(1, &writing, IO_WRITE, "text", 4);
    submit(2, &waiting, IO_READ, buffer, sizeof buffer);
}

static bool all_failed(void)
{
    return reading.result == -EIO && writing.result == -EIO && waiting.result == -EIO;
}

static void check_broken(const char *why, const char *name)
{
    host_interrupt();
    if (!tap_ok(all_failed() && fake_reports.count == 1 && strstr(fake_reports.last, why), name))
        tap_note("%d %d %d: %s", (int)reading.result, (int)writing.result, (int)waiting.result,
                 fake_reports.last);
    tap_ok(host.slot->status == 0 && model_is_silenced(host.slot),
           "test_the_device_is_reset_and_silenced");
    struct io_request request = { 0 };
    unsigned rung = host.slot->notified;
    tap_ok(submit(1, &request, IO_READ, buffer, 1)->result == -EIO &&
               submit(2, &request, IO_WRITE, "x", 1)->result == -EIO &&
               submit(3, &request, IO_OPEN, NULL, 0)->result == -EIO &&
               submit(1, &request, IO_FLUSH, NULL, 0)->result == -EIO &&
               host.slot->notified == rung && fake_reports.count == 1,
           "test_later_requests_fail_at_once");
    tap_ok(ready(1) == (IO_READY_READ | IO_READY_WRITE | IO_READY_ERROR) && fake_requests.told >= 4,
           "test_whoever_polls_is_told");
}

static void test_lies(void)
{
    in_flight();
    model_push(&host.receive[1], (uint32_t)model_pop(&host.receive[1]), 4097);
    check_broken("room", "test_more_bytes_than_there_was_room_for");
    in_flight();
    model_push(&host.receive[1], 1, 5);
    check_broken("no descriptor", "test_a_chain_that_there_is_not");
    in_flight();
    model_push(&host.transmit[1], host.serial->ports[1].chains[7].head, 0);
    check_broken("does not have", "test_a_write_that_the_device_does_not_have");
    in_flight();
    model_push(&host.transmit[1], (uint32_t)model_pop(&host.transmit[1]), 1);
    check_broken("room", "test_bytes_written_into_what_is_to_be_read");
    in_flight();
    host.serial->ports[2].receive.used->idx = 2;
    check_broken("jumps", "test_an_index_that_jumps");
    in_flight();
    model_push(&host.control_in, (uint32_t)model_pop(&host.control_in), 1000);
    check_broken("room", "test_a_message_longer_than_its_place");
    in_flight();
    host_says(1, VIRTIO_CONSOLE_PORT_ADD, 1); // Answered by two messages.
    model_push(&host.control_out, 77, 0);
    check_broken("no descriptor", "test_a_message_that_was_never_sent");
    in_flight();
    host.slot->status |= 0x40;
    host.slot->interrupt_status |= 2;
    check_broken("asks for a reset", "test_a_device_that_needs_a_reset");
}

static void test_flood(void)
{
    host_announced();
    host.deaf = true;
    for (unsigned i = 0; i < 40; i++)
        host_says(1, VIRTIO_CONSOLE_PORT_ADD, 1);
    tap_ok(host.serial->broken && strstr(fake_reports.last, "unread"),
           "test_a_device_that_reads_no_messages_is_broken");
    struct io_request open = { 0 };
    host_announced();
    host.serial->free = NULL;
    submit(1, &open, IO_OPEN, NULL, 0);
    tap_ok(open.result == 0 && host.serial->broken, "test_so_is_one_that_lets_none_be_sent");
}

// Goal: no buffer is given back while the device may still use it.
static void test_slow_reset(void)
{
    in_flight();
    host.slot->reset_polls = 4; // One is asked by the reset itself.
    model_push(&host.receive[1], 9, 1);
    host_interrupt();
    unsigned before = fake_requests.completed;
    tap_ok(reading.result == FAKE_WAITS && writing.result == FAKE_WAITS && fake_clock.timers,
           "test_requests_wait_until_the_device_is_quiet");
    tap_equal(cancel(1, &writing), -EBUSY, "test_its_write_cannot_be_cancelled");
    unsigned polls = 0;
    while (fake_timer_expires())
        polls++;
    tap_ok(all_failed() && polls == 3 && fake_requests.completed == before + 3,
           "test_then_they_fail_once");
}

static void test_other_devices(void)
{
    struct io_request request = { 0 };
    tap_equal(host_fresh(1, 0), 0, "test_a_device_without_messages_is_taken_into_use");
    tap_equal(submit(0, &request, IO_OPEN, NULL, 0)->result, 0, "test_its_one_port_is_there");
    submit(0, &request, IO_WRITE, "plain", 5);
    host_receives(0);
    host_interrupt();
    tap_ok(request.result == 5 && host_heard(0, "plain") && host.said_count == 0,
           "test_it_counts_as_connected");
    host_sends(0, "in", 2);
    host_interrupt();
    tap_equal(submit(0, &request, IO_READ, buffer, 9)->result, 2, "test_and_can_be_read");

    tap_ok(host_fresh(11, VIRTIO_CONSOLE_F_MULTIPORT) == 0 && host.serial->port_count == 8,
           "test_of_a_device_with_many_ports_eight_are_used");
    host_listens();
    host_says(9, VIRTIO_CONSOLE_PORT_ADD, 1);
    tap_ok(fake_reports.count == 1 && strstr(fake_reports.last, "room"),
           "test_the_others_are_reported");

    model_fresh();
    struct virtio_device device = { .base = MODEL_BASE + SLOT * MODEL_STRIDE,
                                    .irq = MODEL_IRQ + SLOT };
    host.serial = &host.serials[host.used++];
    model_plug(SLOT, 3, VIRTIO_F_VERSION_1 | VIRTIO_CONSOLE_F_MULTIPORT)->config[4] = 2;
    tap_equal(virtio_serial_attach(host.serial, &device, '9'), -ENOTSUP,
              "test_a_device_that_lacks_queues_is_refused");
    model_plug(SLOT, 3, 0);
    tap_equal(virtio_serial_attach(host.serial, &device, '9'), -ENOTSUP,
              "test_a_legacy_device_is_refused");
}

int main(void)
{
    tap_plan(45);
    test_lies();
    test_flood();
    test_slow_reset();
    test_other_devices();
    return tap_done();
}
