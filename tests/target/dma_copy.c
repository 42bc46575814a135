// Copies and fills: every byte arrives, no other byte is touched, and what must not be moved is
// refused.
#include <errno.h>
#include <stdlib.h>

#include "arch/memory.h"
#include "tests/target/dma_engines.h"

enum { LONGEST = 257, ALIGNMENTS = 9, GUARD = 64, AREA = 512, BIG = 3 * 1024 * 1024 };

static unsigned char source[AREA + 64], destination[AREA], expected[AREA];
static unsigned char big_source[BIG + 64], big_destination[BIG + 64];

static void pattern(unsigned char *bytes, size_t size, unsigned seed)
{
    uint32_t x = seed * 2654435761u + 1;
    for (size_t i = 0; i < size; i++) {
        x = x * 1664525u + 1013904223u;
        bytes[i] = (unsigned char)(x >> 24);
    }
}

static int copy(void *to, const void *from, size_t size)
{
    struct dma_segment segment = { (uintptr_t)to, (uintptr_t)from, size };
    struct dma_transfer transfer = { .operation = DMA_COPY,
                                     .segments = &segment,
                                     .segment_count = 1 };
    return run(&transfer);
}

static int fill(void *to, unsigned char byte, size_t size)
{
    struct dma_segment segment = { (uintptr_t)to, 0, size };
    struct dma_transfer transfer = {
        .operation = DMA_FILL, .fill = byte, .segments = &segment, .segment_count = 1
    };
    return run(&transfer);
}

// Copies between the given offsets. The area around the destination is compared as well, dirty in
// the cache as it is.
static bool copies_exactly(size_t to, size_t from, size_t size)
{
    memset(destination, 0xee, AREA);
    memset(expected, 0xee, AREA);
    memcpy(expected + to, source + from, size);
    bool good = copy(destination + to, source + from, size) == 0 &&
                memcmp(destination, expected, AREA) == 0;
    if (!good)
        tap_note("to +%lu from +%lu size %lu", (unsigned long)to, (unsigned long)from,
                 (unsigned long)size);
    return good;
}

static void test_all_alignments(void)
{
    bool good = true;
    pattern(source, sizeof source, 1);
    for (size_t to = 0; to < ALIGNMENTS && good; to++) {
        for (size_t from = 0; from < ALIGNMENTS && good; from++) {
            for (size_t size = 0; size <= LONGEST && good; size++)
                good = copies_exactly(GUARD + to, GUARD + from, size);
        }
    }
    tap_ok(good, claim("test_dma_copy_of_all_alignments_and_lengths_to_257_with_guards_intact"));
    for (size_t to = 0; to < 2 * GUARD && good; to++)
        good = copies_exactly(to, 5, 200);
    tap_ok(good, claim("test_dma_copy_at_every_place_in_a_cache_line"));
}

static void test_big_copy(void)
{
    bool good = true;
    for (unsigned offset = 0; offset < 3 && good; offset++) {
        size_t size = BIG - 1000 - offset;
        pattern(big_source, sizeof big_source, offset);
        memset(big_destination, 0xee, sizeof big_destination);
        good = copy(big_destination + 7 * offset, big_source + 3, size) == 0 &&
               memcmp(big_destination + 7 * offset, big_source + 3, size) == 0 &&
               big_destination[7 * offset + size] == 0xee &&
               (offset == 0 || big_destination[7 * offset - 1] == 0xee);
    }
    tap_ok(good, claim("test_dma_copy_of_3_mib"));
}

static void test_fill(void)
{
    const char *name = "test_dma_fill_of_all_alignments_and_lengths_to_257_with_guards_intact";
    if (!dma_capabilities(engine)->fill) {
        tap_skip(claim(name), "this engine does not fill");
        return;
    }
    bool good = true;
    for (size_t to = 0; to < ALIGNMENTS && good; to++) {
        for (size_t size = 0; size <= LONGEST && good; size++) {
            memset(destination, 0xee, AREA);
            memset(expected, 0xee, AREA);
            memset(expected + GUARD + to, (int)(size | 1), size);
            good = fill(destination + GUARD + to, (unsigned char)(size | 1), size) == 0 &&
                   memcmp(destination, expected, AREA) == 0;
        }
    }
    tap_ok(good, claim(name));
}

