// /host with QEMU's own server: calls submitted to the file system's device, files and directories
// that really are on the host.
// share: yes
// share-has: echo 'A line of a file on the host.' >file
// share-has: mkdir -p folder/deep && echo bottom >folder/deep/bottom
// share-has: yes 0123456789abcde | head -c 2097169 >large
// share-has: mkfifo fifo
// share-has: ln -s folder/deep link && ln -s ../../file folder/deep/up && ln -s loop loop
// share-has: ln -s /etc/passwd absolute && ln -s folder/made dangling && ln -s ../.. out
// share-has: mkdir many && cd many && for i in $(seq 300); do echo $i >entry-number-$i; done
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "aio/core.h"
#include "fs/p9_message.h"
#include "fs/p9fs.h"
#include "tests/tap.h"
#include "tests/target/board_find.h"

enum { LARGE = 2097169, LINE = 16, PIECES = 8, PIECE = 262144, APPENDS = 40, ENTRIES = 300 };

static const char line[] = "A line of a file on the host.\n", pattern[] = "0123456789abcde\n";
static uint8_t memory[LARGE + 100];
static struct device *host;

// ---- Calls ----

static struct fs_call by_path(enum fs_operation operation, const char *path, const char *to,
                              int flags)
{
    struct fs_call call = { .operation = operation, .path = path, .to = to, .flags = flags };
    call.request.op = IO_CALL;
    call.mode = 0644;
    int error = io_submit(host, &call.request);
    call.request.result = error ? error : io_wait(&call.request);
    return call;
}

static int simple(enum fs_operation operation, const char *path)
{
    return (int)by_path(operation, path, NULL, 0).request.result;
}

static int refused(const char *path, int flags)
{
    return (int)by_path(FS_OPEN, path, NULL, flags).request.result;
}

static struct device *must_open(const char *path, int flags)
{
    struct fs_call call = by_path(FS_OPEN, path, NULL, flags);
    if (call.request.result == 0)
        return call.device;
    tap_note("%s: errno %d", path, (int)-call.request.result);
    return NULL;
}

static struct fs_call on_file(struct device *device, struct fs_call call)
{
    call.request.op = IO_CALL;
    int error = io_submit(device, &call.request);
    call.request.result = error ? error : io_wait(&call.request);
    return call;
}

static long move(struct device *device, enum io_op op, uint64_t offset, void *buffer, size_t size)
{
    struct io_request request = { .op = op, .offset = offset, .buffer = buffer, .size = size };
    int error = io_submit(device, &request);
    return error ? error : (long)io_wait(&request);
}

static bool is_pattern(const uint8_t *bytes, uint64_t offset, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != (uint8_t)pattern[(offset + i) % LINE])
            return false;
    return true;
}

// ---- Tests ----

static void test_translation(void)
{
    tap_ok(p9_error(39) == -ENOTEMPTY && p9_error(36) == -ENAMETOOLONG && p9_error(40) == -ELOOP &&
               p9_error(95) == -ENOTSUP && p9_error(115) == -EINPROGRESS &&
               p9_error(122) == -EDQUOT && p9_error(125) == -ECANCELED && p9_error(38) == -ENOSYS,
           "test_linux_numbers_are_this_librarys");
    tap_ok(p9_open_flags(O_WRONLY | O_CREAT | O_TRUNC | O_DIRECTORY) == (1 | 01000 | 0200000) &&
               p9_open_flags(O_RDWR | O_SYNC) == (2 | 04010000) &&
               p9_open_flags(O_RDWR | O_DSYNC) == (2 | 010000),
           "test_this_librarys_flags_are_linuxes");
}

static void test_reading(void)
{
    struct device *device = must_open("file", O_RDONLY);
    if (!tap_ok(device && device->size_bytes == sizeof line - 1, "test_a_file_is_opened"))
        return;
    memset(memory, 0, 100);
    tap_ok(move(device, IO_READ, 0, memory, 100) == sizeof line - 1 &&
               memcmp(memory, line, sizeof line - 1) == 0,
           "test_what_the_host_has_written_is_read");
    tap_equal(move(device, IO_READ, 1000, memory, 100), 0, "test_the_end_reads_as_nothing");
    tap_equal(move(device, IO_WRITE, 0, memory, 1), -EBADF, "test_what_is_to_read_is_not_written");
    io_close(device);
    device = must_open("large", O_RDONLY);
    memset(memory, 0, sizeof memory);
    tap_ok(move(device, IO_READ, 0, memory, sizeof memory) == LARGE &&
               is_pattern(memory, 0, LARGE) && memory[LARGE] == 0,
           "test_a_read_longer_than_messages_and_file");
    io_close(device);
}

