// Every message of every kind of call to /host fails once in every way, alone: what has been asked
// for ends with an error or is not touched by it, exactly once, and nothing leaks.
// sources: fs/p9_message.c fs/p9fs.c fs/p9fs_walk.c fs/p9fs_open.c fs/p9fs_calls.c
// sources: fs/p9fs_file.c fs/p9fs_data.c aio/core.c aio/unwind.c aio/poll.c
#include "tests/host/p9_client.h"

static struct p9m_node *root;
static uint8_t buffer[9000];

static void fresh(void)
{
    client_fresh();
    p9m.msize = 4096;
    p9m.walk_most = 2;
    root = &p9m.nodes[0];
    struct p9m_node *folder = p9m_make(root, "folder", S_IFDIR | 0755);
    struct p9m_node *deep = p9m_make(folder, "deep", S_IFDIR | 0755);
    struct p9m_node *file = p9m_file(deep, "file", S_IFREG | 0644, "contents");
    file->size = sizeof buffer;
    p9m_file(root, "link", S_IFLNK | 0777, "folder/deep");
}

// ---- What is asked for; each says whether something of it was refused ----

static int scene_status(void)
{
    struct fs_status status;
    return client_status("link/file", &status);
}

static int scene_create(void)
{
    struct device *device;
    int error = client_open("link/new", O_RDWR | O_CREAT, &device);
    if (!error)
        client_close(device);
    return error;
}

static int scene_create_in_root(void)
{
    struct device *device;
    int error = client_open("new", O_RDWR | O_CREAT | O_EXCL, &device);
    if (!error)
        client_close(device);
    return error;
}

static int scene_data(void)
{
    struct device *device;
    struct io_request flush = { .op = IO_FLUSH };
    struct fs_call status = client_call(FS_FILE_STATUS, ""), cut = client_call(FS_TRUNCATE, "");
    struct io_request append = { .op = IO_WRITE, .flags = IO_APPEND, .buffer = buffer };
    append.size = 10;
    int error = client_open("folder/deep/file", O_RDWR, &device);
    if (error)
        return error;
    bool whole = client_move(device, IO_READ, 0, buffer, sizeof buffer) == sizeof buffer;
    whole &= client_move(device, IO_WRITE, 0, buffer, sizeof buffer) == sizeof buffer;
    whole &= client_do(device, &append) == 10;
    whole &= client_do(device, &flush) == 0;
    whole &= client_do(device, &status.request) == 0;
    whole &= client_do(device, &cut.request) == 0;
    client_close(device);
    return whole ? 0 : -EIO;
}

static int scene_directory(void)
{
    struct device *device;
    struct fs_entry entry;
    struct fs_call call = client_call(FS_NEXT_ENTRY, "");
    call.entry = &entry;
    int error = client_open("folder", O_RDONLY, &device);
    if (error)
        return error;
    ssize_t first = client_do(device, &call.request);
    call.cookie = entry.cookie;
    ssize_t end = first == 1 ? client_do(device, &call.request) : 0;
    client_close(device);
    return first == 1 && end == 0 ? 0 : -EIO;
}

static int scene_mkdir(void)
{
    return client_simple(FS_MKDIR, "link/made");
}

static int scene_unlink(void)
{
    return client_simple(FS_UNLINK, "link/file");
}

static int scene_rmdir_refused(void)
{
    return client_simple(FS_RMDIR, "folder/deep") == -ENOTEMPTY ? 0 : -EIO;
}

static int scene_rename(void)
{
    return client_rename("folder/deep/", "folder/shallow");
}

static const struct {
    int (*play)(void);
    const char *claims[3];
} scenes[] = {
    { scene_status,
      { "test_status_each_message_fails_in_each_way", "test_status_nothing_leaks",
        "test_status_is_answered_afterwards" } },
    { scene_create,
      { "test_create_each_message_fails_in_each_way", "test_create_nothing_leaks",
        "test_create_is_answered_afterwards" } },
    { scene_create_in_root,
      { "test_create_in_root_each_message_fails_in_each_way", "test_create_in_root_nothing_leaks",
        "test_create_in_root_is_answered_afterwards" } },
    { scene_data,
      { "test_data_each_message_fails_in_each_way", "test_data_nothing_leaks",
        "test_data_is_answered_afterwards" } },
    { scene_directory,
      { "test_directory_each_message_fails_in_each_way", "test_directory_nothing_leaks",
        "test_directory_is_answered_afterwards" } },
    { scene_mkdir,
      { "test_mkdir_each_message_fails_in_each_way", "test_mkdir_nothing_leaks",
        "test_mkdir_is_answered_afterwards" } },
    { scene_unlink,
      { "test_unlink_each_message_fails_in_each_way", "test_unlink_nothing_leaks",
        "test_unlink_is_answered_afterwards" } },
    { scene_rmdir_refused,
      { "test_rmdir_each_message_fails_in_each_way", "test_rmdir_nothing_leaks",
        "test_rmdir_is_answered_afterwards" } },
    { scene_rename,
      { "test_rename_each_message_fails_in_each_way", "test_rename_nothing_leaks",
        "test_rename_is_answered_afterwards" } },
};
enum { SCENES = sizeof scenes / sizeof scenes[0] };

