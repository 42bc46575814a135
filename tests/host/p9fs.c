// What is done by path on /host, over a modelled server: each call a chain of messages, whatever is
// there, with links, long paths and somebody else who changes the tree meanwhile.
// sources: fs/p9_message.c fs/p9fs.c fs/p9fs_walk.c fs/p9fs_open.c fs/p9fs_calls.c
// sources: fs/p9fs_file.c fs/p9fs_data.c aio/core.c aio/unwind.c aio/poll.c
#include "tests/host/p9_client.h"

static struct p9m_node *root, *folder, *deep;

static void fresh(void)
{
    client_fresh();
    root = &p9m.nodes[0];
    folder = p9m_make(root, "folder", S_IFDIR | 0755);
    deep = p9m_make(folder, "deep", S_IFDIR | 0755);
    p9m_file(root, "file", S_IFREG | 0644, "contents");
    p9m_file(deep, "bottom", S_IFREG | 0600, "0123456789");
    p9m_make(root, "fifo", S_IFIFO | 0644);
    p9m_make(root, "socket", S_IFSOCK | 0644);
}

static void must_be_clean(const char *name)
{
    tap_ok(client_is_clean(), name);
    if (p9m.wrong)
        tap_note("%u messages that no client may send", p9m.wrong);
}

static void test_session(void)
{
    struct fs_status status;
    struct fs_call calls[20];
    fresh();
    struct io_request open = { .op = IO_OPEN };
    tap_ok(client_do(client.fs, &open) == 0 && p9m.types[100] == 1 && p9m.types[104] == 1,
           "test_opening_makes_the_session");
    client_status("file", &status);
    tap_equal(p9m.types[100], 1, "test_one_session_serves_all_calls");

    fresh();
    for (unsigned i = 0; i < 20; i++) {
        calls[i] = client_call(FS_STATUS, i % 2 ? "file" : "nothing");
        calls[i].request.done = client_done;
        io_submit(client.fs, &calls[i].request);
    }
    p9m_run(false);
    bool right = client.completions == 20;
    for (unsigned i = 0; i < 20; i++)
        right &= calls[i].request.result == (i % 2 ? 0 : -ENOENT);
    tap_ok(right && p9m.types[100] == 1,
           "test_calls_wait_for_the_session_that_the_first_one_makes");
    must_be_clean("test_more_calls_than_chains_leave_nothing_behind");

    fresh();
    p9m.version = "unknown";
    tap_equal(client_status("file", &status), -EPROTONOSUPPORT, "test_another_protocol");
    p9m.version = "9P2000.u";
    tap_equal(client_status("file", &status), -EPROTONOSUPPORT, "test_an_older_protocol");
    p9m.version = "9P2000.L";
    p9m.msize = 1000;
    tap_equal(client_status("file", &status), -EIO, "test_a_server_of_too_small_messages");
    p9m.msize = 8192;
    tap_equal(client_status("file", &status), 0, "test_a_failed_session_is_tried_again");
}

static void test_status(void)
{
    struct fs_status status;
    fresh();
    tap_ok(client_status("file", &status) == 0 && status.mode == (S_IFREG | 0644) &&
               status.size == 8 && status.links == 1 && status.inode >= 1000 &&
               status.modified_ns == 1234567890000000005,
           "test_status_of_a_file");
    tap_ok(client_status("", &status) == 0 && S_ISDIR(status.mode), "test_status_of_the_root");
    tap_ok(client_status("folder/deep/bottom", &status) == 0 && status.size == 10,
           "test_status_by_a_longer_path");
    tap_ok(client_status("fifo", &status) == 0 && S_ISFIFO(status.mode), "test_status_of_a_fifo");
    tap_equal(client_status("nothing", &status), -ENOENT, "test_status_of_nothing");
    tap_equal(client_status("folder/no/bottom", &status), -ENOENT, "test_a_missing_folder");
    tap_equal(client_status("file/x", &status), -ENOTDIR, "test_a_file_is_no_folder");
    tap_equal(client_status("file/", &status), -ENOTDIR, "test_nor_with_a_slash_at_the_end");
    tap_equal(client_status("folder/", &status), 0, "test_a_folder_is_one_with_a_slash");
    p9m.walk_most = 1;
    tap_ok(client_status("folder/deep/bottom", &status) == 0 && status.size == 10,
           "test_a_server_that_walks_one_name_at_a_time");
    tap_equal(client_status("folder/deep/bottom/x", &status), -ENOTDIR,
              "test_the_error_is_that_of_the_name_that_fails");
    must_be_clean("test_status_leaves_nothing_behind");
}

