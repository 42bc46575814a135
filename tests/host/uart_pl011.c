// The PL011 driver over a model of the chip, as the manual has it and, at last, as QEMU has it.
// sources: drivers/uart/pl011.c drivers/uart/uart.c drivers/device.c
#include "drivers/uart/pl011.h"

#include <string.h>

#include "drivers/uart/uart.h"
#include "tests/host/fake/clock.h"
#include "tests/host/pl011_model.h"
#include "tests/host/uart_bench.h"

enum { IRQ = 33 };

static bool line_high(void)
{
    return chip.r[RIS] & chip.r[IMSC];
}

static bool is_quiet(void)
{
    return chip.r[IMSC] == 0;
}

static void time_passes(void)
{
    chip.r[RIS] |= I_RT;
}

static const struct hardware hardware = {
    "ttyAMA0", &uart_pl011, .base = BASE, .irqs = { IRQ }, .clock_hz = 24000000,
};
static const struct uart_bench bench = { &uart_pl011, &hardware, line_high,
                                         is_quiet,    receive,   time_passes };

static unsigned run(void)
{
    return bench_run(&bench);
}

static void submit(struct io_request *request, enum io_op op, const void *buffer, size_t size)
{
    bench_submit(&bench, request, op, buffer, size);
}

// A character's time: what was waited for by a timer is over.
static void tick(void)
{
    struct timer *timer = fake_clock.timers;
    character_time();
    run();
    if (timer == NULL || timer != fake_clock.timers)
        return;
    fake_timer_expires();
    run();
}

static void reset(uint32_t line_control, uint32_t control)
{
    memset(&chip, 0, sizeof chip);
    chip.r[CR] = control;
    chip.r[LCR_H] = line_control;
}

// --- Tests ---

static void test_baud(void)
{
    static const struct {
        uint32_t clock_hz, baud;
    } cases[] = {
        { 24000000, 115200 }, { 48000000, 115200 },    { 3686400, 115200 }, { 24000000, 921600 },
        { 24000000, 300 },    { 1000000000, 4000000 }, { 1843200, 115200 },
    };
    bool good = true;
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pl011_divisors d;
        good &= pl011_baud(cases[i].clock_hz, cases[i].baud, &d);
        double error = cases[i].clock_hz / 16.0 / (d.ibrd + d.fbrd / 64.0) / cases[i].baud - 1;
        good &= d.ibrd >= 1 && d.fbrd < 64 && error < 0.01 && error > -0.01;
    }
    tap_ok(good, "test_baud_is_within_one_percent");
    struct pl011_divisors d;
    tap_ok(!pl011_baud(1000000, 115200, &d), "test_baud_out_of_reach_is_refused");
    tap_ok(!pl011_baud(1000000000, 50, &d), "test_baud_too_slow_is_refused");
}

static void test_start(void)
{
    struct io_request request = { 0 };
    char buffer[8] = { 0 };
    // Without FIFOs, on, and somebody has typed a byte; the next one comes after the start.
    reset(0, ON);
    chip.r[RIS] |= I_OE;
    receive("a");
    tap_equal(uart_pl011.start(&hardware), 0, "test_starts");
    receive("bc");
    tap_ok(!chip.changed_while_on && !chip.dividers_not_over, "test_is_set_up_while_it_is_off");
    tap_equal(chip.r[CR], ON, "test_both_directions_are_on");
    tap_equal(chip.r[LCR_H], 0x70, "test_mode_is_8n1_with_fifos");
    tap_ok(chip.r[IBRD] == 13 && chip.r[FBRD] == 1, "test_speed_is_115200");
    run();
    submit(&request, IO_READ, buffer, sizeof buffer);
    run();
    tap_ok(request.result == 3 && memcmp(buffer, "abc", 3) == 0,
           "test_bytes_from_before_the_start_are_read");
    struct uart_statistics statistics;
    uart_statistics("ttyAMA0", &statistics);
    tap_equal(statistics.overruns, 0, "test_errors_from_before_the_start_are_not_counted");
}

