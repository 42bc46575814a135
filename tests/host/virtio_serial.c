// Ports of a virtio console device: what is announced, connected, read, written and closed, in any
// order.
// sources: drivers/virtio/virtio_serial.c drivers/virtio/virtio_serial_control.c
// sources: drivers/virtio/virtio_serial_write.c drivers/virtio/virtio_serial_setup.c
// sources: drivers/virtio/virtio_mmio.c drivers/virtio/virtqueue.c drivers/device.c
#include "virtio_serial_model.h"

static char buffer[8192], other[8192];

static ssize_t reads(unsigned number, size_t size)
{
    struct io_request request = { 0 };
    memset(buffer, '#', sizeof buffer);
    submit(number, &request, IO_READ, buffer, size);
    if (request.result == FAKE_WAITS)
        cancel(number, &request);
    return request.result;
}

static bool got(ssize_t size, const char *text)
{
    return size == (ssize_t)strlen(text) && memcmp(buffer, text, strlen(text)) == 0;
}

static ssize_t opens(unsigned number)
{
    struct io_request request = { 0 };
    return submit(number, &request, IO_OPEN, NULL, 0)->result;
}

// ---- Announcements ----

static void test_start(void)
{
    tap_equal(host_fresh(PORTS, VIRTIO_CONSOLE_F_MULTIPORT), 0, "test_a_device_is_taken_into_use");
    tap_ok(device_find("vport0p0") && device_find("vport0p3") && !device_find("vport0p4"),
           "test_its_ports_are_known_at_once");
    tap_ok(port(1)->duplex && port(1)->kind == DEVICE_STREAM && port(1)->lanes[0].depth == 1 &&
               port(1)->lanes[1].depth == 1,
           "test_a_port_is_a_duplex_stream_of_depth_1");
    tap_ok(host.slot->queues[0].num == 1 && host.slot->queues[1].num == 8 &&
               host.slot->queues[2].num == 32 && host.slot->queues[3].num == 32 &&
               host.slot->queues[4].areas[0] == (uintptr_t)host.serial->ports[1].receive.desc &&
               host.slot->queues[9].areas[0] == (uintptr_t)host.serial->ports[3].transmit.desc,
           "test_the_queues_are_where_5_3_2_has_them");
    tap_ok(said(0, VIRTIO_CONSOLE_DEVICE_READY, 1) == 1 && host.said_count == 1,
           "test_the_device_is_asked_for_its_ports");
    tap_ok(model_pop(&host.receive[1]) < 0, "test_a_port_that_nobody_opened_takes_no_bytes");
}

static void test_opening(void)
{
    struct io_request request = { 0 }, missing = { 0 };
    host_fresh(PORTS, VIRTIO_CONSOLE_F_MULTIPORT);
    submit(1, &request, IO_OPEN, NULL, 0);
    submit(3, &missing, IO_OPEN, NULL, 0);
    host_says(1, VIRTIO_CONSOLE_PORT_ADD, 1);
    tap_ok(request.result == FAKE_WAITS && missing.result == FAKE_WAITS,
           "test_an_opening_waits_for_the_last_announcement");
    host_listens();
    host_interrupt();
    tap_equal(request.result, 0, "test_then_an_announced_port_is_opened");
    tap_equal(missing.result, -ENXIO, "test_and_another_one_is_enxio");
    tap_ok(said(1, VIRTIO_CONSOLE_PORT_READY, 1) == 1 && said(1, VIRTIO_CONSOLE_PORT_OPEN, 1) == 1,
           "test_the_device_is_told_of_both");
    tap_ok(opens(1) == 0 && said(1, VIRTIO_CONSOLE_PORT_OPEN, 1) == 1, "test_opened_is_said_once");
    host_says(3, VIRTIO_CONSOLE_PORT_ADD, 1);
    tap_equal(opens(3), 0, "test_a_port_that_comes_later_can_be_opened_then");
    host_fresh(PORTS, VIRTIO_CONSOLE_F_MULTIPORT);
    submit(1, &request, IO_OPEN, NULL, 0);
    submit(3, &missing, IO_OPEN, NULL, 0);
    host_says(1, VIRTIO_CONSOLE_PORT_ADD, 1);
    tap_ok(fake_timer_expires() && request.result == 0 && missing.result == -ENXIO,
           "test_a_device_that_never_has_done_is_not_waited_for_for_ever");
    tap_equal(opens(3), -ENXIO, "test_nor_a_second_time");
    host_fresh(PORTS, VIRTIO_CONSOLE_F_MULTIPORT);
    submit(1, &request, IO_OPEN, NULL, 0);
    tap_ok(cancel(1, &request) == 0 && request.result == -ECANCELED,
           "test_an_opening_that_waits_can_be_cancelled");
}

