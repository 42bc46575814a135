// The end of the machine, wanted or not: exit statuses, faults, and the registers that a fault
// report shows.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
    EXIT_ASSERTION = 134,  // As a shell shows SIGABRT,
    EXIT_UNDEFINED = 132,  // SIGILL,
    EXIT_BREAKPOINT = 133, // SIGTRAP,
    EXIT_FAULT = 139,      // SIGSEGV.
};

// Ends the machine: the debugger or QEMU takes the status (0 … 255); without one the board is
// switched off where it can be, else the CPU sleeps for good.
// Context: any.
_Noreturn void machine_exit(int status);

// Says whether a debugger answers semihosting calls (a flag of the board).
// Context: boot.
void machine_semihosting(bool available);

// Says how the board is switched off (drivers/power). off comes back only when that fails; hardware
// that can tell somebody the status does so.
// Context: boot.
void machine_power_off_by(void (*off)(int status));
