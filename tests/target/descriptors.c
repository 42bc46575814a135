// Descriptors and the open files behind them: numbers, sharing, flags, and what a close does while
// requests are in flight.
#include <aio.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aio/core.h"
#include "aio/poll.h"
#include "arch/cpu.h"
#include "fs/file.h"
#include "fs/mount.h"
#include "tests/tap.h"
#include "tests/target/fake_fs.h"

static char buffer[FAKE_BYTES];

// Result: what a file that may be open holds.
static bool holds(const char *path, const char *expected)
{
    const struct fake_node *node = fake_find(path);
    size_t size = strlen(expected);
    return node && node->device.size_bytes == size && memcmp(node->data, expected, size) == 0;
}

static void test_numbers(void)
{
    int first = open("/fake/a", O_RDWR | O_CREAT, 0600), second = open("/fake/a", O_RDONLY);
    tap_ok(first == 3 && second == 4, "test_descriptors_come_lowest_first");
    close(first);
    tap_equal(dup(second), first, "test_dup_takes_the_lowest");
    tap_equal(fcntl(second, F_DUPFD, 10), 10, "test_f_dupfd_takes_the_lowest_from_there_on");
    tap_ok(fcntl(second, F_DUPFD, FILE_LIMIT) == -1 && errno == EINVAL &&
               fcntl(second, F_DUPFD, -1) == -1 && errno == EINVAL,
           "test_f_dupfd_beyond_the_table_is_einval");
    tap_equal(dup2(second, 20), 20, "test_dup2_takes_that_one");
    tap_equal(dup2(20, 20), 20, "test_dup2_to_itself_changes_nothing");
    tap_ok(dup2(50, 50) == -1 && errno == EBADF && dup2(50, 20) == -1 && errno == EBADF &&
               fcntl(20, F_GETFL) == O_RDONLY,
           "test_dup2_of_a_closed_one_is_ebadf_and_leaves_the_other_open");
    tap_ok(dup2(second, FILE_LIMIT) == -1 && errno == EBADF && dup2(second, -1) == -1 &&
               errno == EBADF && dup(-1) == -1 && errno == EBADF && dup(FILE_LIMIT) == -1,
           "test_numbers_out_of_range_are_ebadf");
    fake.releases = 0;
    for (int fd = 3; fd <= 10; fd++)
        close(fd);
    tap_equal(fake.releases, 0, "test_a_duplicate_keeps_the_file_open");
    close(20);
    tap_equal(fake.releases, 1, "test_the_last_close_releases_it");
    tap_ok(close(20) == -1 && errno == EBADF, "test_close_of_a_closed_one_is_ebadf");
}

static void test_marks(void)
{
    int fd = open("/fake/a", O_RDONLY | O_CLOEXEC), plain = open("/fake/a", O_RDONLY);
    tap_ok(fcntl(fd, F_GETFD) == FD_CLOEXEC && fcntl(plain, F_GETFD) == 0,
           "test_o_cloexec_is_remembered");
    tap_ok(fcntl(dup(fd), F_GETFD) == 0 && fcntl(dup2(fd, 20), F_GETFD) == 0 &&
               fcntl(fcntl(fd, F_DUPFD, 10), F_GETFD) == 0,
           "test_a_duplicate_is_not_marked");
    tap_ok(fcntl(fcntl(plain, F_DUPFD_CLOEXEC, 10), F_GETFD) == FD_CLOEXEC &&
               dup3(plain, 21, O_CLOEXEC) == 21 && fcntl(21, F_GETFD) == FD_CLOEXEC,
           "test_unless_that_is_asked_for");
    tap_ok(fcntl(plain, F_SETFD, FD_CLOEXEC) == 0 && fcntl(plain, F_GETFD) == FD_CLOEXEC &&
               fcntl(plain, F_SETFD, 0) == 0 && fcntl(plain, F_GETFD) == 0,
           "test_marks_are_set_and_taken_away");
    close(fd);
    tap_ok(open("/fake/a", O_RDONLY) == fd && fcntl(fd, F_GETFD) == 0,
           "test_the_next_of_that_number_is_not_marked");
    tap_ok(fcntl(50, F_GETFD) == -1 && errno == EBADF && fcntl(50, F_SETFD, 1) == -1 &&
               errno == EBADF && fcntl(-1, F_GETFD) == -1 && errno == EBADF,
           "test_marks_of_a_closed_one_are_ebadf");
    for (fd = 3; fd <= 21; fd++)
        close(fd);
}

