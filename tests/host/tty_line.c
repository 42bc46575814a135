// The line discipline by itself: keys in, lines and echo out.
// sources: fs/tty_line.c
#include "fs/tty_line.h"

#include <stdlib.h>
#include <string.h>

#include "arch/cpu.h"
#include "tests/tap.h"

static struct tty_line line;
static char shown[16384];
static size_t shown_size;

static void fresh(void)
{
    memset(&line, 0, sizeof line);
    shown_size = 0;
}

// Shows the echo so far, as the tty would.
static void show(void)
{
    memcpy(shown + shown_size, line.echo, line.echo_end);
    shown_size += line.echo_end;
    shown[shown_size] = '\0';
    line.echo_end = 0;
}

// Result: the keys that were taken; the first that had to wait ends it, or ^C.
static size_t keys(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        enum tty_key key = tty_line_key(&line, (uint8_t)text[i]);
        if (key == TTY_KEY_WAITS) {
            show();
            key = tty_line_key(&line, (uint8_t)text[i]);
        }
        if (key != TTY_KEY_TAKEN)
            return i + (key == TTY_KEY_INTERRUPT);
    }
    show();
    return size;
}

static bool reads(const char *expected)
{
    static char buffer[8192];
    size_t size = tty_line_read(&line, (uint8_t *)buffer, sizeof buffer);
    bool same = size == strlen(expected) && memcmp(buffer, expected, size) == 0;
    if (!same)
        tap_note("read \"%.*s\"", (int)size, buffer);
    return same;
}

static bool typed_reads(const char *typed, const char *expected)
{
    fresh();
    keys(typed, strlen(typed));
    return tty_line_ready(&line) && reads(expected);
}

static bool typed_shows(const char *typed, const char *expected)
{
    fresh();
    keys(typed, strlen(typed));
    show();
    return strcmp(shown, expected) == 0;
}

static void test_lines(void)
{
    fresh();
    keys("abc", 3);
    tap_ok(!tty_line_ready(&line), "test_tty_unfinished_line_is_not_ready");
    tap_ok(typed_reads("abc\n", "abc\n"), "test_tty_newline_finishes_a_line");
    tap_ok(typed_reads("abc\r", "abc\n"), "test_tty_carriage_return_is_newline");
    tap_ok(typed_reads("one\ntwo\n", "one\n") && reads("two\n"), "test_tty_read_gets_one_line");
    tap_ok(typed_reads("a\x7f\x7f\x7f\n", "\n"), "test_tty_erase_stops_at_the_start_of_the_line");
    tap_ok(typed_reads("a\n\x7f\n", "a\n") && reads("\n"), "test_tty_finished_line_is_not_erased");
    tap_ok(typed_reads("abx\x7f"
                       "c\by\bd\n",
                       "abd\n"),
           "test_tty_delete_and_backspace_erase");
    tap_ok(typed_reads("abc\x15xy\n", "xy\n"), "test_tty_kill_erases_the_line");
    tap_ok(typed_reads("\xc3\xa9\xe2\x82\xac\x7f\n", "\xc3\xa9\n"),
           "test_tty_erase_takes_a_whole_utf8_character");
    tap_ok(typed_reads("\xac\xac\x7f\n", "\n"), "test_tty_erase_of_stray_utf8_stays_in_the_line");
    fresh();
    keys("a\0b\n", 4);
    uint8_t bytes[8];
    tap_ok(tty_line_read(&line, bytes, 8) == 4 && memcmp(bytes, "a\0b\n", 4) == 0,
           "test_tty_zero_bytes_pass");
}

static void test_end_of_file(void)
{
    uint8_t bytes[4];
    tap_ok(typed_reads("\x04", ""), "test_tty_end_key_alone_is_the_end_of_the_file");
    tap_ok(typed_reads("abc\x04", "abc") && !tty_line_ready(&line),
           "test_tty_end_key_delivers_the_text_so_far");
    tap_ok(typed_reads("abc\x04\x04", "abc") && tty_line_ready(&line) && reads(""),
           "test_tty_second_end_key_is_the_end_of_the_file");
    fresh();
    keys("abcd\x04", 5);
    tap_ok(tty_line_read(&line, bytes, 4) == 4 && !tty_line_ready(&line),
           "test_tty_end_key_after_a_read_filled_exactly_is_no_end_of_file");
    fresh();
    keys("abcdef\n", 7);
    tap_ok(tty_line_read(&line, bytes, 4) == 4 && tty_line_read(&line, bytes, 4) == 3 &&
               bytes[2] == '\n',
           "test_tty_long_line_is_read_in_parts");
}

static void test_interrupt(void)
{
    fresh();
    tap_equal((long long)keys("done\nabc\x03"
                              "de\n",
                              12),
              9, "test_tty_interrupt_key_is_reported");
    show();
    tap_ok(strcmp(shown, "done\nabc^C\n") == 0, "test_tty_interrupt_key_is_shown");
    keys("de\n", 3);
    tap_ok(reads("done\n") && reads("de\n"), "test_tty_interrupt_key_discards_only_its_line");
    fresh();
    memset(line.echo, '.', TTY_ECHO);
    line.echo_end = TTY_ECHO;
    tap_equal(tty_line_key(&line, 3), TTY_KEY_INTERRUPT,
              "test_tty_interrupt_key_does_not_wait_for_its_echo");
}

