// The RAM file system's names: what is refused and why, rename, directories read while entries come
// and go.
// sources: fs/ramfs.c fs/ramfs_tree.c fs/ramfs_blocks.c fs/ramfs_queue.c fs/ramfs_io.c
// sources: dma/dma.c aio/core.c aio/unwind.c aio/poll.c
#include "tests/host/ramfs_machine.h"

enum { BYTES = 1 << 20, DEPTH = 20 };

// Makes a file that nobody has open.
static void make_file(const char *path)
{
    io_close(open_file(path, O_RDWR | O_CREAT));
}

static void make_directory(const char *path)
{
    by_path(FS_MKDIR, path, NULL);
}

static int status_error(const char *path, bool directory, struct fs_status *status)
{
    struct fs_call call = { .operation = FS_STATUS, .path = path, .directory = directory };
    int error = ask(fs, &call);
    if (status)
        *status = call.status;
    return error;
}

static uint32_t links_of(const char *path)
{
    struct fs_status status = { 0 };
    status_error(path, false, &status);
    return status.links;
}

static void test_open(void)
{
    machine_reset(BYTES);
    make_file("file");
    make_directory("directory");
    tap_ok(open_error("nothing", O_RDWR) == -ENOENT && open_error("no/thing", O_CREAT) == -ENOENT &&
               open_error("file/thing", O_CREAT) == -ENOTDIR,
           "test_open_of_what_is_not_there");
    tap_ok(open_error("file", O_CREAT | O_EXCL | O_RDWR) == -EEXIST &&
               open_error("directory", O_CREAT | O_EXCL) == -EEXIST &&
               open_error("fresh", O_CREAT | O_EXCL | O_RDWR) == 0,
           "test_o_excl_wants_a_new_name");
    tap_ok(open_error("directory", O_RDWR) == -EISDIR &&
               open_error("directory", O_WRONLY) == -EISDIR &&
               open_error("directory", O_CREAT) == -EISDIR &&
               open_error("directory", O_TRUNC) == -EISDIR && open_error("", O_RDWR) == -EISDIR,
           "test_a_directory_is_not_opened_for_writing");
    struct fs_call slash = {
        .operation = FS_OPEN, .path = "new", .directory = true, .flags = O_CREAT
    };
    tap_ok(open_error("file", O_DIRECTORY) == -ENOTDIR &&
               open_error("directory", O_DIRECTORY) == 0 && open_error("", O_DIRECTORY) == 0 &&
               open_error("x", O_DIRECTORY | O_CREAT) == -EINVAL && ask(fs, &slash) == -EISDIR &&
               (slash.path = "file", ask(fs, &slash)) == -ENOTDIR,
           "test_what_must_be_a_directory");
    struct device *directory = open_file("directory", O_RDONLY);
    char byte;
    tap_ok(directory->kind == DEVICE_DIRECTORY && read_at(directory, &byte, 1, 0) == -EISDIR &&
               truncate_to(directory, 0) == -EINVAL &&
               transfer(fs, IO_READ, &byte, 1, 0) == -EISDIR,
           "test_a_directory_is_neither_read_nor_truncated");
    struct device *file = open_file("file", O_RDWR);
    struct fs_call call = { .operation = FS_MKDIR, .path = "a" };
    tap_ok(ask(file, &call) == -ENOTSUP &&
               (call.operation = FS_NEXT_ENTRY, ask(file, &call)) == -ENOTDIR &&
               (call.operation = FS_TRUNCATE, ask(fs, &call)) == -ENOTSUP,
           "test_calls_to_the_wrong_device");
}

static void test_status(void)
{
    struct fs_status file, directory, root;
    machine_reset(BYTES);
    make_file("file");
    make_directory("directory");
    status_error("file", false, &file);
    status_error("directory", true, &directory);
    status_error("", true, &root);
    tap_ok(file.mode == (S_IFREG | 0640) && file.links == 1 && file.size == 0 &&
               file.block_bytes == BLOCK && directory.mode == (S_IFDIR | 0700) &&
               directory.links == 2 && root.mode == (S_IFDIR | 01777) && root.links == 3,
           "test_status_tells_kind_permissions_and_links");
    tap_ok(file.inode != directory.inode && file.inode != root.inode &&
               directory.inode != root.inode && file.inode != 0,
           "test_inode_numbers_differ");
    tap_ok(root.modified_ns >= directory.modified_ns && directory.modified_ns > file.modified_ns,
           "test_a_directory_changes_with_its_entries");
    tap_ok(status_error("file", true, NULL) == -ENOTDIR &&
               status_error("none", false, NULL) == -ENOENT,
           "test_status_of_what_is_not_there");
}

