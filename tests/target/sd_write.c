// Writing an SD card: what was written is read back, its neighbours are untouched, the end is the
// end. Afterwards sd_write.after checks every byte of the image on the host.
// sd: 8M
#include <errno.h>
#include <string.h>

#include "sd_image.h"
#include "tests/tap.h"
#include "tests/target/board_find.h"

enum { MOST_BYTES = 1200000, MARGIN = 2048 };

// A written byte is the opposite of what was there before. sd_write.after reads this table too.
static const struct {
    uint32_t offset, size;
    uint8_t shift; // Of the buffer from a cache line's start.
    const char *name;
} writes[] = {
    { 0, 512, 0, "test_sd_write_of_the_first_sector" },
    { 8192, 65536, 0, "test_sd_write_of_64_kib" },
    { 100001, 1, 0, "test_sd_write_of_one_byte" },
    { 100349, 7, 1, "test_sd_write_across_a_sector" },
    { 131072, 4096, 3, "test_sd_write_from_an_odd_buffer" },
    { 200000, 5000, 4, "test_sd_write_of_parts_around_whole_sectors" },
    { 300033, 40001, 2, "test_sd_write_of_an_odd_length" },
    { 524288, 512, 60, "test_sd_write_of_a_sector_across_cache_lines" },
    { 1048576, 1048576, 0, "test_sd_write_of_1_mib" },
    { 2500000, 1200000, 4, "test_sd_write_longer_than_one_command" },
    { 8387396, 1212, 1, "test_sd_write_to_the_last_byte" },
};
enum { WRITES = sizeof writes / sizeof writes[0] };

static _Alignas(64) uint8_t source[MOST_BYTES + 64], back[MOST_BYTES + 2 * MARGIN];

static uint8_t written_byte(uint64_t offset)
{
    return image_byte(offset) ^ 0xff;
}

static bool was_written(uint64_t offset)
{
    for (unsigned i = 0; i < WRITES; i++)
        if (offset >= writes[i].offset && offset - writes[i].offset < writes[i].size)
            return true;
    return false;
}

// What is at [offset, offset + size) now, given that the first `count` writes have been done and
// the others not.
static bool card_is_right(uint64_t offset, size_t size, unsigned count)
{
    if (offset + size > IMAGE_BYTES)
        size = IMAGE_BYTES - offset;
    if (card_do(IO_READ, offset, back, size) != (long)size)
        return false;
    for (size_t i = 0; i < size; i++) {
        bool written = false;
        for (unsigned w = 0; w < count; w++)
            written |= offset + i >= writes[w].offset &&
                       offset + i - writes[w].offset < writes[w].size;
        if (back[i] != (written ? written_byte(offset + i) : image_byte(offset + i)))
            return false;
    }
    return true;
}

static void test_write(unsigned index)
{
    uint64_t offset = writes[index].offset;
    size_t size = writes[index].size;
    uint8_t *buffer = source + writes[index].shift;
    uint64_t from = offset < MARGIN ? 0 : offset - MARGIN;

    for (size_t i = 0; i < size; i++)
        buffer[i] = written_byte(offset + i);
    bool right = card_do(IO_WRITE, offset, buffer, size) == (long)size && card_moved == size;
    for (size_t i = 0; i < size; i++)
        right &= buffer[i] == written_byte(offset + i);
    right &= card_is_right(from, (size_t)(offset - from) + size + MARGIN, index + 1);
    tap_ok(right, writes[index].name);
}

static void test_end(void)
{
    extern char __kernel_data_start[];

    for (unsigned i = 0; i < 4096; i++)
        source[i] = written_byte(IMAGE_BYTES - 1212 + i);
    tap_equal(card_do(IO_WRITE, IMAGE_BYTES - 1212, source, 4096), 1212,
              "test_sd_write_across_the_end_is_short");
    tap_equal(card_do(IO_WRITE, IMAGE_BYTES, source, 1), -ENOSPC,
              "test_sd_write_at_the_end_is_enospc");
    tap_equal(card_do(IO_WRITE, UINT64_C(1) << 33, source, 512), -ENOSPC,
              "test_sd_write_far_past_the_end_is_enospc");
    tap_equal(card_do(IO_WRITE, 0, source, 0), 0, "test_sd_write_of_nothing");
    tap_equal(card_do(IO_WRITE, 0, NULL, 512), -EFAULT, "test_sd_write_from_null");
    tap_equal(card_do(IO_WRITE, 0, __kernel_data_start, 512), -EFAULT,
              "test_sd_write_from_the_kernel");
    tap_equal(card_do(IO_FLUSH, 0, NULL, 0), 0, "test_sd_flush_after_writes");
}

// Goal: nothing was written anywhere else. Method: the whole card, byte for byte.
static void test_everything(void)
{
    bool right = true;
    for (uint64_t offset = 0; right && offset < IMAGE_BYTES; offset += 65536) {
        right = card_do(IO_READ, offset, back, 65536) == 65536;
        for (unsigned i = 0; i < 65536; i++)
            right &= back[i] ==
                     (was_written(offset + i) ? written_byte(offset + i) : image_byte(offset + i));
    }
    tap_ok(right, "test_sd_writes_left_everything_else_alone");
}

int main(void)
{
    tap_plan(WRITES + 9);
    card = device_find(board.disk);
    tap_equal(card_do(IO_OPEN, 0, NULL, 0), 0, "test_sd_open");
    for (unsigned i = 0; i < WRITES; i++)
        test_write(i);
    test_end();
    test_everything();
    return tap_done();
}
