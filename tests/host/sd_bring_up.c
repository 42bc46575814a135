// Bringing a card up: the commands and their order for SDSC, SDHC and old cards, clocks, and cards
// that are not there.
// sources: drivers/sd/adma2.c drivers/sd/sdhci.c drivers/sd/sdhci_setup.c drivers/sd/sd_csd.c
// sources: drivers/sd/sd_card.c drivers/sd/sd_block.c drivers/device.c dma/coherence.c
#include <errno.h>

#include "tests/host/sd_machine.h"

// The commands sent so far are these; 0xffff ends the list.
static bool commands_are(const unsigned *expected)
{
    unsigned i = 0;
    while (i < model.command_count && expected[i] == model.commands[i])
        i++;
    if (i == model.command_count && expected[i] == 0xffff)
        return true;
    tap_note("command %u of %u is %u", i, model.command_count, model.commands[i]);
    return false;
}

static const unsigned full[] = { 0, 8, 55, 141, 2, 3, 9, 7, 16, 55, 106, 0xffff };

static void test_sdhc(void)
{
    model_new();
    model.high_capacity = true;
    tap_equal(model_do(IO_OPEN, 0, NULL, 0, NULL), 0, "test_open_brings_an_sdhc_card_up");
    tap_ok(commands_are(full), "test_sdhc_commands_in_order");
    tap_equal(model.arguments[1], 0x1aa, "test_cmd8_offers_3_3_volts");
    tap_equal(model.arguments[3], 0x40ff8000, "test_acmd41_offers_high_capacity");
    tap_equal(model.arguments[6], (long long)MODEL_RCA << 16, "test_cmd9_is_addressed");
    tap_equal(model.arguments[9], (long long)MODEL_RCA << 16, "test_cmd55_is_addressed_after_cmd3");
    tap_equal((long long)model_sd->device.size_bytes, MODEL_CARD_BYTES, "test_sdhc_capacity");
    tap_ok(model.registers[SDHCI_HOST_CONTROL_1] & SDHCI_HOST_FOUR_LINES,
           "test_bus_is_four_lines_wide");
    tap_equal(model_get(SDHCI_CLOCK_CONTROL) & 0xffff, 0x0107, "test_clock_is_25_of_50_mhz");
    tap_ok(fake_clock.now_ns >= 1000000, "test_card_gets_a_millisecond_to_power_up");

    unsigned sent = model.command_count;
    tap_equal(model_do(IO_OPEN, 0, NULL, 0, NULL), 0, "test_second_open");
    tap_equal(model.command_count, sent, "test_second_open_sends_nothing");
}

static void test_sdsc(void)
{
    model_new();
    tap_equal(model_do(IO_OPEN, 0, NULL, 0, NULL), 0, "test_open_brings_an_sdsc_card_up");
    tap_equal((long long)model_sd->device.size_bytes, MODEL_CARD_BYTES, "test_sdsc_capacity");
    tap_equal(model_do(IO_READ, 1024, model_memory, 512, NULL), 512, "test_sdsc_read");
    tap_equal(model.arguments[model.command_count - 1], 1024, "test_sdsc_is_addressed_in_bytes");
    model_new();
    model.high_capacity = true;
    tap_equal(model_do(IO_READ, 1024, model_memory, 512, NULL), 512,
              "test_first_read_brings_the_card_up");
    tap_equal(model.arguments[model.command_count - 1], 2, "test_sdhc_is_addressed_in_sectors");
}

static void test_old_and_slow_cards(void)
{
    model_new();
    model.version_1 = true;
    tap_equal(model_do(IO_OPEN, 0, NULL, 0, NULL), 0, "test_a_card_without_cmd8_comes_up");
    tap_equal(model.arguments[3], 0x00ff8000, "test_it_is_not_offered_high_capacity");

    model_new();
    model.busy = 5;
    tap_equal(model_do(IO_OPEN, 0, NULL, 0, NULL), 0, "test_a_slow_card_comes_up");
    tap_ok(fake_clock.now_ns >= 50000000 && model.command_count == 11 + 10,
           "test_acmd41_is_repeated_with_pauses");

    model_new();
    model.busy = 1000;
    tap_equal(model_do(IO_OPEN, 0, NULL, 0, NULL), -EIO, "test_a_card_never_ready_is_an_error");
    model.busy = 0;
    tap_equal(model_do(IO_OPEN, 0, NULL, 0, NULL), 0, "test_it_is_tried_again_by_the_next_request");
}

