// The 16550 driver over a model of the chip.
// sources: drivers/uart/uart_16550.c drivers/uart/uart.c drivers/device.c
#include "drivers/uart/uart_16550.h"

#include "drivers/uart/uart.h"
#include "tests/host/uart_16550_model.h"
#include "tests/host/uart_bench.h"

static const struct uart_16550_settings words = { .register_shift = 2 };
static const struct hardware hardware[CHIPS] = {
    { "ttyS0", &uart_16550, .base = BASE, .irqs = { IRQ }, .settings = &words },
    { "ttyS1", &uart_16550, .base = BASE + CHIP_BYTES, .irqs = { IRQ + 1 }, .clock_hz = 1843200 },
};

static bool is_quiet(void)
{
    return chip->ier == 0;
}

static const struct uart_bench benches[CHIPS] = {
    { &uart_16550, &hardware[0], line_high, is_quiet, receive, time_passes },
    { &uart_16550, &hardware[1], line_high, is_quiet, receive, time_passes },
};

static unsigned run(void)
{
    return bench_run(&benches[chip - chips]);
}

static void submit(struct io_request *request, enum io_op op, const void *buffer, size_t size)
{
    bench_submit(&benches[chip - chips], request, op, buffer, size);
}

static bool reads(const char *expected)
{
    struct device *port = device_find(hardware[chip - chips].name);
    struct io_request request = { 0 };
    char buffer[64] = "";
    submit(&request, IO_READ, buffer, sizeof buffer);
    run();
    if (request.result == FAKE_WAITS)
        fake_cancel(port, &request);
    return request.result == (ssize_t)strlen(expected) &&
           memcmp(buffer, expected, strlen(expected)) == 0;
}

// --- Tests ---

static void test_divisor(void)
{
    static const struct {
        uint32_t clock_hz, baud;
        uint16_t divisor;
    } cases[] = {
        { 1843200, 115200, 1 },    { 1843200, 9600, 12 },     { 3686400, 115200, 2 },
        { 150000000, 115200, 81 }, { 100000000, 115200, 54 }, { 1000000000, 4000000, 16 },
    };
    bool good = true;
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint16_t divisor = 0;
        good &= uart_16550_divisor(cases[i].clock_hz, cases[i].baud, &divisor);
        good &= divisor == cases[i].divisor;
    }
    tap_ok(good, "test_divisors");
    uint16_t divisor;
    tap_ok(!uart_16550_divisor(2500000, 115200, &divisor), "test_divisor_too_far_off");
    tap_ok(!uart_16550_divisor(100000, 115200, &divisor), "test_clock_too_slow");
    tap_ok(!uart_16550_divisor(1000000000, 300, &divisor), "test_divisor_of_17_bits");
}

// As a reset leaves it: no FIFOs, so that there is one byte from before.
static void test_cold_start(void)
{
    chip->divisor = 12;
    chip->ier = ERBFI | ETBEI;
    receive("k");
    chip->line = "m";
    tap_equal(uart_16550.start(&hardware[0]), 0, "test_starts");
    tap_equal(uart_16550.start(&hardware[0]), -EBUSY, "test_started_twice_is_ebusy");
    tap_equal(chip->fcr, 0x81, "test_fifos_are_on_with_trigger_level_8");
    tap_equal(chip->lcr, 0x03, "test_line_is_8n1");
    tap_ok(!chip->divisor_written && chip->divisor == 12, "test_without_a_clock_the_speed_stays");
    receive("l");
    tap_equal(chip->mcr, 0x03, "test_modem_lines_are_on");
    tap_ok(reads("klm"), "test_byte_from_before_the_fifos_is_read_first");
    tap_equal(fake_lines[IRQ].unclaimed, 1, "test_interrupt_from_before_the_start_is_not_claimed");
    fake_lines[IRQ].unclaimed = 0;
}

// As a boot loader leaves it: FIFOs on, bytes in them, the divisor latch still open.
static void test_warm_start(void)
{
    chip = &chips[1];
    chip->fcr = 1;
    receive("abc");
    chip->lcr = 0x83;
    tap_equal(uart_16550.start(&hardware[1]), 0, "test_second_chip_starts");
    tap_equal(chip->divisor, 1, "test_divisor_is_set_for_115200");
    tap_ok(reads("abc"), "test_bytes_from_before_the_start_are_read");
    static const struct hardware again = { "again", &uart_16550, .base = BASE + CHIP_BYTES,
                                           .irqs = { IRQ + 1 }, .clock_hz = 1843200 };
    fake_line_free(IRQ + 1);
    chip->divisor_written = false;
    receive("d");
    tap_equal(uart_16550.start(&again), 0, "test_starts_anew");
    tap_ok(!chip->divisor_written && chip->receive_count == 1, "test_right_divisor_is_left_alone");
    run();
    tap_ok(!chips[0].wrong_width && !chip->wrong_width, "test_registers_as_wide_as_far_apart");
    chip = &chips[0];
}

static void test_full_fifo(void)
{
    receive("0123456789abcdef");
    tap_equal(run(), 1, "test_full_fifo_causes_one_interrupt");
    tap_ok(reads("0123456789abcdef"), "test_full_fifo_is_read_whole");
    tap_equal(fake_lines[IRQ].unclaimed, 0, "test_reception_causes_no_phantom");
}

static uint8_t data[100];

