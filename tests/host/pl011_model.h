// A model of the PL011 in two tempers: as the manual (DDI 0183) has it, with a transmitter that
// takes its time and interrupts by transition, and as QEMU 7.2 has it.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "arch/mmio.h"

enum { DR, FR = 6, IBRD = 9, FBRD, LCR_H, CR, IFLS, IMSC, RIS, MIS, ICR, REGISTERS };
enum { BASE = 0x1000, FIFO = 16, TX_LEVEL = 2, RX_LEVEL = 8 };
enum { RXFE = 0x10, TXFF = 0x20, TXFE = 0x80 };
enum { FEN = 0x10 };
enum {
    I_RX = 0x10,
    I_TX = 0x20,
    I_RT = 0x40,
    I_FE = 0x80,
    I_PE = 0x100,
    I_BE = 0x200,
    I_OE = 0x400
};
enum { ON = 0x301 };

static struct {
    uint32_t r[REGISTERS];
    uint8_t receive[FIFO], sent[4096];
    unsigned receive_count, transmit_count, sent_size;
    bool qemu;
    bool shifting;          // A byte is in the shift register.
    bool changed_while_on;  // Dividers or line control were written while the UART was on.
    bool dividers_not_over; // Dividers were written and line control was not, after them.
} chip;

static unsigned depth(void)
{
    return chip.r[LCR_H] & FEN ? FIFO : 1;
}

static uint32_t flag_register(void)
{
    return (chip.receive_count == 0 ? RXFE : 0) | (chip.transmit_count == 0 ? TXFE : 0) |
           (chip.transmit_count == FIFO ? TXFF : 0);
}

static void transmit_falls_to(unsigned count)
{
    if (chip.transmit_count > TX_LEVEL && count <= TX_LEVEL)
        chip.r[RIS] |= I_TX;
    chip.transmit_count = count;
}

// A byte has been shifted out; the next one follows.
static void character_time(void)
{
    chip.shifting = chip.transmit_count > 0;
    if (chip.shifting)
        transmit_falls_to(chip.transmit_count - 1);
}

static void transmit(uint8_t byte)
{
    chip.sent[chip.sent_size++] = byte;
    if (chip.qemu) {
        chip.r[RIS] |= I_TX;
        return;
    }
    if (++chip.transmit_count > TX_LEVEL)
        chip.r[RIS] &= ~(uint32_t)I_TX;
    if (!chip.shifting)
        character_time();
}

static uint8_t receive_take(void)
{
    uint8_t byte = chip.receive[0];
    if (chip.receive_count > 0)
        memmove(chip.receive, chip.receive + 1, --chip.receive_count);
    if (chip.qemu ? chip.receive_count == 0 : chip.receive_count < RX_LEVEL)
        chip.r[RIS] &= ~(uint32_t)I_RX;
    if (chip.receive_count == 0)
        chip.r[RIS] &= ~(uint32_t)I_RT;
    return byte;
}

static void receive(const char *text)
{
    for (; *text && chip.receive_count < depth(); text++) {
        chip.receive[chip.receive_count++] = (uint8_t)*text;
        // QEMU's interrupt comes when there is one byte, not when there are more already.
        if (chip.qemu ? chip.receive_count == 1 : chip.receive_count >= RX_LEVEL)
            chip.r[RIS] |= I_RX;
    }
}

uint32_t fake_read(uintptr_t address, unsigned bytes)
{
    (void)bytes;
    switch ((address - BASE) / 4) {
    case DR:
        return receive_take();
    case FR:
        return flag_register();
    case MIS:
        return chip.r[RIS] & chip.r[IMSC];
    default:
        return chip.r[(address - BASE) / 4];
    }
}

void fake_write(uintptr_t address, unsigned bytes, uint32_t value)
{
    (void)bytes;
    unsigned index = (unsigned)(address - BASE) / 4;
    chip.changed_while_on |= index >= IBRD && index <= LCR_H && (chip.r[CR] & 1);
    switch (index) {
    case DR:
        transmit((uint8_t)value);
        break;
    case ICR:
        chip.r[RIS] &= ~value;
        break;
    case LCR_H:
        if ((chip.r[LCR_H] ^ value) & FEN)
            chip.receive_count = chip.transmit_count = 0;
        chip.dividers_not_over = false;
        chip.r[LCR_H] = value;
        break;
    case IBRD:
    case FBRD:
        chip.dividers_not_over = true;
        chip.r[index] = value;
        break;
    default:
        chip.r[index] = value;
    }
}