static bool is_kind(int fd, mode_t kind)
{
    struct stat status;
    return fstat(fd, &status) == 0 && (status.st_mode & S_IFMT) == kind;
}

static void test_kinds(void)
{
    int pipe_ends[2], sockets[2];
    tap_ok(pipe(pipe_ends) == 0 && is_kind(pipe_ends[0], S_IFIFO) && is_kind(pipe_ends[1], S_IFIFO),
           "test_fstat_of_a_pipe");
    tap_ok(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0 && is_kind(sockets[0], S_IFSOCK) &&
               is_kind(sockets[1], S_IFSOCK),
           "test_fstat_of_a_socket");
    tap_ok(is_kind(0, S_IFCHR), "test_fstat_of_the_console");
    for (unsigned i = 0; i < 2; i++) {
        close(pipe_ends[i]);
        close(sockets[i]);
    }
}

static void test_full_table(void)
{
    int fd = 0, last = 0;
    while ((fd = open("/fake/a", O_RDONLY)) >= 0)
        last = fd;
    tap_ok(errno == EMFILE && last == FILE_LIMIT - 1, "test_a_full_table_is_emfile");
    tap_ok(open("/fake/new", O_WRONLY | O_CREAT, 0600) == -1 && errno == EMFILE &&
               access("/fake/new", F_OK) == -1,
           "test_what_cannot_be_opened_is_not_created");
    tap_ok(dup(0) == -1 && errno == EMFILE, "test_dup_in_a_full_table_is_emfile");
    tap_equal(dup2(3, FILE_LIMIT - 1), FILE_LIMIT - 1, "test_dup2_in_a_full_table");
    struct device stream = { .name = "stream", .ops = &fake_ops, .kind = DEVICE_STREAM };
    tap_ok(file_install(&stream, O_RDWR, 0) == -EMFILE && stream.references == 0,
           "test_a_device_for_which_there_is_no_room_is_left_alone");
    fake.releases = 0;
    for (fd = 3; fd < FILE_LIMIT; fd++)
        close(fd);
    tap_equal(fake.releases, 1, "test_a_device_opened_many_times_is_released_once");
}

static void test_failed_opens(void)
{
    fake.releases = 0;
    fake.refused_open = "gone";
    tap_ok(open("/fake/gone", O_RDWR | O_CREAT, 0600) == -1 && errno == ENXIO,
           "test_a_device_that_is_not_ready_fails_the_open");
    tap_equal(fake.releases, 1, "test_a_failed_open_releases_the_device");
    fake.refused_open = NULL;
    unlink("/fake/gone");
    tap_ok(open("/fake/a", O_RDONLY | O_DIRECTORY) == -1 && errno == ENOTDIR,
           "test_a_file_is_no_directory");
    tap_ok(open("/fake", O_RDWR) == -1 && errno == EISDIR, "test_a_directory_is_not_written");
    tap_ok(open("/fake/a", O_ACCMODE) == -1 && errno == EINVAL, "test_a_mode_that_is_none");
    tap_ok(open("/fake/a", O_RDWR | O_CREAT | O_EXCL, 0600) == -1 && errno == EEXIST,
           "test_o_excl_of_what_is_there");
    int fd = open("/fake/a", O_RDONLY | O_CLOEXEC);
    tap_equal(fd, 3, "test_failed_opens_keep_no_descriptor");
    close(fd);
}

