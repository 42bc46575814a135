// Kernel messages: for faults, unhandled interrupts and boot. Never on a request's path.
#pragma once

#include <stdarg.h>
#include <stddef.h>

// Where messages go; boot chooses semihosting's stderr under QEMU, a UART's polled path on
// hardware. The sink is called with interrupts masked and must not wait for one.
// Context: boot.
void report_to(void (*sink)(const char *text, size_t size));

// Writes a message of one line or more, at most 319 bytes; the format is that of arch/format.h.
// Context: any.
void report(const char *format, ...) __attribute__((format(printf, 1, 2)));