static void test_names(void)
{
    char name[FS_NAME_LIMIT + 2], path[DEPTH * (FS_NAME_LIMIT + 1) + 1];
    machine_reset(MACHINE_BYTES);
    memset(name, 'n', sizeof name);
    name[FS_NAME_LIMIT + 1] = '\0';
    bool refused = open_error(name, O_CREAT) == -ENAMETOOLONG &&
                   by_path(FS_MKDIR, name, NULL) == -ENAMETOOLONG &&
                   by_path(FS_UNLINK, name, NULL) == -ENAMETOOLONG;
    name[FS_NAME_LIMIT] = '\0';
    tap_ok(refused && by_path(FS_MKDIR, name, NULL) == 0, "test_a_name_of_256_bytes_is_too_long");
    strcpy(path, name);
    bool made = true;
    for (unsigned i = 1; i < DEPTH; i++) {
        strcat(path, "/");
        strcat(path, name);
        made &= by_path(FS_MKDIR, path, NULL) == 0;
    }
    tap_ok(made && by_path(FS_MKDIR, path, NULL) == -EEXIST, "test_directories_of_any_depth");
    make_file("ab");
    make_file("abc");
    tap_ok(by_path(FS_UNLINK, "a", NULL) == -ENOENT && by_path(FS_UNLINK, "abc", NULL) == 0 &&
               by_path(FS_UNLINK, "abc", NULL) == -ENOENT && by_path(FS_UNLINK, "ab", NULL) == 0,
           "test_a_name_is_its_whole_name");
    for (unsigned i = DEPTH; i > 0; i--) {
        made &= by_path(FS_RMDIR, path, NULL) == 0;
        *(strrchr(path, '/') ? strrchr(path, '/') : path) = '\0';
    }
    tap_ok(made && all_is_free(), "test_removed_directories_are_free_inodes");
}

static void test_removing(void)
{
    machine_reset(BYTES);
    make_directory("d");
    make_directory("d/e");
    make_file("d/f");
    tap_ok(by_path(FS_RMDIR, "d", NULL) == -ENOTEMPTY &&
               by_path(FS_RMDIR, "d/f", NULL) == -ENOTDIR &&
               by_path(FS_RMDIR, "x", NULL) == -ENOENT && by_path(FS_RMDIR, "", NULL) == -EBUSY,
           "test_rmdir_wants_an_empty_directory");
    tap_ok(by_path(FS_UNLINK, "d", NULL) == -EISDIR && by_path(FS_UNLINK, "", NULL) == -EISDIR,
           "test_unlink_does_not_remove_directories");
    bool three = links_of("d") == 3;
    by_path(FS_RMDIR, "d/e", NULL);
    tap_ok(three && links_of("d") == 2, "test_a_directory_links_to_its_parent");
    struct device *open = open_file("d", O_RDONLY);
    by_path(FS_UNLINK, "d/f", NULL);
    by_path(FS_RMDIR, "d", NULL);
    bool gone = status_of(open).links == 0 && open_error("d/g", O_CREAT) == -ENOENT;
    struct fs_entry entry;
    struct fs_call call = { .operation = FS_NEXT_ENTRY, .entry = &entry };
    gone &= ask(open, &call) == 0;
    io_close(open);
    tap_ok(gone && all_is_free(), "test_a_removed_directory_that_is_open_is_empty");
}

static int rename_error(const char *from, const char *to)
{
    return by_path(FS_RENAME, from, to);
}

