// 16550 UART: National's PC16550D and what is compatible with it, as the MMUARTs of the PolarFire
// SoC are (MSS technical reference manual, "MMUART").
//
// 8 data bits, no parity, 1 stop bit; DTR and RTS on, no flow control. Receives by trigger level
// and by time-out, so that a burst costs few interrupts and a single byte does not wait long.
// hardware->irqs[0] is its only interrupt; with hardware->clock_hz 0 the speed stays as the boot
// loader or the reset left it.
//
// What has been received before the start is read like the rest. FIFOs that are on already are left
// alone; switching them on empties them (PC16550D, 8.4), so the one byte that a receiver without
// FIFO holds is kept aside.
//
// Quirks. Reading LSR clears the errors in it, whoever reads it and why: all of this file does so
// by line_status(), which counts them. There is no bit for a full transmit FIFO, only one for an
// empty one. An interrupt for the empty FIFO is raised as soon as it is enabled (so do the MMUART
// and QEMU's model), thus also again and again while nothing is to be sent: it is enabled only
// once the FIFO has been filled, and disabled after the last byte.
//
// An interrupt is served with IER 0, and what is left then raises it anew. A PLIC may remember a
// level that has gone again, and one of QEMU's version 7.2 does not look at a level that has
// stayed: so neither a cause is lost nor does an interrupt come with nothing behind it.
#include "drivers/uart/uart_16550.h"

#include <errno.h>

#include "arch/mmio.h"
#include "drivers/uart/uart_chip.h"
#include "irq/irq.h"

// Register numbers; their distance is the board's.
enum {
    UART_RBR = 0, // Receiver buffer, read
    UART_THR = 0, // Transmitter holding, write
    UART_DLL = 0, // Divisor latch, low byte, while DLAB is set
    UART_IER = 1, // Interrupt enable
    UART_DLM = 1, // Divisor latch, high byte, while DLAB is set
    UART_IIR = 2, // Interrupt identification, read
    UART_FCR = 2, // FIFO control, write
    UART_LCR = 3, // Line control
    UART_MCR = 4, // Modem control
    UART_LSR = 5, // Line status
};

#define UART_IER_ERBFI BIT(0) // Received data, and their time-out.
#define UART_IER_ETBEI BIT(1) // The transmit FIFO is empty.
#define UART_IER_ELSI BIT(2)  // An error in LSR.

#define UART_IIR_NO_INTERRUPT BIT(0)
#define UART_IIR_FIFOS (BIT(6) | BIT(7)) // Both are set while the FIFOs are on.

#define UART_FCR_FIFO_ENABLE BIT(0)
#define UART_FCR_TRIGGER_8 BIT(7) // 8 of 16 bytes: the other half fills within 0.7 ms.

#define UART_LCR_8N1 UINT32_C(0x03)
#define UART_LCR_DLAB BIT(7)

#define UART_MCR_DTR BIT(0)
#define UART_MCR_RTS BIT(1)
#define UART_MCR_LOOP BIT(4)

#define UART_LSR_DR BIT(0) // Data ready.
#define UART_LSR_OE BIT(1) // Overrun. The three below are those of the byte to be read next.
#define UART_LSR_PE BIT(2)
#define UART_LSR_FE BIT(3)
#define UART_LSR_BI BIT(4)   // Break.
#define UART_LSR_THRE BIT(5) // The transmit FIFO is empty.

enum {
    BAUD = 115200,
    CLOCKS_PER_BIT = 16,
    DIVISOR_MOST = 65535,
    FIFO_BYTES = 16,
    WORD_SHIFT = 2, // The register_shift at which registers are words.
};

// What the driver keeps about a chip.
struct port {
    const struct hardware *hardware;
    struct uart *uart;
    uint8_t shift;
    uint8_t wanted;  // What IER is to hold,
    uint8_t enabled; // and what it holds.
    bool served;     // An interrupt is being served: IER stays 0.
    bool kept;       // `early` has still to be read.
    uint8_t early;   // The byte that was there before the FIFOs were on.
};

