// Reads, writes, cancels and failures of an SD card over a modelled controller.
// sources: drivers/sd/adma2.c drivers/sd/sdhci.c drivers/sd/sdhci_setup.c drivers/sd/sd_csd.c
// sources: drivers/sd/sd_card.c drivers/sd/sd_block.c drivers/device.c dma/coherence.c
#include <errno.h>

#include "tests/host/sd_machine.h"

static uint8_t before[MODEL_CARD_BYTES]; // The card as it was.

static void ready(void)
{
    model_new();
    if (model_do(IO_OPEN, 0, NULL, 0, NULL) != 0)
        abort();
    memcpy(before, model.card, sizeof before);
    fake_log.count = 0;
    model.command_count = 0;
    model.interrupts = 0;
}

// Goal: what the controller fetches is in memory before it is told to. Method: the order of the
// log's events.
static void test_order(void)
{
    ready();
    uintptr_t table = (uintptr_t)model_sd->host.table.entries;
    tap_equal(model_do(IO_WRITE, 0, model_memory, 8192, NULL), 8192, "test_write_of_16_sectors");
    unsigned data = fake_log_find(FAKE_CLEAN, (uintptr_t)model_memory, 0),
             clean = fake_log_find(FAKE_CLEAN, table, 0);
    unsigned publish = fake_log_find(FAKE_PUBLISH, 0, clean),
             state = fake_log_find(FAKE_READ, MODEL_BASE + SDHCI_PRESENT_STATE, 0);
    unsigned command = fake_log_find(FAKE_WRITE, MODEL_BASE + SDHCI_TRANSFER_COMMAND, 0);
    tap_ok(data < publish && clean < publish && publish < command,
           "test_data_and_table_are_published_before_command");
    tap_ok(publish < state && fake_log_find(FAKE_PUBLISH, 0, publish + 1) == FAKE_LOG,
           "test_one_barrier_is_enough");
    tap_equal((long long)fake_log.entries[clean].value, 8, "test_only_the_table_in_use_is_cleaned");

    ready();
    tap_equal(model_do(IO_READ, 0, model_memory, 8192, NULL), 8192, "test_read_of_16_sectors");
    unsigned taken = fake_log_find(FAKE_CLEAN_INVALIDATE, (uintptr_t)model_memory, 0);
    command = fake_log_find(FAKE_WRITE, MODEL_BASE + SDHCI_TRANSFER_COMMAND, 0);
    unsigned status = fake_log_find(FAKE_READ, MODEL_BASE + SDHCI_INTERRUPT_STATUS, command);
    unsigned consume = fake_log_find(FAKE_CONSUME, 0, status),
             dropped = fake_log_find(FAKE_INVALIDATE, (uintptr_t)model_memory, status);
    tap_ok(taken < command, "test_read_buffer_leaves_the_cache_before_the_command");
    tap_ok(status < consume && consume < dropped && dropped < FAKE_LOG,
           "test_read_data_is_dropped_after_the_status");
    tap_equal(model.interrupts, 1, "test_a_transfer_takes_one_interrupt");
    fake_log.count = 0;
    model_do(IO_READ, 8192, model_memory, 8192, NULL);
    tap_ok(fake_log_find(FAKE_CLEAN, (uintptr_t)model_sd->host.table.entries, 0) < FAKE_LOG,
           "test_every_transfer_cleans_its_table");
    tap_equal(fake_log_find(FAKE_WRITE, MODEL_BASE + SDHCI_INTERRUPT_SIGNAL_ENABLE, 0), FAKE_LOG,
              "test_signals_stay_set_between_transfers");
}

// Goal: nothing is forgotten when the interrupt comes from inside the register write that sends the
// command.
static void test_instant_completion(void)
{
    ready();
    model.instant = true;
    tap_equal(model_do(IO_READ, 512, model_memory, 4096, NULL), 4096,
              "test_completion_inside_submit");
    tap_ok(memcmp(model_memory, model.card + 512, 4096) == 0,
           "test_completion_inside_submit_has_the_data");
    tap_equal(model_do(IO_WRITE, 700, model_memory, 4096, NULL), 4096,
              "test_chain_of_completions_inside_submit");
    tap_ok(memcmp(model_memory, model.card + 700, 4096) == 0, "test_chain_of_completions_writes");
}

