// Output to the console: large writes, many at a time, the order of their completion, polled text
// between them; and what the console costs the serial port below it. Nothing is typed here but the
// end of the file.
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "aio/core.h"
#include "arch/cpu.h"
#include "board/board.h"
#include "drivers/uart/uart.h"
#include "irq/clock.h"
#include "tests/tap.h"

enum { WRITES = 20, MS = 1000000 };

static struct device *console, *serial;

static void test_large_write(void)
{
    static char text[8192];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = i % 64 == 0 ? '#' : i % 64 == 63 ? '\n' : '.';
    fflush(stdout);
    uint32_t requests = serial->statistics.completed;
    ssize_t result = write(STDOUT_FILENO, text, sizeof text);
    requests = serial->statistics.completed - requests;
    tap_equal(result, sizeof text, "test_console_writes_8_kib");
    tap_equal(requests, 1, "test_console_write_is_one_request");
}

static struct io_request requests[WRITES];
static unsigned done_count;
static bool in_order = true;

static void written(struct io_request *request)
{
    in_order &= request == &requests[done_count] && request->result == 20;
    done_count++;
}

// Goal: writes that wait for one another complete in the order of their submission, each of them
// whole.
static void test_many_writes(void)
{
    static char lines[WRITES][22];
    fflush(stdout);
    uint32_t flags = irq_save(); // All of them are there before the first can complete.
    for (unsigned i = 0; i < WRITES; i++) {
        snprintf(lines[i], sizeof lines[i], "# line %2u of %2u ...\n", i + 1, WRITES);
        requests[i] = (struct io_request){
            .op = IO_WRITE, .buffer = lines[i], .size = 20, .done = written
        };
        io_submit(console, &requests[i]);
    }
    unsigned early = done_count;
    irq_restore(flags);
    io_wait(&requests[WRITES - 1]);
    tap_equal(early, 0, "test_console_write_completes_by_interrupt");
    tap_ok(in_order && done_count == WRITES, "test_console_writes_complete_in_order");
}

static void test_cancel_of_writes(void)
{
    static char text[] = "# this goes out\n", never[] = "not ok - this must never be seen\n";
    struct io_request first = { .op = IO_WRITE, .buffer = text, .size = sizeof text - 1 };
    struct io_request second = { .op = IO_WRITE, .buffer = never, .size = sizeof never - 1 };
    fflush(stdout);
    uint32_t flags = irq_save();
    io_submit(console, &first);
    io_submit(console, &second);
    int started = io_cancel(&first), queued = io_cancel(&second);
    irq_restore(flags);
    tap_equal(started, -EBUSY, "test_console_started_write_cannot_be_cancelled");
    tap_equal(queued, 0, "test_console_queued_write_is_cancelled");
    tap_ok(io_wait(&first) == sizeof text - 1 && io_wait(&second) == -ECANCELED &&
               second.moved == 0,
           "test_console_writes_report_their_fate");
}

static void test_polled_text(void)
{
    static char text[200];
    struct io_request request = { .op = IO_WRITE, .buffer = text, .size = sizeof text };
    memset(text, '.', sizeof text);
    text[0] = '#';
    text[sizeof text - 1] = '\n';
    fflush(stdout);
    uint32_t flags = irq_save();
    io_submit(console, &request);
    uart_console_sink("<polled>", 8);
    irq_restore(flags);
    tap_equal(io_wait(&request), sizeof text, "test_console_polled_text_leaves_a_write_whole");
}

static void test_reads(void)
{
    char byte;
    tap_equal(read(STDIN_FILENO, &byte, 1), 0, "test_console_without_input_is_at_its_end");
    tap_equal(read(STDIN_FILENO, &byte, 1), 0, "test_console_without_input_stays_at_its_end");
    struct io_request late = { .op = IO_READ,
                               .buffer = &byte,
                               .size = 1,
                               .flags = IO_DEADLINE,
                               .deadline_ns = clock_now_ns() + 5 * MS };
    io_submit(console, &late);
    tap_equal(io_wait(&late), -ETIMEDOUT, "test_console_read_meets_its_deadline");
    struct io_request request = { .op = IO_READ, .buffer = &byte, .size = 1 };
    io_submit(console, &request);
    tap_equal(io_cancel(&request), 0, "test_console_waiting_read_is_cancelled");
    tap_equal(io_wait(&request), -ECANCELED, "test_console_cancelled_read_says_so");
}

static void test_statistics(void)
{
    struct uart_statistics statistics;
    tap_equal(uart_statistics(serial->name, &statistics), 0,
              "test_console_serial_port_has_counters");
    tap_ok(statistics.overruns == 0 && statistics.framing_errors == 0 &&
               statistics.parity_errors == 0,
           "test_console_lost_no_byte");
}

int main(void)
{
    tap_plan(16);
    console = device_find("console");
    serial = device_find(board.console);
    tap_ok(console && serial, "test_console_is_there");
    test_many_writes();
    test_cancel_of_writes();
    test_polled_text();
    test_reads();
    // Input has ended: the tty asks the serial port for nothing more, and its requests can be
    // counted.
    test_large_write();
    test_statistics();
    return tap_done();
}
