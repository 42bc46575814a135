// Open files of /host over a modelled server: data in pieces and in any order, appending, sizes,
// directories, and more requests than transfers.
// sources: fs/p9_message.c fs/p9fs.c fs/p9fs_walk.c fs/p9fs_open.c fs/p9fs_calls.c
// sources: fs/p9fs_file.c fs/p9fs_data.c aio/*.c
#include "tests/host/p9_client.h"

enum { SIZE = 30000, MANY = 80, PART = 100 };

static struct p9m_node *root, *large;
static uint8_t memory[SIZE + 2], pattern[P9M_DATA];

static void fresh(uint32_t msize)
{
    client_fresh();
    p9m.msize = msize;
    root = &p9m.nodes[0];
    large = p9m_make(root, "large", S_IFREG | 0644);
    large->size = SIZE;
    for (unsigned i = 0; i < sizeof pattern; i++)
        pattern[i] = (uint8_t)(i * 7 + i / 256 * 13);
    memcpy(large->data, pattern, SIZE);
    memset(memory, 0xc7, sizeof memory);
    p9m_make(root, "small", S_IFREG | 0644);
}

static void close_and_check(struct device *device, const char *name)
{
    client_close(device);
    tap_ok(client_is_clean(), name);
}

static void test_reading(void)
{
    fresh(4096);
    struct device *device = client_must_open("large", O_RDONLY);
    p9m.types[P9_TREAD] = 0;
    tap_ok(client_move(device, IO_READ, 0, memory + 1, SIZE) == SIZE &&
               memcmp(memory + 1, pattern, SIZE) == 0,
           "test_a_read_of_many_messages");
    tap_equal(p9m.types[P9_TREAD], 8, "test_as_many_as_it_takes");
    tap_ok(memory[0] == 0xc7 && memory[SIZE + 1] == 0xc7, "test_memory_around_is_untouched");
    memset(memory, 0xc7, sizeof memory);
    tap_ok(client_move(device, IO_READ, SIZE - 10, memory, 20) == 10 &&
               memcmp(memory, pattern + SIZE - 10, 10) == 0 && memory[10] == 0xc7,
           "test_a_read_over_the_end_is_short");
    tap_equal(client_move(device, IO_READ, SIZE, memory, 10), 0, "test_a_read_at_the_end");
    tap_equal(client_move(device, IO_READ, SIZE + 5, memory, 10), 0, "test_a_read_behind_it");
    unsigned before = p9m.messages;
    tap_ok(client_move(device, IO_READ, 0, memory, 0) == 0 && p9m.messages == before,
           "test_a_read_of_nothing_asks_nobody");
    tap_equal(client_move(device, IO_READ, UINT64_MAX - 3, memory, 10), -EINVAL,
              "test_a_read_where_no_file_reaches");
    tap_equal(client_move(device, IO_WRITE, INT64_MAX, memory, 1), -EFBIG,
              "test_a_write_where_no_file_reaches");
    memset(large->data, 0, 10);
    large->size = 10;
    tap_equal(client_move(device, IO_READ, 0, memory, 4072 * 2), 10,
              "test_a_file_that_has_become_shorter");
    close_and_check(device, "test_reading_leaves_nothing_behind");
}

static void test_writing(void)
{
    fresh(4096);
    struct device *device = client_must_open("small", O_RDWR);
    const struct p9m_node *small = p9m_find(root, "small");
    tap_ok(client_move(device, IO_WRITE, 5, pattern, 10000) == 10000 && small->size == 10005 &&
               memcmp(small->data + 5, pattern, 10000) == 0 && device->size_bytes == 10005,
           "test_a_write_of_many_messages");
    struct io_request request = { .op = IO_WRITE, .buffer = pattern, .size = SIZE };
    request.offset = P9M_DATA - 5000;
    tap_ok(client_do(device, &request) == 5000 && request.moved == 5000,
           "test_a_write_on_a_full_disk_is_short");
    tap_equal(client_move(device, IO_WRITE, P9M_DATA, pattern, 10), -ENOSPC,
              "test_the_next_one_says_why");
    request.offset = P9M_DATA - 4072;
    tap_ok(client_do(device, &request) == 4072 && request.moved == 4072,
           "test_an_error_after_a_message_ends_it_short");
    struct io_request flush = { .op = IO_FLUSH };
    tap_ok(client_do(device, &flush) == 0 && p9m.types[P9_TFSYNC] == 1, "test_flush_is_fsync");
    struct io_request open = { .op = IO_OPEN };
    tap_equal(client_do(device, &open), 0, "test_an_open_file_is_ready");
    close_and_check(device, "test_writing_leaves_nothing_behind");
}

