// Directories and names as a program sees them: listing, making, removing, renaming, the working
// directory; and the folders that the kernel fixes.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/mount.h"
#include "tests/tap.h"
#include "tests/target/fake_fs.h"

static char text[FS_PATH_LIMIT];

static bool fails(int result, int error)
{
    if (result == -1 && errno == error)
        return true;
    tap_note("result %d, errno %d instead of %d", result, errno, error);
    return false;
}

static bool make_file(const char *path)
{
    int fd = creat(path, 0600);
    return fd >= 0 && close(fd) == 0;
}

// Is there an entry of this name and kind?
static bool lists(const char *path, const char *name, unsigned char type)
{
    DIR *stream = opendir(path);
    struct dirent *entry;
    bool found = false;
    while (stream && !found && (entry = readdir(stream)) != NULL)
        found = strcmp(entry->d_name, name) == 0 && entry->d_type == type;
    return stream && closedir(stream) == 0 && found;
}

// Result: the number of entries, or -1.
static int count(const char *path)
{
    int entries = 0;
    DIR *stream = opendir(path);
    if (!stream)
        return -1;
    while (readdir(stream))
        entries++;
    closedir(stream);
    return entries;
}

static void test_fixed_folders(void)
{
    tap_ok(lists("/", "dev", DT_DIR) && lists("/", "proc", DT_DIR) && lists("/", "fake", DT_DIR),
           "test_the_root_lists_the_mounts");
    tap_ok(lists("/dev", "null", DT_CHR) && lists("/dev", "ram0", DT_BLK) &&
               lists("/dev", "tty", DT_CHR),
           "test_dev_lists_the_devices");
    tap_ok(!lists("/dev", "proc/aio", DT_REG), "test_dev_lists_no_texts_of_proc");
    tap_ok(lists("/proc", "uptime", DT_REG) && lists("/proc", "sys", DT_DIR) &&
               lists("/proc/sys", "fs", DT_DIR) && lists("/proc/sys/fs", "aio-nr", DT_REG),
           "test_proc_lists_texts_and_folders");
    tap_ok(fails(mkdir("/new", 0700), EROFS) && fails(creat("/new", 0600), EROFS),
           "test_nothing_is_created_in_the_root");
    tap_ok(fails(open("/new", O_RDONLY), ENOENT) && fails(rmdir("/new"), ENOENT) &&
               fails(mkdir("/dev", 0700), EEXIST) && fails(open("/new/a", O_RDONLY), ENOENT),
           "test_the_root_says_what_is_there");
    tap_ok(fails(mkdir("/dev/new", 0700), EACCES) && fails(creat("/dev/new", 0600), EACCES) &&
               fails(unlink("/dev/null"), EACCES) && fails(unlink("/dev/new"), ENOENT) &&
               fails(rename("/dev/null", "/dev/zero"), EACCES),
           "test_nothing_is_created_or_removed_in_dev");
    tap_ok(fails(mkdir("/proc/new", 0700), EACCES) && fails(rmdir("/proc/sys"), EACCES) &&
               fails(unlink("/proc/sys"), EISDIR) && fails(rmdir("/proc/aio"), ENOTDIR),
           "test_nothing_is_created_or_removed_in_proc");
    tap_ok(fails(open("/proc/uptime/x", O_RDONLY), ENOTDIR) &&
               fails(open("/dev/null/", O_RDONLY), ENOTDIR) &&
               fails(open("/proc/sys", O_RDWR), EISDIR),
           "test_files_and_folders_are_not_mistaken_for_one_another");
}

static void test_mount_points(void)
{
    tap_ok(fails(rmdir("/fake"), EBUSY) && fails(rmdir("/"), EBUSY) &&
               fails(unlink("/fake"), EISDIR),
           "test_a_mount_point_is_not_removed");
    tap_ok(fails(rename("/fake", "/other"), EBUSY) && fails(rename("/fake/a", "/fake"), EBUSY) &&
               fails(rename("/fake", "/fake/a"), EBUSY),
           "test_a_mount_point_is_not_renamed");
    make_file("/fake/a");
    tap_ok(fails(rename("/fake/a", "/dev/a"), EXDEV), "test_no_rename_across_file_systems");
    tap_ok(fails(link("/fake/a", "/fake/b"), EPERM), "test_there_are_no_links");
    unlink("/fake/a");
}

