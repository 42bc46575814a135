// POSIX AIO, statement by statement, on files of /tmp, pipes and sockets: what other suites of the
// statements show on disks and fakes.
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/tap.h"
#include "tests/target/aio_blocks.h"

enum { BLOCK = 1000, LARGE = 1 << 17 };

static const off_t offset_limit = (off_t)(((uint64_t)1 << (sizeof(off_t) * 8 - 1)) - 1);
static char pattern[BLOCK], buffer[LARGE];

static bool read_is(int fd, off_t offset, ssize_t result)
{
    struct aiocb block = block_for(fd, buffer, BLOCK, offset);
    return aio_read(&block) == 0 && wait_for(&block) == 0 && aio_return(&block) == result;
}

static void test_file(void)
{
    struct aiocb blocks[3];
    int fd = open("/tmp/statements", O_RDWR | O_CREAT | O_APPEND | O_TRUNC, 0600);
    bool good = true;
    for (int i = 0; i < 3; i++) {
        blocks[i] = block_for(fd, pattern + i, BLOCK - 3, 7 * i);
        blocks[i].aio_reqprio = AIO_PRIO_DELTA_MAX - i;
        good &= aio_write(&blocks[i]) == 0;
    }
    struct aiocb flush = block_for(fd, NULL, 0, 0);
    good &= aio_fsync(O_SYNC, &flush) == 0 && wait_for(&flush) == 0;
    bool before = true;
    for (int i = 0; i < 3; i++)
        before &= aio_error(&blocks[i]) == 0;
    tap_ok(before && aio_return(&flush) == 0, "test_statement_36_fsync_comes_after_writes_to_tmp");
    for (int i = 0; i < 3; i++)
        good &= read_is(fd, (BLOCK - 3) * i, i == 2 ? BLOCK - 3 : BLOCK) &&
                memcmp(buffer, pattern + i, BLOCK - 3) == 0;
    tap_ok(good, "test_statement_09_appended_to_tmp_in_the_order_of_the_calls");
    const off_t end = 3 * (BLOCK - 3);
    tap_ok(read_is(fd, end - 100, 100) && read_is(fd, end, 0) && read_is(fd, end + 5000, 0),
           "test_statement_11_short_at_the_end_of_a_file_of_tmp");
    close(fd);
    fd = open("/tmp/statements", O_RDWR);
    struct aiocb block = block_for(fd, pattern, BLOCK, offset_limit);
    tap_ok(aio_write(&block) == 0 && wait_for(&block) == EFBIG && failed_with(&block, EFBIG),
           "test_statement_12_write_to_tmp_at_the_offset_maximum_is_EFBIG");
    tap_ok(read_is(fd, offset_limit, 0), "test_statement_13_read_behind_the_end_of_tmp_is_none");
    close(fd);
    unlink("/tmp/statements");
}

static void test_stream(int from, int to, const char *offsets, const char *cancelled,
                        const char *write)
{
    struct aiocb reader = block_for(from, buffer, BLOCK, -5);
    struct aiocb writer = block_for(to, pattern, BLOCK, offset_limit);
    bool good = aio_read(&reader) == 0 && aio_write(&writer) == 0;
    good = good && wait_for(&reader) == 0 && wait_for(&writer) == 0;
    tap_ok(good && done_with(&reader, BLOCK) && done_with(&writer, BLOCK), offsets);
    aio_read(&reader);
    tap_ok(aio_cancel(from, &reader) == AIO_CANCELED && failed_with(&reader, ECANCELED), cancelled);
    writer = block_for(to, buffer, LARGE, 0); // More than fits: it begins and waits.
    aio_write(&writer);
    good = aio_cancel(to, &writer) == AIO_NOTCANCELED && aio_error(&writer) == EINPROGRESS;
    for (ssize_t left = LARGE, size; left > 0; left -= size)
        if ((size = read(from, pattern, BLOCK)) <= 0)
            break;
    tap_ok(good && wait_for(&writer) == 0 && done_with(&writer, LARGE), write);
}

int main(void)
{
    int ends[2];
    tap_plan(11);
    for (int i = 0; i < BLOCK; i++)
        pattern[i] = (char)(i * 7 + i / 256);
    test_file();
    pipe(ends);
    test_stream(ends[0], ends[1], "test_statement_10_a_pipe_ignores_the_offset",
                "test_statement_33a_a_blocked_read_of_a_pipe_is_cancelled",
                "test_statement_33a_a_write_to_a_pipe_that_has_begun_is_not");
    close(ends[0]);
    close(ends[1]);
    socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    test_stream(ends[0], ends[1], "test_statement_10_a_socket_ignores_the_offset",
                "test_statement_33a_a_blocked_read_of_a_socket_is_cancelled",
                "test_statement_33a_a_write_to_a_socket_that_has_begun_is_not");
    close(ends[0]);
    close(ends[1]);
    return tap_done();
}
