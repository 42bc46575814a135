// The PL330 driver over a model of the controller: what it does in which order, and what arrives.
// sources: dma/pl330.c dma/pl330_run.c dma/pl330_program.c dma/coherence.c
// sources: dma/interrupts.c
#include "tests/host/pl330_bench.h"

static void test_boot(void)
{
    static const struct hardware no_channels = { .name = "dma0", .base = BASE, .irqs = { 45 } };
    tap_ok(dma_pl330.start(&no_channels) == -EINVAL && !registered,
           "test_no_event_interrupt_is_refused");
    fake_line_taken(49);
    int busy = dma_pl330.start(&hardware);
    tap_ok(busy == -EBUSY && !registered && !fake_lines[45].handler && !fake_lines[48].handler,
           "test_interrupts_that_are_taken_are_given_back");
    fake_line_free(49);
    model.pending = 0x14;                // A boot loader has left these,
    channels[2].state = MODEL_EXECUTING; // and this.
    int taken = bench_start(&dma_pl330, &hardware);
    tap_ok(taken == 0 && registered == 1 && model.pending == 0 && model.interrupts == 0xff &&
               channels[2].state == MODEL_STOPPED,
           "test_boot_leaves_the_controller_quiet");
    const struct dma_capabilities *can = engine->capabilities;
    tap_ok(can->channels == 8 && can->paced && can->fill && can->residue && can->asynchronous,
           "test_capabilities_come_from_the_configuration_registers");
    tap_ok(dma_pl330.start(&hardware) == -ENOMEM, "test_a_second_controller_is_refused");
}

static void test_order(void)
{
    prepare(40, 3, 300); // 24 bytes of a line, 256 bytes of whole lines, 20 bytes of a line.
    start(0);
    unsigned program = fake_log_find(FAKE_CLEAN, (uintptr_t)memory(dbginst[1]), 0);
    unsigned from = fake_log_find(FAKE_CLEAN, (uintptr_t)source + 3, 0);
    unsigned to = fake_log_find(FAKE_CLEAN_INVALIDATE, (uintptr_t)destination + 64, 0);
    unsigned publish = fake_log_find(FAKE_PUBLISH, 0, 0),
             go = fake_log_find(FAKE_WRITE, BASE + PL330_DBGCMD, 0);
    tap_ok(program < publish && from < publish && to < publish && publish < go && go < FAKE_LOG,
           "test_program_and_source_are_written_back_then_published_then_dmago");
    tap_ok(fake_log_find(FAKE_CLEAN_INVALIDATE, (uintptr_t)destination + 40, 0) == FAKE_LOG &&
               fake_log_find(FAKE_INVALIDATE, (uintptr_t)destination, 0) == FAKE_LOG &&
               dones[0] == 0,
           "test_lines_shared_with_others_are_left_alone");
    unsigned after = fake_log.count;
    settle();
    unsigned clear = fake_log_find(FAKE_WRITE, BASE + PL330_INTCLR, after),
             consume = fake_log_find(FAKE_CONSUME, 0, after);
    unsigned drop = fake_log_find(FAKE_INVALIDATE, (uintptr_t)destination + 64, after);
    tap_ok(clear < consume && consume < drop && drop < FAKE_LOG,
           "test_interrupt_is_cleared_then_a_barrier_then_the_destination_dropped");
    tap_ok(done_well(0), "test_bounced_ends_arrive_and_neighbours_are_intact");
}

static void test_coherent(void)
{
    struct hardware coherent = hardware;
    coherent.coherent = true;
    const struct hardware *kept = engine->hardware;
    engine->hardware = &coherent;
    prepare(40, 3, 300);
    start(0);
    settle();
    engine->hardware = kept;
    tap_ok(done_well(0) && !any_maintenance() &&
               fake_log_find(FAKE_PUBLISH, 0, 0) <
                   fake_log_find(FAKE_WRITE, BASE + PL330_DBGCMD, 0),
           "test_coherent_controller_needs_barriers_only");
}

static void test_one_run(void)
{
    bool good = true;
    unsigned most = 0;
    for (size_t to = 60; to < 70 && good; to++) {
        for (size_t size = 1; size <= 257 && good; size++) {
            prepare(to, 100 + size % 9, size);
            start(size % CHANNELS);
            unsigned taken = settle();
            most = taken > most ? taken : most;
            good = done_well(size % CHANNELS);
        }
    }
    tap_ok(good, "test_short_copies_are_exact");
    tap_equal(most, 1, "test_a_short_copy_takes_one_interrupt");
}

static void test_fill(void)
{
    prepare_fill(77, 0x3c, 1000);
    start(1);
    settle();
    tap_ok(done_well(1), "test_fill_reaches_every_byte_and_no_other");
}

static void test_segments(void)
{
    prepare_segments();
    start(3);
    unsigned taken = settle();
    tap_ok(done_well(3), "test_scatter_gather_list_is_done_in_order");
    tap_equal(taken, 2, "test_nine_segments_take_two_programs");
}

static void test_long_transfer(void)
{
    prepare_big(3, 11, 5 * PL330_RUN_BYTES / 2);
    start(0);
    unsigned taken = settle();
    tap_ok(taken == 3 && done_once(0, 0, 0) && big_arrived(3, 11, transfer.size),
           "test_a_long_transfer_is_cut_into_runs");
}

static void test_pace(void)
{
    enum { CHUNK = 700, LENGTH = 14 * CHUNK + 33 };
    bool stops = true;
    prepare(21, 4, LENGTH);
    transfer.pace_bytes = CHUNK;
    model.events |= 1u << (CHANNELS + 4); // A stale event: sent to the channel's last transfer too
                                          // late.
    start(4);
    settle();
    for (unsigned chunk = 1; chunk <= 14; chunk++) {
        stops &= dones[4] == 0 && channels[4].state == MODEL_WAITING;
        pace(4);
        settle();
    }
    tap_ok(stops, "test_paced_transfer_waits_after_each_chunk_and_takes_no_stale_event");
    tap_ok(done_well(4), "test_paced_transfer_arrives");

    prepare(0, 0, 3 * CHUNK);
    transfer.pace_bytes = CHUNK;
    slow = true;
    start(4);
    pace(4); // Nothing has moved yet: not even the stale event is gone.
    settle();
    bool unfinished = dones[4] == 0;
    pace(4);
    settle();
    tap_ok(unfinished && done_well(4), "test_an_early_pace_is_not_lost");
}

int main(void)
{
    tap_plan(20);
    test_boot();
    test_order();
    test_coherent();
    test_one_run();
    test_fill();
    test_segments();
    test_long_transfer();
    test_pace();
    test_rules();
    return tap_done();
}
