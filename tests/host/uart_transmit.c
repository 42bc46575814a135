// The serial class, transmitting: writes, and polled text between them.
// sources: drivers/uart/uart.c drivers/device.c
#include "tests/host/uart_model.h"

static void finish_transmission(struct io_request *request)
{
    for (unsigned turns = 0; request->result == FAKE_WAITS && turns < 1000; turns++) {
        chip.out_queued = 0;
        isr(uart_sent_isr);
    }
}

static void test_writes(void)
{
    struct io_request request = { 0 };
    uint8_t data[500];
    for (unsigned i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7);
    size_t start = chip.out_size;
    submit(&request, IO_WRITE, data, sizeof data);
    tap_ok(chip.out_size - start == FIFO && chip.send_on, "test_uart_write_fills_the_fifo_at_once");
    isr(uart_sent_isr);
    tap_equal((long long)(chip.out_size - start), FIFO,
              "test_uart_stale_empty_interrupt_is_harmless");
    tap_equal(fake_cancel(device, &request), -EBUSY, "test_uart_started_write_is_ebusy");
    finish_transmission(&request);
    tap_ok(request.result == sizeof data && request.moved == sizeof data,
           "test_uart_write_completes_with_all_bytes");
    tap_ok(memcmp(chip.out + start, data, sizeof data) == 0, "test_uart_write_sends_the_bytes");
    tap_ok(!chip.send_on, "test_uart_idle_transmitter_has_no_interrupt");
    submit(&request, IO_WRITE, data, 3);
    isr(uart_sent_isr);
    tap_equal(request.result, FAKE_WAITS, "test_uart_write_waits_until_the_fifo_is_empty");
    finish_transmission(&request);
    tap_equal(request.result, 3, "test_uart_short_write_completes");
    submit(&request, IO_WRITE, NULL, 0);
    tap_ok(request.result == 0 && !chip.send_on, "test_uart_write_of_no_bytes_completes_at_once");
    // QEMU's transmitter never fills: the bytes of one turn are bounded all the same.
    chip.instant = true;
    start = chip.out_size;
    submit(&request, IO_WRITE, data, sizeof data);
    tap_equal((long long)(chip.out_size - start), TURN, "test_uart_write_is_bounded_per_turn");
    finish_transmission(&request);
    chip.instant = false;
    isr(uart_sent_isr);
    tap_equal(request.result, sizeof data, "test_uart_empty_interrupt_without_a_write_is_harmless");
}

static void test_readiness(void)
{
    struct io_request request = { 0 };
    uint8_t data[2] = { 1, 2 };
    submit(&request, IO_WRITE, data, sizeof data);
    unsigned before = fake_requests.told;
    tap_ok(!(device->ops->ready(device) & IO_READY_WRITE),
           "test_uart_write_under_way_has_to_be_waited_for");
    finish_transmission(&request);
    tap_ok(device->ops->ready(device) & IO_READY_WRITE && fake_requests.told > before,
           "test_uart_is_ready_when_it_is_done_and_says_so");
}

static void test_other_operations(void)
{
    struct io_request request = { 0 };
    tap_ok(submit(&request, IO_OPEN, NULL, 0) == 0 && request.result == 0,
           "test_uart_open_succeeds");
    tap_ok(submit(&request, IO_FLUSH, NULL, 0) == 0 && request.result == 0,
           "test_uart_flush_succeeds");
}

static void test_polled(void)
{
    struct io_request request = { 0 };
    uint8_t data[40];
    memset(data, 'w', sizeof data);
    chip.instant = true;
    size_t start = chip.out_size;
    uart_console_sink("crash\n", 6);
    tap_ok(chip.out_size - start == 6 && memcmp(chip.out + start, "crash\n", 6) == 0,
           "test_uart_polled_text_goes_out");
    chip.instant = false;
    start = chip.out_size;
    submit(&request, IO_WRITE, data, sizeof data); // 16 bytes of it are in the FIFO.
    chip.out_queued = 0;
    uart_console_sink("!", 1);
    finish_transmission(&request);
    tap_ok(request.result == sizeof data && chip.out_size - start == sizeof data + 1 &&
               chip.out[start + FIFO] == '!',
           "test_uart_polled_text_leaves_a_write_whole");
    chip.stuck = true;
    start = chip.out_size;
    uart_console_sink("never", 5);
    tap_equal((long long)(chip.out_size - start), 0, "test_uart_polled_text_gives_a_stuck_line_up");
    chip.stuck = false;
    tap_equal(uart_console_select("ttyPS9"), -ENODEV,
              "test_uart_console_of_unknown_name_is_enodev");
    tap_equal(uart_console_select("ttyPS0"), 0, "test_uart_console_is_selected_by_name");
}

int main(void)
{
    static const struct hardware hardware = { .name = "ttyPS0" };
    tap_plan(21);
    uart_console_sink("lost", 4);
    tap_equal((long long)chip.out_size, 0, "test_uart_polled_text_before_any_uart_is_dropped");
    uart = uart_claim(&hardware, &ops);
    uart_register(uart);
    device = device_find("ttyPS0");
    fake_run_all();
    test_writes();
    test_readiness();
    test_other_operations();
    test_polled();
    return tap_done();
}
