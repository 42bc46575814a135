// The PL330 driver when things go wrong or take time: slow silicon, transfers given up, aborts.
// sources: dma/pl330.c dma/pl330_run.c dma/pl330_program.c dma/coherence.c
// sources: dma/interrupts.c
#include "tests/host/pl330_bench.h"

static void test_slow_silicon(void)
{
    prepare(5, 9, 5000);
    slow = true;
    busy_reads = 3;
    start(2);
    bool waits = channels[2].state == MODEL_STOPPED && fake_clock.timers != NULL;
    settle();
    tap_ok(waits && done_well(2), "test_busy_debug_registers_are_waited_for_by_a_timer");

    // The event is there, the program has not come to its end yet, and the next run is due.
    prepare_big(3, 11, PL330_RUN_BYTES + 100);
    slow = true;
    start(2);
    channels[2].state = MODEL_EXECUTING;
    while (!(model.pending & 4))
        model_step(&model, &channels[2]);
    fake_interrupt(hardware.irqs[3]);
    bool held = channels[2].state == MODEL_EXECUTING && fake_clock.timers;
    settle();
    tap_ok(held && done_once(2, 0, 0) && big_arrived(3, 11, PL330_RUN_BYTES + 100),
           "test_dmago_waits_until_the_channel_has_stopped");
}

static void test_terminate_paused(void)
{
    enum { CHUNK = 333, LENGTH = 5000 };
    bool good = true;
    for (unsigned chunks = 1; chunks <= 14 && good; chunks++) {
        prepare(50, 7, LENGTH);
        transfer.pace_bytes = CHUNK;
        start(5);
        settle();
        for (unsigned i = 1; i < chunks; i++) {
            pace(5);
            settle();
        }
        int result = terminate(5);
        bool later = dones[5] == 0;
        kill_delay = chunks % 3;
        settle();
        good = result == 0 && later && given_up(5, -ECANCELED, 50, chunks * CHUNK);
    }
    tap_ok(good, "test_residue_of_a_terminated_transfer_is_what_memory_shows");
    prepare(11, 12, 1313);
    start(5);
    settle();
    tap_ok(done_well(5), "test_a_terminated_channel_is_usable_again");
}

static void test_terminate_early_and_late(void)
{
    prepare(50, 7, 5000);
    start(6); // Has ended already, as on QEMU.
    int late = terminate(6);
    settle();
    tap_ok(late == -EALREADY && done_well(6), "test_a_transfer_that_has_ended_is_not_terminated");

    prepare(50, 7, 5000);
    slow = true;
    busy_reads = 1;
    start(6); // Its DMAGO has not been given yet.
    int early = terminate(6);
    slow = false;
    settle();
    tap_ok(early == 0 && given_up(6, -ECANCELED, 50, 0),
           "test_a_transfer_that_has_not_begun_is_never_begun");

    // More than one run: the first has ended, the others are not begun.
    prepare_big(3, 11, 2 * PL330_RUN_BYTES);
    start(6);
    int between = terminate(6);
    settle();
    tap_ok(between == 0 && done_once(6, -ECANCELED, PL330_RUN_BYTES) &&
               big_arrived(3, 11, PL330_RUN_BYTES),
           "test_a_transfer_is_terminated_between_its_runs");
}

// The first program of a paced transfer has ended, the second has not been started: the program
// counter is still where the first one ended.
static void test_terminate_between_programs(void)
{
    enum { CHUNK = 100, LENGTH = 3000 };
    prepare(64, 7, LENGTH);
    transfer.pace_bytes = CHUNK;
    start(6);
    settle();
    for (unsigned i = 1; i < PL330_PARTS; i++)
        pace(6);
    pace(6); // The last part's pause is passed, too.
    busy_reads = 1;
    fake_interrupt(hardware.irqs[1 + 6]);
    int result = terminate(6);
    settle();
    tap_ok(result == 0 && given_up(6, -ECANCELED, 64, PL330_PARTS * CHUNK),
           "test_a_program_that_was_not_started_counts_for_nothing");
}

static void test_end_and_kill_cross(void)
{
    prepare(50, 7, 5000);
    slow = true;
    start(6);
    busy_reads = 1; // The kill has to wait,
    int result = terminate(6);
    let_run(6); // and meanwhile the program ends.
    fake_timer_expires();
    unsigned ended = dones[6];
    bool left_over = model.pending != 0;
    settle();
    tap_ok(result == 0 && ended == 1 && given_up(6, -ECANCELED, 50, 5000) && !left_over,
           "test_an_end_that_crosses_a_kill_is_counted_and_leaves_no_interrupt");
}

// Breaks the program of a channel that has been told to start but does not run yet.
static void test_abort(void)
{
    prepare(50, 7, 5000);
    slow = true;
    start(7);
    *memory(channels[7].pc + 12) = 0xff; // Behind SAR and DAR: undefined.
    kill_delay = 2;
    fake_reports.count = 0;
    let_run(7);
    settle();
    tap_ok(done_once(7, -EIO, 5000) && fake_reports.count == 1 && faults == 0,
           "test_an_abort_ends_the_transfer_with_eio");
    tap_ok(destination[50] == 0xee && destination[4999] == 0xee,
           "test_an_aborted_transfer_leaves_bounced_bytes");
    prepare(50, 7, 5000);
    start(7);
    settle();
    tap_ok(done_well(7), "test_a_channel_is_usable_after_an_abort");

    channels[1].state = MODEL_FAULTING; // Not ours: nothing runs there.
    faults = 2;
    settle();
    tap_ok(faults == 0 && dones[1] == 0 && !fake_clock.timers, "test_a_stray_fault_is_cleared");
    tap_ok(!fake_interrupt(hardware.irqs[0]) && !fake_interrupt(hardware.irqs[1]),
           "test_foreign_interrupts_are_not_claimed");
}

int main(void)
{
    tap_plan(15);
    bench_start(&dma_pl330, &hardware);
    test_slow_silicon();
    test_terminate_paused();
    test_terminate_early_and_late();
    test_terminate_between_programs();
    test_end_and_kill_cross();
    test_abort();
    test_rules();
    return tap_done();
}
