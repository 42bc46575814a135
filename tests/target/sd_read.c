// Reading an SD card: the whole image, every kind of offset, length and buffer, and its end.
// sd: 8M
#include <errno.h>
#include <string.h>

#include "sd_image.h"
#include "tests/tap.h"
#include "tests/target/board_find.h"

enum { GUARD = 64, GUARD_BYTE = 0xc3, MEBIBYTE = 1048576 };

static _Alignas(64) uint8_t memory[2 * MEBIBYTE + 3 * GUARD];

// Reads with guard bytes on both sides of the buffer. True: the bytes are right and the guards
// intact.
static bool read_is_right(uint64_t offset, size_t shift, size_t size)
{
    uint8_t *buffer = memory + GUARD + shift;

    memset(memory, GUARD_BYTE, size + 3 * GUARD);
    bool right = card_do(IO_READ, offset, buffer, size) == (long)size &&
                 image_is(buffer, offset, size);
    for (uint8_t *byte = memory; byte < memory + size + 3 * GUARD; byte++)
        right &= (byte >= buffer && byte < buffer + size) || *byte == GUARD_BYTE;
    if (!right)
        tap_note("offset %lu, buffer + %u, %u bytes", (unsigned long)offset, (unsigned)shift,
                 (unsigned)size);
    return right;
}

static void test_open(void)
{
    tap_equal(card_do(IO_OPEN, 0, NULL, 0), 0, "test_sd_open");
    tap_equal((long long)card->size_bytes, IMAGE_BYTES, "test_sd_size_is_the_image's");
    tap_equal(card->block_bytes, SECTOR, "test_sd_block_is_a_sector");
    tap_equal(card_do(IO_FLUSH, 0, NULL, 0), 0, "test_sd_flush");
}

static void test_whole_image(size_t piece, const char *name)
{
    bool right = true;
    for (uint64_t offset = 0; right && offset < IMAGE_BYTES; offset += piece)
        right = card_do(IO_READ, offset, memory, piece) == (long)piece &&
                image_is(memory, offset, piece);
    tap_ok(right, name);
}

static void test_shapes(void)
{
    static const uint16_t offsets[] = { 0, 1, 4, 511, 512, 513, 4095, 65535 };
    static const uint16_t sizes[] = {
        1, 2, 31, 511, 512, 513, 1024, 4095, 4096, 4100, 5000, 65535
    };
    static const uint8_t shifts[] = { 0, 1, 2, 3, 4, 28, 31, 32, 33, 60 };
    bool right = true;

    for (unsigned o = 0; o < sizeof offsets / sizeof offsets[0]; o++)
        for (unsigned s = 0; s < sizeof sizes / sizeof sizes[0]; s++)
            for (unsigned b = 0; b < sizeof shifts; b++)
                right &= read_is_right(offsets[o], shifts[b], sizes[s]);
    tap_ok(right, "test_sd_read_of_960_shapes");
    tap_ok(read_is_right(3 * SECTOR, 4, MEBIBYTE), "test_sd_read_of_1_mib");
    tap_ok(read_is_right(777, 3, 40000), "test_sd_read_odd_buffer_and_offset");
    tap_ok(read_is_right(1, 4, 2 * MEBIBYTE - 1), "test_sd_read_longer_than_one_command");
}

static void test_end(void)
{
    tap_equal(card_do(IO_READ, IMAGE_BYTES, memory, SECTOR), 0, "test_sd_read_at_the_end");
    tap_equal(card_do(IO_READ, UINT64_C(1) << 40, memory, SECTOR), 0,
              "test_sd_read_far_past_the_end");
    tap_equal(card_do(IO_READ, UINT64_MAX, memory, SECTOR), 0,
              "test_sd_read_at_the_last_offset_there_is");
    tap_equal(card_do(IO_READ, IMAGE_BYTES - 1, memory, 4096), 1, "test_sd_read_of_the_last_byte");
    tap_ok(image_is(memory, IMAGE_BYTES - 1, 1), "test_sd_last_byte");
    tap_equal(card_do(IO_READ, IMAGE_BYTES - 1500, memory, 4096), 1500,
              "test_sd_read_across_the_end");
    tap_ok(image_is(memory, IMAGE_BYTES - 1500, 1500), "test_sd_bytes_across_the_end");
    tap_equal(card_do(IO_READ, 0, memory, 0), 0, "test_sd_read_of_nothing");
}

static void test_refused_buffers(void)
{
    extern char __text_start[], __kernel_data_start[];

    tap_equal(card_do(IO_READ, 0, NULL, SECTOR), -EFAULT, "test_sd_read_into_null");
    tap_equal(card_do(IO_READ, 0, (void *)(uintptr_t)0x60000000, SECTOR), -EFAULT,
              "test_sd_read_outside_ram");
    tap_equal(card_do(IO_READ, 0, __text_start, SECTOR), -EFAULT, "test_sd_read_into_text");
    tap_equal(card_do(IO_READ, 0, __kernel_data_start, SECTOR), -EFAULT,
              "test_sd_read_into_the_kernel");
}

// Goal: many requests at once, each with its own bytes. Method: they are submitted together and end
// in order.
static void test_queue(void)
{
    enum { REQUESTS = 32, BYTES = 8192 };
    static struct io_request requests[REQUESTS];
    bool right = true;

    for (unsigned i = 0; i < REQUESTS; i++) {
        requests[i] = card_request(IO_READ, i * 100003u, memory + i * BYTES, BYTES - i);
        right &= io_submit(card, &requests[i]) == 0;
    }
    for (unsigned i = 0; i < REQUESTS; i++) {
        right &= io_wait(&requests[i]) == (long)(BYTES - i);
        right &= image_is(memory + i * BYTES, i * 100003u, BYTES - i);
    }
    tap_ok(right, "test_sd_32_reads_in_flight");
}

int main(void)
{
    tap_plan(24);
    card = device_find(board.disk);
    if (!tap_ok(card != NULL, "test_sd_is_there"))
        return tap_done();
    test_open();
    test_whole_image(65536, "test_sd_whole_image_in_64_kib");
    test_whole_image(MEBIBYTE, "test_sd_whole_image_in_1_mib");
    test_shapes();
    test_end();
    test_refused_buffers();
    test_queue();
    return tap_done();
}
