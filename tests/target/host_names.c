// /host as a program sees it where names and what they mean come apart: files that are replaced
// while they are open, symbolic links, "..". By QEMU's own server.
// share: yes
// share-has: mkdir -p folder/deep em && echo bottom >folder/deep/bottom && echo file >file
// share-has: ln -s folder/deep link && ln -s file flink && ln -s /etc/passwd absolute
// share-has: ln -s . here && ln -s nowhere dangling
// share-has: mkdir tree && ln -s ../em tree/away && echo stays >em/stays
// share-has: echo ro >ro && chmod 444 ro
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/tap.h"
#include "tests/target/board_find.h"

static char text[1024];

// Result: whether a call has failed so.
static bool refused(long result, int error)
{
    if (result != -1 || errno != error)
        tap_note("%ld, errno %d instead of %d", result, errno, error);
    return result == -1 && errno == error;
}

static bool holds(const char *path, const char *expected)
{
    int fd = open(path, O_RDONLY);
    ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    close(fd);
    text[size < 0 ? 0 : size] = '\0';
    return size >= 0 && strcmp(text, expected) == 0;
}

static bool make_file(const char *path, const char *content)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    size_t size = strlen(content);
    return fd >= 0 && write(fd, content, size) == (ssize_t)size && close(fd) == 0;
}

// Goal: a descriptor never changes another file than its own, whatever its name means by now.
static void test_replaced(void)
{
    struct stat status;
    make_file("old", "of the old one");
    make_file("new", "of the new one");
    int fd = open("old", O_RDWR);
    tap_ok(ftruncate(fd, 6) == 0 && holds("old", "of the"), "test_a_file_with_its_name_is_cut");
    rename("new", "old");
    tap_ok(refused(ftruncate(fd, 0), ESTALE) && holds("old", "of the new one"),
           "test_a_replaced_file_is_not_cut_and_the_other_stays");
    tap_ok(fstat(fd, &status) == 0 && status.st_size == 6 && status.st_nlink == 0,
           "test_its_status_is_its_own");
    tap_ok(read(fd, text, sizeof text) == 6 && memcmp(text, "of the", 6) == 0,
           "test_its_bytes_are_its_own");
    close(fd);
    fd = open("old", O_RDWR);
    unlink("old");
    tap_ok(refused(ftruncate(fd, 0), ESTALE), "test_an_unlinked_file_is_not_cut");
    make_file("old", "made anew");
    tap_ok(refused(ftruncate(fd, 0), ESTALE) && holds("old", "made anew"),
           "test_nor_is_what_is_made_in_its_place");
    close(fd);
    fd = open("old", O_RDWR);
    rename("old", "elsewhere");
    make_file("old", "a third");
    tap_ok(ftruncate(fd, 4) == 0 && holds("elsewhere", "made") && holds("old", "a third"),
           "test_a_renamed_file_is_still_itself");
    close(fd);
}

static void test_double_dots(void)
{
    tap_ok(refused(unlink("nope/../file"), ENOENT) &&
               refused(open("file/../file", O_RDONLY), ENOTDIR) &&
               refused(stat("file/..", &(struct stat){ 0 }), ENOTDIR) &&
               refused(rename("nope/../file", "x"), ENOENT),
           "test_names_before_double_dots_must_be_directories");
    tap_ok(holds("folder/deep/../../file", "file\n") && holds("em/../file", "file\n"),
           "test_where_they_are_they_lead_up");
    tap_ok(refused(stat("link/../file", &(struct stat){ 0 }), ENOENT) &&
               holds("link/../deep/bottom", "bottom\n") && holds("link/../../file", "file\n"),
           "test_double_dots_behind_a_link_lead_to_its_targets_parent");
    tap_ok(holds("here/../host/file", "file\n") &&
               refused(open("dangling/../file", O_RDONLY), ENOENT) &&
               refused(open("absolute/../file", O_RDONLY), ELOOP) &&
               refused(open("flink/../file", O_RDONLY), ENOTDIR),
           "test_links_to_the_root_to_nothing_out_of_the_share_and_to_files");
    tap_ok(refused(rmdir("em/."), EINVAL) && refused(rename("em/.", "x"), EBUSY) &&
               refused(unlink("em/."), EISDIR) && refused(mkdir("em/.", 0700), EEXIST) &&
               refused(open("em/.", O_RDONLY | O_CREAT, 0600), EISDIR),
           "test_dots_at_the_end_are_refused");
    tap_ok(chdir("link") == 0 && getcwd(text, sizeof text) &&
               strcmp(text, "/host/folder/deep") == 0 && chdir("..") == 0 &&
               holds("deep/bottom", "bottom\n") && chdir("/host") == 0,
           "test_a_working_directory_behind_a_link");
}

