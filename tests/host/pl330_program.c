// The PL330 assembler: byte for byte against programs assembled by hand, and run in a model of the
// controller.
// sources: dma/pl330_program.c
#include "dma/pl330_program.h"

#include <errno.h>
#include <string.h>

#include "arch/cpu.h"
#include "tests/host/pl330_model.h"
#include "tests/tap.h"

static const struct pl330_port port = { .beat_bytes = 8 };

// The model's address space: the program, a source and a destination, each a few pages.
enum { PROGRAM = 0x00100000, SOURCE = 0x10000000, DESTINATION = 0x20000000, WINDOW = 16384 };
static uint8_t program_bytes[8192], source[WINDOW], destination[WINDOW], expected[WINDOW];

static uint8_t *memory(uint32_t address)
{
    static uint8_t nowhere;
    if (address - PROGRAM < sizeof program_bytes)
        return &program_bytes[address - PROGRAM];
    if (address - SOURCE < WINDOW)
        return &source[address - SOURCE];
    if (address - DESTINATION < WINDOW)
        return &destination[address - DESTINATION];
    return &nowhere;
}

static bool program_is(const struct pl330_program *program, const uint8_t *bytes, size_t size)
{
    if (program->size == size && memcmp(program->bytes, bytes, size) == 0)
        return true;
    for (size_t i = 0; i < program->size; i++)
        tap_note("%3zu: %02x %s", i, program->bytes[i],
                 i < size && program->bytes[i] == bytes[i] ? "" : "<");
    return false;
}

static void begin(struct pl330_program *program)
{
    memset(program_bytes, 0xff, sizeof program_bytes); // Undefined instructions.
    pl330_begin(program, program_bytes, sizeof program_bytes, &port);
}

static void test_instructions(void)
{
    static const uint8_t bytes[] = {
        0xbc, 0x00, 0x78, 0x56, 0x34, 0x12, // DMAMOV SAR, 0x12345678
        0xbc, 0x01, 0x01, 0x00, 0x00, 0x80, // DMAMOV CCR, 0x80000001
        0xbc, 0x02, 0xff, 0x00, 0x00, 0x00, // DMAMOV DAR, 0xff
        0x20, 0xff,                         // DMALP LC0, 256
        0x22, 0x00,                         // DMALP LC1, 1
        0x04, 0x08,                         // DMALD, DMAST
        0x3c, 0x02,                         // DMALPEND LC1
        0x38, 0x06,                         // DMALPEND LC0
        0x12, 0x13,                         // DMARMB, DMAWMB
        0x34, 0x78,                         // DMASEV 15
        0x36, 0x08,                         // DMAWFE 1
        0x00,                               // DMAEND
    };
    struct pl330_program program;
    begin(&program);
    pl330_dmamov(&program, PL330_SAR, 0x12345678);
    pl330_dmamov(&program, PL330_CCR, 0x80000001);
    pl330_dmamov(&program, PL330_DAR, 0xff);
    size_t outer = pl330_dmalp(&program, 0, 256);
    size_t inner = pl330_dmalp(&program, 1, 1);
    pl330_dmald(&program);
    pl330_dmast(&program);
    pl330_dmalpend(&program, 1, inner);
    pl330_dmalpend(&program, 0, outer);
    pl330_dmarmb(&program);
    pl330_dmawmb(&program);
    pl330_dmasev(&program, 15);
    pl330_dmawfe(&program, 1);
    pl330_dmaend(&program);
    tap_ok(program_is(&program, bytes, sizeof bytes),
           "test_each_instruction_is_encoded_as_the_manual_says");
}

static void test_short_copy(void)
{
    static const uint8_t bytes[] = {
        0xbc, 0x00, 0x00,
        0x10, 0x00, 0x00, // SAR 0x1000
        0xbc, 0x02, 0x00,
        0x20, 0x00, 0x00, // DAR 0x2000
        0xbc, 0x01, 0x17,
        0xc0, 0x05, 0x00, // CCR: 2 beats of 8 bytes on either side, both incrementing
        0x04, 0x08, 0x13,
        0x34, 0x18, 0x00, // LD, ST, WMB, SEV 3, END
    };
    struct pl330_program program;
    begin(&program);
    pl330_copy(&program, 0x2000, 0x1000, 16);
    pl330_finish(&program, 3);
    tap_ok(program_is(&program, bytes, sizeof bytes), "test_copy_of_16_aligned_bytes_is_one_burst");
}

