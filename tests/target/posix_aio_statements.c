// POSIX AIO, statement by statement (1 to 20): aio_read, aio_write, aio_error, aio_return. Each
// test is named after its number. What stands here on a fake file system holds on any other too.
// sd: 8M
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "fs/mount.h"
#include "tests/tap.h"
#include "tests/target/aio_blocks.h"
#include "tests/target/fake_fs.h"
#include "tests/target/held_device.h"

enum { BLOCK = 4096 };

static const off_t offset_limit = (off_t)(((uint64_t)1 << (sizeof(off_t) * 8 - 1)) - 1);
static char buffer[BLOCK], pattern[BLOCK];
static struct held_device held;
static volatile int calls;
static struct aiocb *seen_block;
static int seen_error, seen_value;

static void on_complete(union sigval value)
{
    seen_value = value.sival_int;
    seen_error = seen_block ? aio_error(seen_block) : -1;
    calls++;
}

static int read_errno(struct aiocb *block)
{
    errno = 0;
    return aio_read(block) == -1 ? errno : 0;
}

static int write_errno(struct aiocb *block)
{
    errno = 0;
    return aio_write(block) == -1 ? errno : 0;
}

// ---- 1 to 6: accepted or refused

static void test_accepted(int ram)
{
    struct aiocb block = block_for(ram, pattern, BLOCK, 0);
    tap_ok(aio_write(&block) == 0 && wait_for(&block) == 0 && aio_return(&block) == BLOCK,
           "test_statement_01_success_is_0");
    calls = 0;
    struct aiocb refused = block_for(ram, buffer, BLOCK, 0);
    refused.aio_sigevent = event_by_function(on_complete, 1);
    refused.aio_reqprio = -1;
    int result = aio_read(&refused);
    refused = block_for(ram, buffer, BLOCK, 0);
    refused.aio_sigevent = event_by_signal(SIGUSR1, 1); // Would end the program.
    refused.aio_reqprio = -1;
    result += aio_read(&refused);
    block = block_for(ram, buffer, BLOCK, 0);
    block.aio_sigevent = event_by_function(on_complete, 2);
    aio_read(&block);
    tap_ok(result == -2 && reaches(&calls, 1) && seen_value == 2,
           "test_statement_01_refused_request_is_not_notified_of");
}

static void test_bad_descriptors(void)
{
    struct aiocb block = block_for(77, buffer, BLOCK, 0);
    block.aio_sigevent = event_by_function(on_complete, 3);
    calls = 0;
    tap_ok(aio_read(&block) == 0 && wait_for(&block) == EBADF && aio_return(&block) == -1 &&
               errno == EBADF,
           "test_statement_02_bad_descriptor_is_accepted_and_fails_with_EBADF");
    tap_ok(reaches(&calls, 1) && seen_value == 3,
           "test_statement_02_bad_descriptor_is_notified_of");
    int reader = open("/dev/ram0", O_RDONLY), writer = open("/dev/ram0", O_WRONLY);
    block = block_for(reader, buffer, BLOCK, 0);
    bool writes = aio_write(&block) == 0 && wait_for(&block) == EBADF;
    block = block_for(writer, buffer, BLOCK, 0);
    tap_ok(writes && aio_read(&block) == 0 && wait_for(&block) == EBADF,
           "test_statement_02_wrong_mode_fails_with_EBADF");
    block = block_for(-1, buffer, BLOCK, -1);
    tap_ok(aio_write(&block) == 0 && wait_for(&block) == EBADF,
           "test_statement_02_negative_descriptor_fails_with_EBADF");
    close(reader);
    close(writer);
}

