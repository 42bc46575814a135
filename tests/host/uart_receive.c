// The serial class, receiving: ring, reads, back-pressure, counters.
// sources: drivers/uart/uart.c drivers/device.c
#include "tests/host/uart_model.h"

// The other end sends size bytes, each of value number % 251 counted over all.
static void type(size_t size)
{
    static unsigned number;
    if (chip.line_read == chip.line_size)
        chip.line_read = chip.line_sent = chip.line_size = 0;
    for (size_t i = 0; i < size; i++)
        chip.line[chip.line_size++] = (uint8_t)(number++ % 251);
    line_flows();
    if (chip.receive_on)
        isr(uart_received_isr);
}

static unsigned expected_byte;

static bool expected(const uint8_t *bytes, size_t size)
{
    bool good = true;
    for (size_t i = 0; i < size; i++)
        good &= bytes[i] == expected_byte++ % 251;
    return good;
}

static void test_registration(void)
{
    static const struct hardware hardware = { .name = "ttyPS0" };
    uart = uart_claim(&hardware, &ops);
    tap_ok(uart_register(uart) == 0 && (device = device_find("ttyPS0")) != NULL,
           "test_uart_is_registered_by_name");
    tap_ok(device->duplex && device->kind == DEVICE_STREAM && device->lanes[0].depth == 1 &&
               device->lanes[1].depth == 1,
           "test_uart_is_a_duplex_stream_of_depth_1");
    struct uart *second = uart_claim(&hardware, &ops);
    tap_equal(uart_register(second), -EEXIST, "test_uart_of_a_name_in_use_is_refused");
    chip.receive_on = true;
    fake_run_all();
}

static void test_bytes_before_the_first_interrupt(void)
{
    // What the FIFO held when the UART was registered: no interrupt announces it.
    struct io_request request = { 0 };
    uint8_t buffer[8];
    chip.receive_on = false;
    type(3);
    chip.receive_on = true;
    submit(&request, IO_READ, buffer, sizeof buffer);
    tap_equal(request.result, FAKE_WAITS, "test_uart_read_waits_for_the_first_byte");
    isr(uart_received_isr);
    tap_equal(request.result, 3, "test_uart_read_completes_with_what_is_there");
    tap_ok(expected(buffer, 3), "test_uart_read_gets_the_bytes_in_order");
}

static void test_reads(void)
{
    struct io_request request = { 0 };
    uint8_t buffer[8] = { 0 };
    type(10);
    submit(&request, IO_READ, buffer, 4);
    tap_equal(request.result, FAKE_WAITS, "test_uart_read_never_completes_inside_submit");
    fake_run_all();
    tap_ok(request.result == 4 && expected(buffer, 4) && buffer[4] == 0,
           "test_uart_read_takes_no_more_than_asked");
    submit(&request, IO_READ, buffer, 8);
    fake_run_all();
    tap_ok(request.result == 6 && expected(buffer, 6), "test_uart_read_gets_the_rest");
    request.flags = IO_NONBLOCK;
    tap_equal(submit(&request, IO_READ, buffer, 1), -EAGAIN,
              "test_uart_nonblocking_read_of_nothing_is_eagain");
    type(1);
    tap_equal(submit(&request, IO_READ, buffer, 1), 0, "test_uart_nonblocking_read_is_taken");
    fake_run_all();
    tap_ok(request.result == 1 && expected(buffer, 1), "test_uart_nonblocking_read_gets_the_byte");
    request.flags = 0;
    submit(&request, IO_READ, NULL, 0);
    fake_run_all();
    tap_equal(request.result, 0, "test_uart_read_of_no_bytes_does_not_wait");
}

static void test_cancel(void)
{
    struct io_request request = { 0 };
    uint8_t buffer[4] = { 0 };
    submit(&request, IO_READ, buffer, 4);
    tap_equal(fake_cancel(device, &request), 0, "test_uart_waiting_read_is_cancelled");
    tap_equal(request.result, -ECANCELED, "test_uart_cancelled_read_says_so");
    unsigned before = fake_requests.completed;
    type(2);
    fake_run_all();
    tap_ok(fake_requests.completed == before && buffer[0] == 0,
           "test_uart_cancelled_read_leaves_its_buffer");
    tap_equal(fake_cancel(device, &request), -EALREADY, "test_uart_cancel_twice_is_ealready");
    submit(&request, IO_READ, buffer, 4);
    fake_run_all();
    tap_ok(request.result == 2 && expected(buffer, 2),
           "test_uart_bytes_after_a_cancelled_read_are_kept");
}

