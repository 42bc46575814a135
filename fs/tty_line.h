// The line discipline of the console, apart from any device: keys go in, lines and an echo come
// out. Pure data and arithmetic; the tty (tty.c) calls it with interrupts masked.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/tty.h"

enum {
    TTY_ECHO = 128,    // Bytes of echo that may wait.
    TTY_ECHO_STEP = 6, // The longest echo of one step: two columns rubbed out.
};

struct tty_line {
    bool no_echo, crlf;

    // Bytes ever read, finished and typed: [read, finished) are complete lines, [finished, typed)
    // can still be erased. ^D stands in the buffer as itself and ends a line; it cannot be typed as
    // text, so no other byte looks like it.
    uint32_t read, finished, typed;
    uint8_t input[TTY_INPUT];

    // What is to be shown. The tty takes it from the front and sets echo_end to 0 when all is out.
    size_t echo_end;
    uint8_t echo[TTY_ECHO];
};

enum tty_key {
    TTY_KEY_TAKEN,     // Done with.
    TTY_KEY_WAITS,     // There is no room for it or its echo: offer it again later.
    TTY_KEY_INTERRUPT, // Done with, and it was ^C.
};

// Handles one byte from the keyboard.
// Context: any, interrupts masked.
enum tty_key tty_line_key(struct tty_line *line, uint8_t byte);

// True when a read would get something: a line, part of one, or the end of the file.
// Context: any.
static inline bool tty_line_ready(const struct tty_line *line)
{
    return line->read != line->finished;
}

// Moves at most a line to buffer. Result: bytes, 0 at the end of the file.
// Context: any, interrupts masked.
size_t tty_line_read(struct tty_line *line, uint8_t *buffer, size_t size);

// Ends the line that is being typed: nothing more will come.
// Context: any, interrupts masked.
static inline void tty_line_finish(struct tty_line *line)
{
    line->finished = line->typed;
}