static void test_no_card(void)
{
    model_new();
    model.absent = true;
    tap_equal(model_do(IO_OPEN, 0, NULL, 0, NULL), -ENXIO, "test_open_without_a_card");
    tap_equal(model.command_count, 0, "test_an_empty_socket_is_sent_nothing");
    model.absent = false;
    tap_equal(model_do(IO_OPEN, 0, NULL, 0, NULL), 0, "test_open_after_a_card_was_put_in");
    model.absent = true;
    tap_equal(model_do(IO_OPEN, 0, NULL, 0, NULL), -ENXIO, "test_open_after_it_was_taken_out");

    static const struct sdhci_settings no_switch = { .no_card_detect = true };
    model_settings = &no_switch;
    model_new();
    model.absent = true;
    tap_equal(model_do(IO_READ, 0, model_memory, 512, NULL), -ENXIO, "test_no_card_and_no_switch");
    tap_ok(model.command_count == 3, "test_silence_after_cmd8_and_cmd55_is_enough");

    static const struct sdhci_settings narrow = { .one_line = true };
    model_settings = &narrow;
    model_new();
    tap_equal(model_do(IO_OPEN, 0, NULL, 0, NULL), 0, "test_board_with_one_data_line");
    tap_ok(!(model.registers[SDHCI_HOST_CONTROL_1] & SDHCI_HOST_FOUR_LINES),
           "test_bus_stays_one_line_wide");
    model_settings = NULL;
}

static void test_interrupted(void)
{
    struct io_request request = { .op = IO_OPEN };
    bool canceled = true, usable = true;

    // Cancelled after every number of steps that bringing up takes.
    for (unsigned steps = 0; steps < 40; steps++) {
        model_new();
        request.state = IO_IDLE;
        model_submit(&request);
        for (unsigned i = 0; i < steps && request.state != IO_IDLE; i++)
            model_step();
        if (request.state == IO_IDLE)
            break;
        canceled &= model_cancel(&request) == 0 && model_run(&request) &&
                    request.result == -ECANCELED;
        usable &= model_do(IO_READ, 512, model_memory, 512, NULL) == 512;
    }
    tap_ok(canceled, "test_bringing_up_can_be_cancelled_at_any_step");
    tap_ok(usable, "test_the_next_request_brings_the_card_up");

    model_new();
    model.reset_polls = 100000;
    tap_equal(model_do(IO_OPEN, 0, NULL, 0, NULL), -EIO, "test_an_endless_reset_at_power_up_ends");
    tap_equal(fake_reports.count, 1, "test_an_endless_reset_is_reported");

    model_new();
    model.mute = 1;
    tap_equal(model_do(IO_OPEN, 0, NULL, 0, NULL), -EIO,
              "test_a_command_without_an_interrupt_ends");
    tap_ok(fake_clock.now_ns >= 1000000000, "test_the_watchdog_is_patient");
    tap_equal(model_do(IO_OPEN, 0, NULL, 0, NULL), 0, "test_the_watchdog_leaves_a_usable_host");
    for (unsigned i = 0; i < 10; i++)
        model_step();
    tap_ok(!fake_clock.timers, "test_an_idle_host_has_no_timer_running");
}

static void test_divider(void)
{
    tap_equal(sdhci_divider(50000000, 50000000, false), 0x0000, "test_divider_1");
    tap_equal(sdhci_divider(50000000, 25000000, false), 0x0100, "test_divider_2");
    tap_equal(sdhci_divider(50000000, 24999999, false), 0x0200, "test_divider_never_too_fast");
    tap_equal(sdhci_divider(50000000, 400000, false), 0x4000, "test_divider_128_for_400_khz");
    tap_equal(sdhci_divider(200000000, 400000, false), 0x8000,
              "test_divider_256_is_the_most_of_version_2");
    tap_equal(sdhci_divider(200000000, 400000, true), 0xfa00, "test_divider_500_of_version_3");
    tap_equal(sdhci_divider(100000000, 30000000, true), 0x0200, "test_divider_even_numbers_only");
    tap_equal(sdhci_divider(400000000, 400000, true), 0xf440,
              "test_divider_1000_uses_the_high_bits");
}

static void test_controller(void)
{
    static struct sd_card card;
    struct hardware hardware = { .name = "none", .clock_hz = 50000000 };

    model_new();
    model_set(SDHCI_CAPABILITIES, 0);
    tap_equal(sd_card_attach(&card, &hardware, MODEL_BASE), -ENODEV,
              "test_a_host_without_adma2_is_refused");
    model_set(SDHCI_CAPABILITIES, UINT32_MAX);
    tap_equal(sd_card_attach(&card, &hardware, MODEL_BASE), -ENODEV,
              "test_no_host_at_all_is_refused");
    model_set(SDHCI_CAPABILITIES, SDHCI_CAPABILITY_ADMA2);
    if ((uintptr_t)&card > UINT32_MAX)
        tap_equal(sd_card_attach(&card, &hardware, MODEL_BASE), -EFAULT,
                  "test_a_table_beyond_32_bits_is_refused");
    else
        tap_skip("test_a_table_beyond_32_bits_is_refused", "this test lies below 4 GiB");
}

int main(void)
{
    tap_plan(51);
    test_sdhc();
    test_sdsc();
    test_old_and_slow_cards();
    test_no_card();
    test_interrupted();
    test_divider();
    test_controller();
    return tap_done();
}