static void test_long_paths(void)
{
    static char path[5000];
    struct fs_status status;
    fresh();
    struct p9m_node *node = root;
    for (unsigned i = 0; i < 36; i++) {
        node = p9m_make(node, "directory", S_IFDIR | 0755);
        strcat(path, i ? "/directory" : "directory");
    }
    tap_ok(client_status(path, &status) == 0 && status.inode == (uint64_t)(node - root) + 1000 &&
               p9m.types[110] == 3,
           "test_36_names_take_3_messages");
    strcat(path, "/x");
    tap_equal(client_status(path, &status), -ENOENT, "test_the_37th_is_missing");
    memset(path, 'n', 4096);
    path[4096] = 0;
    tap_equal(client_status(path, &status), -ENAMETOOLONG, "test_a_name_of_4096_characters");
    struct device *device;
    tap_equal(client_open(path, O_RDWR | O_CREAT, &device), -ENAMETOOLONG,
              "test_nor_is_one_created");
    for (unsigned i = 1; i < 4096; i += 2)
        path[i] = '/';
    path[4095] = 0;
    tap_equal(client_status(path, &status), -ENAMETOOLONG, "test_a_path_of_4095_characters");
    path[255] = 0;
    tap_equal(client_simple(FS_UNLINK, path), -ENOENT, "test_a_path_of_255_characters");
    memset(path, 'n', 255);
    tap_equal(client_simple(FS_MKDIR, path), 0, "test_a_name_of_255_characters");
    tap_equal(client_rename(path, "short"), 0, "test_it_is_renamed");
    path[255] = 'n';
    path[256] = 0;
    tap_equal(client_rename("short", path), -ENAMETOOLONG, "test_a_name_of_256_characters");
    must_be_clean("test_long_paths_leave_nothing_behind");
}

static void test_open(void)
{
    struct device *device = NULL;
    fresh();
    tap_ok(client_open("file", O_RDONLY, &device) == 0 && device->kind == DEVICE_FILE &&
               device->size_bytes == 8,
           "test_a_file_is_opened");
    client_close(device);
    must_be_clean("test_closing_gives_the_fid_back");
    tap_ok(client_open("folder", O_RDONLY, &device) == 0 && device->kind == DEVICE_DIRECTORY,
           "test_a_directory_is_opened");
    client_close(device);
    tap_equal(client_open("folder", O_RDWR, &device), -EISDIR, "test_no_directory_to_write");
    tap_equal(client_open("folder", O_RDONLY | O_CREAT, &device), -EISDIR,
              "test_no_directory_is_created_by_opening");
    tap_equal(client_open("file", O_RDONLY | O_DIRECTORY, &device), -ENOTDIR,
              "test_a_file_is_no_directory");
    tap_equal(client_open("file/", O_RDONLY, &device), -ENOTDIR, "test_a_file_has_no_slash");
    tap_equal(client_open("fifo", O_RDONLY, &device), -ENXIO, "test_a_fifo_is_refused");
    tap_equal(client_open("socket", O_RDWR, &device), -ENXIO, "test_a_socket_is_refused");
    tap_equal(client_open("nothing", O_RDWR, &device), -ENOENT, "test_nothing_is_opened");
    tap_equal(client_open("file", O_ACCMODE, &device), -EINVAL, "test_an_access_mode_that_is_none");
    must_be_clean("test_refusals_leave_nothing_behind");
    struct fs_call late = client_call(FS_OPEN, "file");
    io_set_deadline(&late.request, 1);
    late.request.done = client_done;
    io_submit(client.fs, &late.request);
    late.request.timer.expired(&late.request.timer);
    p9m_run(false);
    tap_ok(late.request.result == -ETIMEDOUT && client_is_clean(),
           "test_a_file_opened_too_late_is_closed");
    device = client_must_open("file", O_RDWR | O_TRUNC);
    tap_ok(device->size_bytes == 0 && p9m_find(root, "file")->size == 0, "test_truncating");
    client_close(device);
}

