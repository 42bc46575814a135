// A serial driver on real registers: a port that is not the console in local loopback, where what
// is transmitted is received. There is no flow control in a loopback, so here a FIFO really
// overruns.
// Under instruction counting, so that no deadline passes while the host does something else.
// qemu: -icount shift=0,sleep=off
#include <errno.h>
#include <string.h>

#include "aio/core.h"
#include "arch/cpu.h"
#include "arch/mmio.h"
#include "board_find.h"
#include "drivers/uart/uart.h"
#include "drivers/uart/uart_16550.h"
#include "irq/clock.h"
#include "irq/irq.h"
#include "tests/tap.h"

enum {
    CADENCE_MR = 0x04,
    CADENCE_MR_LOCAL_LOOPBACK_8N1 = 0x220,
    UART_MCR = 4,
    UART_MCR_LOOP = 0x10,
    PIECE = 16, // Bytes of the smallest FIFO there is.
    RING = 1024,
    MS = 1000000,
};

static const struct hardware *uart;
static struct device *device;

static void cadence_loop_back(void)
{
    write32(uart->base + CADENCE_MR, CADENCE_MR_LOCAL_LOOPBACK_8N1);
}

static void uart_16550_loop_back(void)
{
    const struct uart_16550_settings *settings = uart->settings;
    unsigned shift = settings ? settings->register_shift : 0;
    if (shift == 2)
        write32(uart->base + (UART_MCR << shift), UART_MCR_LOOP);
    else
        write8(uart->base + (UART_MCR << shift), UART_MCR_LOOP);
}

// A port is called after the kind of its chip, as Linux does it.
static const struct {
    const char *prefix;
    void (*loop_back)(void);
} kinds[] = {
    { "ttyPS", cadence_loop_back },
    { "ttyS", uart_16550_loop_back },
};