static void test_many_in_flight(void)
{
    static struct io_request reads[PIECES];
    struct device *device = must_open("large", O_RDONLY);
    bool right = true;
    memset(memory, 0, sizeof memory);
    for (unsigned i = 0; i < PIECES; i++) {
        reads[i] = (struct io_request){ .op = IO_READ, .size = PIECE };
        reads[i].offset = (uint64_t)i * PIECE + 1;
        reads[i].buffer = memory + i * PIECE;
        right &= io_submit(device, &reads[i]) == 0;
    }
    for (unsigned i = 0; i < PIECES; i++)
        right &= io_wait(&reads[i]) == PIECE;
    tap_ok(right && is_pattern(memory, 1, PIECES * PIECE), "test_8_reads_in_flight");
    io_close(device);
}

static void test_writing(void)
{
    struct device *device = must_open("written", O_RDWR | O_CREAT | O_EXCL);
    if (!tap_ok(device != NULL, "test_a_file_is_created"))
        return;
    for (unsigned i = 0; i < LARGE; i++)
        memory[i] = (uint8_t)pattern[i % LINE];
    tap_ok(move(device, IO_WRITE, 0, memory, LARGE) == LARGE && device->size_bytes == LARGE,
           "test_a_write_longer_than_messages");
    tap_equal(move(device, IO_FLUSH, 0, NULL, 0), 0, "test_flush");
    memset(memory, 0, LARGE);
    tap_ok(move(device, IO_READ, 0, memory, LARGE) == LARGE && is_pattern(memory, 0, LARGE),
           "test_what_was_written_is_read");
    struct fs_call call = on_file(device, (struct fs_call){ .operation = FS_TRUNCATE, .size = 5 });
    tap_equal((long)call.request.result, 0, "test_truncate");
    call = on_file(device, (struct fs_call){ .operation = FS_FILE_STATUS });
    tap_ok(call.request.result == 0 && call.status.size == 5 && S_ISREG(call.status.mode),
           "test_the_status_of_an_open_file");
    tap_equal(refused("written", O_RDWR | O_CREAT | O_EXCL), -EEXIST, "test_it_is_there_now");
    tap_ok(simple(FS_UNLINK, "written") == 0 && refused("written", O_RDONLY) == -ENOENT,
           "test_unlink");
    tap_ok(move(device, IO_READ, 0, memory, 100) == 5, "test_an_open_file_outlives_its_name");
    call = on_file(device, (struct fs_call){ .operation = FS_FILE_STATUS });
    tap_ok(call.request.result == 0 && call.status.size == 5, "test_it_still_has_a_status");
    io_close(device);
}

static void test_appending(void)
{
    static struct io_request writes[APPENDS];
    struct device *one = must_open("log", O_WRONLY | O_CREAT | O_APPEND);
    struct device *two = must_open("log", O_RDWR | O_CREAT | O_APPEND);
    bool right = one && two;
    for (unsigned i = 0; right && i < APPENDS; i++) {
        memory[i] = (uint8_t)('0' + i);
        writes[i] = (struct io_request){ .op = IO_WRITE, .flags = IO_APPEND, .size = 1 };
        writes[i].buffer = &memory[i];
        right &= io_submit(i % 3 ? one : two, &writes[i]) == 0;
    }
    for (unsigned i = 0; right && i < APPENDS; i++)
        right &= io_wait(&writes[i]) == 1;
    right &= move(two, IO_READ, 0, memory + APPENDS, 100) == APPENDS;
    tap_ok(right && memcmp(memory, memory + APPENDS, APPENDS) == 0,
           "test_appends_of_two_openings_are_in_the_order_of_their_calls");
    io_close(one);
    io_close(two);
}