static void test_create(void)
{
    struct device *device;
    fresh();
    device = client_must_open("new", O_RDWR | O_CREAT);
    const struct p9m_node *made = p9m_find(root, "new");
    tap_ok(made && made->mode == (S_IFREG | 0640) && device->size_bytes == 0,
           "test_a_file_is_created_in_the_root");
    client_close(device);
    client_close(client_must_open("folder/deep/new", O_WRONLY | O_CREAT | O_EXCL));
    tap_ok(p9m_find(deep, "new") != NULL, "test_a_file_is_created_further_down");
    device = client_must_open("file", O_RDWR | O_CREAT);
    tap_equal((long long)device->size_bytes, 8, "test_what_is_there_is_opened");
    client_close(device);
    tap_equal(client_open("file", O_RDWR | O_CREAT | O_EXCL, &device), -EEXIST,
              "test_unless_it_must_be_new");
    tap_equal(client_open("no/new", O_RDWR | O_CREAT, &device), -ENOENT,
              "test_no_folder_is_created");
    tap_equal(client_open("file/new", O_RDWR | O_CREAT, &device), -ENOTDIR,
              "test_nothing_is_created_in_a_file");
    tap_equal(client_open("new2/", O_RDWR | O_CREAT, &device), -EISDIR,
              "test_no_directory_is_created");
    tap_equal(client_open("", O_RDWR | O_CREAT, &device), -EISDIR, "test_the_root_is_there");
    must_be_clean("test_creating_leaves_nothing_behind");
}

static unsigned race_type;

static void somebody_creates(unsigned type)
{
    if (type == race_type && !p9m_find(root, "race"))
        p9m_file(root, "race", S_IFREG | 0644, "theirs");
}

static void somebody_creates_and_unlinks(unsigned type)
{
    struct p9m_node *node = p9m_find(root, "race");
    if (type == P9_TLCREATE && !node)
        p9m_make(root, "race", S_IFREG | 0644);
    if (type == P9_TWALK && node)
        node->used = false;
}

static void test_races(void)
{
    struct device *device;
    fresh();
    race_type = P9_TLCREATE;
    p9m.before = somebody_creates;
    device = client_must_open("race", O_RDWR | O_CREAT);
    tap_equal((long long)device->size_bytes, 6, "test_a_file_created_meanwhile_is_opened");
    client_close(device);
    p9m_find(root, "race")->used = false;
    tap_equal(client_open("race", O_RDWR | O_CREAT | O_EXCL, &device), -EEXIST,
              "test_or_refused_when_it_must_be_new");
    p9m.before = somebody_creates_and_unlinks;
    tap_equal(client_open("race", O_RDWR | O_CREAT, &device), -EEXIST,
              "test_not_for_ever_when_it_comes_and_goes");
    p9m.before = NULL;
    must_be_clean("test_races_leave_nothing_behind");
}

static void test_links(void)
{
    struct fs_status status;
    struct device *device;
    fresh();
    p9m_file(root, "link", S_IFLNK | 0777, "file");
    p9m_file(root, "way", S_IFLNK | 0777, "folder/./deep/");
    p9m_file(deep, "up", S_IFLNK | 0777, "../../file");
    p9m_file(root, "loop", S_IFLNK | 0777, "loop");
    p9m_file(root, "out", S_IFLNK | 0777, "folder/../../etc");
    p9m_file(root, "absolute", S_IFLNK | 0777, "/etc/passwd");
    p9m_file(root, "dangling", S_IFLNK | 0777, "folder/made");
    p9m_file(root, "empty", S_IFLNK | 0777, "");
    p9m_file(root, "here", S_IFLNK | 0777, ".");
    tap_ok(client_status("link", &status) == 0 && status.size == 8, "test_a_link_is_followed");
    tap_ok(client_status("way/bottom", &status) == 0 && status.size == 10,
           "test_a_link_on_the_way_is_followed");
    tap_ok(client_status("way/up", &status) == 0 && status.size == 8,
           "test_links_after_links_lead_up_and_down");
    tap_ok(client_status("here/here/file", &status) == 0 && status.size == 8,
           "test_a_link_to_the_root");
    tap_equal(client_status("loop", &status), -ELOOP, "test_a_link_to_itself");
    tap_equal(client_status("out", &status), -ELOOP, "test_a_link_that_leads_out_of_the_share");
    tap_equal(client_status("absolute", &status), -ELOOP, "test_an_absolute_link");
    tap_equal(client_status("empty", &status), -ENOENT, "test_a_link_to_nothing");
    tap_equal(client_open("dangling", O_RDONLY, &device), -ENOENT, "test_a_dangling_link");
    tap_equal(client_open("dangling", O_RDWR | O_CREAT | O_EXCL, &device), -EEXIST,
              "test_a_link_is_not_followed_where_a_file_must_be_new");
    client_close(client_must_open("dangling", O_RDWR | O_CREAT));
    tap_ok(p9m_find(folder, "made") != NULL, "test_a_file_is_created_where_the_link_leads");
    tap_ok(client_simple(FS_UNLINK, "link") == 0 && p9m_find(root, "file") != NULL,
           "test_a_link_is_unlinked_not_what_it_leads_to");
    must_be_clean("test_links_leave_nothing_behind");
}