static void test_refusals(int ram)
{
    struct aiocb block = block_for(ram, buffer, BLOCK, -1);
    tap_ok(read_errno(&block) == EINVAL && write_errno(&block) == EINVAL,
           "test_statement_03_negative_offset_is_EINVAL");
    block = block_for(ram, buffer, BLOCK, 0);
    block.aio_reqprio = -1;
    bool negative = read_errno(&block) == EINVAL && write_errno(&block) == EINVAL;
    block.aio_reqprio = AIO_PRIO_DELTA_MAX + 1;
    tap_ok(negative && read_errno(&block) == EINVAL,
           "test_statement_04_priority_out_of_range_is_EINVAL_at_once");
    block.aio_fildes = 77;
    tap_equal(read_errno(&block), EINVAL,
              "test_statement_04_priority_is_found_before_a_bad_descriptor");
    block = block_for(ram, buffer, BLOCK, 0);
    block.aio_reqprio = AIO_PRIO_DELTA_MAX;
    tap_ok(read_errno(&block) == 0 && wait_for(&block) == 0,
           "test_statement_04_the_largest_priority_is_accepted");
    block = block_for(ram, buffer, (size_t)SSIZE_MAX + 1, 0);
    bool silent = read_errno(&block) == EINVAL;
    struct aiocb good = block_for(ram, buffer, BLOCK, 0);
    good.aio_sigevent = event_by_function(on_complete, 0);
    calls = 0;
    aio_read(&good);
    reaches(&calls, 1); // There is a free slot that a usual request may have.
    block.aio_sigevent = event_by_function(on_complete, 0);
    tap_ok(silent && read_errno(&block) == EINVAL && write_errno(&block) == EINVAL,
           "test_statement_05_size_beyond_SSIZE_MAX_is_EINVAL");
}

static void test_priorities(void)
{
    struct aiocb blocks[4];
    const int order[] = { 0, 3, 2, 1 };
    int fd = held_open(&held, DEVICE_BLOCK, O_RDWR);
    for (int i = 0; i < 4; i++) {
        blocks[i] = block_for(fd, buffer + i, 1, 0);
        blocks[i].aio_reqprio = AIO_PRIO_DELTA_MAX - i;
        aio_read(&blocks[i]);
    }
    held_end_all(&held);
    bool sorted = true;
    for (int i = 0; i < 4; i++)
        sorted &= held.log[i].buffer == buffer + order[i] && wait_for(&blocks[i]) == 0;
    tap_ok(sorted, "test_statement_04_requests_wait_in_the_order_of_their_priority");
    close(fd);
}

static void test_full_pool(void)
{
    static struct aiocb blocks[AIO_MAX + 1];
    int fd = held_open(&held, DEVICE_STREAM, O_RDWR), good = 0;
    for (int i = 0; i <= AIO_MAX; i++)
        blocks[i] = block_for(fd, buffer + i, 1, 0);
    for (int i = 0; i < AIO_MAX; i++)
        good += aio_read(&blocks[i]) == 0;
    struct aiocb *one_more = &blocks[AIO_MAX];
    bool silent = read_errno(one_more) == EAGAIN;
    one_more->aio_sigevent = event_by_function(on_complete, 0);
    tap_ok(good == AIO_MAX && silent && read_errno(one_more) == EAGAIN && aio_error(one_more) == -1,
           "test_statement_06_request_beyond_AIO_MAX_is_EAGAIN");
    held_end(&held, 1);
    tap_ok(read_errno(one_more) == 0, "test_statement_06_a_place_is_free_when_a_request_is_done");
    held_end_all(&held);
    good = 0;
    for (int i = 0; i <= AIO_MAX; i++)
        good += done_with(&blocks[i], 1);
    tap_equal(good, AIO_MAX + 1, "test_statement_06_all_of_a_full_pool_complete");
    tap_ok(AIO_MAX >= 128 && AIO_MAX <= 1022 && sysconf(_SC_AIO_MAX) == AIO_MAX,
           "test_statement_06_AIO_MAX_is_what_sysconf_says");
    close(fd);
}

// ---- 7 to 13: where the bytes are

static void test_places(int ram)
{
    struct aiocb block = block_for(ram, buffer, BLOCK, 0);
    block.aio_lio_opcode = LIO_WRITE;
    memset(buffer, 0, BLOCK);
    tap_ok(aio_read(&block) == 0 && wait_for(&block) == 0 && memcmp(buffer, pattern, BLOCK) == 0,
           "test_statement_07_the_opcode_is_ignored");
    lseek(ram, 1000, SEEK_SET);
    block = block_for(ram, pattern, 100, 5000);
    aio_write(&block);
    bool written = wait_for(&block) == 0;
    struct aiocb back = block_for(ram, buffer, 100, 5000);
    aio_read(&back);
    tap_ok(written && wait_for(&back) == 0 && memcmp(buffer, pattern, 100) == 0,
           "test_statement_08_the_offset_is_absolute");
    tap_equal(lseek(ram, 0, SEEK_CUR), 1000, "test_statement_08_the_file_offset_is_not_moved");
}

