// The PDMA driver when things go wrong or take time: slow silicon, paces, transfers given up, bus
// errors, interrupts that mean nothing.
// sources: dma/sifive_pdma.c dma/sifive_pdma_run.c dma/coherence.c
// sources: dma/interrupts.c
#include "tests/host/pdma_bench.h"

enum { CHUNK = 700 };

static void test_pace(void)
{
    enum { LENGTH = 14 * CHUNK + 33 };
    bool stops = true;
    prepare(21, 4, LENGTH);
    transfer.pace_bytes = CHUNK;
    start(1);
    settle();
    for (unsigned chunk = 1; chunk <= 14; chunk++) {
        stops &= dones[1] == 0 && destination[21 + chunk * CHUNK - 1] != 0xee &&
                 destination[21 + chunk * CHUNK] == 0xee;
        pace(1);
        settle();
    }
    tap_ok(stops, "test_paced_transfer_waits_after_each_chunk");
    tap_ok(done_well(1), "test_paced_transfer_arrives");

    prepare(21, 4, 4 * CHUNK);
    transfer.pace_bytes = CHUNK;
    slow = true;
    start(1);
    pace(1);
    pace(1); // It has not moved: remembered, but once.
    settle();
    bool twice = dones[1] == 0 && chip_moved == 2 * CHUNK;
    pace(1);
    settle();
    bool unfinished = dones[1] == 0;
    pace(1);
    settle();
    tap_ok(twice && unfinished && done_well(1), "test_a_pace_while_moving_is_remembered_once");
}

// A chunk that is longer than a part, and one that ends within a later segment.
static void test_pace_across_parts(void)
{
    prepare_big(0, 0, BIG);
    transfer.pace_bytes = PDMA_PART_BYTES + 100;
    start(0);
    settle();
    bool first = dones[0] == 0 && chip_moved == PDMA_PART_BYTES + 100;
    pace(0);
    settle();
    bool second = dones[0] == 0 && chip_moved == 2 * (PDMA_PART_BYTES + 100);
    pace(0);
    settle();
    tap_ok(first && second && dones[0] == 1 && big_arrived(0, 0, BIG),
           "test_a_chunk_may_be_longer_than_a_part");

    prepare(10, 10, 3 * CHUNK);
    transfer.pace_bytes = CHUNK;
    transfer.segment_count = 2;
    segments[0].size = CHUNK / 2;
    segments[1] = (struct dma_segment){ segments[0].destination + CHUNK / 2,
                                        segments[0].source + CHUNK / 2, 3 * CHUNK - CHUNK / 2 };
    start(0);
    settle();
    bool spans = dones[0] == 0 && chip_moved == CHUNK;
    pace(0);
    settle();
    pace(0);
    settle();
    tap_ok(spans && done_well(0), "test_a_chunk_may_span_segments");

    prepare_fill(33, 0x5a, 3 * CHUNK);
    transfer.pace_bytes = CHUNK;
    start(0);
    settle();
    bool waits = dones[0] == 0 && chip_moved == CHUNK;
    pace(0);
    settle();
    pace(0);
    settle();
    tap_ok(waits && done_well(0), "test_a_fill_is_paced_too");
}

static void test_terminate_parked(void)
{
    bool good = true, later = true;
    for (unsigned chunks = 1; chunks <= 7 && good; chunks++) {
        prepare(50, 7, 5000);
        transfer.pace_bytes = CHUNK;
        start(2);
        settle();
        for (unsigned i = 1; i < chunks; i++) {
            pace(2);
            settle();
        }
        good = terminate(2) == 0;
        later &= dones[2] == 0 && fake_work.head != NULL;
        settle();
        good &= given_up(2, -ECANCELED, 50, chunks * CHUNK);
    }
    tap_ok(later, "test_a_parked_transfer_ends_at_isr_level");
    tap_ok(good, "test_residue_of_a_terminated_transfer_is_what_memory_shows");
    prepare(11, 12, 1313);
    start(2);
    settle();
    tap_ok(done_well(2), "test_a_terminated_channel_is_usable_again");
}

static void test_terminate_moving(void)
{
    prepare_big(0, 0, BIG);
    slow = true;
    start(3); // Cannot be stopped: ends with this run.
    int result = terminate(3);
    bool moving = chip[3].control & PDMA_CONTROL_RUN && !fake_work.head;
    settle();
    tap_ok(result == 0 && moving && done_once(3, -ECANCELED, BIG - PDMA_PART_BYTES) &&
               big_arrived(0, 0, PDMA_PART_BYTES),
           "test_a_moving_transfer_ends_with_its_run");

    // In the middle of a part: the first run, up to a line, has ended; its bytes lie in a bounce
    // line.
    prepare(50, 50, 5000);
    start(3);
    result = terminate(3);
    settle();
    tap_ok(result == 0 && given_up(3, -ECANCELED, 50, 14),
           "test_a_transfer_is_given_up_between_its_runs");

    prepare(50, 7, 100); // Short and within the bounce lines and one line.
    start(3);
    while (chip[3].control & PDMA_CONTROL_DONE && chip_moved < 100)
        fake_interrupt(11);
    int late = terminate(3); // All is moved; the interrupt has not been taken.
    settle();
    tap_ok(late == -EALREADY && done_well(3), "test_a_transfer_that_has_ended_is_not_terminated");

    prepare(64, 64, 128);
    slow = true;
    start(3);
    int last = terminate(3); // The last run is under way, but its end is not known.
    settle();
    tap_ok(last == 0 && given_up(3, -ECANCELED, 64, 128),
           "test_a_transfer_given_up_in_its_last_run_has_no_residue");
}

