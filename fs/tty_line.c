// The line discipline: a ring of typed bytes that are erased, finished, read, and a buffer of what
// is to be shown.
#include "fs/tty_line.h"

enum {
    KEY_INTERRUPT = 'C' & 31,
    KEY_END = 'D' & 31,
    KEY_KILL = 'U' & 31,
    KEY_BACKSPACE = '\b',
    KEY_DELETE = 0x7f,
};

static bool echo_has_room(const struct tty_line *line)
{
    return line->no_echo || TTY_ECHO - line->echo_end >= TTY_ECHO_STEP;
}

static void echo_byte(struct tty_line *line, char byte)
{
    if (!line->no_echo && line->echo_end < TTY_ECHO)
        line->echo[line->echo_end++] = (uint8_t)byte;
}

static void echo_text(struct tty_line *line, const char *text)
{
    while (*text != '\0')
        echo_byte(line, *text++);
}

static void echo_newline(struct tty_line *line)
{
    echo_text(line, line->crlf ? "\r\n" : "\n");
}

static bool is_control(uint8_t byte)
{
    return byte < ' ' || byte == KEY_DELETE;
}

// A tab is shown as one blank: how wide it is only the terminal knows, and erasing it has to know
// too.
static void echo_typed(struct tty_line *line, uint8_t byte)
{
    if (byte == '\t') {
        echo_byte(line, ' ');
    } else if (is_control(byte)) {
        echo_byte(line, '^');
        echo_byte(line, (char)(byte ^ '@')); // As terminals write it: 1 is ^A.
    } else {
        echo_byte(line, (char)byte);
    }
}

static bool is_full(const struct tty_line *line)
{
    return line->typed - line->read == TTY_INPUT;
}

// Takes back the last character: a UTF-8 character with all its bytes, which fill one column.
static void erase(struct tty_line *line)
{
    uint8_t byte;
    do {
        byte = line->input[--line->typed % TTY_INPUT];
    } while ((byte & 0xc0) == 0x80 && line->typed != line->finished);
    echo_text(line, "\b \b");
    if (is_control(byte) && byte != '\t')
        echo_text(line, "\b \b");
}

// Adds a byte to the line, and ends the line when the byte does.
static enum tty_key key_text(struct tty_line *line, uint8_t byte)
{
    if (is_full(line))
        return TTY_KEY_WAITS;
    line->input[line->typed++ % TTY_INPUT] = byte;
    if (byte == '\n')
        echo_newline(line);
    else if (byte != KEY_END)
        echo_typed(line, byte);
    // A line that fills the buffer all alone would never end: it is delivered as it is.
    if (byte == '\n' || byte == KEY_END || (is_full(line) && line->read == line->finished))
        tty_line_finish(line);
    return TTY_KEY_TAKEN;
}

static enum tty_key key_interrupt(struct tty_line *line)
{
    line->typed = line->finished;
    echo_text(line, "^C");
    echo_newline(line);
    return TTY_KEY_INTERRUPT;
}

enum tty_key tty_line_key(struct tty_line *line, uint8_t byte)
{
    // Does not wait for its echo: a program whose output is stuck can be interrupted all the same.
    if (byte == KEY_INTERRUPT)
        return key_interrupt(line);
    do {
        if (!echo_has_room(line))
            return TTY_KEY_WAITS;
        if (byte != KEY_BACKSPACE && byte != KEY_DELETE && byte != KEY_KILL)
            return key_text(line, byte == '\r' ? '\n' : byte);
        if (line->typed == line->finished)
            return TTY_KEY_TAKEN;
        erase(line);
    } while (byte == KEY_KILL);
    return TTY_KEY_TAKEN;
}

size_t tty_line_read(struct tty_line *line, uint8_t *buffer, size_t size)
{
    size_t moved = 0;
    while (moved < size && tty_line_ready(line)) {
        uint8_t byte = line->input[line->read++ % TTY_INPUT];
        if (byte == KEY_END)
            return moved;
        buffer[moved++] = byte;
        if (byte == '\n')
            return moved;
    }
    // ^D after text only says that the text is complete, also to a read that the text filled
    // exactly.
    if (moved > 0 && tty_line_ready(line) && line->input[line->read % TTY_INPUT] == KEY_END)
        line->read++;
    return moved;
}
