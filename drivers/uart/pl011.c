// PL011 UART of ARM (DDI 0183), as QEMU's virt has one.
//
// 8 data bits, no parity, 1 stop bit; no modem lines, no DMA. Receives by trigger level and by
// time-out, so that a burst costs few interrupts and a single byte does not wait long.
// hardware->irqs[0] is the combined interrupt; with hardware->clock_hz (UARTCLK) 0 the speed stays
// as the boot loader left it.
//
// The transmit interrupt comes when the FIFO's level falls through the trigger level, and only then
// (2.8.3): not for an empty FIFO, and not when so few bytes were written that the level never rose
// above it. No interrupt says that the FIFO is empty. So whenever that one cannot be the last word,
// a timer looks at the FIFO.
//
// The receive interrupts end by themselves when the FIFO has been drained and are never cleared by
// hand: QEMU raises its own again only when the FIFO has been empty in between.
//
// Quirks (QEMU's model): the receive interrupt comes with the first byte whatever the trigger
// level, and there is no time-out; a byte has left within the register write, which raises the
// transmit interrupt each time; UARTEN, TXE and RXE are ignored, so bytes arrive before the driver
// has started.
#include "drivers/uart/pl011.h"

#include <errno.h>

#include "arch/container.h"
#include "arch/mmio.h"
#include "drivers/uart/uart_chip.h"
#include "irq/clock.h"
#include "irq/irq.h"

enum {
    UARTDR = 0x00,    // Data: both FIFOs
    UARTFR = 0x18,    // Flags
    UARTIBRD = 0x24,  // Integer baud rate divider
    UARTFBRD = 0x28,  // Fractional baud rate divider
    UARTLCR_H = 0x2c, // Line control; writing it also takes the dividers over
    UARTCR = 0x30,    // Control
    UARTIFLS = 0x34,  // Interrupt FIFO level select
    UARTIMSC = 0x38,  // Interrupt mask: ones let through
    UARTMIS = 0x40,   // Masked interrupt status
    UARTICR = 0x44,   // Interrupt clear: ones clear
};

#define UARTFR_RXFE BIT(4)
#define UARTFR_TXFF BIT(5)
#define UARTFR_TXFE BIT(7)

#define UARTLCR_H_FEN BIT(4)
#define UARTLCR_H_WLEN_8 (3u << 5)

#define UARTCR_UARTEN BIT(0)
#define UARTCR_TXE BIT(8)
#define UARTCR_RXE BIT(9)

#define UARTIFLS_TX_EIGHTH (0u << 0)
#define UARTIFLS_RX_HALF (2u << 3)

// Bits of IMSC, MIS and ICR.
#define UARTINT_RX BIT(4)
#define UARTINT_TX BIT(5)
#define UARTINT_RT BIT(6)
#define UARTINT_FE BIT(7)
#define UARTINT_PE BIT(8)
#define UARTINT_BE BIT(9)
#define UARTINT_OE BIT(10)
#define UARTINT_ALL (BIT(11) - 1)
#define UARTINT_RECEIVED (UARTINT_RX | UARTINT_RT)
#define UARTINT_ERRORS (UARTINT_FE | UARTINT_PE | UARTINT_BE | UARTINT_OE)

enum {
    BAUD = 115200,
    RISES_ABOVE = 6,  // So many bytes at once rise above the transmit level even in the largest
                      // FIFO, that of r1p5: 4 of 32, and the first one leaves it at once.
    LOOK_NS = 100000, // A character takes 87 µs.
};

struct pl011 {
    struct uart *uart;
    struct timer look; // Armed when the transmit interrupt may not come.
    bool sending;      // The class waits for the transmit FIFO to be empty.
};

static struct pl011 pl011s[UART_LIMIT];
static unsigned pl011_count;

bool pl011_baud(uint32_t clock_hz, uint32_t baud, struct pl011_divisors *divisors)
{
    // In 64ths: clock_hz / (16 * baud) * 64.
    uint32_t divisor = (clock_hz * 4 + baud / 2) / baud;
    if (divisor < 64 || divisor > 65535 * 64)
        return false;
    divisors->ibrd = (uint16_t)(divisor / 64);
    divisors->fbrd = (uint8_t)(divisor % 64);
    return true;
}

// Called with hardware that was claimed, so one of them is it.
static struct pl011 *pl011_of(const struct hardware *hardware)
{
    unsigned i = 0;
    while (i < pl011_count && uart_hardware(pl011s[i].uart) != hardware)
        i++;
    return &pl011s[i];
}

static void look_later(struct pl011 *pl011)
{
    timer_arm(&pl011->look, clock_now_ns() + LOOK_NS);
}

static size_t pl011_receive(const struct hardware *hardware, uint8_t *bytes, size_t limit)
{
    size_t got = 0;
    while (got < limit && !(read32(hardware->base + UARTFR) & UARTFR_RXFE))
        bytes[got++] = (uint8_t)read32(hardware->base + UARTDR);
    return got;
}

