// The console device, output: writes, the echo between them, errors and cancels.
// sources: fs/tty.c fs/tty_line.c drivers/device.c
// sources: aio/*.c
#include "tty_model.h"

static void test_writes(void)
{
    struct io_request request = { 0 };
    static char data[5000];
    memset(data, 'd', sizeof data);
    data[10] = '\n';
    writes = 0;
    submit(&request, IO_WRITE, data, sizeof data);
    tap_ok(request.result == sizeof data && out_size == sizeof data &&
               memcmp(out, data, sizeof data) == 0,
           "test_console_write_passes_unchanged");
    tap_equal(writes, 1, "test_console_write_is_one_request");
    out_size = 0;
    submit(&request, IO_WRITE, NULL, 0);
    tap_equal(request.result, 0, "test_console_write_of_no_bytes_completes");
    tty_set_crlf(true);
    submit(&request, IO_WRITE, "\nab\n\ncd", 7);
    tap_equal(request.result, 7, "test_console_crlf_counts_program_bytes");
    tap_ok(shown("\r\nab\r\n\r\ncd"), "test_console_crlf_adds_carriage_returns");
    tty_set_crlf(false);
    submit(&request, IO_FLUSH, NULL, 0);
    tap_equal(request.result, 0, "test_console_flush_succeeds");
    fake_memory.kernel_checks = 0;
    submit(&request, IO_WRITE, "user", 4);
    tap_equal(fake_memory.kernel_checks, 0, "test_console_write_does_not_lift_the_buffer_check");
    out_size = 0;
}

// Goal: an echo stands between two writes, never inside one, and both are whole.
static void test_interleaving(void)
{
    struct io_request one = { 0 }, two = { 0 };
    hold_writes = true;
    submit(&one, IO_WRITE, "first line\n", 11);
    submit(&two, IO_WRITE, "second line\n", 12);
    type("key");
    while (serial_writing) {
        finish_serial_write((ssize_t)serial_writing->size);
        fake_run_all();
    }
    hold_writes = false;
    tap_ok(shown("first line\nkeysecond line\n") && one.result == 11 && two.result == 12,
           "test_console_echo_never_tears_a_write");
    type("\n");
    tap_ok(reads("key\n"), "test_console_line_typed_during_output_is_read");
    out_size = 0;
}

static void test_failing_writes(void)
{
    struct io_request request = { 0 };
    hold_writes = true;
    submit(&request, IO_WRITE, "abcdef", 6);
    tap_equal(io_cancel(&request), -EBUSY, "test_console_started_write_is_ebusy");
    serial_writing->moved = 2;
    finish_serial_write(-EIO);
    fake_run_all();
    tap_ok(request.result == -EIO && request.moved == 2,
           "test_console_write_error_says_what_was_sent");
    type("e"); // Its echo occupies the serial device; the write waits in its queue.
    submit(&request, IO_WRITE, "abcdef", 6);
    tap_equal(io_cancel(&request), 0, "test_console_write_behind_an_echo_is_cancelled");
    fake_run_all();
    tap_ok(request.result == -ECANCELED && request.moved == 0,
           "test_console_cancelled_write_sent_nothing");
    finish_serial_write(1);
    hold_writes = false;
    fake_run_all();
    submit(&request, IO_WRITE, "abc", 3);
    submit(&request, IO_WRITE, "def", 3);
    tap_ok(shown("eabcdef"), "test_console_goes_on_after_a_cancelled_write");
    type("\x15");
    out_size = 0;
}

static void test_readiness(void)
{
    struct io_request poll = { 0 }, request = { 0 };
    hold_writes = true;
    submit(&request, IO_WRITE, "held", 4);
    tap_ok(io_poll(console, &poll, IO_READY_WRITE) == 0 && io_in_flight(&poll),
           "test_console_write_under_way_has_to_be_waited_for");
    hold_writes = false;
    finish_serial_write(4);
    fake_run_all();
    tap_ok(!io_in_flight(&poll) && poll.result == IO_READY_WRITE && shown("held"),
           "test_console_is_ready_when_it_is_done_and_says_so");
}

int main(void)
{
    tap_plan(16);
    device_register(&serial);
    tty_init(&serial);
    fake_run_all();
    console = device_find("console");
    test_writes();
    test_interleaving();
    test_failing_writes();
    test_readiness();
    return tap_done();
}
