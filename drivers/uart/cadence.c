// Cadence UART of the Zynq-7000 (UG585 chapter 19, registers in its appendix B "UART Controller").
//
// 8 data bits, no parity, 1 stop bit; no modem lines. Receives by trigger level and by time-out, so
// that a burst costs few interrupts and a single byte does not wait long. hardware->irqs[0] is its
// only interrupt; with hardware->clock_hz (the UART reference clock) 0 the speed stays as the boot
// loader or the reset left it.
//
// A UART that is receiving already keeps its FIFOs: what was typed while the boot loader ran, or
// what QEMU delivered before the kernel was up, is read like the rest.
//
// Quirks (QEMU's model): the FIFOs hold 16 bytes instead of 64, and a transmitted byte has left
// within the register write. RTRIG in ISR follows the FIFO's level at every access, so it is
// cleared after draining, or it would stand there again and cause an interrupt with nothing behind
// it. The time-out is 4 characters long whatever RTOR says, and comes once after a byte: it is
// cleared before draining, or one that comes in between would be lost with its byte.
#include <errno.h>

#include "arch/mmio.h"
#include "drivers/uart/cadence.h"
#include "drivers/uart/uart_chip.h"
#include "irq/irq.h"

enum {
    UART_CR = 0x00,    // Control
    UART_MR = 0x04,    // Mode
    UART_IER = 0x08,   // Interrupt enable: ones enable
    UART_IDR = 0x0c,   // Interrupt disable: ones disable
    UART_IMR = 0x10,   // Interrupt mask: what is enabled
    UART_ISR = 0x14,   // Interrupt status: sticky, ones clear
    UART_BRGR = 0x18,  // Baud rate generator, CD
    UART_RTOR = 0x1c,  // Receiver time-out, in units of 4 bits
    UART_RTRIG = 0x20, // Receiver FIFO trigger level, bytes
    UART_SR = 0x2c,    // Channel status
    UART_FIFO = 0x30,  // Transmit and receive FIFO
    UART_BDIV = 0x34,  // Baud rate divider
};

#define UART_CR_RXRES BIT(0)
#define UART_CR_TXRES BIT(1)
#define UART_CR_RXEN BIT(2)
#define UART_CR_RXDIS BIT(3)
#define UART_CR_TXEN BIT(4)
#define UART_CR_TXDIS BIT(5)
#define UART_CR_RSTTO BIT(6)
#define UART_CR_STPBRK BIT(8)

// With all other fields 0: the clock undivided, 8 bits, 1 stop bit, normal mode.
#define UART_MR_PAR_NONE BIT(5)

// Bits of IER, IDR, IMR and ISR.
#define UART_IXR_RTRIG BIT(0)
#define UART_IXR_TEMPTY BIT(3)
#define UART_IXR_ROVR BIT(5)
#define UART_IXR_FRAME BIT(6)
#define UART_IXR_PARE BIT(7)
#define UART_IXR_TIMEOUT BIT(8)
#define UART_IXR_ALL (BIT(14) - 1)
#define UART_IXR_RECEIVED (UART_IXR_RTRIG | UART_IXR_TIMEOUT)
#define UART_IXR_ERRORS (UART_IXR_ROVR | UART_IXR_FRAME | UART_IXR_PARE)

#define UART_SR_REMPTY BIT(1)
#define UART_SR_TEMPTY BIT(3)
#define UART_SR_TFUL BIT(4)

enum {
    BAUD = 115200,
    TRIGGER_BYTES = 8,  // Half of QEMU's FIFO; on silicon 56 more fit until it overflows: 4.8 ms.
    TIMEOUT_UNITS = 10, // 40 bits, 4 characters.
};

enum { BDIV_LEAST = 4, BDIV_MOST = 255, CD_MOST = 65535 };

bool cadence_baud(uint32_t clock_hz, uint32_t baud, struct cadence_divisors *best)
{
    uint32_t least_error = UINT32_MAX;
    for (uint32_t bdiv = BDIV_LEAST; bdiv <= BDIV_MOST; bdiv++) {
        uint32_t divided = baud * (bdiv + 1);
        uint32_t cd = (clock_hz + divided / 2) / divided;
        if (cd == 0 || cd > CD_MOST)
            continue;
        uint32_t got = clock_hz / (cd * (bdiv + 1));
        uint32_t error = got > baud ? got - baud : baud - got;
        if (error < least_error) {
            least_error = error;
            best->cd = (uint16_t)cd;
            best->bdiv = (uint8_t)bdiv;
        }
    }
    return least_error <= baud / CADENCE_BAUD_TOLERANCE;
}

static size_t cadence_receive(const struct hardware *hardware, uint8_t *bytes, size_t limit)
{
    size_t got = 0;
    while (got < limit && !(read32(hardware->base + UART_SR) & UART_SR_REMPTY))
        bytes[got++] = (uint8_t)read32(hardware->base + UART_FIFO);
    return got;
}