static void test_echo(void)
{
    tap_ok(typed_shows("ab\r", "ab\n"), "test_tty_echo_of_text");
    tap_ok(typed_shows("ab\x7f", "ab\b \b"), "test_tty_echo_of_an_erased_character");
    tap_ok(typed_shows("\x7f\x15", ""), "test_tty_echo_of_nothing_erased_is_nothing");
    tap_ok(typed_shows("\x01\x7f", "^A\b \b\b \b"), "test_tty_echo_of_an_erased_control_character");
    tap_ok(typed_shows("\t\x7f", " \b \b"), "test_tty_echo_of_a_tab_can_be_erased");
    tap_ok(typed_shows("ab\x15", "ab\b \b\b \b"), "test_tty_echo_of_a_killed_line");
    tap_ok(typed_shows("a\x04", "a"), "test_tty_end_key_is_not_shown");
    fresh();
    line.crlf = true;
    keys("a\n", 2);
    show();
    tap_ok(strcmp(shown, "a\r\n") == 0, "test_tty_echo_of_newline_with_crlf");
    fresh();
    line.no_echo = true;
    keys("ab\x7f\n", 4);
    show();
    tap_ok(strcmp(shown, "") == 0 && reads("a\n"), "test_tty_echo_switched_off");
}

// Goal: the echo of a long line that is killed fits through a small buffer, step by step.
static void test_slow_echo(void)
{
    fresh();
    for (unsigned i = 0; i < 300; i++)
        keys("x", 1);
    shown_size = 0;
    unsigned waits = 0;
    while (tty_line_key(&line, 0x15) == TTY_KEY_WAITS) {
        show();
        waits++;
    }
    show();
    tap_ok(shown_size == 900 && waits >= 900 / TTY_ECHO,
           "test_tty_kill_waits_for_room_in_the_echo_and_goes_on");
    tap_ok(line.typed == line.finished, "test_tty_kill_leaves_nothing");
}

static void test_full(void)
{
    static uint8_t buffer[TTY_INPUT + 1];
    fresh();
    for (unsigned i = 0; i < TTY_INPUT - 1; i++)
        keys("x", 1);
    tap_ok(!tty_line_ready(&line), "test_tty_longest_line_is_not_ready_before_its_end");
    keys("\n", 1);
    tap_equal((long long)tty_line_read(&line, buffer, sizeof buffer), TTY_INPUT,
              "test_tty_longest_line_is_read_whole");
    for (unsigned i = 0; i < TTY_INPUT; i++)
        keys("y", 1);
    tap_ok(tty_line_ready(&line), "test_tty_full_buffer_without_newline_is_delivered");
    tap_equal(tty_line_key(&line, 'z'), TTY_KEY_WAITS, "test_tty_full_buffer_takes_no_more");
    tap_equal(tty_line_key(&line, 0x7f), TTY_KEY_TAKEN, "test_tty_delivered_text_is_not_erased");
    tap_equal((long long)tty_line_read(&line, buffer, sizeof buffer), TTY_INPUT,
              "test_tty_full_buffer_is_read_as_it_is");
    // Unread lines and the beginning of another: that one is not torn, it waits for the reader.
    fresh();
    keys("first\n", 6);
    while (tty_line_key(&line, 'x') == TTY_KEY_TAKEN)
        show();
    tap_equal(tty_line_key(&line, '\n'), TTY_KEY_WAITS, "test_tty_unread_lines_hold_typing_back");
    tap_ok(reads("first\n") && !tty_line_ready(&line),
           "test_tty_line_behind_unread_ones_is_not_torn");
    tap_ok(tty_line_key(&line, '\n') == TTY_KEY_TAKEN && tty_line_ready(&line),
           "test_tty_reading_makes_room");
}

// Goal: whatever is typed and read in whatever pieces, the ring's counters wrap without losing a
// byte.
static void test_long_run(void)
{
    fresh();
    line.no_echo = true;
    line.read = line.finished = line.typed = UINT32_MAX - 5000; // Close to the counters' own wrap.
    unsigned written = 0, got = 0;
    bool good = true;
    srand(1);
    while (got < 50000 && good) {
        for (int n = rand() % 300; n > 0 && written < 50000; n--) {
            uint8_t byte = (uint8_t)(written % 37 == 36 ? '\n' : 'a' + written % 26);
            if (tty_line_key(&line, byte) != TTY_KEY_TAKEN)
                break;
            written++;
        }
        uint8_t buffer[64];
        size_t size = tty_line_read(&line, buffer, 1 + (size_t)rand() % sizeof buffer);
        for (size_t i = 0; i < size; i++, got++)
            good &= buffer[i] == (uint8_t)(got % 37 == 36 ? '\n' : 'a' + got % 26);
        if (written == 50000)
            tty_line_finish(&line);
    }
    tap_ok(good && got == 50000, "test_tty_long_run_loses_nothing");
}

int main(void)
{
    tap_plan(41);
    test_lines();
    test_end_of_file();
    test_interrupt();
    test_echo();
    test_slow_echo();
    test_full();
    test_long_run();
    return tap_done();
}