static void test_append(void)
{
    struct aiocb blocks[3];
    const int priorities[] = { 7, 3, 0 };
    int fd = held_open(&held, DEVICE_FILE, O_WRONLY | O_APPEND);
    bool good = true;
    for (int i = 0; i < 3; i++) {
        blocks[i] = block_for(fd, pattern + i, 1, 100 - i);
        blocks[i].aio_reqprio = priorities[i];
        good &= aio_write(&blocks[i]) == 0;
    }
    held_end_all(&held);
    for (int i = 0; i < 3; i++)
        good &= held.log[i].buffer == pattern + i && held.log[i].flags & IO_APPEND &&
                done_with(&blocks[i], 1);
    tap_ok(good, "test_statement_09_appended_in_the_order_of_the_calls");
    close(fd);

    fd = open("/fake/file", O_RDWR | O_CREAT | O_APPEND, 0600);
    for (int i = 0; i < 3; i++) {
        blocks[i] = block_for(fd, pattern + i, 1, 50);
        aio_write(&blocks[i]);
    }
    for (int i = 0; i < 3; i++)
        wait_for(&blocks[i]);
    lseek(fd, 0, SEEK_SET);
    tap_ok(read(fd, buffer, 4) == 3 && memcmp(buffer, pattern, 3) == 0,
           "test_statement_09_the_offset_of_an_append_is_ignored");
    close(fd);
}

static void test_unseekable(void)
{
    int fd = open("/dev/null", O_RDWR);
    struct aiocb block = block_for(fd, buffer, 10, -7);
    tap_ok(aio_write(&block) == 0 && wait_for(&block) == 0 && aio_return(&block) == 10,
           "test_statement_10_unseekable_descriptor_ignores_the_offset");
    block.aio_sigevent = event_by_function(on_complete, 0);
    block.aio_offset = offset_limit;
    tap_ok(aio_write(&block) == 0 && wait_for(&block) == 0 && aio_return(&block) == 10,
           "test_statement_10_unseekable_descriptor_has_no_offset_maximum");
    close(fd);
}

static void test_ends(int fd, const char *name)
{
    off_t size = lseek(fd, 0, SEEK_END);
    struct aiocb block = block_for(fd, buffer, BLOCK, size - 100);
    aio_read(&block);
    bool good = wait_for(&block) == 0 && aio_return(&block) == 100;
    block = block_for(fd, buffer, BLOCK, size);
    aio_read(&block);
    good &= wait_for(&block) == 0 && aio_return(&block) == 0;
    block = block_for(fd, buffer, BLOCK, size + 1000);
    aio_read(&block);
    tap_ok(good && wait_for(&block) == 0 && aio_return(&block) == 0, name);
}

static void test_offset_maximum(void)
{
    int fd = held_open(&held, DEVICE_FILE, O_RDWR);
    struct aiocb block = block_for(fd, buffer, BLOCK, offset_limit);
    tap_ok(aio_write(&block) == 0 && wait_for(&block) == EFBIG && aio_return(&block) == -1 &&
               held.started == 0,
           "test_statement_12_write_at_the_offset_maximum_is_EFBIG");
    block = block_for(fd, buffer, BLOCK, offset_limit - 10);
    block.aio_sigevent = event_by_function(on_complete, 0);
    aio_write(&block);
    tap_equal((long long)held.log[0].size, 10,
              "test_statement_12_write_across_the_offset_maximum_is_short");
    held_end_all(&held);
    tap_ok(wait_for(&block) == 0 && aio_return(&block) == 10,
           "test_statement_12_a_short_write_says_how_much");
    block = block_for(fd, buffer, 0, offset_limit);
    aio_write(&block);
    held_end_all(&held);
    tap_equal(wait_for(&block), 0, "test_statement_12_write_of_nothing_is_no_error");

    held.device.size_bytes = (uint64_t)offset_limit + 100;
    block = block_for(fd, buffer, BLOCK, offset_limit);
    tap_ok(aio_read(&block) == 0 && wait_for(&block) == EOVERFLOW,
           "test_statement_13_read_before_the_end_at_the_offset_maximum_is_EOVERFLOW");
    held.device.size_bytes = 100;
    block = block_for(fd, buffer, BLOCK, offset_limit);
    aio_read(&block);
    held_end(&held, 0);
    tap_ok(wait_for(&block) == 0 && aio_return(&block) == 0,
           "test_statement_13_read_behind_the_end_is_none");
    close(fd);
    fd = held_open(&held, DEVICE_FILE, O_WRONLY | O_APPEND);
    held.device.size_bytes = (uint64_t)offset_limit;
    block = block_for(fd, buffer, BLOCK, 0);
    tap_ok(aio_write(&block) == 0 && wait_for(&block) == EFBIG,
           "test_statement_12_append_at_the_offset_maximum_is_EFBIG");
    close(fd);
}

