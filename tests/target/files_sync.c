// O_SYNC and O_DSYNC for requests: a write is done when the flush behind it is, and not before. On
// a disk that keeps the flush until it is told; then on the board's own, and on files.
// sd: 8M
// share: yes
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "arch/cpu.h"
#include "drivers/device.h"
#include "fs/file.h"
#include "tests/tap.h"
#include "tests/target/aio_blocks.h"

enum { LOG = 16, BYTES = 512 };

static char text[2 * BYTES], back[BYTES];
static volatile int told;

// A disk that does at once what is asked of it, but for a flush, which waits.
static struct {
    unsigned count;
    enum io_op ops[LOG];
    struct io_request *flush;
    bool breaks; // Writes fail.
} asked;

static void keeping_submit(struct device *device, struct io_request *request)
{
    (void)device;
    asked.ops[asked.count++ % LOG] = request->op;
    if (request->op == IO_FLUSH)
        asked.flush = request;
    else if (request->op == IO_WRITE && asked.breaks)
        device_complete(request, -EIO);
    else
        device_complete(request, (ssize_t)request->size);
}

static const struct device_ops keeping_ops = { .submit = keeping_submit };
static struct device keeping = { .name = "keeping",
                                 .ops = &keeping_ops,
                                 .kind = DEVICE_BLOCK,
                                 .size_bytes = 1 << 20,
                                 .lanes = { { .depth = 4 } } };

static void on_done(union sigval value)
{
    (void)value;
    told++;
}

static void flush_ends(int result)
{
    uint32_t flags = irq_save();
    struct io_request *request = asked.flush;
    asked.flush = NULL;
    device_complete(request, result);
    irq_restore(flags);
}

static struct aiocb write_through(int fd)
{
    struct aiocb block = block_for(fd, text, BYTES, BYTES);
    block.aio_sigevent = event_by_function(on_done, 0);
    asked.count = 0;
    asked.flush = NULL;
    told = 0;
    return block;
}

// Result: true: the write has been asked for and is not done before its flush; which then ends so.
static bool waits_for_its_flush(struct aiocb *block, int result)
{
    const struct timespec moment = { .tv_nsec = 2000000 };
    nanosleep(&moment, NULL);
    bool right = aio_error(block) == EINPROGRESS && told == 0 && asked.count == 2 &&
                 asked.ops[0] == IO_WRITE && asked.ops[1] == IO_FLUSH && asked.flush;
    if (right)
        flush_ends(result);
    return right && reaches(&told, 1);
}

static void test_requests(int fd)
{
    struct aiocb block = write_through(fd), *list[] = { &block };
    bool right = aio_write(&block) == 0 && waits_for_its_flush(&block, 0);
    tap_ok(right && done_with(&block, BYTES), "test_a_write_is_done_when_its_flush_is");
    block = write_through(fd);
    right = aio_write(&block) == 0 && waits_for_its_flush(&block, -EIO);
    tap_ok(right && failed_with(&block, EIO), "test_it_fails_where_the_medium_does");
    block = write_through(fd);
    block.aio_lio_opcode = LIO_WRITE;
    right = lio_listio(LIO_NOWAIT, list, 1, NULL) == 0 && waits_for_its_flush(&block, 0);
    tap_ok(right && done_with(&block, BYTES), "test_a_lists_write_too");
    block = write_through(fd);
    right = aio_read(&block) == 0 && reaches(&told, 1) && asked.count == 1;
    tap_ok(right && done_with(&block, BYTES), "test_a_read_flushes_nothing");
}

static void test_failure(int fd)
{
    struct aiocb block = write_through(fd);
    asked.breaks = true;
    bool right = aio_write(&block) == 0 && reaches(&told, 1) && asked.count == 1;
    asked.breaks = false;
    tap_ok(right && failed_with(&block, EIO), "test_behind_a_write_that_has_failed_is_no_flush");
}

static void wait_for_a_flush(void)
{
    while (!*(struct io_request *volatile *)&asked.flush)
        ;
}

static void test_cancel(int fd)
{
    struct aiocb block = write_through(fd);
    aio_write(&block);
    wait_for_a_flush();
    bool right = aio_cancel(fd, &block) == AIO_NOTCANCELED && waits_for_its_flush(&block, 0);
    tap_ok(right && done_with(&block, BYTES), "test_what_has_been_written_is_not_cancelled");
}

// A flush is alone in its device, so the second one begins when the first one has ended.
static void test_behind(int fd)
{
    struct aiocb first = write_through(fd), second = first;
    aio_write(&first);
    wait_for_a_flush();
    bool right = aio_write(&second) == 0 && aio_error(&first) == EINPROGRESS;
    flush_ends(0);
    wait_for_a_flush();
    right &= reaches(&told, 1) && aio_error(&second) == EINPROGRESS;
    flush_ends(0);
    right &= reaches(&told, 2) && done_with(&first, BYTES) && done_with(&second, BYTES);
    tap_ok(right && asked.count == 4 && keeping.lanes[0].in_flight == 0,
           "test_the_next_write_has_its_own_flush");
}

static void test_works(const char *path, const char *name)
{
    struct iovec halves[] = { { text, BYTES / 2 }, { text + BYTES / 2, BYTES / 2 } };
    int fd = open(path, O_RDWR | O_CREAT | O_DSYNC, 0600);
    if (fd < 0) {
        tap_skip(name, path);
        return;
    }
    struct aiocb block = block_for(fd, text, BYTES, BYTES);
    bool right = aio_write(&block) == 0 && wait_for(&block) == 0 && done_with(&block, BYTES);
    right = right && pwrite(fd, text + BYTES, BYTES, 0) == BYTES;
    right = right && pwritev(fd, halves, 2, (off_t)2 * BYTES) == BYTES;
    right = right && lseek(fd, (off_t)2 * BYTES, SEEK_SET) == (off_t)2 * BYTES;
    for (int i = 0; i < 2; i++)
        right = right && write(fd, halves[i].iov_base, BYTES / 2) == BYTES / 2 &&
                lseek(fd, 0, SEEK_CUR) == (off_t)2 * BYTES + (i + 1) * (BYTES / 2);
    for (int i = 0; i < 3; i++)
        right = right && pread(fd, back, BYTES, (off_t)i * BYTES) == BYTES &&
                memcmp(back, i == 0 ? text + BYTES : text, BYTES) == 0;
    tap_ok(right, name);
    close(fd);
}

int main(void)
{
    tap_plan(11);
    for (int i = 0; i < 2 * BYTES; i++)
        text[i] = (char)(i * 11 + i / 256);
    device_register(&keeping);
    int fd = open("/dev/keeping", O_RDWR | O_SYNC);
    test_requests(fd);
    test_failure(fd);
    test_cancel(fd);
    test_behind(fd);
    close(fd);
    test_works("/dev/disk", "test_on_the_disk");
    test_works("/dev/ram0", "test_on_the_ram_disk");
    test_works("/tmp/sync", "test_on_a_file_of_tmp");
    test_works("/host/sync", "test_on_a_file_of_the_host");
    return tap_done();
}
