// ^C at the console: SIGINT, the line thrown away, the reader undisturbed.
// stdin: lost\x03kept\n
// stdin-after: ok 1
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/tap.h"

static volatile unsigned interrupts;

static void on_interrupt(int number)
{
    interrupts += number == SIGINT;
}

int main(void)
{
    char line[64] = "";
    tap_plan(3);
    tap_ok(signal(SIGINT, on_interrupt) == SIG_DFL, "test_console_interrupt_handler_is_installed");
    // Blocking reads may be interrupted by the handler; either way the line comes.
    ssize_t got = read(STDIN_FILENO, line, sizeof line);
    if (got < 0)
        got = read(STDIN_FILENO, line, sizeof line);
    tap_ok(got == 5 && memcmp(line, "kept\n", 5) == 0,
           "test_console_interrupt_key_discards_its_line");
    tap_equal(interrupts, 1, "test_console_interrupt_key_is_one_sigint");
    return tap_done();
}