static size_t pl011_send(const struct hardware *hardware, const uint8_t *bytes, size_t size)
{
    struct pl011 *pl011 = pl011_of(hardware);
    size_t sent = 0;
    while (sent < size && !(read32(hardware->base + UARTFR) & UARTFR_TXFF))
        write32(hardware->base + UARTDR, bytes[sent++]);
    if (pl011->sending && sent < RISES_ABOVE)
        look_later(pl011);
    return sent;
}

static bool pl011_sent(const struct hardware *hardware)
{
    return (read32(hardware->base + UARTFR) & UARTFR_TXFE) != 0;
}

static void let_through(const struct hardware *hardware, uint32_t interrupts, bool on)
{
    uint32_t mask = read32(hardware->base + UARTIMSC);
    write32(hardware->base + UARTIMSC, on ? mask | interrupts : mask & ~interrupts);
}

static void pl011_receive_interrupt(const struct hardware *hardware, bool on)
{
    let_through(hardware, UARTINT_RECEIVED, on);
}

static void pl011_send_interrupt(const struct hardware *hardware, bool on)
{
    struct pl011 *pl011 = pl011_of(hardware);
    pl011->sending = on;
    if (on) // An interrupt from before the filling is forgotten; the next one sets the bit again.
        write32(hardware->base + UARTICR, UARTINT_TX);
    else
        timer_cancel(&pl011->look);
    let_through(hardware, UARTINT_TX, on);
}

static const struct uart_chip pl011_chip = {
    .receive = pl011_receive,
    .send = pl011_send,
    .sent = pl011_sent,
    .receive_interrupt = pl011_receive_interrupt,
    .send_interrupt = pl011_send_interrupt,
};

// At or below the transmit level, which need not be empty.
static void pl011_drained(struct pl011 *pl011)
{
    if (pl011_sent(uart_hardware(pl011->uart)))
        uart_sent_isr(pl011->uart);
    else
        look_later(pl011);
}

static void pl011_look(struct timer *timer)
{
    pl011_drained(container_of(timer, struct pl011, look));
}

static void count_errors(struct uart *uart, uint32_t status)
{
    if (status & UARTINT_OE)
        uart_lost_isr(uart, UART_OVERRUN);
    if (status & (UARTINT_FE | UARTINT_BE))
        uart_lost_isr(uart, UART_FRAMING_ERROR);
    if (status & UARTINT_PE)
        uart_lost_isr(uart, UART_PARITY_ERROR);
}

static bool pl011_interrupt(void *context)
{
    struct pl011 *pl011 = context;
    uintptr_t base = uart_hardware(pl011->uart)->base;
    uint32_t status = read32(base + UARTMIS);
    // Cleared before they are acted upon: what happens meanwhile is a new interrupt.
    write32(base + UARTICR, status & ~UARTINT_RECEIVED);
    count_errors(pl011->uart, status);
    if (status & UARTINT_TX)
        pl011_drained(pl011);
    if (status & UARTINT_RECEIVED)
        uart_received_isr(pl011->uart);
    return status != 0;
}

static int pl011_set_baud(const struct hardware *hardware)
{
    struct pl011_divisors divisors;
    if (!pl011_baud(hardware->clock_hz, BAUD, &divisors))
        return -EINVAL;
    write32(hardware->base + UARTIBRD, divisors.ibrd);
    write32(hardware->base + UARTFBRD, divisors.fbrd);
    return 0;
}

// The UART is off while it is changed (3.3.8). FIFOs that are on stay so and keep their bytes;
// switching them on forgets the one byte that is held without them, so that is fetched first.
static int pl011_setup(const struct hardware *hardware, struct uart *uart)
{
    uintptr_t base = hardware->base;
    write32(base + UARTIMSC, 0);
    write32(base + UARTCR, 0);
    if (hardware->clock_hz != 0 && pl011_set_baud(hardware) != 0)
        return -EINVAL;
    uart_received_isr(uart);
    write32(base + UARTLCR_H, UARTLCR_H_WLEN_8 | UARTLCR_H_FEN);
    write32(base + UARTIFLS, UARTIFLS_RX_HALF | UARTIFLS_TX_EIGHTH);
    write32(base + UARTICR, UARTINT_ALL & ~UARTINT_RECEIVED);
    write32(base + UARTCR, UARTCR_UARTEN | UARTCR_TXE | UARTCR_RXE);
    write32(base + UARTIMSC, UARTINT_RECEIVED | UARTINT_ERRORS);
    return 0;
}

static int pl011_start(const struct hardware *hardware)
{
    struct uart *uart = uart_claim(hardware, &pl011_chip);
    if (uart == NULL)
        return -ENOMEM;
    struct pl011 *pl011 = &pl011s[pl011_count]; // As many as the class has, so one is free.
    pl011->uart = uart;
    pl011->look.expired = pl011_look;
    int error = irq_install(hardware->irqs[0], hardware->name, pl011_interrupt, pl011);
    if (error)
        return error;
    error = pl011_setup(hardware, uart);
    if (error == 0)
        error = uart_register(uart);
    if (error) {
        write32(hardware->base + UARTIMSC, 0);
        irq_remove(hardware->irqs[0]);
        return error;
    }
    pl011_count++;
    irq_enable(hardware->irqs[0]);
    return 0;
}

const struct driver uart_pl011 = { .start = pl011_start };
