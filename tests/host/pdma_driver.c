// The PDMA driver over a model of the chip: what it does in which order, and what arrives.
// sources: dma/sifive_pdma.c dma/sifive_pdma_run.c dma/coherence.c
// sources: dma/interrupts.c
#include "tests/host/pdma_bench.h"

static void test_boot(void)
{
    static const struct hardware no_error_interrupt = { .name = "dma0",
                                                        .base = BASE,
                                                        .irqs = { 5 } };
    tap_ok(dma_sifive_pdma.start(&no_error_interrupt) == -EINVAL && !registered,
           "test_a_channel_without_an_error_interrupt_is_refused");
    chip_limit = 0; // Nothing answers.
    tap_ok(dma_sifive_pdma.start(&hardware) == -ENODEV && !registered && !fake_lines[5].handler,
           "test_an_absent_chip_is_refused");
    chip_limit = UINT64_MAX;
    fake_line_taken(9);
    int busy = dma_sifive_pdma.start(&hardware);
    tap_ok(busy == -EBUSY && !registered && !fake_lines[5].handler && !fake_lines[8].handler &&
               !fake_lines[5].enabled,
           "test_interrupts_that_are_taken_are_given_back");
    fake_line_free(9);
    chip[1].control = PDMA_CONTROL_CLAIM | PDMA_CONTROL_RUN | PDMA_CONTROL_ERROR |
                      PDMA_CONTROL_ERROR_IE; // A boot loader has left these.
    chip[2].control = PDMA_CONTROL_DONE | PDMA_CONTROL_DONE_IE;
    int taken = bench_start(&dma_sifive_pdma, &hardware);
    bool quiet = true;
    for (unsigned n = 0; n < PDMA_CHANNELS; n++)
        quiet &= chip[n].control == PDMA_CONTROL_CLAIM && fake_lines[5 + 2 * n].enabled &&
                 fake_lines[6 + 2 * n].enabled;
    tap_ok(taken == 0 && registered == 1 && quiet,
           "test_boot_claims_channels_and_leaves_them_quiet");
    const struct dma_capabilities *can = engine->capabilities;
    tap_ok(can->channels == 4 && can->address_mask == UINTPTR_MAX && can->paced && can->fill &&
               can->residue && can->asynchronous,
           "test_capabilities");
    tap_ok(dma_sifive_pdma.start(&hardware) == -ENOMEM, "test_a_second_chip_is_refused");
}

static void test_order(void)
{
    prepare(40, 3, 300); // 24 bytes of a line, 256 bytes of whole lines, 20 bytes of a line.
    start(0);
    unsigned run = find_run(0), publish = fake_log_find(FAKE_PUBLISH, 0, 0);
    unsigned from = fake_log_find(FAKE_CLEAN, (uintptr_t)source + 3, 0);
    unsigned to = fake_log_find(FAKE_CLEAN_INVALIDATE, (uintptr_t)destination + 64, 0);
    unsigned claim = fake_log_find(FAKE_WRITE, BASE + PDMA_CONTROL, 0);
    tap_ok(from < publish && to < publish && publish == run - 1 && run < FAKE_LOG,
           "test_source_is_written_back_then_published_then_run");
    tap_ok(claim < fake_log_find(FAKE_WRITE, BASE + PDMA_NEXT_CONFIG, 0) &&
               fake_log.entries[claim].value == PDMA_CONTROL_CLAIM,
           "test_the_channel_is_claimed_before_its_registers_are_written");
    tap_ok(fake_log_find(FAKE_CLEAN_INVALIDATE, (uintptr_t)destination + 40, 0) == FAKE_LOG &&
               dones[0] == 0,
           "test_lines_shared_with_others_are_left_alone");
    unsigned after = fake_log.count;
    settle();
    unsigned last = after; // The last run's start: its interrupt releases the buffer.
    for (unsigned i = find_run(after); i < FAKE_LOG; i = find_run(i + 1))
        last = i;
    unsigned clear = fake_log_find(FAKE_WRITE, BASE + PDMA_CONTROL, last + 1);
    unsigned consume = fake_log_find(FAKE_CONSUME, 0, last),
             drop = fake_log_find(FAKE_INVALIDATE, (uintptr_t)destination + 64, last);
    tap_ok(last > after && clear < consume && consume < drop && drop < FAKE_LOG,
           "test_interrupt_is_cleared_then_a_barrier_then_the_destination_dropped");
    tap_ok(fake_log_find(FAKE_CONSUME, 0, after) == consume, "test_the_buffer_is_released_once");
    tap_ok(done_well(0), "test_bounced_ends_arrive_and_neighbours_are_intact");
}