static void test_positions(void)
{
    int fd = open("/fake/a", O_RDWR | O_TRUNC), copy = dup(fd), other = open("/fake/a", O_RDWR);
    write(fd, "one", 3);
    write(copy, "two", 3);
    tap_ok(holds("a", "onetwo"), "test_duplicates_share_the_position");
    tap_equal(lseek(other, 0, SEEK_CUR), 0, "test_another_open_has_a_position_of_its_own");
    write(other, "ONE", 3);
    tap_ok(holds("a", "ONEtwo"), "test_both_write_the_same_file");
    tap_equal(lseek(other, -2, SEEK_END), 4, "test_lseek_from_the_end_asks_the_file");
    tap_ok(read(other, buffer, 10) == 2 && buffer[0] == 'w' && read(other, buffer, 10) == 0,
           "test_a_read_ends_with_the_file");
    tap_ok(ftruncate(fd, 2) == 0 && holds("a", "ON"), "test_ftruncate");
    tap_ok(ftruncate(fd, FAKE_BYTES + 1) == -1 && errno == EFBIG && ftruncate(fd, -1) == -1 &&
               errno == EINVAL,
           "test_ftruncate_says_what_the_file_system_says");
    close(other);
    close(copy);
    close(fd);
    other = open("/fake/a", O_RDONLY);
    tap_ok(ftruncate(other, 0) == -1 && errno == EINVAL && write(other, "x", 1) == -1 &&
               errno == EBADF && holds("a", "ON"),
           "test_a_file_open_for_reading_is_not_changed");
    close(other);
    tap_ok(truncate("/fake/a", 1) == 0 && holds("a", "O"), "test_truncate_by_name");
    tap_ok(truncate("/fake", 0) == -1 && errno == EISDIR, "test_truncate_of_a_directory");
}

static void test_append(void)
{
    int fd = open("/fake/a", O_WRONLY | O_APPEND | O_TRUNC), other = open("/fake/a", O_WRONLY);
    write(fd, "end", 3);
    write(other, "start", 5);
    write(fd, "!", 1);
    tap_ok(holds("a", "start!"), "test_an_appending_write_goes_to_the_end");
    tap_equal(lseek(fd, 0, SEEK_CUR), 6, "test_the_position_is_behind_what_was_appended");
    struct aiocb block = { .aio_fildes = fd, .aio_buf = "?", .aio_nbytes = 1, .aio_offset = 0 };
    aio_write(&block);
    tap_ok(aio_return(&block) == 1 && holds("a", "start!?"), "test_aio_write_appends_too");
    fcntl(fd, F_SETFL, 0);
    lseek(fd, 0, SEEK_SET);
    write(fd, "S", 1);
    tap_ok(holds("a", "Start!?"), "test_o_append_is_cleared_by_fcntl");
    fcntl(other, F_SETFL, O_APPEND);
    write(other, ".", 1);
    tap_ok(holds("a", "Start!?."), "test_o_append_is_set_by_fcntl");
    close(fd);
    close(other);
}

static void test_flags(void)
{
    int fd = open("/fake/a", O_RDWR | O_CREAT | O_TRUNC | O_NONBLOCK, 0600), copy = dup(fd);
    tap_equal(fcntl(fd, F_GETFL), O_RDWR | O_NONBLOCK, "test_f_getfl_tells_mode_and_status");
    fcntl(copy, F_SETFL, O_APPEND | O_WRONLY);
    tap_equal(fcntl(fd, F_GETFL), O_RDWR | O_APPEND, "test_f_setfl_is_shared_and_keeps_the_mode");
    tap_ok(fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && fcntl(fd, F_GETFD) >= 0, "test_f_setfd");
    tap_ok(fcntl(fd, 77) == -1 && errno == EINVAL, "test_an_unknown_fcntl_is_einval");
    close(fd);
    close(copy);
    tap_ok(fcntl(fd, F_GETFL) == -1 && errno == EBADF && fcntl(fd, F_SETFL, 0) == -1 &&
               errno == EBADF && fcntl(fd, F_GETFD) == -1 && errno == EBADF,
           "test_fcntl_of_a_closed_one_is_ebadf");
    fd = open("/fake", O_RDONLY);
    tap_ok(read(fd, buffer, 1) == -1 && errno == EISDIR, "test_a_directory_is_not_read");
    tap_ok(write(fd, buffer, 1) == -1 && errno == EBADF && fsync(fd) == 0,
           "test_a_directory_can_be_flushed");
    close(fd);
}

static struct aiocb held_read(int fd)
{
    struct aiocb block = { .aio_fildes = fd, .aio_buf = buffer, .aio_nbytes = 3 };
    memset(buffer, 0, sizeof buffer);
    fake.hold = true;
    fake.releases = 0;
    return block;
}