static size_t cadence_send(const struct hardware *hardware, const uint8_t *bytes, size_t size)
{
    size_t sent = 0;
    while (sent < size && !(read32(hardware->base + UART_SR) & UART_SR_TFUL))
        write32(hardware->base + UART_FIFO, bytes[sent++]);
    return sent;
}

static bool cadence_sent(const struct hardware *hardware)
{
    return (read32(hardware->base + UART_SR) & UART_SR_TEMPTY) != 0;
}

static void cadence_receive_interrupt(const struct hardware *hardware, bool on)
{
    write32(hardware->base + (on ? UART_IER : UART_IDR), UART_IXR_RECEIVED);
}

static void cadence_send_interrupt(const struct hardware *hardware, bool on)
{
    // An emptiness from before the filling is forgotten first; the next one sets the bit again.
    if (on)
        write32(hardware->base + UART_ISR, UART_IXR_TEMPTY);
    write32(hardware->base + (on ? UART_IER : UART_IDR), UART_IXR_TEMPTY);
}

static const struct uart_chip cadence_chip = {
    .receive = cadence_receive,
    .send = cadence_send,
    .sent = cadence_sent,
    .receive_interrupt = cadence_receive_interrupt,
    .send_interrupt = cadence_send_interrupt,
};

static void count_errors(struct uart *uart, uint32_t status)
{
    if (status & UART_IXR_ROVR)
        uart_lost_isr(uart, UART_OVERRUN);
    if (status & UART_IXR_FRAME)
        uart_lost_isr(uart, UART_FRAMING_ERROR);
    if (status & UART_IXR_PARE)
        uart_lost_isr(uart, UART_PARITY_ERROR);
}

static bool cadence_interrupt(void *context)
{
    struct uart *uart = context;
    uintptr_t base = uart_hardware(uart)->base;
    uint32_t status = read32(base + UART_ISR) & read32(base + UART_IMR);
    // Everything but the trigger level is cleared before it is acted upon: what happens meanwhile
    // is a new interrupt.
    write32(base + UART_ISR, status & ~UART_IXR_RTRIG);
    count_errors(uart, status);
    if (status & UART_IXR_TEMPTY)
        uart_sent_isr(uart);
    if (status & UART_IXR_RECEIVED) {
        uart_received_isr(uart);
        write32(base + UART_ISR, UART_IXR_RTRIG);
    }
    return status != 0;
}

// The dividers may change only while both directions are off (UG585 19.3.2); does nothing when they
// are right already, because QEMU throws away bytes that arrive while the receiver is off.
static int cadence_set_baud(const struct hardware *hardware)
{
    struct cadence_divisors divisors;
    if (!cadence_baud(hardware->clock_hz, BAUD, &divisors))
        return -EINVAL;
    uintptr_t base = hardware->base;
    if (read32(base + UART_BRGR) == divisors.cd && read32(base + UART_BDIV) == divisors.bdiv)
        return 0;
    write32(base + UART_CR, UART_CR_RXDIS | UART_CR_TXDIS);
    write32(base + UART_BRGR, divisors.cd);
    write32(base + UART_BDIV, divisors.bdiv);
    return 0;
}

static int cadence_setup(const struct hardware *hardware)
{
    uintptr_t base = hardware->base;
    uint32_t control = read32(base + UART_CR);
    bool receiving = (control & (UART_CR_RXEN | UART_CR_RXDIS)) == UART_CR_RXEN;
    write32(base + UART_IDR, UART_IXR_ALL);
    if (hardware->clock_hz != 0 && cadence_set_baud(hardware) != 0)
        return -EINVAL;
    // After the dividers: QEMU computes the length of a character, and of the time-out, when the
    // mode is written.
    write32(base + UART_MR, UART_MR_PAR_NONE);
    write32(base + UART_RTRIG, TRIGGER_BYTES);
    write32(base + UART_RTOR, TIMEOUT_UNITS);
    uint32_t resets = receiving ? 0 : UART_CR_RXRES | UART_CR_TXRES; // They clear themselves.
    write32(base + UART_CR, UART_CR_STPBRK | UART_CR_RSTTO | UART_CR_TXEN | UART_CR_RXEN | resets);
    write32(base + UART_ISR, UART_IXR_ALL);
    write32(base + UART_IER, UART_IXR_RECEIVED | UART_IXR_ERRORS);
    return 0;
}

static int cadence_start(const struct hardware *hardware)
{
    struct uart *uart = uart_claim(hardware, &cadence_chip);
    if (uart == NULL)
        return -ENOMEM;
    int error = irq_install(hardware->irqs[0], hardware->name, cadence_interrupt, uart);
    if (error)
        return error;
    error = cadence_setup(hardware);
    if (error == 0)
        error = uart_register(uart);
    if (error) {
        write32(hardware->base + UART_IDR, UART_IXR_ALL);
        irq_remove(hardware->irqs[0]);
        return error;
    }
    irq_enable(hardware->irqs[0]);
    return 0;
}

const struct driver uart_cadence = { .start = cadence_start };