static void test_making(void)
{
    struct stat status;
    tap_ok(mkdir("/fake/folder", 0700) == 0 && stat("/fake/folder", &status) == 0 &&
               S_ISDIR(status.st_mode),
           "test_mkdir_makes_a_directory");
    tap_ok(fails(mkdir("/fake/folder", 0700), EEXIST), "test_mkdir_of_what_is_there");
    tap_ok(fails(mkdir("/fake/none/folder", 0700), ENOENT), "test_mkdir_in_what_is_not_there");
    tap_ok(make_file("/fake/folder/file") && stat("/fake/folder/file", &status) == 0 &&
               S_ISREG(status.st_mode) && status.st_size == 0,
           "test_creat_makes_a_file");
    tap_ok(lstat("/fake/folder/file", &status) == 0 && S_ISREG(status.st_mode), "test_lstat");
    tap_ok(fails(stat("/fake/none", &status), ENOENT), "test_stat_of_what_is_not_there");
    tap_ok(fails(rmdir("/fake/folder"), ENOTEMPTY), "test_rmdir_of_a_full_directory");
    tap_ok(fails(rmdir("/fake/folder/file"), ENOTDIR), "test_rmdir_of_a_file");
    tap_ok(fails(unlink("/fake/folder"), EISDIR), "test_unlink_of_a_directory");
    tap_ok(rename("/fake/folder/file", "/fake/moved") == 0 && access("/fake/moved", F_OK) == 0 &&
               count("/fake/folder") == 0,
           "test_rename_moves_a_file");
    make_file("/fake/other");
    tap_ok(rename("/fake/moved", "/fake/other") == 0 && count("/fake") == 2,
           "test_rename_replaces_what_is_there");
    tap_ok(fails(rename("/fake/none", "/fake/x"), ENOENT), "test_rename_of_what_is_not_there");
    tap_ok(remove("/fake/other") == 0 && remove("/fake/folder") == 0 && count("/fake") == 0,
           "test_remove_takes_files_and_directories");
    tap_ok(fails(remove("/fake/none"), ENOENT), "test_remove_of_what_is_not_there");
}

static void test_streams(void)
{
    struct dirent *entry;
    mkdir("/fake/folder", 0700);
    make_file("/fake/file");
    DIR *stream = opendir("/fake");
    tap_ok(stream && dirfd(stream) >= 3, "test_opendir_has_a_descriptor");
    tap_ok((entry = readdir(stream)) != NULL && strcmp(entry->d_name, "folder") == 0 &&
               entry->d_type == DT_DIR && (entry = readdir(stream)) != NULL &&
               strcmp(entry->d_name, "file") == 0 && entry->d_type == DT_REG,
           "test_readdir_gives_names_and_kinds");
    errno = 0;
    tap_ok(readdir(stream) == NULL && errno == 0, "test_readdir_ends_without_an_error");
    rewinddir(stream);
    tap_ok((entry = readdir(stream)) != NULL && strcmp(entry->d_name, "folder") == 0,
           "test_rewinddir_begins_anew");
    int fd = dirfd(stream);
    tap_ok(closedir(stream) == 0 && fails(close(fd), EBADF), "test_closedir_closes_the_descriptor");
    errno = 0;
    tap_ok(opendir("/fake/file") == NULL && errno == ENOTDIR, "test_opendir_of_a_file");
    tap_ok(opendir("/fake/none") == NULL && errno == ENOENT, "test_opendir_of_nothing");
    fd = open("/dev/null", O_RDONLY);
    tap_ok(fdopendir(fd) == NULL && errno == ENOTDIR, "test_fdopendir_of_a_device");
    close(fd);
    tap_ok(fdopendir(fd) == NULL && errno == EBADF, "test_fdopendir_of_a_closed_descriptor");
}

