// A controller made of the model's channels, on the bench on which the PL330's driver is tested.
// Included by one suite at a time.
//
// The controller can be as quick as QEMU's (a program runs inside the write to DBGCMD) or as slow
// as silicon: the debug registers stay busy for a while, a channel runs when the test lets it, a
// kill takes effect when the test says so.
#pragma once

#include "dma/pl330.h"

#include "tests/host/dma_bench.h"
#include "tests/host/fake/clock.h"
#include "tests/host/pl330_model.h"

extern const struct driver dma_pl330;

enum { BASE = 0x1000, CHANNELS = 8 };

static struct model_channel channels[CHANNELS];
static uint32_t dbginst[2], faults;
static unsigned busy_reads; // DBGSTATUS says busy so many times.
static unsigned kill_delay; // A killed channel reads as killing so many times.

// Registers have 32 bits; addresses on this computer have more. All that the controller sees lies
// near this array.
static inline uint8_t *memory(uint32_t address)
{
    uintptr_t anchor = (uintptr_t)source;
    return (uint8_t *)(anchor + (uintptr_t)(intptr_t)(int32_t)(address - (uint32_t)anchor));
}

static struct model model = { .memory = memory };

static inline void let_run(unsigned n)
{
    model_run(&model, &channels[n]);
    if (channels[n].state == MODEL_FAULTING)
        faults |= 1u << n;
    rule(!model.complaint, model.complaint);
}

static inline void let_all_run(void)
{
    for (unsigned n = 0; n < CHANNELS; n++)
        let_run(n);
}

static inline void chip_kill(unsigned n)
{
    channels[n].state = MODEL_STOPPED;
    channels[n].fifo_used = 0;
    faults &= ~(1u << n);
}

static inline void chip_debug_command(void)
{
    unsigned opcode = dbginst[0] >> 16 & 0xff, operand = dbginst[0] >> 24,
             thread = dbginst[0] >> 8 & 7;
    if (opcode == 0xa0 && channels[operand].state == MODEL_STOPPED) { // On a channel that runs it
                                                                      // does nothing.
        channels[operand].pc = dbginst[1];
        channels[operand].state = MODEL_EXECUTING;
    } else if (opcode == 0x01 && dbginst[0] & 1) {
        chip_kill(thread);
    } else if (opcode == 0x34) {
        model_send(&model, operand >> 3);
    } else {
        rule(false, "no such debug instruction");
    }
    if (!slow)
        let_all_run();
}

static inline uint32_t channel_state(unsigned n)
{
    if (kill_delay > 0 && channels[n].state == MODEL_STOPPED) {
        kill_delay--;
        return 8; // Killing.
    }
    return channels[n].state;
}

uint32_t fake_read(uintptr_t address, unsigned bytes)
{
    uintptr_t offset = address - BASE;
    rule(bytes == 4, "an access that is not 32 bits wide");
    if (offset == PL330_CR0)
        return 15u << 17 | (CHANNELS - 1) << 4;
    if (offset == PL330_CRD)
        return 127u << 20 | 3;
    if (offset == PL330_INTMIS)
        return model.pending;
    if (offset == PL330_FSRC)
        return faults;
    if (offset == PL330_DBGSTATUS)
        return busy_reads > 0 && busy_reads-- > 0;
    if (offset >= PL330_FTR0 && offset < PL330_FTR0 + 4 * CHANNELS)
        return faults >> (offset - PL330_FTR0) / 4 & 1;
    if (offset >= PL330_CSR0 && offset < PL330_CSR0 + 8 * CHANNELS) {
        unsigned n = (unsigned)(offset - PL330_CSR0) / 8;
        return offset & 4 ? channels[n].pc : channel_state(n);
    }
    return 0;
}

void fake_write(uintptr_t address, unsigned bytes, uint32_t value)
{
    uintptr_t offset = address - BASE;
    rule(bytes == 4, "an access that is not 32 bits wide");
    if (offset == PL330_INTEN)
        model.interrupts = value;
    else if (offset == PL330_INTCLR)
        model.pending &= ~value;
    else if (offset == PL330_DBGINST0)
        dbginst[0] = value;
    else if (offset == PL330_DBGINST1)
        dbginst[1] = value;
    else if (offset == PL330_DBGCMD)
        chip_debug_command();
    else
        rule(false, "a write of no register");
}

static const struct hardware hardware = { .name = "dma0",
                                          .base = BASE,
                                          .irqs = { 45, 46, 47, 48, 49, 72, 73, 74, 75 } };

// Takes the interrupts that the chip raises, and the timer, until nothing is left. Result:
// interrupts taken.
static inline unsigned settle(void)
{
    unsigned taken = 0;
    for (bool any = true; any && taken < 10000;) {
        any = false;
        for (unsigned n = 0; n < CHANNELS; n++) {
            if (model.pending >> n & 1) {
                rule(fake_interrupt(hardware.irqs[1 + n]), "an event is not claimed");
                taken++;
                any = true;
            }
        }
        if (faults) {
            rule(fake_interrupt(hardware.irqs[0]), "a fault is not claimed");
            taken++;
            any = true;
        }
        any |= fake_timer_expires();
        if (slow)
            let_all_run();
        any |= model.pending != 0;
    }
    return taken;
}
