// The Cadence driver on real registers: the chip's second UART in local loopback, where what is
// transmitted is received. There is no flow control in a loopback, so here a FIFO really overruns.
#include <errno.h>
#include <string.h>

#include "aio/core.h"
#include "arch/cpu.h"
#include "arch/mmio.h"
#include "board/board.h"
#include "drivers/uart/cadence.h"
#include "drivers/uart/uart.h"
#include "irq/clock.h"
#include "irq/irq.h"
#include "tests/tap.h"

enum {
    UART1 = 0xe0001000, // UG585 appendix B; interrupt 82 in its table 7-4.
    UART1_IRQ = 82,
    UART_MR = 0x04,
    MR_LOCAL_LOOPBACK_8N1 = 0x220,
    PIECE = 16, // Bytes of the smaller FIFO, QEMU's.
    RING = 1024,
    MS = 1000000,
};

static const struct hardware uart1 = {
    .name = "ttyPS1",
    .driver = &uart_cadence,
    .base = UART1,
    .irqs = { UART1_IRQ },
    .clock_hz = 50000000,
};

static struct device *device;

static long transfer(enum io_op op, void *buffer, size_t size, uint64_t timeout_ns)
{
    struct io_request request = { .op = op, .buffer = buffer, .size = size };
    request.deadline_ns = timeout_ns ? clock_now_ns() + timeout_ns : 0;
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
    uart_statistics("ttyPS1", &now);
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
    irq_statistics(UART1_IRQ, &before);
    for (size_t at = 0; at < sizeof sent; at += PIECE) {
        transfer(IO_WRITE, sent + at, PIECE, 0);
        got += read_all(received + at, PIECE);
    }
    irq_statistics(UART1_IRQ, &after);
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

int main(void)
{
    for (unsigned i = 0; i < sizeof sent; i++)
        sent[i] = (uint8_t)(i * 37 + i / 256);
    tap_plan(18);
    uint32_t flags = irq_save();
    int first = uart_cadence.start(&uart1), again = uart_cadence.start(&uart1);
    irq_restore(flags);
    device = device_find("ttyPS1");
    tap_equal(first, 0, "test_uart_second_port_starts");
    tap_ok(device != NULL, "test_uart_second_port_is_a_device");
    tap_equal(again, -EBUSY, "test_uart_started_twice_is_ebusy");
    write32(UART1 + UART_MR, MR_LOCAL_LOOPBACK_8N1);
    struct io_request nonblocking = {
        .op = IO_READ, .flags = IO_NONBLOCK, .buffer = received, .size = 1
    };
    io_submit(device, &nonblocking);
    tap_equal(io_wait(&nonblocking), -EAGAIN, "test_uart_nonblocking_read_of_nothing_is_eagain");
    test_reads();
    test_bursts();
    test_back_pressure();
    test_overrun();
    return tap_done();
}