static void test_sizes(void)
{
    fresh(8192);
    struct device *device = client_must_open("large", O_RDWR);
    struct fs_call call = client_call(FS_FILE_STATUS, "");
    large->size = 100;
    tap_ok(client_do(device, &call.request) == 0 && call.status.size == 100 &&
               device->size_bytes == 100,
           "test_a_status_brings_the_size");
    call = client_call(FS_TRUNCATE, "");
    call.size = 50;
    tap_ok(client_do(device, &call.request) == 0 && large->size == 50 && device->size_bytes == 50,
           "test_a_file_is_made_shorter");
    call.size = 200;
    tap_ok(client_do(device, &call.request) == 0 && large->data[150] == 0 && large->size == 200,
           "test_a_file_is_made_longer");
    call.size = UINT64_MAX;
    tap_equal(client_do(device, &call.request), -EFBIG, "test_not_as_long_as_no_file_is");
    call.size = P9M_DATA + 1;
    tap_ok(client_do(device, &call.request) == -EFBIG && device->size_bytes == 200,
           "test_nor_as_the_server_does_not_want");
    client_simple(FS_UNLINK, "large");
    call = client_call(FS_FILE_STATUS, "");
    tap_ok(client_do(device, &call.request) == 0 && call.status.size == 200 &&
               call.status.links == 0,
           "test_the_status_of_an_unlinked_file_is_the_last_known");
    tap_equal(client_move(device, IO_READ, 0, memory, 500), 200, "test_it_is_still_read");
    tap_ok(client_move(device, IO_READ, 20000, memory, 10) == 0 && device->size_bytes == 200,
           "test_a_read_behind_the_end_moves_no_end");
    struct io_request append = { .op = IO_WRITE, .buffer = pattern, .size = 5, .flags = IO_APPEND };
    tap_ok(client_do(device, &append) == 5 && append.offset == 200 && device->size_bytes == 205,
           "test_an_unlinked_file_is_appended_to_at_its_end");
    call = client_call(FS_NEXT_ENTRY, "");
    tap_equal(client_do(device, &call.request), -ENOTDIR, "test_a_file_has_no_entries");
    call = client_call(FS_OPEN, "small");
    tap_equal(client_do(device, &call.request), -EINVAL, "test_a_file_opens_nothing");
    client_close(device);
    device = client_must_open("small", O_RDONLY);
    call = client_call(FS_TRUNCATE, "");
    tap_equal(client_do(device, &call.request), -EINVAL, "test_a_file_to_read_keeps_its_size");
    close_and_check(device, "test_sizes_leave_nothing_behind");
}

static int truncate_to(struct device *device, uint64_t size)
{
    struct fs_call call = client_call(FS_TRUNCATE, "");
    call.size = size;
    return (int)client_do(device, &call.request);
}

// Goal: an open file whose name means another one now, or nothing, is known by its inode.
static void test_replaced(bool status_by_path)
{
    struct fs_call call = client_call(FS_FILE_STATUS, "");
    fresh(8192);
    p9m.by_path = true;
    p9m.status_by_path = status_by_path;
    struct p9m_node *theirs = p9m_file(root, "theirs", S_IFREG | 0644, "of another");
    struct device *device = client_must_open("large", O_RDWR);
    tap_ok(truncate_to(device, SIZE - 1) == 0 && large->size == SIZE - 1,
           "test_a_file_that_has_its_name_is_made_shorter");
    client_rename("theirs", "large");
    tap_ok(truncate_to(device, 0) == -ESTALE && theirs->size == 10 && large->size == SIZE - 1,
           "test_a_replaced_file_is_not_made_shorter_and_the_other_stays");
    tap_ok(truncate_to(device, SIZE) == -ESTALE && theirs->size == 10, "test_nor_longer");
    tap_ok(client_do(device, &call.request) == 0 && call.status.size == SIZE - 1 &&
               call.status.links == 0,
           "test_its_status_is_not_the_others");
    struct io_request append = { .op = IO_WRITE, .flags = IO_APPEND, .buffer = pattern, .size = 2 };
    tap_ok(client_do(device, &append) == 2 && append.offset == SIZE - 1 &&
               large->size == SIZE + 1 && theirs->size == 10,
           "test_appending_goes_to_its_own_end");
    client_simple(FS_UNLINK, "large");
    tap_equal(truncate_to(device, 0), -ESTALE, "test_an_unlinked_file_keeps_its_size");
    tap_equal(client_move(device, IO_READ, 0, memory, 500), 500, "test_and_is_still_read");
    close_and_check(device, "test_replacing_leaves_nothing_behind");
}

// Somebody puts another file in the place of the one that has been looked at.
static void somebody_replaces(unsigned type)
{
    struct p9m_node *theirs = p9m_find(root, "theirs");
    if (type != P9_TLOPEN || !theirs)
        return;
    large->used = false;
    strcpy(theirs->name, "large");
    for (unsigned i = 0; i < P9M_FIDS; i++) // Opened by its name.
        if (p9m.fids[i].node == large)
            p9m.fids[i].node = theirs;
}

