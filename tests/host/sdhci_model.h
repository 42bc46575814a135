// An SD host controller with a card in it for host tests: registers, ADMA2, interrupts, and time
// that passes only when the test lets it. Everything that happens is also written down in order.
//
// The controller does what the SD Host Controller Specification says, in steps that the test takes:
// model_run() until nothing is left to do, model_step() one at a time. Knobs in `model` break
// things.
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "drivers/device.h"
#include "drivers/sd/sd_card.h"
#include "drivers/sd/sd_protocol.h"
#include "tests/host/fake/clock.h"
#include "tests/host/fake/event_log.h"
#include "tests/host/fake/irq_lines.h"
#include "tests/host/fake/report.h"

enum {
    MODEL_BASE = 0x10000,
    MODEL_REGISTERS = 0x100,
    MODEL_CARD_BYTES = 3 * 1048576, // A multiple of 512 KiB.
    MODEL_COMMANDS = 4096,
    MODEL_IRQ = 56,
    MODEL_RCA = 0x4567,
    MODEL_LOW_MEMORY = 8 * 1048576,
    MODEL_MACHINES = 128,
    MODEL_FOREVER = 1000000,
};

static struct {
    uint8_t registers[MODEL_REGISTERS + 4];
    uint8_t card[MODEL_CARD_BYTES];
    bool data_runs; // A data phase is under way.
    uint64_t card_position;
    unsigned commands[MODEL_COMMANDS]; // Indices; ACMDs as 100 + index.
    uint32_t arguments[MODEL_COMMANDS];
    unsigned command_count, interrupts;
    bool application; // CMD55 has just come.

    // Knobs.
    bool absent;    // The switch says that there is no card.
    bool silent;    // The card answers nothing.
    bool version_1; // The card does not know CMD8.
    bool high_capacity;
    bool held;            // The data phase makes no step.
    bool instant;         // The interrupt is taken inside the register write that causes it.
    bool storm;           // Memory fails: ADMA error again and again until SWRST ALL.
    unsigned busy;        // ACMD41s until the card has powered up.
    unsigned programming; // CMD13s until it is out of programming.
    unsigned reset_polls; // Reads until Software Reset has cleared.
    unsigned inhibited;   // Reads of Present State until the lines are free.
    int adma_error_at;    // Descriptor index that is found invalid, -1: none.
    uint32_t r1_errors;   // Card status of the next data command.
    uint32_t stop_errors; // Card status of its Auto CMD12.
    uint32_t data_error;  // Error interrupt status instead of the data.
    unsigned mute;        // The next n commands raise no interrupt.
} model;

static struct sd_card *model_sd; // Below 4 GiB, where ADMA2 can reach it.
static uint8_t *model_memory;    // So is this, for buffers.
static const struct sdhci_settings *model_settings;

static uint32_t model_get(unsigned offset)
{
    uint32_t value;
    memcpy(&value, model.registers + offset, sizeof value);
    return value;
}

static void model_set(unsigned offset, uint32_t value)
{
    memcpy(model.registers + offset, &value, sizeof value);
}

void fake_event(enum fake_event event, uintptr_t address, uint64_t value)
{
    fake_log_add(event, address, value);
}

// ---- The card ----

static bool model_card_answers(unsigned index)
{
    return !model.silent && !model.absent && !(index == 8 && model.version_1);
}

static void model_csd(void)
{
    uint32_t units = MODEL_CARD_BYTES / 524288;
    if (model.high_capacity) { // C_SIZE in bits 69 to 48, seen eight bits lower.
        model_set(SDHCI_RESPONSE + 4, (units - 1) << 8);
        model_set(SDHCI_RESPONSE + 12, UINT32_C(1) << 22);
    } else { // (C_SIZE + 1) · 2^9 · 2^9: C_SIZE_MULT 7, READ_BL_LEN 9.
        uint32_t size = MODEL_CARD_BYTES / 262144 - 1;
        model_set(SDHCI_RESPONSE + 4, 7u << 7 | (size & 0x3ff) << 22);
        model_set(SDHCI_RESPONSE + 8, size >> 10 | 9u << 8);
        model_set(SDHCI_RESPONSE + 12, 0);
    }
}