static void test_unaligned_copy(void)
{
    static const uint8_t bytes[] = {
        0xbc, 0x00, 0x05, 0x10, 0x00, 0x00, // SAR 0x1005
        0xbc, 0x02, 0x0d, 0x20, 0x00, 0x00, // DAR 0x200d
        0xbc, 0x01, 0x21, 0x40, 0x08, 0x00, // CCR: 3 single bytes up to the multiple of 8
        0x04, 0x08,                         //
        0xbc, 0x01, 0xf7, 0xc0, 0x3d, 0x00, // CCR: 16 beats of 8 bytes
        0x20, 0x01, 0x04, 0x08, 0x38, 0x02, // twice
        0xbc, 0x01, 0x07, 0xc0, 0x01, 0x00, // CCR: 1 beat of 8 bytes
        0x04, 0x08,                         //
        0xbc, 0x01, 0x11, 0x40, 0x04, 0x00, // CCR: 2 single bytes
        0x04, 0x08, 0x13, 0x34, 0x00, 0x00, //
    };
    struct pl330_program program;
    begin(&program);
    pl330_copy(&program, 0x200d, 0x1005, 3 + 256 + 8 + 2);
    pl330_finish(&program, 0);
    tap_ok(program_is(&program, bytes, sizeof bytes),
           "test_copy_has_byte_head_wide_bulk_and_byte_tail");
}

static void test_long_copy(void)
{
    static const uint8_t bytes[] = {
        0xbc, 0x00, 0x00, 0x00, 0x00, 0x10, // SAR 0x10000000
        0xbc, 0x02, 0x00, 0x00, 0x00, 0x20, // DAR 0x20000000
        0x22, 0xff,                         // 256 pages:
        0xbc, 0x01, 0xf7, 0xc0, 0x3d, 0x00, // CCR: 16 beats of 8 bytes
        0x20, 0x1f, 0x04, 0x08, 0x38, 0x02, // 32 bursts
        0x3c, 0x0c,                         //
        0x13, 0x34, 0x08, 0x00,             //
    };
    struct pl330_program program;
    begin(&program);
    pl330_copy(&program, 0x20000000, 0x10000000, 1024 * 1024);
    pl330_finish(&program, 1);
    tap_ok(program_is(&program, bytes, sizeof bytes), "test_copy_of_1_mib_is_32_bytes_of_program");
}

static void test_fill(void)
{
    static const uint8_t bytes[] = {
        0xbc, 0x00, 0x40, 0x10, 0x00, 0x00, // SAR: the pattern
        0xbc, 0x02, 0x00, 0x20, 0x00, 0x00, // DAR 0x2000
        0xbc, 0x01, 0x36, 0xc0, 0x0d, 0x00, // CCR: 4 beats of 8 bytes, source fixed
        0x04, 0x08,                         //
        0xbc, 0x01, 0x00, 0x40, 0x00, 0x00, // CCR: 1 byte, source fixed
        0x04, 0x08, 0x13, 0x34, 0x10, 0x00, //
    };
    struct pl330_program program;
    begin(&program);
    pl330_fill(&program, 0x2000, 0x1040, 33);
    pl330_finish(&program, 2);
    tap_ok(program_is(&program, bytes, sizeof bytes), "test_fill_reads_a_fixed_source");
}

static void test_nonsecure(void)
{
    static const struct pl330_port nonsecure = { .beat_bytes = 4, .nonsecure = true };
    static const uint8_t control[] = { 0xbc, 0x01, 0x05, 0x42, 0x81, 0x00 };
    struct pl330_program program;
    pl330_begin(&program, program_bytes, sizeof program_bytes, &nonsecure);
    pl330_copy(&program, 0x2000, 0x1000, 4);
    tap_ok(memcmp(program_bytes + 12, control, sizeof control) == 0,
           "test_nonsecure_channels_make_nonsecure_accesses_and_keep_to_the_bus_width");
}