// How many messages the scene takes when nothing fails.
static unsigned rehearse(unsigned scene)
{
    fresh();
    if (scenes[scene].play() != 0)
        return 0;
    return p9m.messages;
}

// Plays it with one message spoiled. Result: it has been noticed, or it was a Tclunk, whose reply
// changes nothing, or what was spoiled is a number that nobody needs.
static bool spoil(unsigned scene, unsigned message, enum p9m_fault fault)
{
    fresh();
    p9m.fault_at = message;
    p9m.fault = fault;
    int error = scenes[scene].play();
    return error < 0 || fault == P9M_COUNT || p9m.fault_type == P9_TCLUNK;
}

static bool play_afterwards(unsigned scene)
{
    p9m.fault_at = 0;
    for (unsigned i = 1; i < P9M_NODES; i++)
        p9m.nodes[i].used = false;
    struct p9m_node *folder = p9m_make(root, "folder", S_IFDIR | 0755);
    struct p9m_node *deep = p9m_make(folder, "deep", S_IFDIR | 0755);
    p9m_file(deep, "file", S_IFREG | 0644, "contents")->size = sizeof buffer;
    p9m_file(root, "link", S_IFLNK | 0777, "folder/deep");
    return scenes[scene].play() == 0;
}

static void test_scene(unsigned scene)
{
    unsigned count = rehearse(scene);
    bool noticed = count > 0, clean = true, afterwards = true;
    for (unsigned message = 1; message <= count; message++)
        for (unsigned fault = P9M_REFUSED; fault < P9M_FAULTS; fault++) {
            noticed &= spoil(scene, message, (enum p9m_fault)fault);
            clean &= client_is_clean();
            afterwards &= play_afterwards(scene) && client_is_clean();
        }
    tap_ok(noticed, scenes[scene].claims[0]);
    tap_ok(clean, scenes[scene].claims[1]);
    tap_ok(afterwards, scenes[scene].claims[2]);
    tap_note("%u messages, %u faults each", count, P9M_FAULTS - 1);
}

// Goal: the number that the server gives reaches the caller from each step.
static void test_errors_arrive(void)
{
    bool right = true;
    unsigned count = rehearse(0);
    for (unsigned message = 1; message < count; message++) { // The last is a Tclunk.
        fresh();
        p9m.fault_at = message;
        p9m.fault = P9M_REFUSED;
        p9m.fault_errno = 122;
        int error = scenes[0].play();
        right &= error == -EDQUOT || (error == 0 && p9m.types[P9_TCLUNK] == 2);
    }
    tap_ok(right, "test_the_servers_number_arrives_from_each_step");
}

static void one_qid_more(unsigned type)
{
    if (type != P9_TWALK)
        return;
    uint16_t count;
    memcpy(&count, p9m_out.bytes + P9M_HEADER, 2);
    count++;
    memcpy(p9m_out.bytes + P9M_HEADER, &count, 2);
    p9m_put_qid(root);
}

static void claim_more(unsigned type)
{
    p9m.claim = type == P9_TGETATTR ? P9_SMALL_BYTES + 1 : 0;
}

// Replies that are well made, and wrong.
static void test_lies(void)
{
    struct fs_status status;
    fresh();
    p9m.walk_most = 16;
    p9m.after = one_qid_more;
    tap_equal(client_status("folder", &status), -EIO, "test_more_names_walked_than_asked_for");
    p9m.after = NULL;
    struct device *device;
    struct fs_call call = client_call(FS_FILE_STATUS, "");
    tap_ok(client_open("folder", O_RDONLY, &device) == 0, "test_a_folder_is_opened");
    p9m.after = claim_more; // All that is asked for is there, and fills the room.
    tap_equal(client_do(device, &call.request), -EIO, "test_more_bytes_than_there_is_room_for");
    p9m.after = NULL;
    p9m.claim = 0;
    client_close(device);
    tap_ok(client_status("folder", &status) == 0 && p9m_fids_known() == 1,
           "test_afterwards_it_works");
}

static void test_a_channel_without_calls(void)
{
    fresh();
    p9m.channel.calls = false;
    tap_equal(scene_status(), -ENOTSUP, "test_a_channel_that_knows_no_messages");
    p9m.channel.calls = true;
    tap_ok(scene_status() == 0 && client_is_clean(), "test_and_later_does");
}

int main(void)
{
    tap_plan(3 * SCENES + 7);
    for (unsigned i = 0; i < SCENES; i++)
        test_scene(i);
    test_errors_arrive();
    test_lies();
    test_a_channel_without_calls();
    return tap_done();
}