// Finds a port that nothing is connected to and puts it in loopback.
static bool loop_back(void)
{
    for (uart = board.hardware; uart->name; uart++)
        for (unsigned i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
            if (strcmp(uart->name, board.console) != 0 &&
                strncmp(uart->name, kinds[i].prefix, strlen(kinds[i].prefix)) == 0) {
                kinds[i].loop_back();
                return true;
            }
    return false;
}

static long transfer(enum io_op op, void *buffer, size_t size, uint64_t timeout_ns)
{
    struct io_request request = { .op = op, .buffer = buffer, .size = size };
    io_set_deadline(&request, timeout_ns ? clock_now_ns() + timeout_ns : 0);
    int error = io_submit(device, &request);
    return error ? error : (long)io_wait(&request);
}

// Reads size bytes, however many requests it takes. Result: bytes read within the time.
static size_t read_all(uint8_t *buffer, size_t size)
{
    size_t got = 0;
    while (got < size) {
        long result = transfer(IO_READ, buffer + got, size - got, 200 * MS);
        if (result <= 0)
            break;
        got += (size_t)result;
    }
    return got;
}

static struct uart_statistics statistics(void)
{
    struct uart_statistics now = { 0 };
    uart_statistics(uart->name, &now);
    return now;
}

static uint8_t sent[4096], received[4096];

static void test_reads(void)
{
    uint8_t byte;
    tap_equal(transfer(IO_READ, &byte, 1, 3 * MS), -ETIMEDOUT,
              "test_uart_silent_line_is_etimedout");
    struct io_request request = { .op = IO_READ, .buffer = received, .size = sizeof received };
    io_submit(device, &request);
    tap_equal(transfer(IO_WRITE, sent, 1, 0), 1, "test_uart_sends_a_byte");
    tap_ok(io_wait(&request) == 1 && received[0] == sent[0],
           "test_uart_single_byte_comes_by_timeout");
    transfer(IO_WRITE, sent, PIECE, 0);
    tap_ok(read_all(received, PIECE) == PIECE && memcmp(sent, received, PIECE) == 0,
           "test_uart_burst_comes_by_trigger_level");
}

// Goal: bytes, interrupts and their order over many bursts, each of them read before the next.
static void test_bursts(void)
{
    struct irq_statistics before, after;
    size_t got = 0;
    irq_statistics(uart->irqs[0], &before);
    for (size_t at = 0; at < sizeof sent; at += PIECE) {
        transfer(IO_WRITE, sent + at, PIECE, 0);
        got += read_all(received + at, PIECE);
    }
    irq_statistics(uart->irqs[0], &after);
    tap_ok(got == sizeof sent && memcmp(sent, received, sizeof sent) == 0,
           "test_uart_many_bursts_arrive_whole");
    tap_equal(after.unhandled, 0, "test_uart_every_interrupt_has_a_reason");
    // One for what was sent, one for the trigger level, one for the time-out after the last byte.
    tap_at_most((after.count - before.count) * 10 / (sizeof sent / PIECE), 30,
                "test_uart_interrupts_per_10_bursts");
    tap_equal(statistics().overruns, 0, "test_uart_bursts_overrun_nothing");
}

static void fill_ring(void)
{
    for (size_t at = 0; at < RING + PIECE; at += PIECE)
        transfer(IO_WRITE, sent + at, PIECE, 0);
}

// Goal: with nobody reading, the ring and then the FIFO fill up and nothing is lost by that.
static void test_back_pressure(void)
{
    struct uart_statistics before = statistics();
    fill_ring();
    tap_equal(statistics().holds - before.holds, 1, "test_uart_full_ring_holds_reception");
    tap_equal(statistics().overruns - before.overruns, 0, "test_uart_full_ring_is_no_overrun");
    tap_ok(read_all(received, RING + PIECE) == RING + PIECE &&
               memcmp(sent, received, RING + PIECE) == 0,
           "test_uart_ring_and_fifo_are_read_whole");
}

static void test_overrun(void)
{
    struct uart_statistics before = statistics();
    fill_ring();
    transfer(IO_WRITE, sent + RING + PIECE, 4 * PIECE, 0);
    tap_ok(statistics().overruns > before.overruns, "test_uart_overrun_is_counted");
    size_t got = read_all(received, RING + PIECE);
    tap_ok(got == RING + PIECE && memcmp(sent, received, got) == 0,
           "test_uart_bytes_before_an_overrun_are_kept");
    while (transfer(IO_READ, received, sizeof received, 3 * MS) > 0) {}
    transfer(IO_WRITE, sent, 5, 0);
    tap_ok(read_all(received, 5) == 5 && memcmp(sent, received, 5) == 0,
           "test_uart_goes_on_after_an_overrun");
}

static void test_start(void)
{
    device = device_find(uart->name);
    tap_ok(device != NULL, "test_uart_second_port_is_a_device");
    uint32_t flags = irq_save();
    int again = uart->driver->start(uart);
    irq_restore(flags);
    tap_equal(again, -EBUSY, "test_uart_started_twice_is_ebusy");
    struct io_request nonblocking = {
        .op = IO_READ, .flags = IO_NONBLOCK, .buffer = received, .size = 1
    };
    io_submit(device, &nonblocking);
    tap_equal(io_wait(&nonblocking), -EAGAIN, "test_uart_nonblocking_read_of_nothing_is_eagain");
}

int main(void)
{
    enum { TESTS = 17 };
    for (unsigned i = 0; i < sizeof sent; i++)
        sent[i] = (uint8_t)(i * 37 + i / 256);
    tap_plan(TESTS);
    if (!loop_back()) {
        for (unsigned i = 0; i < TESTS; i++)
            tap_skip("test_uart_loopback", "this board has no serial port besides the console");
        return tap_done();
    }
    test_start();
    test_reads();
    test_bursts();
    test_back_pressure();
    test_overrun();
    return tap_done();
}