// Nobody reads until the ring has been full; everything arrives all the same.
static void test_back_pressure(void)
{
    enum { BYTES = 1500 };
    static char got[BYTES];
    struct io_request request = { 0 };
    unsigned typed = 0, read = 0;
    bool right = true;
    for (unsigned looks = 0; read < BYTES && looks < 1000; looks++) {
        char piece[2] = { 0 };
        while (typed < BYTES && chip.receive_count < FIFO) {
            piece[0] = (char)('a' + typed++ % 23);
            receive(piece);
        }
        chip.r[RIS] |= chip.receive_count > 0 ? I_RT : 0;
        run();
        if (looks < 100)
            continue;
        submit(&request, IO_READ, got + read, sizeof got - read);
        run();
        read += request.result > 0 ? (unsigned)request.result : 0;
    }
    for (unsigned i = 0; i < BYTES; i++)
        right &= got[i] == (char)('a' + i % 23);
    struct uart_statistics statistics;
    uart_statistics("ttyAMA0", &statistics);
    tap_ok(right && read == BYTES && statistics.holds == 1,
           "test_full_ring_holds_reception_and_loses_nothing");
}

// Result: character times that the write took.
static unsigned write_bytes(unsigned size)
{
    static uint8_t data[256];
    struct io_request request = { 0 };
    unsigned ticks = 0;
    for (unsigned i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i + size);
    chip.sent_size = 0;
    submit(&request, IO_WRITE, data, size);
    run();
    while (request.result == FAKE_WAITS && ticks < 1000) {
        tick();
        ticks++;
    }
    bool right = request.result == (ssize_t)size && chip.sent_size == size &&
                 memcmp(chip.sent, data, size) == 0 && chip.transmit_count == 0;
    bool quiet = !(chip.r[IMSC] & I_TX) && !fake_clock.timers;
    while (chip.shifting)
        character_time();
    return right && quiet ? ticks : 1000;
}

static void test_transmit(void)
{
    // Two wait for a timer, since the level never rises; the first one is in the shift register.
    tap_ok(write_bytes(1) <= 2, "test_one_byte_completes_without_an_interrupt");
    tap_ok(write_bytes(3) <= 4, "test_few_bytes_complete_without_an_interrupt");
    tap_ok(write_bytes(TX_LEVEL + 2) <= 5, "test_bytes_that_just_rise_above_complete");
    tap_ok(write_bytes(FIFO) <= FIFO + 2, "test_a_fifo_full_completes_when_it_is_empty");
    tap_ok(write_bytes(200) <= 240, "test_a_long_write_goes_on_when_the_fifo_empties");
    // A crash message that polls may fill the FIFO before a write.
    uart_console_sink("stop", 4);
    tap_ok(write_bytes(1) <= 8, "test_a_write_behind_a_message_completes");
}

static void test_errors(void)
{
    struct uart_statistics before, after;
    uart_statistics("ttyAMA0", &before);
    chip.r[RIS] |= I_OE;
    tap_equal(run(), 1, "test_overrun_causes_an_interrupt");
    chip.r[RIS] |= I_FE | I_BE; // A break is also a byte without a stop bit.
    run();
    uart_statistics("ttyAMA0", &after);
    tap_ok(after.framing_errors - before.framing_errors == 1 &&
               after.parity_errors == before.parity_errors,
           "test_a_break_is_one_framing_error");
    chip.r[RIS] |= I_PE;
    run();
    uart_statistics("ttyAMA0", &after);
    tap_ok(after.overruns - before.overruns == 1 &&
               after.framing_errors - before.framing_errors == 1 &&
               after.parity_errors - before.parity_errors == 1,
           "test_errors_are_counted");
    tap_ok(!fake_interrupt(IRQ), "test_does_not_claim_a_foreign_interrupt");
}

static void test_qemu(void)
{
    struct io_request request = { 0 };
    char buffer[64] = { 0 };
    chip.qemu = true;
    submit(&request, IO_READ, buffer, sizeof buffer);
    receive("k");
    tap_equal(run(), 1, "test_in_qemu_one_byte_causes_one_interrupt");
    tap_ok(request.result == 1 && buffer[0] == 'k', "test_in_qemu_one_byte_delivers");
    tap_ok(write_bytes(1) == 0 && write_bytes(200) == 0,
           "test_in_qemu_a_write_completes_by_interrupts_alone");
}

int main(void)
{
    tap_plan(33);
    test_baud();
    reset(0, 0);
    test_failing_start(&bench);
    test_start();
    test_receive(&bench);
    test_back_pressure();
    test_transmit();
    test_errors();
    test_qemu();
    return tap_done();
}