// Every kind of offset, length and alignment: the right bytes, and no other ones.
static void test_shapes(void)
{
    static const size_t offsets[] = { 0, 1, 511, 512, 700, 1023 };
    static const size_t sizes[] = { 1, 3, 511, 512, 513, 1024, 1500, 4096, 4097, 9000 };
    static const size_t places[] = { 256, 257, 258, 260, 319 };
    bool reads = true, reads_alone = true, writes = true, writes_alone = true;

    ready();
    for (unsigned o = 0; o < 6; o++)
        for (unsigned s = 0; s < 10; s++)
            for (unsigned p = 0; p < 5; p++) {
                size_t offset = offsets[o], size = sizes[s];
                uint8_t *buffer = model_memory + places[p];
                memset(model_memory, 0x5a, 16384);
                reads &= model_do(IO_READ, offset, buffer, size, NULL) == (long)size;
                reads &= memcmp(buffer, model.card + offset, size) == 0;
                for (uint8_t *b = model_memory; b < model_memory + 16384; b++)
                    reads_alone &= (b >= buffer && b < buffer + size) || *b == 0x5a;

                for (size_t i = 0; i < size; i++)
                    buffer[i] = (uint8_t)(i * 31 + o + s + p);
                memcpy(before, model.card, 16384);
                writes &= model_do(IO_WRITE, offset, buffer, size, NULL) == (long)size;
                writes &= memcmp(buffer, model.card + offset, size) == 0;
                memcpy(before + offset, buffer, size);
                writes_alone &= memcmp(before, model.card, 16384) == 0;
            }
    tap_ok(reads, "test_reads_of_all_shapes");
    tap_ok(reads_alone, "test_reads_leave_the_neighbours_alone");
    tap_ok(writes, "test_writes_of_all_shapes");
    tap_ok(writes_alone, "test_writes_leave_the_neighbours_alone");
}

static void test_commands(void)
{
    ready();
    model_do(IO_READ, 512, model_memory, 512, NULL);
    model_do(IO_READ, 512, model_memory, 1024, NULL);
    model_do(IO_WRITE, 512, model_memory, 512, NULL);
    model_do(IO_WRITE, 512, model_memory, 1024, NULL);
    tap_ok(model.commands[0] == 17 && model.commands[1] == 18 && model.commands[2] == 24 &&
               model.commands[3] == 25,
           "test_single_and_multiple_block_commands");
    model.command_count = 0;
    model_do(IO_WRITE, 600, model_memory, 100, NULL);
    tap_ok(model.command_count == 2 && model.commands[0] == 17 && model.commands[1] == 24,
           "test_part_of_a_sector_is_read_first");
    model.command_count = 0;
    model_do(IO_WRITE, 512, model_memory + 1, 4096, NULL);
    tap_ok(model.command_count == 1 && model.commands[0] == 25,
           "test_whole_sectors_are_not_read_first");
    model.command_count = 0;
    model_do(IO_READ, 500, model_memory, 12 + 5120 + 3, NULL);
    tap_ok(model.command_count == 3 && model.arguments[1] == 512 && model.commands[1] == 18,
           "test_whole_sectors_between_parts_go_straight");
    model.command_count = 0;
    model.programming = 3;
    tap_equal(model_do(IO_FLUSH, 0, NULL, 0, NULL), 0, "test_flush");
    tap_ok(model.command_count == 4 && model.commands[3] == 13,
           "test_flush_waits_for_the_end_of_programming");
}

static void test_ends(void)
{
    size_t moved = 9;
    ready();
    tap_equal(model_do(IO_READ, MODEL_CARD_BYTES, model_memory, 512, NULL), 0,
              "test_read_at_the_end");
    tap_equal(model_do(IO_READ, 1ull << 40, model_memory, 512, NULL), 0,
              "test_read_far_past_the_end");
    tap_equal(model_do(IO_WRITE, MODEL_CARD_BYTES, model_memory, 1, NULL), -ENOSPC,
              "test_write_at_the_end");
    tap_equal(model_do(IO_READ, 0, model_memory, 0, NULL), 0, "test_read_of_nothing");
    tap_equal(model.command_count, 0, "test_the_card_is_not_asked_past_its_end");
    tap_equal(model_do(IO_READ, MODEL_CARD_BYTES - 700, model_memory, 4096, NULL), 700,
              "test_read_across_the_end");
    tap_equal(model_do(IO_WRITE, MODEL_CARD_BYTES - 512, model_memory, 4096, &moved), 512,
              "test_write_across_the_end");
    tap_ok(moved == 512, "test_write_across_the_end_says_what_it_moved");
#if UINTPTR_MAX > UINT32_MAX
    static uint8_t high[1024]; // This program lies beyond 4 GiB.
    if ((uintptr_t)high > UINT32_MAX) {
        tap_equal(model_do(IO_READ, 0, (void *)((uintptr_t)high & ~3ull), 512, NULL), -EFAULT,
                  "test_high_buffer");
        tap_equal(model_do(IO_READ, 0, model_memory, 512, NULL), 512,
                  "test_high_buffer_leaves_the_host_usable");
        return;
    }
#endif
    tap_skip("test_high_buffer", "no memory beyond 4 GiB");
    tap_skip("test_high_buffer_leaves_the_host_usable", "no memory beyond 4 GiB");
}

