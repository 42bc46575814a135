// The console device, input: reads, the end of the file, ^C, back-pressure, errors.
// sources: fs/tty.c fs/tty_line.c drivers/device.c
// sources: aio/*.c
#include "tty_model.h"

static void test_init(void)
{
    tap_equal(tty_init(NULL), -ENODEV, "test_console_without_serial_device_is_enodev");
    device_register(&serial);
    tap_equal(tty_init(&serial), 0, "test_console_starts");
    fake_run_all();
    console = device_find("console");
    tap_ok(console && console->duplex && console->kind == DEVICE_STREAM,
           "test_console_is_a_duplex_stream");
    tap_ok(serial_reading != NULL, "test_console_keeps_a_read_on_the_serial_device");
}

static void test_reads(void)
{
    struct io_request request = { 0 };
    char buffer[16];
    submit(&request, IO_READ, buffer, sizeof buffer);
    type("ab");
    tap_ok(io_in_flight(&request), "test_console_read_waits_for_the_line");
    type("c\n");
    tap_ok(!io_in_flight(&request) && request.result == 4 && memcmp(buffer, "abc\n", 4) == 0,
           "test_console_read_completes_with_the_line");
    tap_ok(shown("abc\n"), "test_console_echoes");
    type("one\ntwo\n");
    tap_ok(reads("one\n") && reads("two\n"), "test_console_type_ahead_is_kept");
    type("x\x04\x04");
    tap_ok(reads("x") && reads(""), "test_console_end_of_file");
    submit(&request, IO_READ, NULL, 0);
    tap_equal(request.result, 0, "test_console_read_of_no_bytes_does_not_wait");
    request.flags = IO_NONBLOCK;
    submit(&request, IO_READ, buffer, sizeof buffer);
    tap_equal(request.result, -EAGAIN, "test_console_nonblocking_read_of_nothing_is_eagain");
    type("y\n");
    submit(&request, IO_READ, buffer, sizeof buffer);
    tap_equal(request.result, 2, "test_console_nonblocking_read_gets_a_line");
    out_size = 0;
}

static void test_cancel(void)
{
    struct io_request request = { 0 };
    char buffer[16] = "untouched";
    submit(&request, IO_READ, buffer, sizeof buffer);
    tap_equal(io_cancel(&request), 0, "test_console_waiting_read_is_cancelled");
    fake_run_all();
    tap_equal(request.result, -ECANCELED, "test_console_cancelled_read_says_so");
    type("kept\n");
    tap_ok(strcmp(buffer, "untouched") == 0 && reads("kept\n"),
           "test_console_line_after_a_cancelled_read_is_kept");
    out_size = 0;
}

static unsigned interrupts;
static bool interrupt_in_isr;

static void interrupted(void)
{
    interrupts++;
    interrupt_in_isr = cpu_in_isr();
}

static void test_interrupt(void)
{
    type("old\x03"
         "new\n");
    tap_equal(interrupts, 0, "test_console_interrupt_key_without_function_is_harmless");
    tty_on_interrupt(interrupted);
    out_size = 0;
    type("lost\x03");
    tap_ok(interrupts == 1 && interrupt_in_isr,
           "test_console_interrupt_function_runs_at_isr_level");
    tap_ok(shown("lost^C\n"), "test_console_interrupt_key_is_shown");
    tap_ok(reads("new\n"), "test_console_interrupt_key_keeps_finished_lines");
}

// Goal: more than the console can hold waits in the serial device, in order, and ^C behind it is
// handled at isr level although a reader at main level let it through.
static void test_back_pressure(void)
{
    static char line[TTY_INPUT + 100];
    char buffer[512];
    struct io_request request = { 0 };
    bool good = true;
    tty_set_echo(false);
    for (size_t i = 0; i < sizeof line; i++)
        line[i] = (char)(i % 128 == 127 ? '\n' : 'a' + i % 23);
    memcpy(line + TTY_INPUT + 10, "\x03\n", 2);
    interrupts = 0;
    size_t taken = type_bytes(line, sizeof line);
    tap_ok(taken >= TTY_INPUT && taken < sizeof line && serial_reading == NULL,
           "test_console_full_stops_reading_the_serial_device");
    tap_equal(interrupts, 0, "test_console_interrupt_key_behind_unread_lines_waits");
    for (size_t got = 0; good && got < TTY_INPUT; got += 128) {
        submit(&request, IO_READ, buffer, sizeof buffer);
        good = request.result == 128 && memcmp(buffer, line + got, 128) == 0;
        if (got == 0)
            tap_ok(interrupts == 1 && interrupt_in_isr,
                   "test_console_held_interrupt_key_comes_at_isr_level");
    }
    taken += type_bytes(line + taken, sizeof line - taken);
    tap_ok(good && taken == sizeof line, "test_console_goes_on_when_lines_are_read");
    tap_ok(reads("\n"), "test_console_line_after_the_interrupt_key_follows");
    type("\x15");
    tap_ok(shown(""), "test_console_echo_switched_off");
    tty_set_echo(true);
}

static void test_failing_reads(void)
{
    struct io_request request = { 0 };
    char buffer[16];
    type("par");
    answer_serial_read(-EIO);
    tap_ok(reads("par"), "test_console_text_before_an_error_is_delivered");
    submit(&request, IO_READ, buffer, sizeof buffer);
    tap_equal(request.result, -EIO, "test_console_serial_error_reaches_the_reader");
    tap_ok(serial_reading != NULL, "test_console_tries_again_after_an_error");
    type("fine\n");
    tap_ok(reads("fine\n"), "test_console_recovers_from_an_error");
    answer_serial_read(0);
    tap_ok(reads(""), "test_console_serial_end_is_the_end_of_the_file");
}

static char again_buffer[8];
static unsigned lines_read, depth, deepest;

static void read_again(struct io_request *request)
{
    depth++;
    deepest = depth > deepest ? depth : deepest;
    lines_read++;
    if (lines_read < 20)
        io_submit(console, request);
    depth--;
}

static void test_resubmission(void)
{
    struct io_request request = {
        .op = IO_READ, .buffer = again_buffer, .size = sizeof again_buffer, .done = read_again
    };
    type("a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n");
    io_submit(console, &request);
    fake_run_all();
    type("a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n");
    tap_ok(lines_read == 20 && deepest == 1, "test_console_resubmitting_from_done_does_not_nest");
}

static void test_readiness(void)
{
    struct io_request poll = { 0 };
    tap_ok(io_poll(console, &poll, IO_READY_READ) == 0 && io_in_flight(&poll),
           "test_console_without_a_line_has_to_be_waited_for");
    type("half");
    tap_ok(io_in_flight(&poll), "test_console_with_half_a_line_too");
    type(" and half\n");
    tap_ok(!io_in_flight(&poll) && poll.result == IO_READY_READ,
           "test_console_with_a_line_is_ready_and_says_so");
    tap_ok(reads("half and half\n") && io_ready_now(console) == IO_READY_WRITE,
           "test_console_that_has_been_read_is_not_ready");
    type("\x04");
    tap_ok(io_ready_now(console) & IO_READY_READ && reads(""),
           "test_console_at_the_end_of_the_file_is_ready");
    out_size = 0;
}

int main(void)
{
    tap_plan(36);
    test_init();
    test_reads();
    test_cancel();
    test_readiness();
    test_interrupt();
    test_back_pressure();
    test_failing_reads();
    test_resubmission();
    return tap_done();
}