static void test_names(void)
{
    struct fs_call call = by_path(FS_STATUS, "folder/deep/bottom", NULL, 0);
    tap_ok(call.request.result == 0 && call.status.size == 7 && call.status.modified_ns > 0,
           "test_status_by_path");
    tap_equal(simple(FS_STATUS, "folder/no/bottom"), -ENOENT, "test_a_missing_folder");
    tap_equal(simple(FS_STATUS, "file/bottom"), -ENOTDIR, "test_a_file_is_no_folder");
    tap_equal(simple(FS_MKDIR, "made"), 0, "test_mkdir");
    tap_equal(simple(FS_MKDIR, "made"), -EEXIST, "test_mkdir_of_what_is_there");
    tap_equal(simple(FS_RMDIR, "folder"), -ENOTEMPTY, "test_rmdir_of_what_is_not_empty");
    tap_equal(simple(FS_UNLINK, "made"), -EISDIR, "test_unlink_of_a_directory");
    tap_equal(simple(FS_RMDIR, "made"), 0, "test_rmdir");
    io_close(must_open("folder/a", O_WRONLY | O_CREAT));
    tap_ok(by_path(FS_RENAME, "folder/a", "folder/deep/b", 0).request.result == 0 &&
               simple(FS_STATUS, "folder/a") == -ENOENT && simple(FS_UNLINK, "link/b") == 0,
           "test_rename");
    tap_equal(refused("folder", O_RDWR), -EISDIR, "test_no_directory_to_write");
    tap_equal(refused("fifo", O_RDONLY), -ENXIO, "test_a_fifo_is_refused");
    tap_equal(refused("fifo", O_RDWR | O_CREAT), -ENXIO, "test_a_fifo_is_refused_to_write");
    memset(memory, 'n', 4096);
    memory[4096] = 0;
    tap_equal(refused((char *)memory, O_RDWR | O_CREAT), -ENAMETOOLONG, "test_4096_characters");
}

static void test_links(void)
{
    struct fs_call call = by_path(FS_STATUS, "link/bottom", NULL, 0);
    tap_ok(call.request.result == 0 && call.status.size == 7, "test_a_link_on_the_way");
    call = by_path(FS_STATUS, "link/up", NULL, 0);
    tap_ok(call.request.result == 0 && call.status.size == sizeof line - 1,
           "test_a_link_behind_a_link");
    tap_equal(simple(FS_STATUS, "loop"), -ELOOP, "test_a_link_to_itself");
    tap_equal(simple(FS_STATUS, "absolute"), -ELOOP, "test_an_absolute_link");
    tap_equal(simple(FS_STATUS, "out"), -ELOOP, "test_a_link_out_of_the_share");
    io_close(must_open("dangling", O_WRONLY | O_CREAT));
    tap_equal(simple(FS_UNLINK, "folder/made"), 0, "test_a_file_is_created_where_the_link_leads");
}

static void test_directory(void)
{
    static bool seen[ENTRIES + 1];
    struct device *device = must_open("many", O_RDONLY | O_DIRECTORY);
    struct fs_entry entry = { 0 };
    unsigned count = 0;
    bool right = device != NULL;
    while (right) {
        struct fs_call call = { .operation = FS_NEXT_ENTRY, .cookie = entry.cookie };
        call.entry = &entry;
        call = on_file(device, call);
        if (call.request.result == 0)
            break;
        unsigned number = 0;
        right &= call.request.result == 1 && strncmp(entry.name, "entry-number-", 13) == 0;
        for (const char *digit = entry.name + 13; right && *digit; digit++)
            number = number * 10 + (unsigned)(*digit - '0');
        right &= number <= ENTRIES && !seen[number] && S_ISREG(entry.mode);
        seen[number % (ENTRIES + 1)] = true;
        count++;
    }
    tap_ok(right && count == ENTRIES, "test_each_of_300_entries_comes_once");
    io_close(device);
}

int main(void)
{
    tap_plan(40);
    test_translation();
    if (!board_find("virtio"))
        return tap_skip_rest("this board has no virtio");
    struct device *channel = device_find("9p/host");
    if (!tap_ok(channel != NULL, "test_the_share_is_there"))
        return tap_done();
    host = p9fs_init(channel);
    test_reading();
    test_many_in_flight();
    test_writing();
    test_appending();
    test_names();
    test_links();
    test_directory();
    return tap_done();
}