static struct port ports[UART_LIMIT];
static unsigned port_count;

static struct port *port_of(const struct hardware *hardware)
{
    struct port *port = ports;
    while (port->hardware != hardware)
        port++;
    return port;
}

static uint32_t get(const struct port *port, unsigned number)
{
    uintptr_t address = port->hardware->base + ((uintptr_t)number << port->shift);
    return port->shift == WORD_SHIFT ? read32(address) & 0xff : read8(address);
}

static void put(const struct port *port, unsigned number, uint32_t value)
{
    uintptr_t address = port->hardware->base + ((uintptr_t)number << port->shift);
    if (port->shift == WORD_SHIFT)
        write32(address, value);
    else
        write8(address, (uint8_t)value);
}

bool uart_16550_divisor(uint32_t clock_hz, uint32_t baud, uint16_t *divisor)
{
    uint32_t clocks = baud * CLOCKS_PER_BIT;
    uint32_t nearest = (clock_hz + clocks / 2) / clocks;
    if (nearest == 0 || nearest > DIVISOR_MOST)
        return false;
    *divisor = (uint16_t)nearest;
    uint32_t got = clock_hz / (nearest * CLOCKS_PER_BIT);
    return (got > baud ? got - baud : baud - got) <= baud / UART_16550_BAUD_TOLERANCE;
}

// Brings IER to what is wanted.
static void let_through(struct port *port)
{
    uint8_t interrupts = port->served ? 0 : port->wanted;
    if (port->enabled == interrupts)
        return;
    port->enabled = interrupts;
    put(port, UART_IER, interrupts);
}

static void want(struct port *port, uint32_t interrupt, bool on)
{
    port->wanted = (uint8_t)(on ? port->wanted | interrupt : port->wanted & ~interrupt);
}

// The one reader of LSR: what it shows of errors is gone afterwards, and counted.
static uint32_t line_status(const struct port *port)
{
    uint32_t status = get(port, UART_LSR);
    if (status & UART_LSR_OE)
        uart_lost_isr(port->uart, UART_OVERRUN);
    if (status & (UART_LSR_FE | UART_LSR_BI))
        uart_lost_isr(port->uart, UART_FRAMING_ERROR);
    if (status & UART_LSR_PE)
        uart_lost_isr(port->uart, UART_PARITY_ERROR);
    return status;
}

static size_t uart_16550_receive(const struct hardware *hardware, uint8_t *bytes, size_t limit)
{
    struct port *port = port_of(hardware);
    size_t got = 0;
    if (port->kept && limit > 0) {
        port->kept = false;
        bytes[got++] = port->early;
    }
    while (got < limit && (line_status(port) & UART_LSR_DR))
        bytes[got++] = (uint8_t)get(port, UART_RBR);
    return got;
}

static size_t uart_16550_send(const struct hardware *hardware, const uint8_t *bytes, size_t size)
{
    struct port *port = port_of(hardware);
    size_t sent = 0;
    // QEMU's FIFO is empty again at once.
    while (sent < size && (line_status(port) & UART_LSR_THRE))
        for (unsigned room = FIFO_BYTES; room > 0 && sent < size; room--)
            put(port, UART_THR, bytes[sent++]);
    let_through(port);
    return sent;
}

static bool uart_16550_sent(const struct hardware *hardware)
{
    return (line_status(port_of(hardware)) & UART_LSR_THRE) != 0;
}

static void uart_16550_receive_interrupt(const struct hardware *hardware, bool on)
{
    struct port *port = port_of(hardware);
    want(port, UART_IER_ERBFI, on);
    let_through(port);
}

static void uart_16550_send_interrupt(const struct hardware *hardware, bool on)
{
    struct port *port = port_of(hardware);
    want(port, UART_IER_ETBEI, on);
    // Let through now it would be raised for an empty FIFO, and be withdrawn as it is filled: an
    // interrupt that nobody claims. send(), which follows, lets it through.
    if (!on)
        let_through(port);
}