static void test_transmit(void)
{
    struct io_request request = { 0 };
    unsigned interrupts_taken = 0;
    for (unsigned i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)i;
    chip->slow = true;
    submit(&request, IO_WRITE, data, sizeof data);
    tap_equal(run(), 0, "test_filling_causes_no_phantom");
    tap_equal(chip->sent_size, FIFO, "test_takes_a_fifo_full");
    for (unsigned at = FIFO; at < sizeof data; at += FIFO) {
        drain();
        interrupts_taken += run();
    }
    tap_ok(request.result == FAKE_WAITS && chip->transmit_count > 0,
           "test_write_waits_for_its_last_byte");
    drain();
    interrupts_taken += run();
    tap_ok(request.result == sizeof data && chip->sent_size == sizeof data &&
               memcmp(chip->sent, data, sizeof data) == 0,
           "test_write_goes_on_when_the_fifo_empties");
    tap_equal(interrupts_taken, 7, "test_one_interrupt_for_each_fifo_full");
    tap_ok(!(chip->ier & ETBEI), "test_idle_transmitter_is_masked");
    chip->slow = false;
    chip->sent_size = 0;
    submit(&request, IO_WRITE, data, sizeof data);
    tap_at_most(run(), 2, "test_interrupts_of_a_write_that_leaves_at_once");
    tap_ok(request.result == sizeof data && memcmp(chip->sent, data, sizeof data) == 0,
           "test_write_leaves_at_once");
    tap_equal(fake_lines[IRQ].unclaimed, 0, "test_sending_causes_no_phantom");
}

// Goal: polled text between a write's FIFO and its interrupt loses nothing of either.
static void test_polled_text(void)
{
    struct io_request request = { 0 };
    chip->sent_size = 0;
    submit(&request, IO_WRITE, data, 20);
    uart_console_sink("<crash>", 7);
    run();
    tap_ok(request.result == 20 && chip->sent_size == 27, "test_polled_text_goes_between");
    chip->slow = true;
    uart_console_sink("held", 4);
    chip->sent_size = 0;
    submit(&request, IO_WRITE, data, 20);
    tap_equal(chip->sent_size, 0, "test_fills_an_empty_fifo_only");
    drain();
    run();
    drain();
    run();
    drain();
    run();
    tap_ok(request.result == 20 && chip->sent_size == 20, "test_write_behind_polled_text_goes_out");
    chip->slow = false;
}

static void test_both_directions(void)
{
    struct io_request request = { 0 };
    chip->slow = true;
    submit(&request, IO_WRITE, data, 1);
    receive("abcdefgh");
    drain();
    tap_equal(run(), 1, "test_both_directions_share_an_interrupt");
    tap_ok(request.result == 1 && reads("abcdefgh"), "test_both_directions_are_served");
    tap_equal(fake_lines[IRQ].unclaimed, 0, "test_both_directions_cause_no_phantom");
    chip->slow = false;
}

static void test_errors(void)
{
    struct uart_statistics before, now;
    uart_statistics("ttyS0", &before);
    chip->errors = FE;
    update(chip);
    tap_equal(run(), 1, "test_error_causes_an_interrupt");
    chip->errors = PE;
    receive("p");
    run();
    chip->errors = BI | FE;
    receive("b");
    run();
    tap_ok(reads("pb"), "test_bytes_with_errors_are_delivered");
    receive("0123456789abcdefLOST");
    run();
    tap_ok(reads("0123456789abcdef"), "test_bytes_before_an_overrun_are_kept");
    struct io_request request = { 0 };
    chip->errors = FE; // Seen by whoever reads LSR first: here, by a write.
    submit(&request, IO_WRITE, data, 1);
    run();
    uart_statistics("ttyS0", &now);
    tap_equal(now.framing_errors - before.framing_errors, 3,
              "test_framing_errors_and_breaks_are_counted_once_each");
    tap_equal(now.parity_errors - before.parity_errors, 1, "test_parity_errors_are_counted");
    tap_equal(now.overruns - before.overruns, 1, "test_overruns_are_counted");
    tap_ok(!fake_interrupt(IRQ), "test_does_not_claim_a_foreign_interrupt");
}

// Goal: with the ring full, the FIFO keeps its bytes and is not listened to until there is room.
static void test_hold(void)
{
    struct uart_statistics before, now;
    static char buffer[2048];
    struct io_request request = { 0 };
    uart_statistics("ttyS0", &before);
    for (unsigned i = 0; i < 1024 / FIFO + 1; i++) {
        receive("0123456789abcdef");
        run();
    }
    tap_ok(!(chip->ier & ERBFI) && chip->receive_count == FIFO, "test_full_ring_masks_reception");
    receive("LOST");
    tap_at_most(run(), 2, "test_overrun_of_a_masked_receiver_is_no_storm");
    uart_statistics("ttyS0", &now);
    tap_ok(now.overruns > before.overruns, "test_overrun_of_a_masked_receiver_is_counted");
    submit(&request, IO_READ, buffer, sizeof buffer);
    run();
    size_t got = (size_t)request.result;
    submit(&request, IO_READ, buffer + got, sizeof buffer - got);
    run();
    got += (size_t)request.result;
    bool right = got == 1024 + FIFO;
    for (size_t i = 0; right && i < got; i++)
        right = buffer[i] == "0123456789abcdef"[i % FIFO];
    tap_ok(right, "test_ring_and_fifo_are_read_whole");
    tap_ok(chip->ier & ERBFI, "test_room_in_the_ring_resumes_reception");
}

int main(void)
{
    tap_plan(57);
    test_divisor();
    chip->shift = 2;
    test_failing_start(&benches[0]);
    test_cold_start();
    test_warm_start();
    test_receive(&benches[0]);
    test_full_fifo();
    test_transmit();
    test_polled_text();
    test_both_directions();
    test_errors();
    test_hold();
    return tap_done();
}