static void model_respond(unsigned command, uint32_t argument)
{
    uint32_t answer = 4u << 9 | SD_STATUS_READY_FOR_DATA; // R1: transfer state.

    if (command == 8)
        answer = argument;
    else if (command == 141)
        answer = SD_OCR_2V7_3V6 | (model.busy ? model.busy--, 0 : SD_OCR_POWERED_UP) |
                 (model.high_capacity && argument & SD_OCR_HIGH_CAPACITY ? SD_OCR_HIGH_CAPACITY
                                                                         : 0);
    else if (command == 3)
        answer = MODEL_RCA << 16 | 0x500;
    else if (command == 13 && model.programming)
        model.programming--, answer = 7u << 9;
    else if (command == 17 || command == 18 || command == 24 || command == 25)
        answer |= model.r1_errors, model.r1_errors = 0;
    model_set(SDHCI_RESPONSE, answer);
    model_set(SDHCI_RESPONSE + 12, 0);
    if (command == 9)
        model_csd();
}

// ---- The controller ----

static void model_raise(uint32_t status)
{
    status &= model_get(SDHCI_INTERRUPT_STATUS_ENABLE);
    model_set(SDHCI_INTERRUPT_STATUS, model_get(SDHCI_INTERRUPT_STATUS) | status);
}

static bool model_irq_line(void)
{
    return (model_get(SDHCI_INTERRUPT_STATUS) & model_get(SDHCI_INTERRUPT_SIGNAL_ENABLE)) != 0;
}

static bool model_take_interrupt(void)
{
    model.interrupts++;
    return fake_interrupt(MODEL_IRQ);
}

static void model_command(uint32_t word)
{
    unsigned index = word >> SDHCI_COMMAND_INDEX_SHIFT & 0x3f,
             command = index + (model.application ? 100 : 0);
    uint32_t argument = model_get(SDHCI_ARGUMENT);
    uint32_t response = word & SDHCI_COMMAND_RESPONSE_MASK;

    if (model.command_count < MODEL_COMMANDS) {
        model.commands[model.command_count] = command;
        model.arguments[model.command_count++] = argument;
    }
    model.application = index == 55;
    if (model.mute) {
        model.mute--;
        return;
    }
    if (!model_card_answers(command) && response != 0) {
        model_raise(SDHCI_INTERRUPT_COMMAND_TIMEOUT);
        return;
    }
    model_respond(command, argument);
    model_raise(SDHCI_INTERRUPT_COMMAND_COMPLETE);
    if (word & SDHCI_COMMAND_DATA_PRESENT) {
        model.data_runs = true;
        model.card_position = (uint64_t)argument * (model.high_capacity ? SD_SECTOR_BYTES : 1);
    } else if (response == SDHCI_COMMAND_RESPONSE_48_BUSY) {
        model_raise(SDHCI_INTERRUPT_TRANSFER_COMPLETE);
    }
}

static void model_data_end(void)
{
    model.data_runs = false;
    if (model_get(SDHCI_TRANSFER_COMMAND) & SDHCI_TRANSFER_AUTO_CMD12) {
        model_set(SDHCI_RESPONSE + 12, model.stop_errors);
        model.stop_errors = 0;
    }
    model_raise(SDHCI_INTERRUPT_TRANSFER_COMPLETE);
}

// Bytes between card and memory; parts of blocks are counted on until they make one.
static void model_move(uint32_t address, uint32_t bytes)
{
    static uint32_t in_block;
    uint8_t *memory = (uint8_t *)(uintptr_t)address;
    uint8_t *card = model.card + model.card_position;

    if (model_get(SDHCI_TRANSFER_COMMAND) & SDHCI_TRANSFER_READ)
        memcpy(memory, card, bytes);
    else
        memcpy(card, memory, bytes);
    model.card_position += bytes;
    in_block += bytes;
    model_set(SDHCI_BLOCK_SIZE_COUNT,
              model_get(SDHCI_BLOCK_SIZE_COUNT) - (in_block / SD_SECTOR_BYTES << 16));
    in_block %= SD_SECTOR_BYTES;
}