static void test_any_order(void)
{
    // Connected before it is announced, a name in between; everything in one interrupt.
    host_fresh(PORTS, VIRTIO_CONSOLE_F_MULTIPORT);
    host_listens();
    host_puts(2, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
    host_puts(2, VIRTIO_CONSOLE_PORT_NAME, 1, "org.example.port");
    host_says(2, VIRTIO_CONSOLE_PORT_ADD, 1);
    tap_ok(opens(2) == 0 && ready(2) == IO_READY_WRITE,
           "test_a_port_connected_before_it_is_announced_is_connected");
    tap_ok(strcmp(port(2)->serial, "org.example.port") == 0, "test_a_port_has_its_name");
    host_puts(2, VIRTIO_CONSOLE_PORT_NAME, 1, "a name that is far longer than what is kept of it");
    host_interrupt();
    tap_ok(strcmp(port(2)->serial, "a name that is far longer than ") == 0,
           "test_a_long_name_is_cut");
    host_says(2, VIRTIO_CONSOLE_PORT_ADD, 1);
    tap_ok(said(2, VIRTIO_CONSOLE_PORT_OPEN, 1) == 2,
           "test_a_port_that_is_announced_again_is_opened_again");
    host_says(2, VIRTIO_CONSOLE_PORT_REMOVE, 0);
    tap_ok(reads(2, 8) == 0 && opens(2) == -ENXIO,
           "test_a_port_that_is_taken_away_ends_and_cannot_be_opened");
}

static void test_strange_messages(void)
{
    host_connected();
    unsigned said_before = host.said_count;
    for (unsigned event = 8; event < 200; event++)
        host_says(1, event, event);
    host_says(1, VIRTIO_CONSOLE_RESIZE, 7);
    host_says(1, VIRTIO_CONSOLE_CONSOLE_PORT, 1);
    tap_ok(ready(1) == IO_READY_WRITE && host.said_count == said_before && fake_reports.count == 0,
           "test_unknown_events_are_passed_over");
    host_says(4, VIRTIO_CONSOLE_PORT_OPEN, 1);
    host_says(UINT32_MAX, VIRTIO_CONSOLE_PORT_NAME, 1);
    tap_ok(fake_reports.count == 0, "test_events_of_ports_out_of_range_are_passed_over");
    host_says(UINT32_MAX, VIRTIO_CONSOLE_PORT_ADD, 1);
    tap_ok(fake_reports.count == 1 && strstr(fake_reports.last, "no") && ready(1) == IO_READY_WRITE,
           "test_a_port_out_of_range_is_reported");
    int head = model_pop(&host.control_in);
    const struct virtio_console_control gone = { 1, VIRTIO_CONSOLE_PORT_OPEN, 0 };
    memcpy((void *)(uintptr_t)host_desc(&host.control_in, head)->addr, &gone, sizeof gone);
    model_push(&host.control_in, (uint32_t)head, 7);
    host_interrupt();
    tap_ok(!host.serial->broken && ready(1) == IO_READY_WRITE,
           "test_half_a_message_is_passed_over");
    unsigned sent = 0;
    while (host_puts(1, VIRTIO_CONSOLE_PORT_OPEN, sent % 2, ""))
        sent++;
    host_interrupt();
    tap_ok(sent == 32 && ready(1) == (IO_READY_READ | IO_READY_WRITE),
           "test_32_messages_fit_into_one_interrupt");
}

// ---- Reading ----

static void test_reading(void)
{
    struct io_request request = { 0 };
    host_opened();
    submit(1, &request, IO_READ, buffer, 5);
    host_says(1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    tap_equal(request.result, FAKE_WAITS, "test_a_read_waits_for_a_connection_and_then_for_bytes");
    host_types(1, "hello, world");
    tap_ok(got(request.result, "hello"), "test_it_ends_with_what_has_come");
    tap_ok(host_types(1, "!") == 0, "test_the_host_keeps_its_bytes_until_the_buffer_is_empty");
    tap_ok(got(reads(1, 3), ", w") && got(reads(1, 100), "orld"), "test_the_rest_is_read_later");
    tap_ok(host_types(1, "!") == 1 && got(reads(1, 1), "!"), "test_then_there_is_room_again");
    tap_equal(reads(1, 0), 0, "test_a_read_of_no_bytes_does_not_wait");
    request.flags = IO_NONBLOCK;
    tap_equal(submit(1, &request, IO_READ, buffer, 5)->result, -EAGAIN,
              "test_a_nonblocking_read_of_nothing_is_eagain");
    host_types(1, "x");
    tap_equal(submit(1, &request, IO_READ, buffer, 5)->result, 1,
              "test_a_nonblocking_read_gets_what_is_there");
    for (size_t i = 0; i < sizeof other; i++)
        other[i] = (char)(i * 7 + i / 256);
    size_t sent = host_sends(1, other, sizeof other);
    host_interrupt();
    tap_ok(sent == 4096 && reads(1, sizeof buffer) == 4096 && memcmp(buffer, other, 4096) == 0,
           "test_a_whole_buffer_is_read");
}

static void test_cancelled_reads(void)
{
    struct io_request request = { 0 };
    host_connected();
    submit(1, &request, IO_READ, buffer, 5);
    memset(buffer, '#', sizeof buffer);
    tap_ok(cancel(1, &request) == 0 && request.result == -ECANCELED,
           "test_a_read_that_waits_can_be_cancelled");
    host_types(1, "later");
    tap_ok(buffer[0] == '#' && got(reads(1, 10), "later"),
           "test_what_comes_afterwards_is_the_next_readers");
    tap_equal(cancel(1, &request), -EALREADY, "test_a_read_that_has_ended_cannot");
}

static void test_ends(void)
{
    struct io_request request = { 0 };
    host_connected();
    submit(1, &request, IO_READ, buffer, 5);
    host_says(1, VIRTIO_CONSOLE_PORT_OPEN, 0);
    tap_equal(request.result, 0, "test_a_read_that_waits_gets_the_end");
    submit(1, &request, IO_READ, buffer, 5);
    tap_equal(request.result, FAKE_WAITS, "test_the_next_one_waits");
    host_says(1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    host_types(1, "new");
    tap_ok(got(request.result, "new"), "test_for_what_the_next_connection_brings");
    host_sends(1, "last words", 10);
    host_says(1, VIRTIO_CONSOLE_PORT_OPEN, 0);
    tap_ok(got(reads(1, 4), "last") && got(reads(1, 99), " words") && reads(1, 1) == 0,
           "test_bytes_come_before_the_end");
    // An end that nobody reads, between the bytes of two connections.
    host_says(1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    host_types(1, "one");
    host_says(1, VIRTIO_CONSOLE_PORT_OPEN, 0);
    host_says(1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    tap_ok(got(reads(1, 99), "one") && host_types(1, "two") == 3 && reads(1, 99) == 0 &&
               got(reads(1, 99), "two") && reads(1, 99) == -ECANCELED,
           "test_an_end_stays_between_two_connections");
    host_says(1, VIRTIO_CONSOLE_PORT_OPEN, 0);
    host_says(1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    host_types(1, "three");
    tap_ok(reads(1, 99) == 0 && got(reads(1, 99), "three"),
           "test_it_comes_before_what_was_sent_after_it");
    host_says(1, VIRTIO_CONSOLE_PORT_OPEN, 0);
    host_says(1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    host_types(1, "four");
    host_says(1, VIRTIO_CONSOLE_PORT_OPEN, 0);
    tap_ok(reads(1, 99) == 0 && got(reads(1, 99), "four") && reads(1, 99) == 0 &&
               reads(1, 99) == -ECANCELED,
           "test_there_may_be_one_on_either_side");
    host_says(1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    tap_equal(reads(1, 5), -ECANCELED, "test_a_second_connected_changes_nothing");
    host_announced();
    host_says(1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    host_says(1, VIRTIO_CONSOLE_PORT_OPEN, 0);
    opens(1);
    tap_ok(reads(1, 5) == -ECANCELED && submit(1, &request, IO_WRITE, "x", 1)->result == FAKE_WAITS,
           "test_connections_before_the_opening_do_not_count");
}

// ---- Writing ----

static void test_writing(void)
{
    struct io_request request = { 0 }, flush = { 0 };
    host_opened();
    submit(1, &request, IO_WRITE, "early", 5);
    tap_ok(request.result == FAKE_WAITS && host_receives(1) < 0,
           "test_a_write_waits_for_the_first_connection");
    host_says(1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    tap_ok(host_receives(1) == 5 && request.result == FAKE_WAITS, "test_then_the_device_gets_it");
    host_interrupt();
    tap_ok(request.result == 5 && host_heard(1, "early"), "test_it_ends_when_it_has_been_read");
    submit(1, &request, IO_WRITE, "straight", 8);
    tap_ok(host_desc(&host.transmit[1], host.serial->ports[1].straight->head)->addr ==
               (uintptr_t)request.buffer,
           "test_bytes_go_straight_from_the_writers_buffer");
    tap_equal(cancel(1, &request), -EBUSY, "test_a_started_write_cannot_be_cancelled");
    host_receives(1);
    host_interrupt();
    tap_equal(request.result, 8, "test_it_goes_on_as_if_nothing_had_been_asked");
    tap_equal(submit(1, &request, IO_WRITE, NULL, 0)->result, 0, "test_a_write_of_no_bytes");
    tap_equal(submit(1, &flush, IO_FLUSH, NULL, 0)->result, 0, "test_a_flush_of_nothing");
    host_opened();
    submit(1, &request, IO_WRITE, "never", 5);
    tap_ok(cancel(1, &request) == 0 && request.result == -ECANCELED,
           "test_a_write_that_waits_can_be_cancelled");
    host_says(1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    tap_ok(host_receives(1) < 0, "test_nothing_of_it_is_sent_later");
}

static void test_nonblocking_writes(void)
{
    struct io_request request = { .flags = IO_NONBLOCK }, flush = { 0 }, straight = { 0 };
    char text[] = "copied";
    host_opened();
    tap_equal(submit(1, &request, IO_WRITE, text, 6)->result, -EAGAIN,
              "test_a_nonblocking_write_before_the_first_connection_is_eagain");
    host_says(1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    tap_equal(submit(1, &request, IO_WRITE, text, 6)->result, 6,
              "test_a_nonblocking_write_ends_at_once");
    memset(text, '#', sizeof text);
    tap_ok(submit(1, &request, IO_WRITE, text, 6)->result == -EAGAIN &&
               !(ready(1) & IO_READY_WRITE),
           "test_the_next_one_is_eagain_while_the_host_has_not_read");
    submit(1, &straight, IO_WRITE, " then", 5);
    host_receives(1);
    host_receives(1);
    host_interrupt();
    tap_ok(straight.result == 5 && host_heard(1, "copied then"),
           "test_one_that_may_wait_comes_behind_it");
    tap_equal(submit(1, &request, IO_WRITE, other, sizeof other)->result, 4096,
              "test_of_a_long_one_goes_what_fits");
    submit(1, &flush, IO_FLUSH, NULL, 0);
    tap_equal(flush.result, FAKE_WAITS, "test_a_flush_waits_for_the_copy");
    host_receives(1);
    host_interrupt();
    tap_equal(flush.result, 0, "test_and_ends_with_it");
}

static void test_writes_and_ends(void)
{
    struct io_request request = { 0 };
    host_connected();
    submit(1, &request, IO_WRITE, "last", 4);
    host_receives(1);
    host_says(1, VIRTIO_CONSOLE_PORT_OPEN, 0);
    tap_ok(request.result == 4 && host_heard(1, "last"),
           "test_a_write_that_comes_back_with_the_end_is_done");
    tap_equal(submit(1, &request, IO_WRITE, "x", 1)->result, -EPIPE,
              "test_the_next_one_is_epipe_until_somebody_connects");
    request.flags = IO_NONBLOCK;
    tap_equal(submit(1, &request, IO_WRITE, "x", 1)->result, -EPIPE, "test_a_nonblocking_one_too");
    request.flags = 0;
    host_says(1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    submit(1, &request, IO_WRITE, "again", 5);
    host_receives(1);
    host_interrupt();
    tap_ok(request.result == 5 && host_heard(1, "again"), "test_then_writes_go_on");
}

// Goal: QEMU never gives back what it has sent a part of. Another device might, later.
static void test_forgotten_writes(void)
{
    struct io_request request = { 0 }, copied = { .flags = IO_NONBLOCK }, flush = { 0 };
    host_connected();
    submit(1, &request, IO_WRITE, "forgotten", 9);
    int head = model_pop(&host.transmit[1]);
    host_says(1, VIRTIO_CONSOLE_PORT_OPEN, 0);
    tap_equal(request.result, -EPIPE, "test_a_write_that_never_comes_back_is_epipe");
    model_push(&host.transmit[1], (uint32_t)head, 0);
    host_interrupt();
    tap_ok(!host.serial->broken && fake_requests.completed == 2, "test_if_it_does_nothing_happens");
    host_says(1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    submit(1, &copied, IO_WRITE, "forgotten", 9);
    submit(1, &flush, IO_FLUSH, NULL, 0);
    model_pop(&host.transmit[1]);
    host_says(1, VIRTIO_CONSOLE_PORT_OPEN, 0);
    tap_ok(copied.result == 9 && flush.result == -EPIPE, "test_a_flush_says_so_of_a_copy");
    host_says(1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    for (unsigned i = 0; i < 300; i++) {
        submit(1, &request, IO_WRITE, "x", 1);
        model_pop(&host.transmit[1]);
        host_says(1, VIRTIO_CONSOLE_PORT_OPEN, 0);
        host_says(1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    }
    submit(1, &request, IO_WRITE, "again", 5);
    submit(1, &copied, IO_WRITE, " and", 4);
    host_receives(1);
    host_receives(1);
    host_interrupt();
    tap_ok(request.result == 5 && copied.result == 4 && host_heard(1, "again and"),
           "test_writes_go_on_after_any_number_of_them");
}

// Goal: what the device still has of an old connection is nothing to a write of the next one.
static void test_late_returns(void)
{
    struct io_request request = { 0 }, next = { 0 }, copied = { .flags = IO_NONBLOCK };
    struct io_request flush = { 0 };
    host_connected();
    submit(1, &request, IO_WRITE, "forgotten", 9);
    submit(1, &copied, IO_WRITE, "copy", 4);
    int straight = model_pop(&host.transmit[1]), copy = model_pop(&host.transmit[1]);
    host_says(1, VIRTIO_CONSOLE_PORT_OPEN, 0);
    host_says(1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    submit(1, &next, IO_WRITE, "next", 4);
    submit(1, &copied, IO_WRITE, " one", 4);
    model_push(&host.transmit[1], (uint32_t)straight, 0);
    model_push(&host.transmit[1], (uint32_t)copy, 0);
    host_interrupt();
    tap_ok(!host.serial->broken && next.result == FAKE_WAITS && !(ready(1) & IO_READY_WRITE),
           "test_what_comes_back_late_ends_no_other_write");
    host_receives(1);
    host_interrupt();
    tap_ok(!host.serial->broken && next.result == 4, "test_which_ends_by_itself");
    submit(1, &flush, IO_FLUSH, NULL, 0);
    tap_equal(flush.result, FAKE_WAITS, "test_nor_another_copy");
    host_receives(1);
    host_interrupt();
    tap_ok(flush.result == 0 && host_heard(1, "next one"), "test_which_a_flush_waits_for");
    for (unsigned i = 0; i < 100; i++) { // In time for one late one: not the same again and again.
        submit(1, &request, IO_WRITE, "x", 1);
        straight = model_pop(&host.transmit[1]);
        host_says(1, VIRTIO_CONSOLE_PORT_OPEN, 0);
        host_says(1, VIRTIO_CONSOLE_PORT_OPEN, 1);
        submit(1, &next, IO_WRITE, "y", 1);
        model_push(&host.transmit[1], (uint32_t)straight, 0);
        host_receives(1);
        host_interrupt();
    }
    tap_ok(!host.serial->broken && next.result == 1, "test_any_number_may_come_back_late");
}

// Goal: nobody waits for a port that has been taken away.
static void test_removal(void)
{
    struct io_request reading = { 0 }, writing = { 0 };
    host_opened();
    submit(1, &reading, IO_READ, buffer, 5);
    submit(1, &writing, IO_WRITE, "x", 1);
    host_says(1, VIRTIO_CONSOLE_PORT_REMOVE, 0);
    tap_equal(writing.result, -EPIPE,
              "test_a_write_that_waits_for_a_connection_is_epipe_when_its_port_goes");
    tap_equal(reading.result, 0, "test_a_read_gets_the_end");
    host_connected();
    host_says(1, VIRTIO_CONSOLE_PORT_OPEN, 0);
    reads(1, 5);
    submit(1, &reading, IO_READ, buffer, 5);
    host_says(1, VIRTIO_CONSOLE_PORT_REMOVE, 0);
    tap_equal(reading.result, 0, "test_so_does_one_that_waits_for_the_next_connection");
    submit(1, &reading, IO_READ, buffer, 5);
    host_says(1, VIRTIO_CONSOLE_PORT_ADD, 1);
    host_says(1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    host_types(1, "back");
    tap_ok(got(reading.result, "back"), "test_a_later_one_waits_until_the_port_is_back");
}

// ---- Readiness ----

static void test_readiness(void)
{
    struct io_request request = { 0 };
    host_opened();
    tap_ok(ready(1) == 0 && fake_requests.told == 0,
           "test_nothing_is_ready_before_the_first_connection");
    host_says(1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    tap_ok(ready(1) == IO_READY_WRITE && fake_requests.told == 1,
           "test_connected_it_is_ready_for_writing");
    host_types(1, "x");
    tap_ok(ready(1) == (IO_READY_READ | IO_READY_WRITE) && fake_requests.told == 2,
           "test_with_bytes_for_reading_too");
    reads(1, 1);
    submit(1, &request, IO_WRITE, "y", 1);
    tap_ok(ready(1) == 0, "test_a_write_under_way_has_to_be_waited_for");
    host_receives(1);
    host_interrupt();
    tap_ok(ready(1) == IO_READY_WRITE && fake_requests.told == 3, "test_until_it_is_done");
    host_says(1, VIRTIO_CONSOLE_PORT_OPEN, 0);
    tap_ok(ready(1) == (IO_READY_READ | IO_READY_WRITE | IO_READY_HANGUP) &&
               fake_requests.told == 4,
           "test_a_host_that_has_gone_is_a_hangup");
    reads(1, 1);
    tap_ok(ready(1) == IO_READY_WRITE, "test_until_the_end_has_been_read");
    host_says(1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    host_says(1, VIRTIO_CONSOLE_PORT_OPEN, 0);
    host_says(1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    tap_ok(ready(1) == (IO_READY_READ | IO_READY_WRITE),
           "test_after_the_next_connection_the_end_is_still_to_be_read");
    reads(1, 1);
    tap_ok(ready(1) == IO_READY_WRITE, "test_then_it_is_as_before");
}

int main(void)
{
    tap_plan(89);
    test_start();
    test_opening();
    test_any_order();
    test_strange_messages();
    test_reading();
    test_cancelled_reads();
    test_ends();
    test_writing();
    test_nonblocking_writes();
    test_writes_and_ends();
    test_forgotten_writes();
    test_late_returns();
    test_removal();
    test_readiness();
    return tap_done();
}