static void test_replaced_while_it_is_opened(void)
{
    fresh(8192);
    struct p9m_node *theirs = p9m_file(root, "theirs", S_IFREG | 0644, "of another");
    p9m.by_path = true;
    p9m.before = somebody_replaces;
    struct device *device = client_must_open("large", O_RDWR);
    tap_equal((long long)device->size_bytes, 10, "test_the_size_is_that_of_what_was_opened");
    tap_ok(truncate_to(device, 3) == 0 && theirs->size == 3, "test_and_is_changed");
    close_and_check(device, "test_opening_what_is_replaced_leaves_nothing_behind");
}

// Reads the beginning of one file part by part, by two devices in turn.
static void start_many(struct io_request *reads, struct device *device, struct device *other)
{
    client.completions = 0;
    for (unsigned i = 0; i < MANY; i++) {
        reads[i] = (struct io_request){ .op = IO_READ, .offset = i * PART, .done = client_done };
        reads[i].buffer = memory + i * PART;
        reads[i].size = PART;
        tap_count -= io_submit(i % 2 ? device : other, &reads[i]) != 0; // The plan would break.
    }
}

// Goal: none is lost and none is mixed up with more requests than transfers, answered backwards.
static void test_many(void)
{
    struct io_request reads[MANY];
    fresh(8192);
    struct device *device = client_must_open("large", O_RDONLY);
    struct device *other = client_must_open("large", O_RDONLY);
    start_many(reads, device, other);
    tap_equal(p9m.pending_count, P9_TRANSFERS, "test_as_many_messages_as_transfers");
    p9m_run(true);
    bool right = client.completions == MANY;
    for (unsigned i = 0; i < MANY; i++)
        right &= reads[i].result == PART && reads[i].moved == PART;
    tap_ok(right && memcmp(memory, pattern, MANY * PART) == 0,
           "test_80_requests_on_two_files_answered_backwards");
    client_close(other);
    close_and_check(device, "test_all_transfers_are_free_again");
}

static void test_cancelling(void)
{
    struct io_request reads[MANY];
    fresh(8192);
    struct device *device = client_must_open("large", O_RDONLY);
    struct device *other = client_must_open("large", O_RDONLY);
    start_many(reads, device, other);
    tap_equal(io_cancel(&reads[0]), -EBUSY, "test_what_the_server_has_is_not_cancelled");
    tap_equal(io_cancel(&reads[40]), 0, "test_what_waits_for_a_transfer_is");
    tap_equal(io_cancel(&reads[MANY - 1]), 0, "test_what_waits_in_the_core_is");
    p9m_run(false);
    tap_ok(client.completions == MANY && reads[40].result == -ECANCELED &&
               reads[MANY - 1].result == -ECANCELED && reads[0].result == PART &&
               reads[41].result == PART,
           "test_each_of_them_completes_once");
    // Closed while requests are under way: the last of them lets it go.
    struct io_request read = { .op = IO_READ, .buffer = memory, .size = PART };
    read.done = client_done;
    io_submit(other, &read);
    client_close(other);
    tap_equal(read.result, PART, "test_a_file_closed_with_a_read_under_way");
    close_and_check(device, "test_cancelling_leaves_nothing_behind");
}

static void test_appending(void)
{
    struct io_request writes[MANY] = { 0 };
    uint8_t bytes[MANY];
    fresh(8192);
    struct device *device = client_must_open("small", O_WRONLY | O_APPEND);
    struct device *other = client_must_open("small", O_WRONLY | O_APPEND);
    const struct p9m_node *small = p9m_find(root, "small");
    client.completions = 0;
    for (unsigned i = 0; i < MANY; i++) {
        bytes[i] = (uint8_t)i;
        writes[i] = (struct io_request){ .op = IO_WRITE, .flags = IO_APPEND, .done = client_done };
        writes[i].buffer = &bytes[i];
        writes[i].size = 1;
        io_submit(device, &writes[i]);
    }
    tap_equal(p9m.pending_count, 1, "test_one_appends_at_a_time");
    tap_equal(io_cancel(&writes[7]), 0, "test_one_that_waits_for_its_turn_can_be_cancelled");
    struct io_request read = { .op = IO_FLUSH, .done = client_done };
    io_submit(other, &read);
    p9m_run(true);
    bool right = client.completions == MANY + 1 && small->size == MANY - 1;
    for (unsigned i = 0, at = 0; i < MANY; i++)
        if (i != 7) {
            right &= small->data[at] == i && writes[i].offset == at && writes[i].result == 1;
            at++;
        }
    tap_ok(right, "test_80_appends_are_in_the_order_of_their_calls");
    writes[0].flags = writes[1].flags = IO_APPEND;
    client_move(device, IO_WRITE, 1000, bytes, 1);
    io_submit(other, &writes[0]);
    io_submit(device, &writes[1]);
    p9m_run(true);
    tap_ok(writes[0].offset == 1001 && writes[1].offset == 1002 && small->size == 1003,
           "test_two_openings_append_behind_one_another");
    client_close(other);
    close_and_check(device, "test_appending_leaves_nothing_behind");
}