static void test_long_requests(void)
{
    static const struct sdhci_settings small = { .lead_nops = 5,
                                                 .nops_between = 4,
                                                 .piece_bytes = 512 };
    model_settings = &small;
    ready();
    size_t most = model_sd->host.transfer_most, size = 2 * 1048576 + 512;
    tap_equal(model_do(IO_READ, 512, model_memory + 4, size, NULL), (long)size,
              "test_a_long_read_is_split");
    tap_ok(memcmp(model_memory + 4, model.card + 512, size) == 0, "test_a_long_read_is_whole");
    tap_equal(model.command_count, (long long)((size + most - 1) / most),
              "test_a_long_read_uses_the_whole_table");
    model_settings = NULL;
    ready();
    tap_equal(model_do(IO_READ, 0, model_memory, 2 * 1048576, NULL), 2 * 1048576,
              "test_silicon_reads_2_mib");
    tap_equal(model.command_count, 8, "test_silicon_reads_it_in_commands_of_256_kib");
}

// The request fails with `result` and says `least` to `most` bytes moved; the next ones work.
static void check_failure(struct io_request *request, long result, size_t least, size_t most,
                          const char *name)
{
    bool ended = model_run(request);
    bool right = ended && request->result == result && request->moved >= least &&
                 request->moved <= most;
    unsigned interrupts = model.interrupts;
    right &= memcmp(model_memory, before + request->offset, request->moved) == 0;
    if (!tap_ok(right, name))
        tap_note("result %ld, moved %zu", (long)request->result, request->moved);
    model.adma_error_at = -1;
    model.data_error = 0;
    memset(model_memory, 0, 8192);
    bool works = model_do(IO_READ, 1024, model_memory, 8192, NULL) == 8192;
    works &= memcmp(model_memory, before + 1024, 8192) == 0;
    works &= model.interrupts - interrupts < 32;
    tap_ok(works, "test_the_request_after_it_works");
}

static const struct sdhci_settings pieces_of_512 = { .piece_bytes = 512 };

static void test_errors(void)
{
    struct io_request read = { .op = IO_READ, .offset = 2048, .size = 16 * 512 };
    model_settings = &pieces_of_512;

    ready();
    read.buffer = model_memory;
    model.adma_error_at = 4;
    model_submit(&read);
    check_failure(&read, -EIO, 3 * 512, 4 * 512, "test_adma_error_keeps_what_was_moved");

    ready();
    model.storm = true;
    model_submit(&read);
    check_failure(&read, -EIO, 0, 0, "test_adma_error_storm_is_stopped");

    static const uint32_t errors[] = { BIT(16), BIT(17), BIT(18), BIT(19),
                                       BIT(20), BIT(21), BIT(22), BIT(24) };
    for (unsigned i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        ready();
        model.data_error = errors[i];
        model_submit(&read);
        check_failure(&read, -EIO, 0, 0, "test_error_interrupt_is_eio");
    }

    ready();
    model.r1_errors = BIT(21);
    model_submit(&read);
    check_failure(&read, -EIO, 0, 0, "test_error_in_r1_is_eio");

    ready();
    model.stop_errors = BIT(19);
    model_submit(&read);
    check_failure(&read, -EIO, 0, 0, "test_error_in_auto_cmd12_is_eio");

    ready();
    model.stop_errors = SD_STATUS_OUT_OF_RANGE;
    tap_equal(model_do(IO_READ, MODEL_CARD_BYTES - 1024, model_memory, 1024, NULL), 1024,
              "test_running_ahead_over_the_end_is_no_error");
    model.r1_errors = SD_STATUS_OUT_OF_RANGE;
    tap_equal(model_do(IO_WRITE, 0, model_memory, 512, NULL), -ENOSPC,
              "test_write_out_of_range_is_enospc");
    model.r1_errors = SD_STATUS_WP_VIOLATION;
    tap_equal(model_do(IO_WRITE, 0, model_memory, 512, NULL), -EROFS,
              "test_write_protection_is_erofs");
    tap_equal(model_do(IO_WRITE, 0, model_memory, 512, NULL), 512, "test_write_after_refusals");

    ready();
    model.silent = true;
    tap_equal(model_do(IO_READ, 0, model_memory, 512, NULL), -EIO,
              "test_a_card_fallen_silent_is_eio");
    tap_equal(model_do(IO_READ, 0, model_memory, 512, NULL), -ENXIO, "test_then_it_is_gone");

    ready();
    model.held = true;
    model_submit(&read);
    for (unsigned i = 0; i < 3; i++)
        model_step();
    tap_ok(read.state != IO_IDLE, "test_the_watchdog_grants_a_second");
    for (unsigned i = 0; i < 8 && read.state != IO_IDLE; i++)
        model_step();
    model.held = false;
    check_failure(&read, -EIO, 0, 0, "test_data_that_never_comes_is_eio");
    model_settings = NULL;
}

