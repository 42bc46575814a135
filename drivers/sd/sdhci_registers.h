// Registers of an SD Host Controller, named as in the SD Host Controller Simplified
// Specification 3.00, chapter 2. Neighbouring registers may be accessed together as one 32-bit
// word; where the driver does so, the name is the pair's.
#pragma once

#include "arch/mmio.h"

enum {
    SDHCI_BLOCK_SIZE_COUNT = 0x04, // 32 bits: Block Size below, 16-bit Block Count above.
    SDHCI_ARGUMENT = 0x08,
    SDHCI_TRANSFER_COMMAND = 0x0c, // 32 bits: Transfer Mode below, Command above; the write sends
                                   // the command.
    SDHCI_RESPONSE = 0x10,         // Four words.
    SDHCI_PRESENT_STATE = 0x24,
    SDHCI_HOST_CONTROL_1 = 0x28,          // 8 bits.
    SDHCI_POWER_CONTROL = 0x29,           // 8 bits.
    SDHCI_CLOCK_CONTROL = 0x2c,           // 16 bits.
    SDHCI_TIMEOUT_CONTROL = 0x2e,         // 8 bits.
    SDHCI_SOFTWARE_RESET = 0x2f,          // 8 bits.
    SDHCI_INTERRUPT_STATUS = 0x30,        // 32 bits: Normal below, Error above.
    SDHCI_INTERRUPT_STATUS_ENABLE = 0x34, // Same layout: which events are recorded,
    SDHCI_INTERRUPT_SIGNAL_ENABLE = 0x38, // and which of them raise the interrupt.
    SDHCI_CAPABILITIES = 0x40,
    SDHCI_ADMA_SYSTEM_ADDRESS = 0x58,
    SDHCI_HOST_CONTROLLER_VERSION = 0xfe, // 16 bits.
};

// Transfer Mode (2.2.5).
#define SDHCI_TRANSFER_DMA_ENABLE BIT(0)
#define SDHCI_TRANSFER_BLOCK_COUNT_ENABLE BIT(1)
#define SDHCI_TRANSFER_AUTO_CMD12 BIT(2)
#define SDHCI_TRANSFER_READ BIT(4)
#define SDHCI_TRANSFER_MULTI_BLOCK BIT(5)

// Command (2.2.6), where it stands in SDHCI_TRANSFER_COMMAND.
#define SDHCI_COMMAND_RESPONSE_136 (UINT32_C(1) << 16)
#define SDHCI_COMMAND_RESPONSE_48 (UINT32_C(2) << 16)
#define SDHCI_COMMAND_RESPONSE_48_BUSY (UINT32_C(3) << 16)
#define SDHCI_COMMAND_RESPONSE_MASK (UINT32_C(3) << 16)
#define SDHCI_COMMAND_CRC_CHECK BIT(19)
#define SDHCI_COMMAND_INDEX_CHECK BIT(20)
#define SDHCI_COMMAND_DATA_PRESENT BIT(21)
#define SDHCI_COMMAND_INDEX_SHIFT 24

// Present State (2.2.9).
#define SDHCI_PRESENT_COMMAND_INHIBIT_CMD BIT(0)
#define SDHCI_PRESENT_COMMAND_INHIBIT_DAT BIT(1)
#define SDHCI_PRESENT_CARD_INSERTED BIT(16)
#define SDHCI_PRESENT_CARD_STATE_STABLE BIT(17)

// Host Control 1 (2.2.10) and Power Control (2.2.11).
#define SDHCI_HOST_FOUR_LINES BIT(1)
#define SDHCI_HOST_ADMA2_32 (UINT32_C(2) << 3)
#define SDHCI_POWER_ON_3V3 (UINT32_C(7) << 1 | BIT(0))

// Clock Control (2.2.14) and Timeout Control (2.2.15).
#define SDHCI_CLOCK_INTERNAL_ENABLE BIT(0)
#define SDHCI_CLOCK_INTERNAL_STABLE BIT(1)
#define SDHCI_CLOCK_SD_ENABLE BIT(2)
#define SDHCI_TIMEOUT_LONGEST 0x0e

// Software Reset (2.2.16).
#define SDHCI_RESET_ALL BIT(0)
#define SDHCI_RESET_CMD BIT(1)
#define SDHCI_RESET_DAT BIT(2)

// Interrupt status and enables (2.2.17 to 2.2.22).
#define SDHCI_INTERRUPT_COMMAND_COMPLETE BIT(0)
#define SDHCI_INTERRUPT_TRANSFER_COMPLETE BIT(1)
#define SDHCI_INTERRUPT_COMMAND_TIMEOUT BIT(16)
#define SDHCI_INTERRUPT_DATA_TIMEOUT BIT(20)
#define SDHCI_INTERRUPT_ADMA_ERROR BIT(25)
#define SDHCI_INTERRUPT_ERROR_SHIFT 16 // Everything from here on is an error.
#define SDHCI_INTERRUPT_ERRORS \
    UINT32_C(0x03ff0000) // Command, data, current limit, Auto CMD12 and ADMA errors.
#define SDHCI_INTERRUPT_EVERY UINT32_C(0xffffffff)

// Capabilities (2.2.26): the base clock in MHz has two more bits from version 3.00 on.
#define SDHCI_CAPABILITY_ADMA2 BIT(19)
#define SDHCI_CAPABILITY_BASE_CLOCK_SHIFT 8
#define SDHCI_CAPABILITY_BASE_CLOCK_V2 0x3f
#define SDHCI_CAPABILITY_BASE_CLOCK_V3 0xff