// Removes a directory and what is in it, as rm -r does. Result: entries removed, or -1.
static int remove_tree(const char *path)
{
    char name[300];
    struct stat status;
    struct dirent *entry;
    int removed = 0;
    DIR *stream = opendir(path);
    while (stream && removed >= 0 && (entry = readdir(stream)) != NULL) {
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (lstat(name, &status) != 0)
            removed = -1;
        else if (S_ISDIR(status.st_mode))
            removed = remove_tree(name) < 0 ? -1 : removed + 1;
        else
            removed = unlink(name) < 0 ? -1 : removed + 1;
    }
    return stream && closedir(stream) == 0 && rmdir(path) == 0 ? removed : -1;
}

static void test_links(void)
{
    struct stat status;
    tap_ok(lstat("flink", &status) == 0 && S_ISLNK(status.st_mode) && status.st_size == 4 &&
               lstat("absolute", &status) == 0 && S_ISLNK(status.st_mode) &&
               lstat("dangling", &status) == 0 && S_ISLNK(status.st_mode) &&
               stat("flink", &status) == 0 && S_ISREG(status.st_mode),
           "test_lstat_tells_of_the_link");
    tap_ok(lstat("link/", &status) == 0 && S_ISDIR(status.st_mode) &&
               lstat("link/bottom", &status) == 0 && S_ISREG(status.st_mode),
           "test_unless_it_is_on_the_way");
    memset(text, '#', sizeof text);
    tap_ok(readlink("absolute", text, sizeof text) == 11 && memcmp(text, "/etc/passwd#", 12) == 0 &&
               readlink("flink", text, 2) == 2 && memcmp(text, "fitc", 4) == 0,
           "test_readlink_tells_where_it_leads");
    tap_ok(refused(readlink("file", text, 9), EINVAL) && refused(readlink("em", text, 9), EINVAL) &&
               refused(readlink("none", text, 9), ENOENT) &&
               refused(readlink("flink", text, 0), EINVAL),
           "test_readlink_of_no_link");
    tap_ok(refused(open("flink", O_WRONLY | O_TRUNC | O_NOFOLLOW), ELOOP) &&
               refused(open("flink", O_WRONLY | O_CREAT | O_NOFOLLOW, 0600), ELOOP) &&
               holds("file", "file\n"),
           "test_o_nofollow_opens_no_link_and_cuts_nothing");
    int fd = open("link/bottom", O_RDONLY | O_NOFOLLOW);
    tap_ok(fd >= 0 && close(fd) == 0, "test_o_nofollow_means_the_last_name");
    tap_ok(remove_tree("tree") == 1 && holds("em/stays", "stays\n"),
           "test_a_recursive_delete_stays_in_its_tree");
}

static void test_access(void)
{
    int fd = open("ro", O_WRONLY);
    tap_ok((fd >= 0) == (access("ro", W_OK) == 0) && access("ro", R_OK) == 0,
           "test_access_says_what_open_does");
    if (fd >= 0)
        close(fd);
    tap_ok(refused(access("ro", X_OK), EACCES) && access("em", R_OK | W_OK | X_OK) == 0 &&
               refused(access("none", F_OK), ENOENT) && refused(access("absolute", R_OK), ELOOP),
           "test_access_to_other_things");
}

int main(void)
{
    tap_plan(22);
    if (!board_find("virtio"))
        return tap_skip_rest("this board has no virtio");
    test_replaced();
    test_double_dots();
    test_links();
    test_access();
    return tap_done();
}
