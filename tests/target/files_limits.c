// What a write owes to how its file was opened and to what off_t can say: on the medium when it
// returns, with O_SYNC or O_DSYNC; no byte at or past the offset maximum.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include "drivers/device.h"
#include "fs/file.h"
#include "tests/tap.h"

enum { LOG = 8, MORE = 10, NEAR = 4 };

// A disk that notes what is asked of it and does it at once.
static struct {
    unsigned count;
    enum io_op ops[LOG];
    int flush_result;
} asked;

static void noting_submit(struct device *device, struct io_request *request)
{
    (void)device;
    if (asked.count < LOG)
        asked.ops[asked.count] = request->op;
    asked.count++;
    device_complete(request, request->op == IO_FLUSH ? asked.flush_result : (ssize_t)request->size);
}

static const struct device_ops noting_ops = { .submit = noting_submit };
static struct device noting = { .name = "noting",
                                .ops = &noting_ops,
                                .kind = DEVICE_BLOCK,
                                .size_bytes = 1 << 20,
                                .lanes = { { .depth = 1 } } };

static const int synchronous[] = { O_SYNC, O_DSYNC };

// Opens the disk and forgets that it was asked.
static int fresh(int flags)
{
    int fd = open("/dev/noting", flags);
    asked.count = 0;
    asked.flush_result = 0;
    return fd;
}

static bool was_written_and_flushed(void)
{
    return asked.count == 2 && asked.ops[0] == IO_WRITE && asked.ops[1] == IO_FLUSH;
}

static void test_synchronous(void)
{
    char text[MORE] = { 0 };
    bool right = true, shown = true;
    for (unsigned i = 0; i < 2; i++) {
        int fd = fresh(O_RDWR | synchronous[i]);
        right &= write(fd, text, MORE) == MORE && was_written_and_flushed();
        shown &= fcntl(fd, F_GETFL) == (O_RDWR | synchronous[i]);
        close(fd);
    }
    tap_ok(right, "test_a_synchronous_write_is_on_the_medium_when_it_returns");
    tap_ok(shown, "test_f_getfl_tells_which_of_them");
    int fd = fresh(O_RDWR | O_DSYNC);
    asked.flush_result = -EIO;
    tap_ok(write(fd, text, MORE) == -1 && errno == EIO, "test_it_fails_where_the_medium_does");
    asked.count = 0;
    tap_ok(read(fd, text, MORE) == MORE && asked.count == 1, "test_a_read_flushes_nothing");
    asked.count = 0;
    tap_ok(write(fd, text, 0) == 0 && (asked.count == 0 || asked.ops[asked.count - 1] == IO_WRITE),
           "test_nothing_written_is_nothing_to_flush");
    close(fd);
    fd = fresh(O_RDWR);
    tap_ok(write(fd, text, MORE) == MORE && asked.count == 1, "test_any_other_write_does_not_wait");
    close(fd);
}

static int write_errno(int fd, const void *bytes, size_t size)
{
    errno = 0;
    return write(fd, bytes, size) == -1 ? errno : 0;
}

static void test_offset_maximum(void)
{
    char text[MORE] = { 0 };
    struct stat status;
    int fd = open("/tmp/far", O_RDWR | O_CREAT | O_TRUNC, 0600);
    lseek(fd, LONG_MAX - NEAR, SEEK_SET);
    tap_ok(write(fd, text, MORE) == NEAR && lseek(fd, 0, SEEK_CUR) == LONG_MAX,
           "test_a_write_over_the_offset_maximum_is_short");
    tap_ok(write_errno(fd, text, 1) == EFBIG && write(fd, text, 0) == 0 &&
               lseek(fd, 0, SEEK_CUR) == LONG_MAX,
           "test_a_write_at_it_is_efbig");
    tap_ok(fstat(fd, &status) == 0 && status.st_size == LONG_MAX, "test_stat_can_tell_its_size");
    tap_equal(read(fd, text, MORE), 0, "test_a_read_at_it_and_the_end_is_empty");
    int appends = open("/tmp/far", O_WRONLY | O_APPEND);
    tap_equal(write_errno(appends, text, 1), EFBIG, "test_nothing_is_appended_there");
    close(appends);
    file_truncate(fd, (uint64_t)LONG_MAX + MORE); // As another face might.
    tap_ok(read(fd, text, MORE) == -1 && errno == EOVERFLOW, "test_a_read_at_it_is_eoverflow");
    lseek(fd, LONG_MAX - NEAR, SEEK_SET);
    tap_ok(read(fd, text, MORE) == NEAR && lseek(fd, 0, SEEK_CUR) == LONG_MAX,
           "test_a_read_over_it_is_short");
    close(fd);
    unlink("/tmp/far");
}

int main(void)
{
    bool narrow = sizeof(off_t) == sizeof(int32_t);
    tap_plan(narrow ? 13 : 7);
    device_register(&noting);
    test_synchronous();
    if (narrow)
        test_offset_maximum();
    else
        tap_skip("test_offset_maximum", "off_t names more than a file can have");
    return tap_done();
}