static struct io_request queued[MANY];
static unsigned turns[MANY], turn;

static void on_turn(struct io_request *request)
{
    turns[turn++] = (unsigned)(request - queued);
}

static void submit_queued(unsigned i, struct device *device, unsigned priority)
{
    queued[i] = (struct io_request){ .op = IO_READ, .priority = (uint8_t)priority };
    queued[i].buffer = memory;
    queued[i].size = PART;
    queued[i].done = on_turn;
    io_submit(device, &queued[i]);
}

// Goal: who waits for a transfer gets it by priority, and in the order of submission within one.
static void test_priorities(void)
{
    fresh(8192);
    struct device *device = client_must_open("large", O_RDONLY);
    struct device *other = client_must_open("large", O_RDONLY);
    turn = 0;
    for (unsigned i = 0; i < P9_TRANSFERS; i++)
        submit_queued(i, device, 0);
    submit_queued(P9_TRANSFERS, other, 7);
    submit_queued(P9_TRANSFERS + 1, other, 3);
    submit_queued(P9_TRANSFERS + 2, other, 7);
    submit_queued(P9_TRANSFERS + 3, other, 3);
    p9m_run(false);
    const unsigned *last = &turns[P9_TRANSFERS];
    tap_ok(turn == P9_TRANSFERS + 4 && last[0] == P9_TRANSFERS + 1 && last[1] == P9_TRANSFERS + 3 &&
               last[2] == P9_TRANSFERS && last[3] == P9_TRANSFERS + 2,
           "test_the_most_urgent_gets_the_next_transfer");
    client_close(other);
    close_and_check(device, "test_priorities_leave_nothing_behind");
}

static unsigned list(struct device *device, bool again)
{
    struct fs_entry entry = { 0 };
    unsigned count = 0;
    for (;;) {
        struct fs_call call = client_call(FS_NEXT_ENTRY, "");
        call.entry = &entry;
        call.cookie = entry.cookie;
        ssize_t result = client_do(device, &call.request);
        if (result != 1)
            return result == 0 ? count : 1000;
        if (again) { // The same place asked for once more after another one gives the same.
            struct fs_entry first, same;
            struct fs_call back = client_call(FS_NEXT_ENTRY, "");
            back.entry = &first;
            client_do(device, &back.request);
            call.entry = &same;
            client_do(device, &call.request);
            if (strcmp(same.name, entry.name) != 0 || same.cookie != entry.cookie)
                return 1001;
        }
        const struct p9m_node *node = p9m_find(root, entry.name);
        if (!node || entry.mode != (node->mode & S_IFMT))
            return 1002;
        count++;
    }
}

static void test_directories(void)
{
    char name[8];
    fresh(4096);
    for (unsigned i = 0; i < 30; i++) {
        snprintf(name, sizeof name, "f%u", i);
        p9m_make(root, name, i % 3 ? S_IFREG | 0600 : S_IFDIR | 0700);
    }
    struct device *device = client_must_open("", O_RDONLY);
    tap_equal(list(device, false), 32, "test_each_entry_once_without_the_dots");
    tap_equal(list(device, true), 32, "test_a_cookie_names_a_place");
    p9m.readdir_most = 1;
    tap_equal(list(device, false), 32, "test_one_entry_a_message");
    p9m.readdir_most = 100;
    p9m.types[P9_TREADDIR] = 0;
    tap_ok(list(device, false) == 32 && p9m.types[P9_TREADDIR] == 2,
           "test_all_entries_in_one_message_and_the_end");
    tap_equal(client_move(device, IO_READ, 0, memory, 10), -EISDIR, "test_a_directory_is_not_read");
    struct fs_call call = client_call(FS_FILE_STATUS, "");
    tap_ok(client_do(device, &call.request) == 0 && S_ISDIR(call.status.mode),
           "test_status_of_an_open_directory");
    p9m.only_dots = true;
    p9m.readdir_most = 2;
    tap_equal(list(device, false), 1000, "test_a_directory_of_dots_alone_does_not_go_on_for_ever");
    close_and_check(device, "test_listing_leaves_nothing_behind");
}

int main(void)
{
    tap_plan(74);
    test_reading();
    test_writing();
    test_sizes();
    test_replaced(false);
    test_replaced(true);
    test_replaced_while_it_is_opened();
    test_many();
    test_cancelling();
    test_appending();
    test_priorities();
    test_directories();
    return tap_done();
}
