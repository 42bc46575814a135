// Semihosting: calls that a debugger or QEMU answers (ARM IHI 0203, "Semihosting for AArch32 and
// AArch64"). For arguments, messages and the exit status only; no I/O of a program goes through it
// except stderr.
#pragma once

#include <stddef.h>
#include <stdint.h>

enum semihosting_operation {
    SYS_OPEN = 0x01,
    SYS_CLOSE = 0x02,
    SYS_WRITE = 0x05,
    SYS_GET_CMDLINE = 0x15,
    SYS_EXIT_EXTENDED = 0x20,
};

// One call; kept by each architecture.
// Context: any.
intptr_t semihosting_call(enum semihosting_operation operation, const void *parameters);

// Writes to the host's standard error; suits report_to().
// Context: any.
void semihosting_write(const char *text, size_t size);

// Opens a file of the host's for writing and closes it again: a sign to whoever waits at the other
// end of a pipe.
// Context: any.
void semihosting_touch(const char *path);

// The command line that the debugger offers. Result: its length, or -1: none, or longer than size -
// 1 bytes.
// Context: any.
int semihosting_command_line(char *text, size_t size);