static void test_pause(void)
{
    static const uint8_t bytes[] = { 0x34, 0x48, 0x36, 0x48, 0x13, 0x36,
                                     0x48, 0x13, 0x34, 0x08, 0x00 };
    struct pl330_program program;
    begin(&program);
    pl330_drain(&program, 9);
    size_t at = pl330_pause(&program, 9);
    pl330_finish(&program, 1);
    tap_ok(program_is(&program, bytes, sizeof bytes) && at == 5,
           "test_pause_waits_behind_a_write_barrier");
}

// Every size of the buffer short of the whole program: refused, and nothing written past the limit.
static void test_overflow(void)
{
    bool refused = true, contained = true;
    struct pl330_program program;
    begin(&program);
    pl330_copy(&program, 0x2003, 0x1003, 1000000);
    pl330_finish(&program, 1);
    size_t whole = program.size;
    for (size_t limit = 0; limit < whole; limit++) {
        memset(program_bytes, 0xff, sizeof program_bytes);
        pl330_begin(&program, program_bytes, limit, &port);
        pl330_copy(&program, 0x2003, 0x1003, 1000000);
        refused &= pl330_finish(&program, 1) == -ENOSPC;
        contained &= program_bytes[limit] == 0xff && program.size <= limit;
    }
    tap_ok(refused, "test_program_that_does_not_fit_is_refused");
    tap_ok(contained, "test_program_never_grows_past_its_limit");
}

// Runs what the begun program holds. Result: false when the model complains.
static bool run(struct pl330_program *program, struct model *model, struct model_channel *channel)
{
    if (pl330_finish(program, 5) != 0)
        return false;
    memset(channel, 0, sizeof *channel);
    model->memory = memory;
    model->interrupts = 1u << 5;
    model_start(model, channel, PROGRAM);
    if (model->complaint)
        tap_note("%s", model->complaint);
    return !model->complaint && channel->state == MODEL_STOPPED && model->pending == 1u << 5;
}

static bool copy_arrives(uint32_t to, uint32_t from, uint32_t size, bool fill)
{
    struct pl330_program program;
    struct model model = { 0 };
    struct model_channel channel;
    memset(destination, 0xee, WINDOW);
    memset(expected, 0xee, WINDOW);
    if (fill)
        memset(expected + to, source[0], size);
    else
        memcpy(expected + to, source + from, size);
    begin(&program);
    if (fill)
        pl330_fill(&program, DESTINATION + to, SOURCE, size);
    else
        pl330_copy(&program, DESTINATION + to, SOURCE + from, size);
    size_t limit = size <= 64 ? PL330_SHORT_COPY_BYTES : PL330_COPY_BYTES;
    bool good = program.size <= limit && run(&program, &model, &channel) && channel.bytes == size &&
                memcmp(destination, expected, WINDOW) == 0;
    if (!good)
        tap_note("to +%u from +%u size %u", to, from, size);
    return good;
}

static void test_all_alignments(void)
{
    bool copies = true, fills = true;
    for (unsigned i = 0; i < WINDOW; i++)
        source[i] = (uint8_t)(i * 7 + i / 256 + 1);
    for (uint32_t to = 0; to < 9; to++) {
        for (uint32_t from = 0; from < 9; from++) {
            for (uint32_t size = 0; size <= 257 && copies; size++)
                copies = copy_arrives(64 + to, 128 + from, size, false);
        }
    }
    memset(source, 0x5a, 16);
    for (uint32_t to = 0; to < 9; to++) {
        for (uint32_t size = 0; size <= 257 && fills; size++)
            fills = copy_arrives(64 + to, 0, size, true);
    }
    tap_ok(copies, "test_copies_of_all_alignments_and_lengths_to_257_are_exact");
    tap_ok(fills, "test_fills_of_all_alignments_and_lengths_to_257_are_exact");
}

// Sources and destinations whose pages begin at different places.
static void test_page_borders(void)
{
    bool good = true;
    for (uint32_t to = 4070; to < 4110 && good; to += 3) {
        for (uint32_t from = 4000; from < 4200 && good; from += 1)
            good = copy_arrives(to, from, 200, false) && copy_arrives(to, from, 4096 + 77, false);
    }
    tap_ok(good, "test_no_burst_crosses_a_page_on_either_side");
}

// Big ones: each store continues where the last one ended and takes what lies at the same distance
// in the source.
static uint32_t expected_to, expected_from;

static void stored(struct model *model, uint32_t to, uint32_t from, uint32_t size)
{
    model_check(model, to == expected_to && from == expected_from, "bytes out of order");
    expected_to += size;
    expected_from += size;
}

