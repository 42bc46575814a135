// A small PL330 for host tests, written from ARM DDI 0424 and not from the assembler that it
// checks.
//
// It runs a program until it ends, waits for an event or meets an undefined instruction, and is
// stricter than the hardware: beats must be aligned, bursts must not cross a 4 KiB page, and a
// channel may neither wait nor end with bytes in its FIFO. A broken rule is text in `complaint`.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum model_state { MODEL_STOPPED = 0, MODEL_EXECUTING = 1, MODEL_WAITING = 4, MODEL_FAULTING = 15 };

enum { MODEL_FIFO = 256, MODEL_EVENTS = 16 };

struct model_channel {
    enum model_state state;
    uint32_t pc, sar, dar, ccr;
    uint8_t loop[2];
    uint8_t fifo[MODEL_FIFO];
    unsigned fifo_used;
    unsigned long loads, bytes, instructions;
};

struct model {
    uint8_t *(*memory)(uint32_t address); // Where the byte at an address is kept.
    // Called for each store instead of moving bytes, where it is not NULL.
    void (*stored)(struct model *model, uint32_t destination, uint32_t source, uint32_t size);
    uint32_t events;     // Sent, waited for by nobody yet.
    uint32_t interrupts; // Events that are interrupts (INTEN).
    uint32_t pending;    // Interrupts raised (INTMIS).
    const char *complaint;
};

static inline void model_check(struct model *model, bool rule, const char *complaint)
{
    if (!rule && !model->complaint)
        model->complaint = complaint;
}

static inline uint32_t model_word(struct model *model, uint32_t address)
{
    uint32_t word = 0;
    for (unsigned i = 0; i < 4; i++)
        word |= (uint32_t)*model->memory(address + i) << (8 * i);
    return word;
}

static inline void model_burst_check(struct model *model, uint32_t address, uint32_t beat,
                                     uint32_t bytes, bool inc)
{
    model_check(model, beat <= 8, "a beat is wider than the bus");
    model_check(model, address % beat == 0, "a beat is not aligned");
    if (inc)
        model_check(model, address / 4096 == (address + bytes - 1) / 4096,
                    "a burst crosses a page");
}

static inline void model_load(struct model *model, struct model_channel *c)
{
    uint32_t beat = 1u << (c->ccr >> 1 & 7), beats = (c->ccr >> 4 & 15) + 1;
    bool inc = c->ccr & 1;
    model_burst_check(model, c->sar, beat, beat * beats, inc);
    model_check(model, c->fifo_used == 0, "a load finds bytes in the FIFO");
    if (!model->stored) {
        for (uint32_t i = 0; i < beat * beats; i++)
            c->fifo[i] = *model->memory(inc ? c->sar + i : c->sar + i % beat);
    }
    c->fifo_used = beat * beats;
    c->sar += inc ? beat * beats : 0;
    c->loads++;
}

static inline void model_store(struct model *model, struct model_channel *c)
{
    uint32_t beat = 1u << (c->ccr >> 15 & 7), beats = (c->ccr >> 18 & 15) + 1;
    bool inc = c->ccr >> 14 & 1;
    model_check(model, inc, "a store does not move on");
    model_burst_check(model, c->dar, beat, beat * beats, inc);
    model_check(model, c->fifo_used == beat * beats, "a store does not take what was loaded");
    if (model->stored) {
        model->stored(model, c->dar, c->ccr & 1 ? c->sar - beat * beats : c->sar, beat * beats);
    } else {
        for (uint32_t i = 0; i < beat * beats; i++)
            *model->memory(c->dar + i) = c->fifo[i];
    }
    c->bytes += beat * beats;
    c->fifo_used = 0;
    c->dar += beat * beats;
}

static inline void model_send(struct model *model, unsigned event)
{
    model_check(model, event < MODEL_EVENTS, "an event that does not exist");
    if (model->interrupts >> event & 1)
        model->pending |= 1u << event;
    else
        model->events |= 1u << event;
}

// Waits or goes on. Result: the instruction's size, 0 while it waits.
static inline unsigned model_wait(struct model *model, struct model_channel *c, unsigned event)
{
    model_check(model, !(model->interrupts >> event & 1),
                "waits for an event that is an interrupt");
    model_check(model, c->fifo_used == 0, "waits with bytes in the FIFO");
    c->state = model->events >> event & 1 ? MODEL_EXECUTING : MODEL_WAITING;
    model->events &= ~(1u << event);
    return c->state == MODEL_WAITING ? 0 : 2;
}

static inline void model_move(struct model *model, struct model_channel *c)
{
    uint32_t value = model_word(model, c->pc + 2);
    unsigned to = *model->memory(c->pc + 1);
    model_check(model, to <= 2, "a move to no register");
    *(to == 0 ? &c->sar : to == 1 ? &c->ccr : &c->dar) = value;
}

// Runs one instruction. Result: false when the channel cannot go on.
static inline bool model_step(struct model *model, struct model_channel *c)
{
    uint8_t opcode = *model->memory(c->pc);
    uint8_t operand = opcode == 0x00 ? 0 : *model->memory(c->pc + 1);
    unsigned size = 2, counter;
    c->instructions++;
    switch (opcode) {
    case 0x00: // DMAEND
        model_check(model, c->fifo_used == 0, "ends with bytes in the FIFO");
        c->state = MODEL_STOPPED;
        return false;
    case 0x04: // DMALD
        model_load(model, c);
        size = 1;
        break;
    case 0x08: // DMAST
        model_store(model, c);
        size = 1;
        break;
    case 0x12: // DMARMB
    case 0x13: // DMAWMB
        size = 1;
        break;
    case 0x20: // DMALP
    case 0x22:
        c->loop[opcode >> 1 & 1] = operand;
        break;
    case 0x34: // DMASEV
        model_send(model, operand >> 3);
        break;
    case 0x36: // DMAWFE
        size = model_wait(model, c, operand >> 3);
        break;
    case 0x38: // DMALPEND
    case 0x3c:
        counter = opcode >> 2 & 1;
        if (c->loop[counter] > 0) {
            c->loop[counter]--;
            c->pc -= operand;
            return true;
        }
        break;
    case 0xbc: // DMAMOV
        model_move(model, c);
        size = 6;
        break;
    default:
        c->state = MODEL_FAULTING;
        return false;
    }
    c->pc += size;
    return c->state == MODEL_EXECUTING;
}

static inline void model_run(struct model *model, struct model_channel *c)
{
    if (c->state == MODEL_WAITING)
        c->state = MODEL_EXECUTING; // The wait itself decides.
    while (c->state == MODEL_EXECUTING && model_step(model, c))
        continue;
}

static inline void model_start(struct model *model, struct model_channel *c, uint32_t pc)
{
    c->pc = pc;
    c->state = MODEL_EXECUTING;
    model_run(model, c);
}