// ---- 14 to 20: status and result

static siginfo_t seen_info;

static void on_signal(int number, siginfo_t *info, void *context)
{
    (void)number, (void)context;
    seen_info = *info;
    seen_error = aio_error(seen_block);
    calls++;
}

static void test_notified_when_done(int ram)
{
    struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };
    sigaction(SIGUSR1, &action, NULL);
    struct aiocb block = block_for(ram, buffer, BLOCK, 0);
    seen_block = &block;
    calls = 0;
    block.aio_sigevent = event_by_function(on_complete, 14);
    aio_read(&block);
    tap_ok(reaches(&calls, 1) && seen_error == 0 && seen_value == 14 && done_with(&block, BLOCK),
           "test_statement_14_status_is_final_before_the_function_is_called");
    block.aio_sigevent = event_by_signal(SIGUSR1, 15);
    aio_read(&block);
    tap_ok(reaches(&calls, 2) && seen_error == 0 && done_with(&block, BLOCK),
           "test_statement_14_status_is_final_before_the_signal_is_seen");
    tap_ok(seen_info.si_code == SI_ASYNCIO && seen_info.si_value.sival_int == 15 &&
               seen_info.si_signo == SIGUSR1,
           "test_statement_14_si_code_is_SI_ASYNCIO_and_the_value_is_copied");
    seen_block = NULL;
}

static void test_status(void)
{
    int fd = held_open(&held, DEVICE_BLOCK, O_RDWR);
    struct aiocb never = block_for(fd, buffer, BLOCK, 0), block = never;
    errno = 0;
    tap_ok(aio_error(&never) == -1 && errno == EINVAL && aio_return(&never) == -1,
           "test_statement_16_block_never_submitted_is_EINVAL");
    aio_read(&block);
    tap_ok(aio_error(&block) == EINPROGRESS && aio_error(&block) == EINPROGRESS,
           "test_statement_15_a_request_in_progress_is_EINPROGRESS");
    errno = 0;
    tap_ok(aio_return(&block) == -1 && errno == EINVAL && aio_error(&block) == EINPROGRESS,
           "test_statement_18_aio_return_of_a_request_in_progress_is_harmless");
    held_end(&held, 7);
    tap_ok(aio_error(&block) == 0 && aio_error(&block) == 0,
           "test_statement_15_then_0_as_often_as_asked");
    struct aiocb copy = block;
    errno = 0;
    tap_ok(aio_error(&copy) == -1 && errno == EINVAL && aio_return(&copy) == -1,
           "test_statement_16_a_copy_of_a_block_was_never_submitted");
    bool first = aio_return(&block) == 7;
    errno = 0;
    tap_ok(first && aio_return(&block) == -1 && errno == EINVAL,
           "test_statement_17_aio_return_twice_is_EINVAL");
    errno = 0;
    tap_ok(aio_error(&block) == -1 && errno == EINVAL,
           "test_statement_16_a_block_already_retrieved_is_EINVAL");
    aio_write(&block);
    held_end(&held, -EIO);
    bool failed = aio_error(&block) == EIO && aio_error(&block) == EIO;
    errno = 0;
    tap_ok(failed && aio_return(&block) == -1 && errno == EIO,
           "test_statement_19_a_failed_request_returns_minus_1");
    aio_read(&block);
    held_end(&held, 9);
    tap_ok(done_with(&block, 9), "test_statement_20_the_block_can_be_used_again_after_aio_return");
    close(fd);
}

int main(void)
{
    int ram = open("/dev/ram0", O_RDWR), disk = open("/dev/disk", O_RDWR);
    tap_plan(44);
    mount_add("fake", fake_fs());
    for (int i = 0; i < BLOCK; i++)
        pattern[i] = (char)(i * 7 + i / 256);
    test_accepted(ram);
    test_bad_descriptors();
    test_refusals(ram);
    test_priorities();
    test_full_pool();
    test_places(ram);
    test_append();
    test_unseekable();
    test_ends(ram, "test_statement_11_short_at_the_end_of_the_ram_disk");
    test_ends(disk, "test_statement_11_short_at_the_end_of_the_disk");
    test_offset_maximum();
    test_notified_when_done(ram);
    test_status();
    return tap_done();
}