// Executes one ADMA2 descriptor.
static void model_descriptor(void)
{
    uint32_t place = model_get(SDHCI_ADMA_SYSTEM_ADDRESS);
    struct adma2_descriptor descriptor;
    memcpy(&descriptor, (void *)(uintptr_t)place, sizeof descriptor);
    int index = (int)((place - (uint32_t)(uintptr_t)model_sd->host.table.entries) /
                      sizeof descriptor);
    uint32_t length = descriptor.length_attributes >> 16;

    if (model.data_error) {
        model_raise(model.data_error);
        model.data_runs = false;
        return;
    }
    if (model.storm || index == model.adma_error_at ||
        !(descriptor.length_attributes & ADMA2_VALID)) {
        model_raise(SDHCI_INTERRUPT_ADMA_ERROR);
        model.data_runs = model.storm;
        return;
    }
    model_set(SDHCI_ADMA_SYSTEM_ADDRESS, place + (uint32_t)sizeof descriptor);
    if ((descriptor.length_attributes & ADMA2_TRANSFER) == ADMA2_TRANSFER)
        model_move(descriptor.address, length ? length : 65536);
    if (descriptor.length_attributes & ADMA2_END)
        model_data_end();
}

static void model_reset(uint32_t what)
{
    if (!(what & SDHCI_RESET_ALL))
        return;
    uint32_t capabilities = model_get(SDHCI_CAPABILITIES);
    memset(model.registers, 0, sizeof model.registers);
    model_set(SDHCI_CAPABILITIES, capabilities);
    model.data_runs = false;
    model.storm = false;
}

uint32_t fake_read(uintptr_t address, unsigned bytes)
{
    unsigned offset = (unsigned)(address - MODEL_BASE);
    if (offset == SDHCI_PRESENT_STATE) {
        uint32_t lines = model.inhibited ? model.inhibited--, SDHCI_PRESENT_COMMAND_INHIBIT_DAT : 0;
        return lines |
               (model.absent ? 0 : SDHCI_PRESENT_CARD_INSERTED | SDHCI_PRESENT_CARD_STATE_STABLE);
    }
    if (offset == SDHCI_SOFTWARE_RESET)
        return model.reset_polls ? model.reset_polls--, SDHCI_RESET_ALL : 0;
    return model_get(offset) & (bytes == 4 ? UINT32_MAX : (1u << 8 * bytes) - 1);
}

void fake_write(uintptr_t address, unsigned bytes, uint32_t value)
{
    unsigned offset = (unsigned)(address - MODEL_BASE);
    if (offset == SDHCI_INTERRUPT_STATUS) {
        model_set(offset, model_get(offset) & ~value);
        return;
    }
    if (offset == SDHCI_SOFTWARE_RESET) {
        model_reset(value);
        return;
    }
    memcpy(model.registers + offset, &value, bytes);
    if (offset == SDHCI_CLOCK_CONTROL && value & SDHCI_CLOCK_INTERNAL_ENABLE)
        model.registers[offset] |= SDHCI_CLOCK_INTERNAL_STABLE;
    if (offset == SDHCI_TRANSFER_COMMAND) {
        model_command(value);
        while (model.instant && model.data_runs)
            model_descriptor();
        if (model.instant && model_irq_line())
            model_take_interrupt();
    }
}

// One thing happens: an interrupt is taken, a descriptor executed, or time passes to the next
// timer. False: nothing.
static bool model_step(void)
{
    if (model_irq_line())
        return model_take_interrupt();
    if (model.data_runs && !model.held) {
        model_descriptor();
        return true;
    }
    return fake_timer_expires();
}
