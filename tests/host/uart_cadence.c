// The Cadence driver over a model of the chip that behaves as QEMU's does where the driver has a
// quirk to mind.
// sources: drivers/uart/cadence.c drivers/uart/uart.c drivers/device.c
#include "drivers/uart/cadence.h"

#include <string.h>

#include "arch/mmio.h"
#include "drivers/uart/uart.h"
#include "tests/host/uart_bench.h"

enum { CR, MR, IER, IDR, IMR, ISR, BRGR, RTOR, RTRIG, MCR, MSR, SR, DATA, BDIV, REGISTERS };
enum { BASE = 0x1000, IRQ = 59, FIFO = 16 };

enum { RXRES = 1, TXRES = 2, RXEN = 4, RXDIS = 8, TXEN = 16, TXDIS = 32 };
enum {
    I_RTRIG = 1,
    I_REMPTY = 2,
    I_TEMPTY = 8,
    I_TFUL = 16,
    I_ROVR = 32,
    I_FRAME = 64,
    I_PARE = 128,
    I_TOUT = 256
};

static struct {
    uint32_t r[REGISTERS];
    uint8_t receive[FIFO], sent[4096];
    unsigned receive_count, transmit_count, sent_size;
    bool host_blocked;     // Nobody takes what is transmitted.
    bool divisor_with_on;  // A divider was written while a direction was on.
    bool mode_first;       // The mode was written before the dividers.
    void (*on_read)(void); // Something that happens between two accesses.
} chip;

static void update(void)
{
    if (!chip.host_blocked)
        chip.transmit_count = 0;
    chip.r[SR] = (chip.receive_count >= chip.r[RTRIG] ? I_RTRIG : 0) |
                 (chip.receive_count == 0 ? I_REMPTY : 0) |
                 (chip.transmit_count == 0 ? I_TEMPTY : 0) |
                 (chip.transmit_count == FIFO ? I_TFUL : 0);
    chip.r[ISR] |= chip.r[SR] & 0x1f; // The level, at every access.
}

static bool line_high(void)
{
    update();
    return (chip.r[ISR] & chip.r[IMR]) != 0;
}

uint32_t fake_read(uintptr_t address, unsigned bytes)
{
    (void)bytes;
    unsigned index = (unsigned)(address - BASE) / 4;
    uint32_t value = chip.r[index];
    if (index == DATA && chip.receive_count > 0) {
        value = chip.receive[0];
        memmove(chip.receive, chip.receive + 1, --chip.receive_count);
    }
    update();
    if (chip.on_read)
        chip.on_read();
    return value;
}

void fake_write(uintptr_t address, unsigned bytes, uint32_t value)
{
    (void)bytes;
    unsigned index = (unsigned)(address - BASE) / 4;
    switch (index) {
    case IER:
        chip.r[IMR] |= value;
        break;
    case IDR:
        chip.r[IMR] &= ~value;
        break;
    case ISR:
        chip.r[ISR] &= ~value;
        break;
    case DATA:
        chip.sent[chip.sent_size++] = (uint8_t)value;
        chip.transmit_count++;
        break;
    case CR:
        chip.receive_count = value & RXRES ? 0 : chip.receive_count;
        chip.transmit_count = value & TXRES ? 0 : chip.transmit_count;
        chip.r[CR] = value & ~(uint32_t)(RXRES | TXRES);
        break;
    case BRGR:
    case BDIV:
        chip.divisor_with_on |= (chip.r[CR] & (RXDIS | TXDIS)) != (RXDIS | TXDIS);
        chip.mode_first |= chip.r[MR] != 0;
        chip.r[index] = value;
        break;
    default:
        chip.r[index] = value;
    }
    update();
}

static void receive(const char *text)
{
    for (; *text && chip.receive_count < FIFO; text++)
        chip.receive[chip.receive_count++] = (uint8_t)*text;
    update();
}

static void reset(uint32_t control)
{
    memset(&chip, 0, sizeof chip);
    chip.r[CR] = control;
    chip.r[RTRIG] = 32;
    chip.r[BRGR] = 651;
    chip.r[BDIV] = 15;
    update();
}

static bool is_quiet(void)
{
    return chip.r[IMR] == 0;
}

static void time_passes(void)
{
    chip.r[ISR] |= I_TOUT;
}

static const struct hardware hardware = {
    "ttyPS0", &uart_cadence, .base = BASE, .irqs = { IRQ }, .clock_hz = 50000000,
};
static const struct uart_bench bench = { &uart_cadence, &hardware, line_high,
                                         is_quiet,      receive,   time_passes };

static unsigned run(void)
{
    return bench_run(&bench);
}