static void test_cancel(void)
{
    struct io_request read = { .op = IO_READ, .offset = 2048, .size = 16 * 512 };
    model_settings = &pieces_of_512;

    ready();
    read.buffer = model_memory;
    model_submit(&read);
    for (unsigned i = 0; i < 7; i++)
        model_descriptor();
    model.reset_polls = 5;
    tap_equal(model_cancel(&read), 0, "test_cancel_in_the_middle");
    tap_ok(read.state != IO_IDLE, "test_cancel_waits_for_the_reset");
    uint64_t start = fake_clock.now_ns;
    model_run(&read);
    tap_ok(fake_clock.now_ns - start >= 5000, "test_the_reset_is_polled_by_a_timer");
    check_failure(&read, -ECANCELED, 6 * 512, 7 * 512, "test_cancel_says_what_was_moved");

    ready();
    model_submit(&read);
    tap_equal(model_cancel(&read), 0, "test_cancel_before_the_first_byte");
    check_failure(&read, -ECANCELED, 0, 0, "test_cancel_before_the_first_byte_moved_nothing");

    ready();
    model_submit(&read);
    while (model.data_runs)
        model_descriptor();
    tap_equal(model_cancel(&read), -EALREADY, "test_cancel_after_transfer_complete_is_too_late");
    tap_ok(model_run(&read) && read.result == 16 * 512, "test_cancel_too_late_changes_nothing");

    // Quarantine: while the reset does not end, neither does the request.
    ready();
    model_submit(&read);
    model.reset_polls = 100000;
    model_cancel(&read);
    for (unsigned i = 0; i < 5000; i++)
        model_step();
    tap_ok(read.state != IO_IDLE && fake_reports.count == 1,
           "test_an_endless_reset_keeps_the_buffer_and_is_reported_once");
    model.reset_polls = 3;
    check_failure(&read, -ECANCELED, 0, 0, "test_the_request_ends_with_the_reset");

    ready();
    model.adma_error_at = 4;
    model.reset_polls = 5;
    model_submit(&read);
    while (model.data_runs)
        model_step();
    model_step();
    tap_equal(model_cancel(&read), 0, "test_cancel_while_an_error_is_recovered_from");
    check_failure(&read, -ECANCELED, 3 * 512, 4 * 512, "test_it_still_says_what_was_moved");

    // Waiting for the lines: the registers speak of the transfer before.
    ready();
    model_do(IO_READ, 0, model_memory, 8192, NULL);
    model.inhibited = 1000;
    model_submit(&read);
    model_step();
    tap_equal(model_cancel(&read), 0, "test_cancel_while_the_lines_are_busy");
    model.inhibited = 0;
    check_failure(&read, -ECANCELED, 0, 0, "test_nothing_was_moved_before_the_command");

    ready();
    model.inhibited = 3;
    tap_equal(model_do(IO_READ, 0, model_memory, 8192, NULL), 8192,
              "test_busy_lines_are_waited_for");
    model_raise(SDHCI_INTERRUPT_ADMA_ERROR);
    model_step();
    tap_equal(model_do(IO_READ, 0, model_memory, 512, NULL), 512,
              "test_an_error_while_idle_is_harmless");
    model_settings = NULL;
}

// Cancelled after any number of steps, a read-modify-write leaves each sector as it was or as it
// should be.
static void test_cancelled_write(void)
{
    struct io_request write = { .op = IO_WRITE, .offset = 700, .size = 3000 };
    bool ended = true, honest = true, alone = true;

    for (unsigned steps = 0;; steps++) {
        ready();
        memset(model_memory, 0xa5, 4096);
        write.buffer = model_memory + 1;
        model_submit(&write);
        for (unsigned i = 0; i < steps && write.state != IO_IDLE; i++)
            model_step();
        if (write.state == IO_IDLE)
            break;
        int error = model_cancel(&write);
        ended &= model_run(&write) && write.result == (error ? 3000 : -ECANCELED);
        for (size_t i = 0; i < write.moved; i++)
            honest &= model.card[700 + i] == 0xa5;
        alone &= memcmp(model.card, before, 700) == 0 &&
                 memcmp(model.card + 3700, before + 3700, 2000) == 0;
    }
    tap_ok(ended, "test_cancelled_partial_write_ends");
    tap_ok(honest, "test_cancelled_partial_write_moved_what_it_says");
    tap_ok(alone, "test_cancelled_partial_write_leaves_the_neighbours");
}

int main(void)
{
    tap_plan(96);
    test_order();
    test_instant_completion();
    test_shapes();
    test_commands();
    test_ends();
    test_long_requests();
    test_errors();
    test_cancel();
    test_cancelled_write();
    return tap_done();
}