// Long enough for every way in which an engine cuts a fill.
static void test_big_fill(void)
{
    const char *name = "test_dma_fill_of_3_mib";
    if (!dma_capabilities(engine)->fill) {
        tap_skip(claim(name), "this engine does not fill");
        return;
    }
    bool good = true;
    for (size_t offset = 0; offset < 80 && good; offset += 39) {
        size_t size = BIG - 1000 - offset;
        unsigned char *to = big_destination + 64 + offset;
        memset(big_destination, 0xee, sizeof big_destination);
        good = fill(to, 0x5a, size) == 0 && to[-1] == 0xee && to[0] == 0x5a &&
               memcmp(to, to + 1, size - 1) == 0 && to[size] == 0xee;
    }
    tap_ok(good, claim(name));
}

// 31 segments of odd sizes, some empty, scattered backwards.
static void test_scatter_gather(void)
{
    enum { SEGMENTS = 31, STEP = 5000 };
    static struct dma_segment segments[SEGMENTS];
    static unsigned char wanted[SEGMENTS * STEP];
    pattern(big_source, sizeof big_source, 9);
    memset(big_destination, 0xee, sizeof wanted);
    memset(wanted, 0xee, sizeof wanted);
    for (unsigned i = 0; i < SEGMENTS; i++) {
        size_t to = (SEGMENTS - 1 - i) * STEP + i * 3, from = i * STEP + 1,
               size = i % 5 == 4 ? 0 : i * 151 + 1;
        segments[i] = (struct dma_segment){ (uintptr_t)big_destination + to,
                                            (uintptr_t)big_source + from, size };
        memcpy(wanted + to, big_source + from, size);
    }
    struct dma_transfer transfer = { .operation = DMA_COPY,
                                     .segments = segments,
                                     .segment_count = SEGMENTS };
    tap_ok(run(&transfer) == 0 && transfer.residue == 0 &&
               memcmp(big_destination, wanted, sizeof wanted) == 0,
           claim("test_dma_scatter_gather_list_with_empty_and_odd_segments"));
}

static void test_nothing(void)
{
    int status = copy(destination, source, 0);
    tap_ok(status == 0 && dones == 1, claim("test_dma_copy_of_0_bytes_is_done"));
}

static bool refuses(uintptr_t to, uintptr_t from, size_t size)
{
    struct dma_segment segments[2] = {
        { (uintptr_t)destination, (uintptr_t)source, 16 },
        { to, from, size },
    };
    struct dma_transfer transfer = { .operation = DMA_COPY,
                                     .segments = segments,
                                     .segment_count = 2 };
    memset(destination, 0xee, AREA);
    uint32_t before = dma_statistics(engine).submitted;
    return run(&transfer) == -EFAULT && dones == 0 && destination[0] == 0xee &&
           dma_statistics(engine).submitted == before;
}

// The hardware is silent about these: a copy to nowhere would seem to work.
static void test_bad_addresses(void)
{
    uintptr_t good = (uintptr_t)big_destination, text = (uintptr_t)&copies_exactly;
    tap_ok(refuses(0, good, 4) && refuses(good, 0, 4), claim("test_dma_refuses_null"));
    tap_ok(refuses(good, UINTPTR_MAX - 7, 4) && refuses(UINTPTR_MAX - 7, good, 4),
           claim("test_dma_refuses_addresses_outside_ram"));
    tap_ok(refuses(good, good, UINTPTR_MAX - 64) && refuses(good, UINTPTR_MAX - 7, 64),
           claim("test_dma_refuses_ranges_that_wrap"));
    tap_ok(refuses(text, good, 4), claim("test_dma_refuses_to_write_text"));
    tap_ok(refuses((uintptr_t)engine, good, 4) && refuses(good, (uintptr_t)engine, 4),
           claim("test_dma_refuses_the_kernels_own_data"));
    tap_ok(copy(destination, (const void *)text, 64) == 0 &&
               memcmp(destination, (const void *)text, 64) == 0,
           claim("test_dma_may_read_text"));
}

static void tests(void)
{
    test_all_alignments();
    test_big_copy();
    test_fill();
    test_big_fill();
    test_scatter_gather();
    test_nothing();
    test_bad_addresses();
    tap_ok(outside_isr == 0, claim("test_dma_done_runs_at_isr_level"));
}

int main(void)
{
    return on_every_engine(tests, 14);
}
