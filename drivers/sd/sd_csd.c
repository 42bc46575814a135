// The CSD register: how large a card is (SD Physical Layer Simplified Specification 3.01, 5.3).

#include "drivers/sd/sd_protocol.h"

enum {
    RESPONSE_SHIFT = 8,
    WORD_BITS = 32,
    CSD_VERSION_1 = 0,
    CSD_VERSION_2 = 1,
    CSD_2_UNIT_SHIFT = 19
};

// Bits `high` to `low` of the CSD, numbered as in the specification, at most 32 of them. The host
// strips the CRC in bits 7 to 0, so that everything stands eight bits lower.
static uint32_t csd_bits(const uint32_t response[4], unsigned high, unsigned low)
{
    uint32_t value = 0;

    for (unsigned bit = high + 1; bit-- > low;) {
        unsigned place = bit - RESPONSE_SHIFT;
        value = value << 1 | (response[place / WORD_BITS] >> place % WORD_BITS & 1);
    }
    return value;
}

uint64_t sd_csd_capacity(const uint32_t response[4])
{
    switch (csd_bits(response, 127, 126)) {
    case CSD_VERSION_1: { // 5.3.2: (C_SIZE + 1) · 2^(C_SIZE_MULT + 2) blocks of 2^READ_BL_LEN
                          // bytes.
        unsigned shift = csd_bits(response, 49, 47) + 2 + csd_bits(response, 83, 80);
        return (uint64_t)(csd_bits(response, 73, 62) + 1) << shift;
    }
    case CSD_VERSION_2: // 5.3.3: (C_SIZE + 1) · 512 KiB.
        return (uint64_t)(csd_bits(response, 69, 48) + 1) << CSD_2_UNIT_SHIFT;
    default:
        return 0;
    }
}
