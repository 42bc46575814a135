// What is typed at the console, as a program sees it: lines, erasing, the end of the file, parts of
// lines, callbacks.
// stdin: abcx\x7fd\nkilled\x15line two\rsplit\ncallback\npartial\x04after\n\x04last words
#include <aio.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/tap.h"

static char buffer[4096];

static bool reads(size_t size, const char *expected)
{
    memset(buffer, '#', sizeof buffer);
    ssize_t got = read(STDIN_FILENO, buffer, size);
    size_t length = strlen(expected);
    bool good = got == (ssize_t)length && memcmp(buffer, expected, length) == 0 &&
                buffer[length] == '#';
    if (!good)
        tap_note("got %d: \"%.*s\"", (int)got, got > 0 ? (int)got : 0, buffer);
    return good;
}

static volatile ssize_t arrived = -1;

static void on_line(union sigval value)
{
    arrived = aio_return(value.sival_ptr);
}

static void test_line_by_callback(void)
{
    static struct aiocb request;
    const struct aiocb *list[] = { &request };
    request.aio_fildes = STDIN_FILENO;
    request.aio_buf = buffer;
    request.aio_nbytes = sizeof buffer;
    request.aio_sigevent.sigev_notify = SIGEV_THREAD;
    request.aio_sigevent.sigev_notify_function = on_line;
    request.aio_sigevent.sigev_value.sival_ptr = &request;
    tap_equal(aio_read(&request), 0, "test_console_aio_read_is_taken");
    while (arrived < 0 && aio_suspend(list, 1, NULL) == 0 && arrived < 0) {}
    tap_ok(arrived == 9 && memcmp(buffer, "callback\n", 9) == 0,
           "test_console_line_arrives_in_a_callback");
}

int main(void)
{
    tap_plan(12);
    tap_ok(isatty(STDIN_FILENO), "test_console_is_a_terminal");
    tap_ok(reads(sizeof buffer, "abcd\n"), "test_console_line_is_edited");
    tap_ok(reads(sizeof buffer, "line two\n"), "test_console_line_is_killed_and_return_ends_one");
    tap_ok(reads(3, "spl") && reads(sizeof buffer, "it\n"), "test_console_line_is_read_in_parts");
    test_line_by_callback();
    tap_ok(reads(7, "partial"), "test_console_end_key_delivers_what_was_typed");
    tap_ok(reads(sizeof buffer, "after\n"), "test_console_end_key_after_text_is_no_end_of_file");
    tap_ok(reads(sizeof buffer, ""), "test_console_end_key_alone_is_the_end_of_file");
    tap_ok(reads(sizeof buffer, "last words"), "test_console_unfinished_last_line_is_read");
    tap_ok(reads(sizeof buffer, ""), "test_console_end_of_the_host's_input_is_the_end_of_file");
    int fd = open("/dev/console", O_RDONLY | O_NONBLOCK);
    tap_ok(fd >= 0 && read(fd, buffer, 1) == -1 && errno == EAGAIN,
           "test_console_nonblocking_read_of_nothing_is_eagain");
    return tap_done();
}