static const struct uart_chip uart_16550_chip = {
    .receive = uart_16550_receive,
    .send = uart_16550_send,
    .sent = uart_16550_sent,
    .receive_interrupt = uart_16550_receive_interrupt,
    .send_interrupt = uart_16550_send_interrupt,
};

static bool uart_16550_interrupt(void *context)
{
    struct port *port = context;
    // Not for us; or its cause is gone, since somebody has read LSR or the FIFO in the meantime.
    if (get(port, UART_IIR) & UART_IIR_NO_INTERRUPT)
        return false;
    port->served = true;
    let_through(port);
    uint32_t status = line_status(port);
    if ((port->wanted & UART_IER_ERBFI) && (status & UART_LSR_DR))
        uart_received_isr(port->uart);
    if ((port->wanted & UART_IER_ETBEI) && (status & UART_LSR_THRE))
        uart_sent_isr(port->uart);
    port->served = false;
    let_through(port);
    return true;
}

// Leaves a divisor alone that is right already: what is being received stays whole.
static int uart_16550_set_baud(const struct port *port)
{
    uint16_t divisor;
    if (!uart_16550_divisor(port->hardware->clock_hz, BAUD, &divisor))
        return -EINVAL;
    put(port, UART_LCR, UART_LCR_8N1 | UART_LCR_DLAB);
    if ((get(port, UART_DLM) << 8 | get(port, UART_DLL)) != divisor) {
        put(port, UART_DLM, divisor >> 8);
        put(port, UART_DLL, divisor & 0xff);
    }
    put(port, UART_LCR, UART_LCR_8N1);
    return 0;
}

static int uart_16550_setup(struct port *port)
{
    put(port, UART_LCR, UART_LCR_8N1); // Without DLAB: the next register is IER.
    put(port, UART_IER, 0);
    if (port->hardware->clock_hz != 0 && uart_16550_set_baud(port) != 0)
        return -EINVAL;
    bool fifos_on = (get(port, UART_IIR) & UART_IIR_FIFOS) == UART_IIR_FIFOS;
    // Errors from before the start are dropped.
    if ((get(port, UART_LSR) & UART_LSR_DR) && !fifos_on) {
        // Out of loopback QEMU's model would ask for the next byte at once, and lose it when the
        // FIFOs are switched on.
        put(port, UART_MCR, UART_MCR_LOOP);
        port->early = (uint8_t)get(port, UART_RBR);
        port->kept = true;
    }
    put(port, UART_FCR, UART_FCR_FIFO_ENABLE | UART_FCR_TRIGGER_8);
    put(port, UART_MCR, UART_MCR_DTR | UART_MCR_RTS);
    want(port, UART_IER_ERBFI | UART_IER_ELSI, true);
    let_through(port);
    return 0;
}

static int uart_16550_start(const struct hardware *hardware)
{
    const struct uart_16550_settings *settings = hardware->settings;
    struct uart *uart = uart_claim(hardware, &uart_16550_chip);
    if (uart == NULL)
        return -ENOMEM;
    struct port *port = &ports[port_count]; // There are as many as UARTs to be claimed.
    *port = (struct port){ .hardware = hardware,
                           .uart = uart,
                           .shift = settings ? settings->register_shift : 0 };
    int error = irq_install(hardware->irqs[0], hardware->name, uart_16550_interrupt, port);
    if (error)
        return error;
    error = uart_16550_setup(port);
    if (error == 0)
        error = uart_register(uart);
    if (error) {
        put(port, UART_IER, 0);
        irq_remove(hardware->irqs[0]);
        return error;
    }
    port_count++;
    irq_enable(hardware->irqs[0]);
    return 0;
}

const struct driver uart_16550 = { .start = uart_16550_start };