static bool big_copy(uint32_t to, uint32_t from, uint32_t size)
{
    struct pl330_program program;
    struct model model = { .stored = stored };
    struct model_channel channel;
    expected_to = to;
    expected_from = from;
    begin(&program);
    pl330_copy(&program, to, from, size);
    bool short_enough = size > 1024 * 1024 || program.size <= PL330_COPY_BYTES;
    if (!short_enough)
        tap_note("%zu bytes of program for %u", program.size, size);
    return short_enough && run(&program, &model, &channel) && expected_to == to + size &&
           channel.bytes == size;
}

static void test_big_copies(void)
{
    static const uint32_t sizes[] = { 4095,  4096,  8191,  8192,    12288,
                                      65535, 65536, 65537, 1048575, 1048576 };
    bool good = true;
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (uint32_t offset = 0; offset < 12; offset++) {
            good &= big_copy(0x40000000 + offset, 0x50000000, sizes[i]);
            good &= big_copy(0x40000000 + offset * 513, 0x50000001 + offset * 77, sizes[i]);
        }
    }
    // Pages that begin with the shape of burst that the bytes before them have ended with.
    for (uint32_t to = 0; to < 1024; to += 64) {
        for (uint32_t from = 0; from < 1024; from += 64)
            good &= big_copy(0x40000000 - to, 0x50000000 - from, 20000);
    }
    tap_ok(good, "test_copies_up_to_1_mib_move_each_byte_once_in_order");
    good = big_copy(0x40000000, 0x50000000, 64u << 20) &&
           big_copy(0x40000000, 0x50000008, 64u << 20) &&
           big_copy(0x40000003, 0x50000002, (64u << 20) + 5);
    tap_ok(good, "test_copies_of_64_mib_fit_into_8_kib_of_program");
}

static void test_scatter_gather(void)
{
    struct pl330_program program;
    struct model model = { 0 };
    struct model_channel channel;
    memset(destination, 0xee, WINDOW);
    memset(expected, 0xee, WINDOW);
    begin(&program);
    for (uint32_t i = 0; i < 8; i++) {
        uint32_t to = i * 301, from = (7 - i) * 333, size = i * 41;
        pl330_copy(&program, DESTINATION + to, SOURCE + from, size);
        memcpy(expected + to, source + from, size);
    }
    tap_ok(run(&program, &model, &channel) && memcmp(destination, expected, WINDOW) == 0,
           "test_several_copies_in_one_program_are_scatter_gather");
}

// A program that waits after each chunk: the model stops there, with the chunk in memory, until the
// event is sent.
static void test_paced(void)
{
    enum { CHUNK = 100, CHUNKS = 4 };
    struct pl330_program program;
    struct model model = { .events = 1u << 9 };
    struct model_channel channel;
    size_t stops[CHUNKS];
    memset(destination, 0xee, WINDOW);
    begin(&program);
    pl330_drain(&program, 9);
    for (uint32_t i = 0; i < CHUNKS; i++) {
        pl330_copy(&program, DESTINATION + i * CHUNK, SOURCE + 3 + i * CHUNK, CHUNK);
        stops[i] = pl330_pause(&program, 9);
    }
    bool good = !run(&program, &model, &channel) && !model.complaint;
    for (uint32_t i = 0; i < CHUNKS; i++) {
        good &= channel.state == MODEL_WAITING && channel.pc == PROGRAM + stops[i];
        good &= memcmp(destination, source + 3, (i + 1) * CHUNK) == 0 &&
                destination[(i + 1) * CHUNK] == 0xee;
        model_send(&model, 9);
        model_run(&model, &channel);
    }
    tap_ok(good, "test_paced_program_stops_after_each_chunk");
    tap_ok(channel.state == MODEL_STOPPED && model.pending == 1u << 5 && model.events == 0,
           "test_paced_program_ends_and_leaves_no_event");
}

int main(void)
{
    tap_plan(17);
    test_instructions();
    test_short_copy();
    test_unaligned_copy();
    test_long_copy();
    test_fill();
    test_nonsecure();
    test_pause();
    test_overflow();
    test_all_alignments();
    test_page_borders();
    test_big_copies();
    test_scatter_gather();
    test_paced();
    return tap_done();
}
