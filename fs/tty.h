// The console: a canonical terminal on a serial device, with line editing, echo, ^C and ^D.
//
// It is a duplex stream device named "console". A read completes with at most one line; what the
// line does not fit of stays for the next read. A line ends with '\n' ('\r' from the keyboard is
// one), with ^D (which is not delivered; with nothing typed before it a read returns 0, the end of
// the file), or when it has filled the whole buffer. Keys: DEL and backspace erase a character, ^U
// the line, ^C throws the line away and calls the interrupt function. Nothing typed is ever lost:
// when TTY_INPUT bytes wait to be read, the tty stops taking more from the serial device, which
// then holds its sender back; until somebody reads, ^C waits there as well. Output passes
// unchanged, straight from the request's buffer; a cancelled write may have been put out in part.
#pragma once

#include <stdbool.h>

#include "drivers/device.h"

enum { TTY_INPUT = 4096 }; // Bytes of the longest line, its '\n' included.

// Puts the console on a serial device: registers "console" and starts receiving. There is one
// console.
// Result: 0, or -EEXIST, or -ENODEV when serial is NULL (so that device_find()'s result can be
// passed on).
// Context: boot.
int tty_init(struct device *serial);

// Whether what is typed is shown; it is at first. Off where the serial line's other end is not a
// keyboard.
// Context: any.
void tty_set_echo(bool on);

// Whether '\n' is sent as "\r\n", for real terminals; it is not at first.
// Context: any.
void tty_set_crlf(bool on);

// What ^C does besides discarding the line: calls interrupt() at isr level. NULL: nothing.
// Context: any.
void tty_on_interrupt(void (*interrupt)(void));