static void test_working_directory(void)
{
    tap_ok(chdir("/fake/folder") == 0 && getcwd(text, sizeof text) &&
               strcmp(text, "/fake/folder") == 0,
           "test_getcwd_says_where_chdir_went");
    tap_ok(make_file("here") && access("/fake/folder/here", F_OK) == 0 && unlink("here") == 0,
           "test_relative_names_are_found_there");
    tap_ok(chdir("..") == 0 && getcwd(text, sizeof text) && strcmp(text, "/fake") == 0,
           "test_chdir_upwards");
    tap_ok(fails(chdir("file"), ENOTDIR) && fails(chdir("none"), ENOENT) &&
               getcwd(text, sizeof text) && strcmp(text, "/fake") == 0,
           "test_a_failed_chdir_changes_nothing");
    tap_ok(getcwd(text, 5) == NULL && errno == ERANGE && getcwd(text, 6) == text &&
               getcwd(text, 0) == NULL && errno == EINVAL,
           "test_getcwd_in_too_little_room");
    char *own = getcwd(NULL, 0);
    tap_ok(own && strcmp(own, "/fake") == 0, "test_getcwd_finds_room_itself");
    free(own);
    tap_ok(chdir("/") == 0 && getcwd(text, sizeof text) && strcmp(text, "/") == 0 &&
               access("dev/null", R_OK) == 0,
           "test_the_root_as_working_directory");
}

static bool make_file_with(const char *path, mode_t mode)
{
    int fd = creat(path, mode);
    return fd >= 0 && close(fd) == 0;
}

static bool pwrite_byte(int fd, off_t at)
{
    return lseek(fd, at, SEEK_SET) == at && write(fd, "x", 1) == 1;
}

static void test_umask(void)
{
    struct stat status;
    bool made = make_file_with("/tmp/at-first", 0666) && stat("/tmp/at-first", &status) == 0;
    tap_ok(made && (status.st_mode & 0777) == 0644, "test_umask_at_first");
    tap_ok(umask(027) == 022 && umask(0) == 027, "test_umask_tells_the_one_before");
    made = make_file_with("/tmp/all", 0666) && stat("/tmp/all", &status) == 0;
    tap_ok(made && (status.st_mode & 0777) == 0666, "test_umask_0_takes_nothing_away");
}

// Goal: access() says what open() does, and stat() what there is.
static void test_status_of_tmp(void)
{
    struct stat status;
    make_file_with("/tmp/mine", 0444);
    tap_ok(access("/tmp/mine", R_OK | W_OK) == 0 && fails(access("/tmp/mine", X_OK), EACCES) &&
               access("/tmp", R_OK | W_OK | X_OK) == 0,
           "test_a_file_of_tmp_is_written_whatever_its_permissions");
    tap_ok(fails(access("/proc", W_OK), EACCES) && fails(access("/proc/aio", W_OK), EACCES) &&
               access("/proc/aio", R_OK) == 0 && access("/proc", X_OK) == 0,
           "test_a_file_of_proc_is_not");
    int fd = open("/tmp/sparse", O_RDWR | O_CREAT | O_TRUNC, 0600);
    tap_ok(ftruncate(fd, 8 << 20) == 0 && fstat(fd, &status) == 0 && status.st_size == 8 << 20 &&
               status.st_blocks == 0,
           "test_a_hole_takes_no_blocks");
    tap_ok(pwrite_byte(fd, 1 << 20) && fstat(fd, &status) == 0 && status.st_blocks > 0 &&
               status.st_blocks * 512 <= 65536,
           "test_what_is_written_does");
    close(fd);
}

static void test_links(void)
{
    struct stat status;
    tap_ok(fails((int)readlink("/fake/file", text, sizeof text), EINVAL) &&
               fails((int)readlink("/fake/none", text, sizeof text), ENOENT) &&
               fails((int)readlink("/dev/null", text, sizeof text), EINVAL) &&
               fails((int)readlink("/fake/file", (char *)8, 10), EFAULT),
           "test_readlink_of_what_is_no_link");
    int fd = open("/fake/file", O_RDONLY | O_NOFOLLOW);
    tap_ok(fd >= 0 && close(fd) == 0 && lstat("/dev/null", &status) == 0 && S_ISCHR(status.st_mode),
           "test_what_is_no_link_is_opened_and_looked_at");
}

int main(void)
{
    tap_plan(52);
    mount_add("fake", fake_fs());
    test_fixed_folders();
    test_mount_points();
    test_making();
    test_streams();
    test_working_directory();
    test_umask();
    test_status_of_tmp();
    test_links();
    return tap_done();
}