static void test_coherent(void)
{
    static struct hardware coherent;
    coherent = hardware;
    coherent.coherent = true;
    engine->hardware = &coherent;
    prepare(40, 3, 200);
    start(0);
    unsigned taken = settle();
    unsigned run = find_run(0);
    tap_ok(done_well(0) && !any_maintenance() && fake_log_find(FAKE_PUBLISH, 0, 0) < run &&
               fake_log_find(FAKE_CONSUME, 0, run) < FAKE_LOG,
           "test_coherent_engine_needs_barriers_only");
    tap_equal(taken, 1, "test_a_short_copy_takes_one_interrupt");
}

// All ways that two addresses and a length can be aligned, both with bounce lines and without.
static void test_alignments(bool coherent, const char *name)
{
    static struct hardware as_wanted;
    as_wanted = hardware;
    as_wanted.coherent = coherent;
    engine->hardware = &as_wanted;
    bool good = true;
    for (size_t to = 56; to < 73 && good; to++) {
        for (size_t from = 100; from < 109 && good; from++) {
            for (size_t size = 1; size <= 300 && good; size += 1 + size / 70) {
                prepare(to, from, size);
                start(size % PDMA_CHANNELS);
                settle();
                good = done_well(size % PDMA_CHANNELS);
            }
        }
    }
    tap_ok(good, name);
}

// Coherent, so that no bounce line cuts them.
static void test_widest_transactions(void)
{
    prepare_big(10, 10, 30000);
    chip[0].runs = 0;
    start(0);
    settle();
    bool head_body_tail = chip[0].runs == 3 && big_arrived(10, 10, 30000);
    prepare_big(0, 0, 65536);
    chip[0].runs = 0;
    start(0);
    settle();
    tap_ok(head_body_tail && chip[0].runs == 1 && chip_transactions == 1024,
           "test_aligned_bytes_go_in_transactions_of_64");
    prepare_big(0, 1, 10240);
    chip[0].runs = 0;
    start(0);
    settle();
    tap_ok(chip[0].runs == 10 && big_arrived(0, 1, 10240),
           "test_a_run_has_1024_transactions_at_most");
}

// Coherent, too.
static void test_parts_begin_at_lines(void)
{
    prepare_big(10, 10, BIG - 20);
    chip[0].runs = 0;
    start(0);
    settle();
    tap_ok(chip[0].runs == 2 + 3 && big_arrived(10, 10, BIG - 20),
           "test_only_the_ends_of_a_long_copy_are_unaligned");
    prepare_fill(32, 0x11, 32);
    start(0);
    settle();
    tap_ok(chip_transactions == 1 && done_well(0), "test_a_fill_of_half_a_line_is_one_transaction");
}

static void test_long_copies(const char *name)
{
    bool good = true;
    for (size_t offset = 0; offset < 5 && good; offset++) {
        prepare_big(3 * offset, 11 + offset * offset, BIG - 100);
        start(0);
        settle();
        good = done_once(0, 0, 0) && big_arrived(3 * offset, 11 + offset * offset, BIG - 100);
    }
    tap_ok(good, name);
}

static void test_segments(void)
{
    prepare_segments();
    start(3);
    settle();
    tap_ok(done_well(3), "test_scatter_gather_list_with_empty_segments_arrives");
}

static void test_limited_counter(void)
{
    // A chip whose counter has 12 bits: asked at boot, and never exceeded.
    struct pdma *dma = (struct pdma *)engine;
    size_t kept = dma->run_bytes;
    dma->run_bytes = 2048;
    chip_limit = 4095;
    prepare_big(5, 5, 20000);
    start(1);
    settle();
    tap_ok(dones[1] == 1 && big_arrived(5, 5, 20000), "test_runs_keep_to_what_the_counter_holds");
    dma->run_bytes = kept;
    chip_limit = UINT64_MAX;
}

static void test_fill_sizes(bool coherent, const char *name)
{
    static struct hardware as_wanted;
    as_wanted = hardware;
    as_wanted.coherent = coherent;
    engine->hardware = &as_wanted;
    bool good = true;
    for (size_t to = 60; to < 130 && good; to += 1 + to % 5) {
        for (size_t size = 1; size < 5000 && good; size += 1 + size / 60) {
            prepare_fill(to, (uint8_t)(size | 1), size);
            start(size % PDMA_CHANNELS);
            settle();
            good = done_well(size % PDMA_CHANNELS);
            if (!good)
                tap_note("to +%zu size %zu", to, size);
        }
    }
    tap_ok(good, name);
}