static void submit(struct io_request *request, enum io_op op, const void *buffer, size_t size)
{
    bench_submit(&bench, request, op, buffer, size);
}

// --- Tests ---

static void test_baud(void)
{
    static const struct {
        uint32_t clock_hz, baud;
    } cases[] = {
        { 50000000, 115200 }, { 100000000, 115200 }, { 33333333, 115200 },
        { 50000000, 9600 },   { 50000000, 921600 },  { 100000000, 300 },
    };
    bool good = true;
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct cadence_divisors d;
        good &= cadence_baud(cases[i].clock_hz, cases[i].baud, &d);
        double rate = (double)cases[i].clock_hz / d.cd / (d.bdiv + 1);
        double error = rate / cases[i].baud - 1;
        good &= d.bdiv >= 4 && d.cd >= 1 && error < 0.01 && error > -0.01;
    }
    tap_ok(good, "test_baud_is_within_one_percent");
    struct cadence_divisors d;
    tap_ok(!cadence_baud(1000000, 921600, &d), "test_baud_out_of_reach_is_refused");
    tap_ok(!cadence_baud(1000000000, 2, &d), "test_baud_too_slow_is_refused");
}

static void test_start(void)
{
    struct io_request request = { 0 };
    char buffer[8] = { 0 };
    // A boot loader has it running, and somebody has typed three bytes: too few for the trigger
    // level, and their time-out is over.
    reset(RXEN | TXEN);
    receive("abc");
    tap_equal(uart_cadence.start(&hardware), 0, "test_starts");
    tap_ok(!chip.divisor_with_on && !chip.mode_first, "test_dividers_are_set_while_it_is_off");
    tap_ok(chip.r[CR] & RXEN && chip.r[CR] & TXEN && !(chip.r[CR] & (RXDIS | TXDIS)),
           "test_both_directions_are_on");
    tap_equal(chip.r[MR], 0x20, "test_mode_is_8n1");
    run();
    submit(&request, IO_READ, buffer, sizeof buffer);
    run();
    tap_ok(request.result == 3 && memcmp(buffer, "abc", 3) == 0,
           "test_bytes_from_before_the_start_are_read");
}

static unsigned empty_reads;

// Right after the driver has found the FIFO empty, a byte arrives and its time-out strikes.
static void late_byte(void)
{
    if (chip.receive_count == 0 && empty_reads++ == 1) {
        chip.receive[chip.receive_count++] = 'L';
        chip.r[ISR] |= I_TOUT;
    }
}

static void test_timeout_race(void)
{
    struct io_request request = { 0 };
    char buffer[64] = { 0 };
    submit(&request, IO_READ, buffer, sizeof buffer);
    receive("a");
    chip.r[ISR] |= I_TOUT;
    chip.on_read = late_byte;
    run();
    chip.on_read = NULL;
    submit(&request, IO_READ, buffer, sizeof buffer);
    run();
    tap_ok(request.result == 1 && buffer[0] == 'L',
           "test_timeout_between_draining_and_clearing_is_not_lost");
}

static void test_transmit(void)
{
    static uint8_t data[100];
    struct io_request request = { 0 };
    for (unsigned i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)i;
    chip.host_blocked = true;
    submit(&request, IO_WRITE, data, sizeof data);
    run();
    tap_ok(request.result == FAKE_WAITS && chip.sent_size == FIFO,
           "test_full_fifo_waits_without_a_storm");
    chip.host_blocked = false;
    run();
    tap_ok(request.result == sizeof data && chip.sent_size == sizeof data &&
               memcmp(chip.sent, data, sizeof data) == 0,
           "test_write_goes_on_when_the_fifo_empties");
    tap_ok(!(chip.r[IMR] & I_TEMPTY), "test_idle_transmitter_is_masked");
}

static void test_errors(void)
{
    struct uart_statistics statistics;
    chip.r[ISR] |= I_ROVR;
    tap_equal(run(), 1, "test_overrun_causes_an_interrupt");
    chip.r[ISR] |= I_FRAME | I_PARE;
    run();
    uart_statistics("ttyPS0", &statistics);
    tap_ok(statistics.overruns == 1 && statistics.framing_errors == 1 &&
               statistics.parity_errors == 1,
           "test_errors_are_counted");
    tap_ok(!fake_interrupt(IRQ), "test_does_not_claim_a_foreign_interrupt");
}

int main(void)
{
    tap_plan(24);
    test_baud();
    reset(RXDIS | TXDIS);
    test_failing_start(&bench);
    test_start();
    test_receive(&bench);
    test_timeout_race();
    test_transmit();
    test_errors();
    return tap_done();
}
