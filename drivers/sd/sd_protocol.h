// The SD card protocol: commands as the host controller takes them, responses, the CSD register.
// SD Physical Layer Simplified Specification 3.01, chapter 4 (commands, card status) and 5
// (registers).
#pragma once

#include <stdint.h>

#include "drivers/sd/sdhci_registers.h"

// Response types (4.9) as the host has to receive them: their length, and what in them can be
// checked.
#define SD_R0 UINT32_C(0)
#define SD_R1 (SDHCI_COMMAND_RESPONSE_48 | SDHCI_COMMAND_CRC_CHECK | SDHCI_COMMAND_INDEX_CHECK)
#define SD_R1B \
    (SDHCI_COMMAND_RESPONSE_48_BUSY | SDHCI_COMMAND_CRC_CHECK | SDHCI_COMMAND_INDEX_CHECK)
#define SD_R2 (SDHCI_COMMAND_RESPONSE_136 | SDHCI_COMMAND_CRC_CHECK)
#define SD_R3 SDHCI_COMMAND_RESPONSE_48
#define SD_R6 SD_R1
#define SD_R7 SD_R1

#define SD_COMMAND(index, response) (UINT32_C(index) << SDHCI_COMMAND_INDEX_SHIFT | (response))

#define SD_GO_IDLE_STATE SD_COMMAND(0, SD_R0)
#define SD_ALL_SEND_CID SD_COMMAND(2, SD_R2)
#define SD_SEND_RELATIVE_ADDR SD_COMMAND(3, SD_R6)
#define SD_SELECT_CARD SD_COMMAND(7, SD_R1B)
#define SD_SEND_IF_COND SD_COMMAND(8, SD_R7)
#define SD_SEND_CSD SD_COMMAND(9, SD_R2)
#define SD_SEND_STATUS SD_COMMAND(13, SD_R1)
#define SD_SET_BLOCKLEN SD_COMMAND(16, SD_R1)
#define SD_APP_CMD SD_COMMAND(55, SD_R1)
#define SD_APP_SET_BUS_WIDTH SD_COMMAND(6, SD_R1)
#define SD_APP_SEND_OP_COND SD_COMMAND(41, SD_R3)

// Data by ADMA2, one block. The command for several blocks has the next index and is ended by an
// Auto CMD12.
#define SD_DATA \
    (SDHCI_COMMAND_DATA_PRESENT | SDHCI_TRANSFER_DMA_ENABLE | SDHCI_TRANSFER_BLOCK_COUNT_ENABLE)
#define SD_READ_SINGLE_BLOCK (SD_COMMAND(17, SD_R1) | SD_DATA | SDHCI_TRANSFER_READ)
#define SD_WRITE_BLOCK (SD_COMMAND(24, SD_R1) | SD_DATA)
#define SD_MULTIPLE (SD_COMMAND(1, 0) + (SDHCI_TRANSFER_MULTI_BLOCK | SDHCI_TRANSFER_AUTO_CMD12))

// Arguments.
#define SD_IF_COND_3V3_PATTERN \
    UINT32_C(0x1aa) // CMD8: 2.7 to 3.6 V and a pattern that the card repeats.
#define SD_OCR_2V7_3V6 UINT32_C(0x00ff8000) // ACMD41, and the OCR it is answered with (5.1).
#define SD_OCR_HIGH_CAPACITY BIT(30)        // Asked: the host can; answered: the card is (CCS).
#define SD_OCR_POWERED_UP BIT(31)           // Low while the card is still busy powering up.
#define SD_BUS_FOUR_LINES UINT32_C(2)       // ACMD6.
#define SD_RCA_SHIFT 16                     // Of the relative card address in arguments and R6.

// Card status, R1 (4.10.1).
#define SD_STATUS_OUT_OF_RANGE BIT(31)
#define SD_STATUS_ADDRESS_ERROR BIT(30)
#define SD_STATUS_WP_VIOLATION BIT(26)
#define SD_STATUS_READY_FOR_DATA BIT(8)
#define SD_STATUS_CURRENT_STATE(status) ((status) >> 9 & 0xf)
#define SD_STATE_PROGRAMMING 7
// All error bits: OUT_OF_RANGE to WP_VIOLATION, LOCK_UNLOCK_FAILED to ERROR, CSD_OVERWRITE.
#define SD_STATUS_ERRORS UINT32_C(0xfdf90000)

// The capacity that a CSD register states (5.3). response: the four response words of CMD9, which
// hold the CSD's bits 127 to 8 as their bits 119 to 0. A pure function.
// Result: bytes, or 0 for a CSD of unknown structure.
uint64_t sd_csd_capacity(const uint32_t response[4]);