static void test_fill_doubles(void)
{
    prepare_fill(64, 0x3c, 64 << 9);
    start(0);
    tap_equal(settle(), 10, "test_each_run_of_a_fill_doubles_what_is_there");
    tap_ok(done_well(0) && chip_moved == 64 << 9, "test_a_fill_moves_each_byte_once");

    prepare_fill(64, 0x3c, 64);
    slow = true;
    start(0);
    unsigned publish = fake_log_find(FAKE_PUBLISH, 0, 0);
    tap_ok(fake_log_find(FAKE_CLEAN, (uintptr_t)chip[0].source, 0) < publish &&
               publish < find_run(0),
           "test_a_fills_pattern_is_written_back_and_published_before_it_is_read");
    settle();

    prepare_big(0, 0, BIG);
    transfer.operation = DMA_FILL;
    transfer.fill = 0;
    start(0);
    unsigned taken = settle();
    bool zero = true;
    for (size_t i = 0; i < BIG; i++)
        zero &= big_destination[i] == 0;
    // The first part doubles, from the second on there is enough to copy from.
    tap_ok(dones[0] == 1 && zero && big_destination[BIG] == 0xee && taken == 11 + 2,
           "test_a_long_fill_copies_whole_parts_from_the_second_on");
}

// A first segment that is not whole lines leaves a stock with an odd end. The second must double
// all the same: some interrupts then, else one for each line, a thousand.
static void test_fill_doubles_again(bool coherent, const char *name)
{
    enum { SECOND = 65536, MOST = 16 };
    static const struct {
        size_t to, size;
    } firsts[] = {
        { 0, 1 }, { 0, 63 }, { 0, 65 }, { 0, 100 }, { 10, 100 }, { 0, 1000 }, { 1, 4095 }
    };
    static struct hardware as_wanted;
    as_wanted = hardware;
    as_wanted.coherent = coherent;
    engine->hardware = &as_wanted;
    bool good = true;
    for (unsigned i = 0; i < sizeof firsts / sizeof firsts[0] && good; i++) {
        prepare_fill(firsts[i].to, 0xa5, firsts[i].size);
        memset(big_source, 0xa5, SECOND);
        memset(big_destination, 0xee, sizeof big_destination);
        segments[1] = (struct dma_segment){ (uintptr_t)big_destination, 1, SECOND };
        transfer.segment_count = 2;
        transfer.size += SECOND;
        start(0);
        unsigned taken = settle();
        good = done_well(0) && big_arrived(0, 0, SECOND) && taken <= MOST;
        if (!good)
            tap_note("%zu bytes, then 64 KiB: %u interrupts", firsts[i].size, taken);
    }
    tap_ok(good, name);
}

static void test_fill_of_segments(void)
{
    prepare_fill(0, 0x77, 0);
    transfer.segment_count = 12;
    for (unsigned i = 0; i < 12; i++) {
        size_t to = 7 + i * 2001, size = i % 4 == 3 ? 0 : i * i * 13 + 1;
        segments[i] = (struct dma_segment){ (uintptr_t)destination + to, 0, size };
        memset(expected + to, 0x77, size);
        transfer.size += size;
    }
    start(2);
    settle();
    tap_ok(done_well(2), "test_a_fill_of_scattered_segments_touches_nothing_else");
}

int main(void)
{
    tap_plan(34);
    test_boot();
    test_order();
    test_coherent();
    test_alignments(true, "test_coherent_copies_of_all_alignments_are_exact");
    test_widest_transactions();
    test_parts_begin_at_lines();
    test_long_copies("test_coherent_long_copies_arrive");
    test_alignments(false, "test_bounced_copies_of_all_alignments_are_exact");
    test_long_copies("test_bounced_long_copies_arrive");
    test_segments();
    test_limited_counter();
    test_fill_sizes(true, "test_coherent_fills_of_1_to_5000_bytes_are_exact");
    test_fill_sizes(false, "test_bounced_fills_of_1_to_5000_bytes_are_exact");
    test_fill_doubles();
    test_fill_doubles_again(true, "test_a_coherent_fill_doubles_after_an_odd_segment");
    test_fill_doubles_again(false, "test_a_bounced_fill_doubles_after_an_odd_segment");
    test_fill_of_segments();
    test_rules();
    return tap_done();
}
