// What a path means: which file system it leads into and by which names; and what is no path.
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "board/board.h"
#include "fs/mount.h"
#include "tests/tap.h"
#include "tests/target/fake_fs.h"

static struct fs_path path;
static char text[8192];

// Does a path mean this text, with this rest, in the fake file system?
static bool leads_to(const char *from, const char *whole, const char *rest, bool directory)
{
    int error = path_resolve(from, &path);
    bool right = error == 0 && strcmp(path.text, whole) == 0 && strcmp(path.rest, rest) == 0 &&
                 path.directory == directory;
    if (!right)
        tap_note("%s: %d, \"%s\", \"%s\"", from, error, path.text, path.rest);
    return right;
}

// Result: "/fake/" and a name of this many bytes.
static const char *named(size_t bytes)
{
    strcpy(text, "/fake/");
    memset(text + 6, 'n', bytes);
    text[6 + bytes] = '\0';
    return text;
}

// Result: a path of this many bytes: "/fake", and then "/n" again and again.
static const char *long_path(size_t bytes)
{
    strcpy(text, "/fake");
    for (size_t i = 5; i < bytes; i++)
        text[i] = i % 2 ? '/' : 'n';
    text[bytes] = '\0';
    return text;
}

static void test_names(struct device *fs)
{
    tap_ok(leads_to("/fake/a/b", "/fake/a/b", "a/b", false) && path.fs == fs,
           "test_a_path_leads_into_the_file_system_that_is_mounted_there");
    tap_ok(leads_to("//fake///a//b", "/fake/a/b", "a/b", false), "test_slashes_count_once");
    tap_ok(leads_to("/fake/./a/././b", "/fake/a/b", "a/b", false), "test_dots_are_taken_out");
    tap_ok(leads_to("/fake/x/../a/y/z/../../b", "/fake/a/b", "a/b", false),
           "test_double_dots_take_the_name_before_them_out");
    tap_ok(leads_to("/fake/a/y/z/../../../x", "/fake/x", "x", false),
           "test_as_many_names_as_there_are_double_dots");
    tap_ok(leads_to("/../../fake/a", "/fake/a", "a", false), "test_above_the_root_is_the_root");
    tap_ok(leads_to("/dev/../fake/a", "/fake/a", "a", false) && path.fs == fs,
           "test_double_dots_lead_out_of_a_file_system");
    tap_ok(leads_to("/fake/...", "/fake/...", "...", false), "test_three_dots_are_a_name");
    tap_ok(leads_to("/fake", "/fake", "", false) && path.fs == fs, "test_the_mount_point_itself");
    tap_ok(leads_to("/fake/a/", "/fake/a", "a", true), "test_a_slash_at_the_end_says_directory");
    tap_ok(leads_to("/fake/a/.", "/fake/a", "a", true) &&
               leads_to("/fake/a/b/..", "/fake/a", "a", true),
           "test_dots_at_the_end_say_directory");
    tap_ok(leads_to("/", "/", "", true) && path.fs != fs, "test_the_root");
    tap_ok(leads_to("/fakes", "/fakes", "fakes", false) && path.fs != fs &&
               leads_to("/fak", "/fak", "fak", false) && path.fs != fs,
           "test_a_longer_or_shorter_name_is_not_the_mount");
}

static bool fails(const char *from, int expected)
{
    int error = path_resolve(from, &path);
    if (error != expected)
        tap_note("%s: %d", from, error);
    return error == expected;
}

// Goal: a name before ".." is one that is there.
static void test_double_dots(void)
{
    struct stat status;
    tap_ok(fails("/fake/no/../a", -ENOENT) && fails("/fake/a/no/../../a", -ENOENT) &&
               fails("/nowhere/../fake/a", -ENOENT),
           "test_no_way_leads_through_what_is_not_there");
    tap_ok(fails("/fake/f/../a", -ENOTDIR) && fails("/fake/f/..", -ENOTDIR) &&
               fails("/fake/f/./../a", -ENOTDIR) && fails("/dev/null/../zero", -ENOTDIR),
           "test_nor_through_a_file");
    tap_ok(unlink("/fake/no/../f") == -1 && errno == ENOENT && stat("/fake/f", &status) == 0,
           "test_what_is_not_meant_is_not_removed");
    tap_ok(open("/fake/f/../f", O_RDONLY) == -1 && errno == ENOTDIR &&
               stat("/fake/f/..", &status) == -1 && errno == ENOTDIR &&
               rename("/fake/f", "/fake/no/../g") == -1 && errno == ENOENT,
           "test_every_call_looks");
}

// Result: whether a call has failed so.
static bool refused(int result, int error)
{
    if (result != -1 || errno != error)
        tap_note("%d, errno %d instead of %d", result, errno, error);
    return result == -1 && errno == error;
}