static void test_close_in_flight(void)
{
    int fd = open("/fake/b", O_RDWR | O_CREAT, 0600);
    write(fd, "bytes", 5);
    struct aiocb block = held_read(fd);
    aio_read(&block);
    close(fd);
    tap_ok(aio_error(&block) == EINPROGRESS && fake.releases == 0,
           "test_a_read_in_flight_outlives_its_descriptor");
    unlink("/fake/b");
    fake_let_go();
    tap_ok(aio_error(&block) == 0 && aio_return(&block) == 3 && memcmp(buffer, "byt", 3) == 0,
           "test_it_completes_as_if_nothing_had_been_closed_or_unlinked");
    tap_equal(fake.releases, 1, "test_the_device_is_released_once_after_it");
}

static void test_reopen_while_closing(void)
{
    int fd = open("/fake/c", O_RDWR | O_CREAT, 0600);
    write(fd, "cold", 4);
    struct aiocb block = held_read(fd);
    aio_read(&block);
    close(fd);
    fd = open("/fake/c", O_RDONLY);
    fake_let_go();
    tap_ok(aio_return(&block) == 3 && fake.releases == 0, "test_opening_anew_takes_a_closing_back");
    tap_ok(read(fd, buffer, 4) == 4 && memcmp(buffer, "cold", 4) == 0,
           "test_what_was_opened_anew_works");
    close(fd);
    tap_equal(fake.releases, 1, "test_and_is_released_with_its_last_close");
    fd = open("/fake/c", O_RDONLY);
    tap_ok(read(fd, buffer, 4) == 4, "test_a_released_device_is_given_out_again");
    close(fd);
    tap_equal(fake.releases, 2, "test_and_released_again");
}

static void test_unlink_while_open(void)
{
    struct stat status;
    int fd = open("/fake/d", O_RDWR | O_CREAT, 0600);
    write(fd, "kept", 4);
    unlink("/fake/d");
    tap_ok(access("/fake/d", F_OK) == -1 && errno == ENOENT && lseek(fd, 0, SEEK_SET) == 0 &&
               read(fd, buffer, 9) == 4 && fstat(fd, &status) == 0 && status.st_nlink == 0,
           "test_an_unlinked_file_stays_until_it_is_closed");
    int other = open("/fake/d", O_RDWR | O_CREAT | O_EXCL, 0600);
    tap_ok(other >= 0 && read(other, buffer, 9) == 0, "test_its_name_is_free_at_once");
    close(fd);
    close(other);
    unlink("/fake/d");
}

static int poll_fd(int fd, struct io_request *poll, unsigned events)
{
    uint32_t flags = irq_save();
    int error = file_poll_locked(fd, poll, events);
    irq_restore(flags);
    return error;
}

static void test_polls(void)
{
    struct io_request poll = { .result = 0 };
    int fd = open("/fake/c", O_RDWR);
    struct device *device = file_snapshot(fd).device;
    tap_ok(poll_fd(fd, &poll, IO_READY_READ) == 0 && io_wait(&poll) == IO_READY_READ,
           "test_a_poll_of_a_ready_file");
    held_read(fd);
    poll_fd(fd, &poll, IO_READY_READ);
    close(fd);
    tap_ok(io_in_flight(&poll) && fake.releases == 0, "test_a_poll_outlives_its_descriptor");
    fake.hold = false;
    device_ready(device);
    tap_ok(io_wait(&poll) == IO_READY_READ && fake.releases == 1,
           "test_the_device_is_released_after_the_poll");
    tap_equal(poll_fd(fd, &poll, IO_READY_READ), -EBADF, "test_a_poll_of_a_closed_one_is_ebadf");
}

int main(void)
{
    tap_plan(69);
    mount_add("fake", fake_fs());
    test_numbers();
    test_marks();
    test_kinds();
    test_full_table();
    test_failed_opens();
    test_positions();
    test_append();
    test_flags();
    test_close_in_flight();
    test_reopen_while_closing();
    test_unlink_while_open();
    test_polls();
    return tap_done();
}