static void test_rename(void)
{
    machine_reset(BYTES);
    make_file("f");
    make_file("g");
    make_directory("d");
    make_directory("d/sub");
    make_directory("e");
    make_file("e/h");
    tap_ok(rename_error("x", "y") == -ENOENT && rename_error("f", "x/y") == -ENOENT &&
               rename_error("f", "g/y") == -ENOTDIR && rename_error("", "y") == -EBUSY &&
               rename_error("d", "") == -EBUSY,
           "test_rename_of_and_to_what_is_not_there");
    tap_ok(rename_error("f", "d") == -EISDIR && rename_error("d", "f") == -ENOTDIR &&
               rename_error("d", "e") == -ENOTEMPTY,
           "test_rename_over_the_wrong_kind");
    tap_ok(rename_error("d", "d/sub/new") == -EINVAL && rename_error("d", "d/new") == -EINVAL &&
               rename_error("d/sub", "d") == -ENOTEMPTY,
           "test_a_directory_does_not_move_into_itself");
    struct fs_call slash = { .operation = FS_RENAME, .path = "f", .to = "y", .directory = true };
    tap_ok(ask(fs, &slash) == -ENOTDIR && rename_error("f", "f") == 0 &&
               status_error("f", false, NULL) == 0,
           "test_renaming_a_file_to_itself_does_nothing");

    struct device *f = open_file("f", O_RDWR), *g = open_file("g", O_RDWR);
    uint8_t byte = 7;
    write_at(f, &byte, 1, 0);
    write_at(g, &byte, 1, 0);
    io_close(f);
    tap_ok(rename_error("f", "g") == 0 && open_error("f", O_RDONLY) == -ENOENT &&
               open_file("g", O_RDONLY) == f && status_of(g).links == 0 && status_of(g).size == 1,
           "test_rename_replaces_a_file_that_stays_open");
    io_close(g);
    tap_ok(rename_error("d/sub", "e/sub") == 0 && links_of("d") == 2 && links_of("e") == 3 &&
               rename_error("e", "d") == 0 && status_error("d/sub", true, NULL) == 0 &&
               status_error("d/h", false, NULL) == 0 && links_of("") == 3,
           "test_rename_moves_a_directory_with_what_is_in_it");
}

// Result: 1, 0 at the end; the entry's first letter and the next cookie.
static int next(struct device *directory, uint64_t *cookie, char *letter)
{
    struct fs_entry entry;
    struct fs_call call = { .operation = FS_NEXT_ENTRY, .cookie = *cookie, .entry = &entry };
    int result = ask(directory, &call);
    if (result == 1) {
        *cookie = entry.cookie;
        *letter = entry.name[0];
    }
    return result;
}

// All that is told from cookie on.
static const char *list(struct device *directory, uint64_t cookie)
{
    static char letters[32];
    unsigned count = 0;
    while (count < sizeof letters - 1 && next(directory, &cookie, &letters[count]) == 1)
        count++;
    letters[count] = '\0';
    return letters;
}

static void test_entries(void)
{
    machine_reset(BYTES);
    struct device *root = open_file("", O_RDONLY);
    tap_ok(strcmp(list(root, 0), "") == 0, "test_an_empty_directory_has_no_entries");
    const char *names[] = { "a", "b", "c", "d", "e", "f" };
    for (unsigned i = 0; i < 6; i++)
        make_file(names[i]);
    tap_ok(strcmp(list(root, 0), "abcdef") == 0, "test_each_entry_is_told_once");
    uint64_t cookie = 0;
    char letter;
    next(root, &cookie, &letter);
    next(root, &cookie, &letter);
    next(root, &cookie, &letter);
    by_path(FS_UNLINK, "a", NULL);
    by_path(FS_UNLINK, "c", NULL);
    by_path(FS_UNLINK, "e", NULL);
    make_file("g");
    tap_ok(letter == 'c' && strcmp(list(root, cookie), "dfg") == 0,
           "test_what_stays_is_told_once_while_entries_come_and_go");
    struct fs_entry entry;
    struct fs_call call = { .operation = FS_NEXT_ENTRY, .entry = &entry };
    make_directory("subdirectory");
    while (ask(root, &call) == 1)
        call.cookie = entry.cookie;
    struct fs_status status;
    status_error("subdirectory", true, &status);
    tap_ok(strcmp(entry.name, "subdirectory") == 0 && entry.mode == S_IFDIR &&
               entry.inode == status.inode,
           "test_an_entry_tells_name_kind_and_inode");
}

int main(void)
{
    tap_plan(28);
    test_open();
    test_status();
    test_names();
    test_removing();
    test_rename();
    test_entries();
    return tap_done();
}
