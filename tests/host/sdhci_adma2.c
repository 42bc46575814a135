// ADMA2 descriptor tables, byte for byte as the controller reads them.
// sources: drivers/sd/adma2.c
#include <errno.h>
#include <string.h>

#include "drivers/sd/adma2.h"
#include "tests/tap.h"

static struct adma2_table table;

static bool table_is(const uint8_t *expected, size_t size)
{
    return memcmp(table.entries, expected, size) == 0;
}

static void test_plain_layout(void)
{
    static const uint8_t expected[] = {
        0x21, 0, 0x00, 0x00, 0x00, 0x00, 0x10, 0x00, // 64 KiB: length 0.
        0x23, 0, 0x00, 0x02, 0x00, 0x00, 0x11, 0x00, // The rest, 512 bytes, END.
    };
    const struct dma_piece piece = { 0x100000, 65536 + 512 };

    tap_equal(adma2_init(&table, NULL), 0, "test_adma2_without_settings_is_silicon");
    tap_equal(adma2_build(&table, &piece, 1), 2, "test_adma2_splits_at_64_kib");
    tap_ok(table_is(expected, sizeof expected), "test_adma2_plain_table_bytes");
}

static void test_nops(void)
{
    static const uint8_t expected[] = {
        0x01, 0, 0,    0,    0,    0,    0,    0, // Lead.
        0x01, 0, 0,    0,    0,    0,    0,    0,
        0x21, 0, 0x04, 0x00, 0x3c, 0x00, 0x20, 0x00, // Head, 4 bytes.
        0x01, 0, 0,    0,    0,    0,    0,    0,
        0x21, 0, 0x00, 0x02, 0x00, 0x00, 0x30, 0x00, // Body, a piece
        0x01, 0, 0,    0,    0,    0,    0,    0,
        0x21, 0, 0xc0, 0x01, 0x00, 0x02, 0x30, 0x00, // and its rest, 448 bytes.
        0x01, 0, 0,    0,    0,    0,    0,    0,
        0x23, 0, 0x3c, 0x00, 0x40, 0x00, 0x20, 0x00, // Tail, 60 bytes, END.
    };
    const struct sdhci_settings settings = { .lead_nops = 2,
                                             .nops_between = 1,
                                             .piece_bytes = 512 };
    const struct dma_piece pieces[] = { { 0x20003c, 4 }, { 0x300000, 960 }, { 0x200040, 60 } };

    tap_equal(adma2_init(&table, &settings), 0, "test_adma2_takes_a_layout_with_nops");
    const struct dma_piece longer = { 0x500000, 8 * 512 };
    adma2_build(&table, &longer, 1);
    tap_equal(adma2_build(&table, pieces, 3), 9, "test_adma2_counts_entries_with_nops");
    tap_ok(table_is(expected, sizeof expected), "test_adma2_rewritten_table_bytes");
}

static void test_bytes_before(void)
{
    uint32_t start = (uint32_t)(uintptr_t)table.entries;

    tap_equal(adma2_bytes_before(&table, start), 0, "test_adma2_nothing_before_the_start");
    tap_equal(adma2_bytes_before(&table, start + 2 * 8), 0, "test_adma2_lead_moves_nothing");
    tap_equal(adma2_bytes_before(&table, start + 3 * 8), 4, "test_adma2_counts_the_head");
    tap_equal(adma2_bytes_before(&table, start + 7 * 8), 964, "test_adma2_counts_the_body");
    tap_equal(adma2_bytes_before(&table, start + 9 * 8), 1024, "test_adma2_counts_everything");
    tap_equal(adma2_bytes_before(&table, start + 100 * 8), 1024,
              "test_adma2_stops_counting_at_end");
    tap_equal(adma2_bytes_before(&table, start - 8), 0, "test_adma2_ignores_an_address_below");
    tap_equal(adma2_bytes_before(&table, 0), 0, "test_adma2_ignores_an_address_of_zero");
}

static void test_refusals(void)
{
    const struct dma_piece odd = { 0x100002, 512 };
    const struct sdhci_settings large = { .piece_bytes = 131072 }, ragged = { .piece_bytes = 1000 };

    adma2_init(&table, NULL);
    tap_equal(adma2_build(&table, &odd, 1), -EFAULT, "test_adma2_refuses_an_odd_address");
#if UINTPTR_MAX > UINT32_MAX
    const struct dma_piece high = { 0x100000000, 512 }, across = { 0xfffffe00, 1024 },
                           below = { 0xfffffc00, 512 };
    tap_equal(adma2_build(&table, &high, 1), -EFAULT, "test_adma2_refuses_33_bits");
    tap_equal(adma2_build(&table, &across, 1), -EFAULT, "test_adma2_refuses_crossing_32_bits");
    tap_equal(adma2_build(&table, &below, 1), 1, "test_adma2_takes_the_last_address");
#endif
    tap_equal(adma2_init(&table, &large), -EINVAL, "test_adma2_refuses_pieces_beyond_64_kib");
    tap_equal(adma2_init(&table, &ragged), -EINVAL, "test_adma2_refuses_pieces_of_no_sectors");
}

// The fullest map: every place is taken, none beyond the table (the sanitizer watches), for several
// layouts.
static void test_capacity(void)
{
    static const struct sdhci_settings layouts[] = {
        { 0, 0, 65536, false, false }, { 5, 4, 4096, false, false },    { 5, 4, 512, false, false },
        { 5, 0, 512, false, false },   { 255, 255, 512, false, false },
    };
    for (unsigned i = 0; i < sizeof layouts / sizeof layouts[0]; i++) {
        adma2_init(&table, &layouts[i]);
        size_t most = adma2_capacity(&table);
        const struct dma_piece pieces[] = { { 0x1004, 4 }, { 0x2000, most - 12 }, { 0x1080, 8 } };
        int entries = adma2_build(&table, pieces, 3);
        if (i == 1)
            tap_ok(most >= 1048576, "test_adma2_holds_a_mebibyte_on_zynq");
        tap_ok(entries > 0 && entries <= ADMA2_ENTRIES && most % 512 == 0,
               "test_adma2_fits_its_capacity");
    }
}

int main(void)
{
    tap_plan(26);
    test_plain_layout();
    test_nops();
    test_bytes_before();
    test_refusals();
    test_capacity();
    return tap_done();
}