static void test_error(void)
{
    prepare(50, 7, 5000);
    transfer.pace_bytes = CHUNK;
    start(0);
    settle();
    fail_in = 1;
    fake_reports.count = 0;
    pace(0);
    unsigned taken = settle();
    tap_ok(taken == 1 && given_up(0, -EIO, 50, CHUNK) && fake_reports.count == 1,
           "test_an_error_ends_the_transfer_with_eio_and_its_residue");
    tap_ok((chip[0].control & ~PDMA_CONTROL_CLAIM) == 0, "test_run_and_error_are_cleared_together");

    static struct dma_transfer next;
    static struct dma_segment place;
    prepare(50, 7, 100);
    place = (struct dma_segment){ (uintptr_t)destination + 500, (uintptr_t)source + 9, 300 };
    next = (struct dma_transfer){ .segments = &place, .segment_count = 1, .size = 300 };
    memset(expected, 0xee, SIZE);
    memcpy(expected + 500, source + 9, 300);
    waiting = &next; // Started from inside the failed one's end.
    fail_in = 1;
    start(0);
    settle();
    tap_ok(dones[0] == 2 && done_status[0] == 0 && done_residue[0] == 0 &&
               memcmp(destination, expected, SIZE) == 0,
           "test_a_channel_is_usable_after_an_error");

    prepare(50, 7, 5000);
    fail_in = 1;
    start(0);
    int late = terminate(0);
    settle();
    tap_ok(late == -EALREADY && dones[0] == 1 && done_status[0] == -EIO,
           "test_a_transfer_that_has_failed_is_not_terminated");

    prepare(50, 7, 5000);
    slow = true;
    start(0);
    fail_in = 1;
    int result = terminate(0);
    settle();
    tap_ok(result == 0 && given_up(0, -ECANCELED, 50, 0),
           "test_an_error_of_a_transfer_given_up_is_no_news");
}

static void test_interrupts_of_nobody(void)
{
    tap_ok(!fake_interrupt(5) && !fake_interrupt(6), "test_foreign_interrupts_are_not_claimed");
    chip[1].control = PDMA_CONTROL_CLAIM | PDMA_CONTROL_DONE | PDMA_CONTROL_DONE_IE;
    chip[2].control = PDMA_CONTROL_CLAIM | PDMA_CONTROL_RUN | PDMA_CONTROL_ERROR |
                      PDMA_CONTROL_ERROR_IE;
    prepare(0, 0, 0);
    bool claimed = fake_interrupt(7) && fake_interrupt(10);
    tap_ok(claimed && chip[1].control == PDMA_CONTROL_CLAIM &&
               chip[2].control == PDMA_CONTROL_CLAIM && dones[1] == 0 && dones[2] == 0,
           "test_a_stale_interrupt_of_an_idle_channel_is_acknowledged");

    prepare(0, 7, 2 * CHUNK);
    transfer.pace_bytes = CHUNK;
    start(1);
    settle();
    chip[1].control |= PDMA_CONTROL_DONE | PDMA_CONTROL_DONE_IE;
    bool stale = fake_interrupt(7) && dones[1] == 0 && chip_moved == CHUNK;
    pace(1);
    settle();
    tap_ok(stale && done_well(1), "test_a_stale_interrupt_does_not_move_a_parked_transfer");

    prepare(64, 64, 128);
    slow = true;
    start(1);
    bool moving = !fake_interrupt(7) && !fake_interrupt(8) && dones[1] == 0;
    settle();
    tap_ok(moving && done_well(1), "test_a_spurious_interrupt_does_not_end_a_run");

    // Done and error at once: the error counts, and the second interrupt finds nothing.
    prepare(64, 64, 128);
    slow = true;
    start(1);
    chip[1].control = (chip[1].control & ~PDMA_CONTROL_RUN) | PDMA_CONTROL_DONE |
                      PDMA_CONTROL_ERROR;
    bool first = fake_interrupt(7), second = fake_interrupt(8);
    tap_ok(first && !second && given_up(1, -EIO, 64, 0), "test_an_error_outweighs_a_done");
}

// Every channel by itself: each has its own registers, interrupts and bounce lines.
static void test_channels(void)
{
    static struct dma_transfer all[PDMA_CHANNELS];
    static struct dma_segment places[PDMA_CHANNELS];
    prepare(0, 0, 0);
    slow = true;
    for (unsigned n = 0; n < PDMA_CHANNELS; n++) {
        size_t to = 3 + n * 1000, from = 5 + n * 999, size = 200 + n * 100;
        places[n] = (struct dma_segment){ (uintptr_t)destination + to, (uintptr_t)source + from,
                                          size };
        all[n] = (struct dma_transfer){ .segments = &places[n], .segment_count = 1, .size = size };
        memcpy(expected + to, source + from, size);
        engine->ops->start(engine, n, &all[n]);
    }
    settle();
    bool good = memcmp(destination, expected, SIZE) == 0;
    for (unsigned n = 0; n < PDMA_CHANNELS; n++)
        good &= dones[n] == 1 && done_status[n] == 0;
    tap_ok(good, "test_channels_work_side_by_side");
}

int main(void)
{
    tap_plan(25);
    bench_start(&dma_sifive_pdma, &hardware);
    test_pace();
    test_pace_across_parts();
    test_terminate_parked();
    test_terminate_moving();
    test_error();
    test_interrupts_of_nobody();
    test_channels();
    test_rules();
    return tap_done();
}
