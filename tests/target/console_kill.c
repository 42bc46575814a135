// ^C at the console ends a program that has no handler, with the status a shell gives: 128 +
// SIGINT.
// stdin: \x03
// stdin-after: ok 1
// exit: 130
#include "tests/tap.h"

int main(void)
{
    tap_plan(1);
    tap_ok(true, "test_console_interrupt_key_ends_a_program_that_only_computes");
    fflush(stdout);
    for (volatile unsigned count = 0;; count++) {}
}