static void test_names(void)
{
    fresh();
    tap_ok(client_simple(FS_MKDIR, "folder/made") == 0 &&
               p9m_find(folder, "made")->mode == (S_IFDIR | 0750),
           "test_mkdir");
    tap_equal(client_simple(FS_MKDIR, "folder"), -EEXIST, "test_mkdir_of_what_is_there");
    tap_equal(client_simple(FS_MKDIR, "no/made"), -ENOENT, "test_mkdir_in_nothing");
    tap_equal(client_simple(FS_MKDIR, ""), -EEXIST, "test_mkdir_of_the_root");
    tap_equal(client_simple(FS_RMDIR, "folder"), -ENOTEMPTY, "test_rmdir_of_what_is_not_empty");
    tap_equal(client_simple(FS_RMDIR, "file"), -ENOTDIR, "test_rmdir_of_a_file");
    tap_equal(client_simple(FS_RMDIR, ""), -EBUSY, "test_rmdir_of_the_root");
    tap_ok(client_simple(FS_RMDIR, "folder/made") == 0 && !p9m_find(folder, "made"), "test_rmdir");
    tap_equal(client_simple(FS_UNLINK, "folder"), -EISDIR, "test_unlink_of_a_directory");
    tap_equal(client_simple(FS_UNLINK, ""), -EISDIR, "test_unlink_of_the_root");
    tap_ok(client_simple(FS_UNLINK, "file/") == -ENOTDIR && p9m_find(root, "file"),
           "test_unlink_of_a_file_with_a_slash");
    tap_equal(client_simple(FS_UNLINK, "folder/"), -EISDIR, "test_unlink_of_a_directory_with_one");
    tap_equal(client_simple(FS_UNLINK, "nothing"), -ENOENT, "test_unlink_of_nothing");
    tap_ok(client_rename("file", "folder/deep/moved") == 0 && !p9m_find(root, "file") &&
               p9m_find(deep, "moved"),
           "test_rename_to_another_directory");
    tap_equal(client_rename("file", "other"), -ENOENT, "test_rename_of_nothing");
    tap_equal(client_rename("fifo", "no/other"), -ENOENT, "test_rename_to_nowhere");
    tap_equal(client_rename("", "other"), -EBUSY, "test_rename_of_the_root");
    tap_equal(client_rename("fifo", ""), -EBUSY, "test_rename_to_the_root");
    tap_equal(client_rename("fifo/", "other"), -ENOTDIR, "test_rename_of_a_file_with_a_slash");
    tap_equal(client_rename("folder/", "other"), 0, "test_rename_of_a_directory_with_one");
    tap_equal(client_simple(FS_UNLINK, "other/deep/moved"), 0, "test_unlink");
    must_be_clean("test_names_leave_nothing_behind");
    struct fs_call call = client_call(FS_TRUNCATE, "fifo");
    tap_equal(client_do(client.fs, &call.request), -EINVAL, "test_a_call_for_files_is_refused");
    tap_equal(client_move(client.fs, IO_READ, 0, &call, 1), -EISDIR, "test_nothing_to_be_read");
}

static void test_pools(void)
{
    struct device *devices[P9_FILES], *device;
    fresh();
    for (unsigned i = 0; i < P9_FILES; i++)
        devices[i] = client_must_open("file", O_RDONLY);
    tap_equal(client_open("file", O_RDONLY, &device), -EMFILE, "test_64_files_are_all");
    for (unsigned i = 0; i < P9_FILES; i++)
        client_close(devices[i]);
    for (unsigned i = 0; i < P9_DIRECTORIES; i++)
        devices[i] = client_must_open("folder", O_RDONLY);
    tap_equal(client_open("folder", O_RDONLY, &device), -EMFILE, "test_8_directories_are_all");
    client_close(client_must_open("file", O_RDONLY));
    for (unsigned i = 0; i < P9_DIRECTORIES; i++)
        client_close(devices[i]);
    client_close(client_must_open("folder", O_RDONLY));
    must_be_clean("test_pools_are_full_again");
}

int main(void)
{
    tap_plan(97);
    test_session();
    test_status();
    test_long_paths();
    test_open();
    test_create();
    test_races();
    test_links();
    test_names();
    test_pools();
    return tap_done();
}
