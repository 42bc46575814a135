// A board that can switch itself off does so where no debugger takes the exit status. QEMU then
// ends with 0, or with the status where the hardware can tell it.
#include "arch/fault.h"
#include "tests/tap.h"
#include "tests/target/board_find.h"

int main(void)
{
    tap_plan(1);
    if (!board_find("power"))
        return tap_skip_rest("this board cannot be switched off");
    // Nobody could say it afterwards: a machine that stays on fails the suite by its time-out.
    tap_ok(true, "test_the_board_switches_itself_off");
    fflush(stdout);
    machine_semihosting(false);
    machine_exit(0);
}
