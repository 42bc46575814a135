// A 16550 for host tests: bytes that leave at once, as QEMU's do, or when the test lets them.
#pragma once

#include <string.h>

#include "arch/mmio.h"

enum { DATA, IER, IIR, LCR, MCR, LSR, REGISTERS = 8 };
enum { FIFO = 16, TRIGGER = 8, CHIPS = 2, CHIP_BYTES = 0x1000, BASE = 0x10000, IRQ = 90 };
enum { ERBFI = 1, ETBEI = 2, ELSI = 4, DLAB = 0x80, LOOP = 0x10 };
enum { DR = 1, OE = 2, PE = 4, FE = 8, BI = 16, THRE = 32 };
enum { NONE = 1, THR_EMPTY = 2, DATA_READY = 4, LINE_STATUS = 6, TIME_OUT = 12 };

static struct chip {
    unsigned shift; // Registers this many powers of two apart, accessed in that width.
    uint8_t ier, fcr, lcr, mcr, errors;
    uint16_t divisor;
    uint8_t received[FIFO], sent[4096];
    unsigned receive_count, transmit_count, sent_size;
    const char *line;   // Comes byte by byte, as QEMU's host has it: each as one is read.
    bool empty_pending; // THRE has not been reported yet.
    bool time_out;      // Bytes have waited for four characters' time.
    bool slow;          // What is transmitted stays in the FIFO until drain().
    bool wrong_width;   // An access of another width has been seen.
    bool divisor_written, latched;
} chips[CHIPS], *chip = &chips[0];

static unsigned cause(const struct chip *c)
{
    if ((c->ier & ELSI) && c->errors)
        return LINE_STATUS;
    if ((c->ier & ERBFI) && c->time_out)
        return TIME_OUT;
    if ((c->ier & ERBFI) && c->receive_count >= (c->fcr & 1 ? TRIGGER : 1))
        return DATA_READY;
    return (c->ier & ETBEI) && c->empty_pending ? THR_EMPTY : NONE;
}

// Whatever changes a cause raises the line of one that is there: so does QEMU's model.
static void update(struct chip *c)
{
    c->latched |= cause(c) != NONE;
}

static struct chip *chip_at(uintptr_t address, unsigned bytes, unsigned *number)
{
    struct chip *c = &chips[(address - BASE) / CHIP_BYTES];
    *number = (unsigned)((address - BASE) % CHIP_BYTES >> c->shift);
    c->wrong_width |= bytes != 1u << c->shift || *number >= REGISTERS;
    return c;
}

static uint32_t read_data(struct chip *c)
{
    uint8_t value = c->received[0];
    if (c->receive_count == 0)
        return 0;
    memmove(c->received, c->received + 1, --c->receive_count);
    c->time_out = false;
    if (c->line && *c->line && !(c->mcr & LOOP))
        c->received[c->receive_count++] = (uint8_t)*c->line++;
    return value;
}

static uint32_t read_identification(struct chip *c)
{
    unsigned now = cause(c);
    if (now == THR_EMPTY) {
        c->empty_pending = false;
        update(c);
    }
    return now | (c->fcr & 1 ? 0xc0 : 0);
}

static uint32_t read_line_status(struct chip *c)
{
    uint32_t value = c->errors | (c->receive_count ? DR : 0) | (c->transmit_count ? 0 : THRE);
    c->errors = 0;
    return value;
}

uint32_t fake_read(uintptr_t address, unsigned bytes)
{
    unsigned number;
    struct chip *c = chip_at(address, bytes, &number);
    uint32_t value = number == IER ? c->ier : number == LCR ? c->lcr : number == MCR ? c->mcr : 0;
    if ((c->lcr & DLAB) && number <= IER)
        return c->divisor >> 8 * number & 0xff;
    if (number == DATA)
        value = read_data(c);
    else if (number == IIR)
        value = read_identification(c);
    else if (number == LSR)
        value = read_line_status(c);
    if (number == DATA || number == LSR)
        update(c);
    return value | (bytes == 4 ? 0xabcdef00 : 0); // Nobody says what the other bytes read as.
}

static void write_fifo_control(struct chip *c, uint8_t value)
{
    if ((value ^ c->fcr) & 1)
        c->receive_count = c->transmit_count = 0;
    if (value & 2)
        c->receive_count = 0;
    c->fcr = value;
}

static void write_data(struct chip *c, uint8_t value)
{
    c->sent[c->sent_size++] = value;
    c->transmit_count += c->slow;
    c->empty_pending = !c->slow;
}

static void write_enable(struct chip *c, uint8_t value)
{
    if ((value ^ c->ier) & ETBEI)
        c->empty_pending = (value & ETBEI) && c->transmit_count == 0;
    c->ier = value;
}

void fake_write(uintptr_t address, unsigned bytes, uint32_t value)
{
    unsigned number;
    struct chip *c = chip_at(address, bytes, &number);
    if ((c->lcr & DLAB) && number <= IER) {
        c->divisor = (uint16_t)((c->divisor & 0xff << (8 - 8 * number)) | value << 8 * number);
        c->divisor_written = true;
        return;
    }
    if (number == DATA)
        write_data(c, (uint8_t)value);
    else if (number == IER)
        write_enable(c, (uint8_t)value);
    else if (number == IIR)
        write_fifo_control(c, (uint8_t)value);
    else if (number == LCR)
        c->lcr = (uint8_t)value;
    else if (number == MCR)
        c->mcr = (uint8_t)value;
    update(c);
}

static void receive(const char *text)
{
    for (; *text; text++) {
        if (chip->receive_count == (chip->fcr & 1 ? FIFO : 1))
            chip->errors |= OE;
        else
            chip->received[chip->receive_count++] = (uint8_t)*text;
    }
    update(chip);
}

static void time_passes(void)
{
    chip->time_out = chip->receive_count > 0;
    update(chip);
}

static void drain(void)
{
    chip->transmit_count = 0;
    chip->empty_pending = true;
    update(chip);
}

// --- What happens next ---

// A controller looks at the level again when the interrupt has been handled; one that remembers
// more than it should is the worse case, so that is done here.
static bool line_high(void)
{
    bool was = chip->latched;
    chip->latched = false;
    return was;
}