// Goal: a sender faster than its reader loses nothing. 3000 bytes against a ring of 1024.
static void test_back_pressure(void)
{
    struct io_request request = { 0 };
    struct uart_statistics before, after;
    static uint8_t buffer[LINE];
    uart_statistics("ttyPS0", &before);
    type(3000);
    fake_run_all();
    uart_statistics("ttyPS0", &after);
    tap_ok(!chip.receive_on, "test_uart_full_ring_masks_the_receive_interrupt");
    tap_equal((long long)chip.line_read, RING, "test_uart_full_ring_leaves_the_rest_in_the_fifo");
    tap_equal(after.holds - before.holds, 1, "test_uart_holds_are_counted");
    submit(&request, IO_READ, buffer, TURN - 1);
    fake_run_all();
    tap_equal((long long)chip.line_read, RING, "test_uart_does_not_resume_for_less_than_a_turn");
    size_t got = (size_t)request.result;
    submit(&request, IO_READ, buffer + got, 1);
    fake_run_all();
    got += (size_t)request.result;
    tap_ok(chip.line_read > RING && !chip.receive_on, "test_uart_goes_on_when_there_is_room");
    while (got < 3000) {
        submit(&request, IO_READ, buffer + got, 100);
        fake_run_all();
        if (request.result <= 0)
            break;
        got += (size_t)request.result;
    }
    tap_ok(got == 3000 && expected(buffer, 3000), "test_uart_back_pressure_loses_nothing");
    tap_ok(chip.receive_on, "test_uart_empty_ring_receives_again");
    tap_equal(after.overruns, 0, "test_uart_a_full_ring_is_no_overrun");
}

// Goal: one interrupt moves a bounded number of bytes, however fast they come; the rest follows.
static void test_bounded_turn(void)
{
    struct io_request request = { 0 };
    uint8_t buffer[256];
    chip.receive_on = false;
    type(200);
    chip.receive_on = true;
    size_t start = chip.line_read;
    isr(uart_received_isr);
    tap_equal((long long)(chip.line_read - start), TURN,
              "test_uart_interrupt_drains_a_bounded_number");
    fake_run_one();
    tap_equal((long long)(chip.line_read - start), 2 * TURN, "test_uart_goes_on_by_itself");
    fake_run_all();
    tap_equal((long long)(chip.line_read - start), 200, "test_uart_drains_the_rest");
    submit(&request, IO_READ, buffer, sizeof buffer);
    fake_run_all();
    tap_ok(request.result == 200 && expected(buffer, 200),
           "test_uart_bounded_turns_keep_the_order");
}

static uint8_t again_buffer[1];
static unsigned depth, deepest, again_count;

static void read_again(struct io_request *request)
{
    depth++;
    deepest = depth > deepest ? depth : deepest;
    expected(again_buffer, 1);
    if (++again_count < 100)
        submit(request, IO_READ, again_buffer, 1);
    depth--;
}

static void test_reader_that_resubmits(void)
{
    struct io_request request = { .done = read_again };
    type(100);
    submit(&request, IO_READ, again_buffer, 1);
    fake_run_all();
    tap_ok(again_count == 100 && deepest == 1, "test_uart_resubmitting_from_done_does_not_nest");
}

static void test_readiness(void)
{
    struct io_request request = { 0 };
    uint8_t buffer[8];
    unsigned before = fake_requests.told;
    tap_equal(device->ops->ready(device), IO_READY_WRITE,
              "test_uart_without_bytes_has_to_be_waited_for");
    type(3);
    tap_ok(device->ops->ready(device) == (IO_READY_READ | IO_READY_WRITE) &&
               fake_requests.told > before,
           "test_uart_with_bytes_is_ready_and_says_so");
    submit(&request, IO_READ, buffer, sizeof buffer);
    fake_run_all();
    tap_ok(expected(buffer, 3) && device->ops->ready(device) == IO_READY_WRITE,
           "test_uart_that_has_been_read_is_not_ready");
}

static void test_losses(void)
{
    struct uart_statistics statistics;
    uart_lost_isr(uart, UART_OVERRUN);
    uart_lost_isr(uart, UART_OVERRUN);
    uart_lost_isr(uart, UART_FRAMING_ERROR);
    uart_lost_isr(uart, UART_PARITY_ERROR);
    uart_statistics("ttyPS0", &statistics);
    tap_ok(statistics.overruns == 2 && statistics.framing_errors == 1 &&
               statistics.parity_errors == 1,
           "test_uart_losses_are_counted_by_kind");
    tap_equal(uart_statistics("ttyPS1", &statistics), -ENODEV,
              "test_uart_statistics_of_unknown_name_is_enodev");
}

int main(void)
{
    tap_plan(36);
    test_registration();
    test_bytes_before_the_first_interrupt();
    test_reads();
    test_cancel();
    test_back_pressure();
    test_bounded_turn();
    test_reader_that_resubmits();
    test_readiness();
    test_losses();
    return tap_done();
}