static void test_dots_at_the_end(void)
{
    struct stat status;
    tap_ok(refused(rmdir("/fake/x/."), EINVAL) && refused(rmdir("/fake/x/.."), ENOTEMPTY) &&
               refused(rmdir("/fake/."), EINVAL),
           "test_dots_are_not_removed");
    tap_ok(refused(rename("/fake/x/.", "/fake/n"), EBUSY) &&
               refused(rename("/fake/f", "/fake/x/."), EBUSY) &&
               refused(rename("/fake/x", "/fake/a/.."), EBUSY),
           "test_dots_are_not_renamed");
    tap_ok(refused(unlink("/fake/x/."), EISDIR) && refused(mkdir("/fake/x/.", 0700), EEXIST) &&
               refused(mkdir("/fake/x/..", 0700), EEXIST) &&
               refused(open("/fake/x/.", O_RDONLY | O_CREAT, 0600), EISDIR) &&
               refused(open("/fake/x/.", O_RDONLY | O_CREAT | O_EXCL, 0600), EEXIST),
           "test_dots_are_not_made");
    tap_ok(refused(rmdir("/fake/no/."), ENOENT) && refused(mkdir("/fake/no/.", 0700), ENOENT) &&
               refused(open("/fake/no/.", O_WRONLY | O_CREAT, 0600), ENOENT) &&
               refused(rename("/fake/no/.", "/fake/n"), ENOENT) &&
               refused(unlink("/fake/f/."), ENOTDIR) && refused(mkdir("/fake/f/.", 0700), ENOTDIR),
           "test_what_is_not_there_is_refused_for_that");
    int fd = open("/fake/x/.", O_RDONLY | O_DIRECTORY);
    tap_ok(fd >= 0 && close(fd) == 0 && stat("/fake/x/./", &status) == 0 &&
               stat("/fake/x", &status) == 0,
           "test_dots_are_opened_and_looked_at");
}

static void test_relative(void)
{
    path_resolve("/fake/a", &path);
    path_set_working_directory(&path);
    tap_ok(leads_to("b", "/fake/a/b", "a/b", false), "test_a_relative_path");
    tap_ok(leads_to("..", "/fake", "", true) && leads_to("../../dev", "/dev", "", false),
           "test_a_relative_path_upwards");
    tap_ok(leads_to(".", "/fake/a", "a", true), "test_a_dot_is_the_working_directory");
    path_resolve("/", &path);
    path_set_working_directory(&path);
    tap_ok(leads_to("fake/b", "/fake/b", "b", false), "test_a_path_relative_to_the_root");
}

static void test_lengths(void)
{
    tap_ok(path_resolve(named(255), &path) == 0, "test_a_name_of_255_bytes");
    tap_equal(path_resolve(named(256), &path), -ENAMETOOLONG, "test_a_name_of_256_bytes");
    tap_ok(path_resolve(long_path(FS_PATH_LIMIT - 1), &path) == 0 &&
               strlen(path.text) == FS_PATH_LIMIT - 1,
           "test_a_path_as_long_as_may_be");
    tap_equal(path_resolve(long_path(FS_PATH_LIMIT), &path), -ENAMETOOLONG,
              "test_a_path_one_byte_longer");
    tap_ok(open(long_path(4096), O_RDONLY) == -1 && errno == ENAMETOOLONG,
           "test_a_path_of_4096_bytes");
    path_resolve(long_path(600), &path);
    path_set_working_directory(&path);
    long_path(700);
    tap_equal(path_resolve(text + 1, &path), -ENAMETOOLONG,
              "test_a_relative_path_that_becomes_too_long");
    path_resolve("/", &path);
    path_set_working_directory(&path);
}

// Goal: whatever a path points to, it is a result and not a fault.
static void test_addresses(void)
{
    const struct memory_range *ram = &board.ram;
    char *last = (char *)ram->base + ram->size - 1;
    tap_ok(open(NULL, O_RDONLY) == -1 && errno == EFAULT, "test_no_path_is_efault");
    tap_ok(open((char *)board.mmio[0].base, O_RDONLY) == -1 && errno == EFAULT,
           "test_a_path_in_registers_is_efault");
    tap_ok(open((char *)UINTPTR_MAX, O_RDONLY) == -1 && errno == EFAULT,
           "test_a_path_at_the_end_of_the_address_space_is_efault");
    char before = *last;
    *last = 'x';
    tap_ok(open(last, O_RDONLY) == -1 && errno == EFAULT,
           "test_a_path_that_runs_out_of_ram_is_efault");
    *last = before;
    tap_ok(open("", O_RDONLY) == -1 && errno == ENOENT, "test_an_empty_path_is_enoent");
}

static void test_mounts(struct device *fs)
{
    static char names[MOUNT_LIMIT + 1][2];
    int error = 0, added = 0;
    tap_equal(mount_add("fake", fs), -EEXIST, "test_a_mount_point_is_taken_once");
    for (; added <= MOUNT_LIMIT && !error; added += !error) {
        names[added][0] = (char)('0' + added);
        error = mount_add(names[added], fs);
    }
    tap_ok(error == -ENOSPC && added < MOUNT_LIMIT, "test_more_mounts_than_the_limit_are_enospc");
}

// Before anybody has chosen one. Some of these may be mounted already.
static void test_first_working_directory(struct device *fs)
{
    mount_add("tmp", fs);
    size_t length = path_working_directory(text);
    tap_ok((strcmp(text, "/tmp") == 0 && length == 4) || strcmp(text, "/host") == 0,
           "test_without_host_the_working_directory_is_tmp");
    mount_add("host", fs);
    length = path_working_directory(text);
    tap_ok(strcmp(text, "/host") == 0 && length == 5, "test_the_working_directory_is_host");
}

int main(void)
{
    struct device *fs = fake_fs();
    tap_plan(41);
    mount_add("fake", fs);
    test_first_working_directory(fs);
    mkdir("/fake/x", 0700); // What the paths with ".." lead through.
    mkdir("/fake/a", 0700);
    mkdir("/fake/a/y", 0700);
    mkdir("/fake/a/y/z", 0700);
    mkdir("/fake/a/b", 0700);
    close(creat("/fake/f", 0600));
    test_names(fs);
    test_double_dots();
    test_dots_at_the_end();
    test_relative();
    test_lengths();
    test_addresses();
    test_mounts(fs);
    return tap_done();
}
