// CSD capacities: registers of real cards and of QEMU's, and the limits of both versions.
// sources: drivers/sd/sd_csd.c
#include <string.h>

#include "drivers/sd/sd_protocol.h"
#include "tests/tap.h"

// csd: 16 bytes as on the wire, the last one the CRC, which the host strips.
static uint64_t capacity(const uint8_t csd[16])
{
    uint32_t response[4] = { 0 };

    for (unsigned i = 0; i < 15; i++)
        response[(14 - i) / 4] |= (uint32_t)csd[i] << (14 - i) % 4 * 8;
    return sd_csd_capacity(response);
}

int main(void)
{
    // READ_BL_LEN 9, C_SIZE 3751, C_SIZE_MULT 7: a card sold as 1 GB.
    static const uint8_t gigabyte[16] = { 0x00, 0x26, 0x00, 0x32, 0x5f, 0x59, 0x83, 0xa9,
                                          0xed, 0xb7, 0xff, 0x9f, 0x96, 0x40, 0x00, 0x01 };
    // READ_BL_LEN 10, C_SIZE 4095, C_SIZE_MULT 7: the largest SDSC.
    static const uint8_t largest_sdsc[16] = { 0x00, 0x26, 0x00, 0x32, 0x5f, 0x5a, 0x83, 0xff,
                                              0xff, 0xff, 0xff, 0x9f, 0x96, 0x40, 0x00, 0x01 };
    static const uint8_t smallest_sdsc[16] = { 0x00, 0x26, 0x00, 0x32, 0x5f, 0x59, 0x80, 0x00,
                                               0x2d, 0xb4, 0x7f, 0x9f, 0x96, 0x40, 0x00, 0x01 };
    // C_SIZE 15159: sold as 8 GB.
    static const uint8_t eight_gigabytes[16] = { 0x40, 0x0e, 0x00, 0x32, 0x5b, 0x59, 0x00, 0x00,
                                                 0x3b, 0x37, 0x7f, 0x80, 0x0a, 0x40, 0x00, 0x01 };
    static const uint8_t largest_sdxc[16] = { 0x40, 0x0e, 0x00, 0x32, 0x5b, 0x59, 0x00, 0x3f,
                                              0xff, 0xff, 0x7f, 0x80, 0x0a, 0x40, 0x00, 0x01 };
    static const uint8_t unknown[16] = { 0x80, 0x0e, 0x00, 0x32, 0x5b, 0x59, 0x00, 0x3f,
                                         0xff, 0xff, 0x7f, 0x80, 0x0a, 0x40, 0x00, 0x01 };

    tap_plan(6);
    tap_equal((long long)capacity(gigabyte), 3752LL * 512 * 512, "test_csd_version_1");
    tap_equal((long long)capacity(largest_sdsc), 2147483648LL, "test_csd_version_1_blocks_of_1024");
    tap_equal((long long)capacity(smallest_sdsc), 1LL * 4 * 512, "test_csd_version_1_smallest");
    tap_equal((long long)capacity(eight_gigabytes), 15160LL * 524288, "test_csd_version_2");
    tap_equal((long long)capacity(largest_sdxc), 4194304LL * 524288, "test_csd_version_2_largest");
    tap_equal((long long)capacity(unknown), 0, "test_csd_of_unknown_version_is_refused");
    return tap_done();
}
