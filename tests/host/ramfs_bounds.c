// What the RAM file system does in one go, interrupts masked, is bounded whatever its files and
// directories hold: counted in blocks and in deferred turns. Who waits for a slot gets it by
// priority.
// sources: fs/ramfs.c fs/ramfs_tree.c fs/ramfs_blocks.c fs/ramfs_queue.c fs/ramfs_io.c
// sources: dma/dma.c aio/*.c
#include "tests/host/ramfs_machine.h"

enum { BLOCKS = 5 * RAMFS_SLICE / 2, NAMES = 3 * RAMFS_SLICE };

// Runs one deferred turn. Result: how many blocks it has given back.
static unsigned turn_gives_back(void)
{
    unsigned before = blocks_taken();
    fake_run_round();
    return before - blocks_taken();
}

static struct device *file_of_blocks(unsigned count)
{
    struct device *file = fresh_file(MACHINE_BYTES);
    for (unsigned i = 0; i < count; i++)
        write_at(file, out, 1, (uint64_t)i * BLOCK);
    done_count = 0;
    return file;
}

static void submit_truncation(struct fs_call *call, struct device *file, uint64_t size)
{
    *call = (struct fs_call){ .request.op = IO_CALL, .operation = FS_TRUNCATE, .size = size };
    io_submit(file, &call->request);
}

static void test_cutting(void)
{
    struct fs_call call;
    struct device *file = file_of_blocks(BLOCKS);
    unsigned taken = blocks_taken(), most = 0, turns = 0;
    submit_truncation(&call, file, BLOCK);
    submit(0, file, IO_READ, in, BLOCK, 0);
    unsigned at_once = taken - blocks_taken();
    for (; io_in_flight(&call.request) && turns < 100 && running() == 0; turns++) {
        unsigned given = turn_gives_back();
        most = given > most ? given : most;
    }
    tap_ok(at_once <= RAMFS_SLICE && most <= RAMFS_SLICE && turns >= BLOCKS / RAMFS_SLICE,
           "test_a_file_is_cut_a_bounded_number_of_blocks_at_a_time");
    settle();
    tap_ok(call.request.result == 0 && blocks_taken() == 1 && status_of(file).size == BLOCK &&
               requests[0].result == BLOCK,
           "test_it_ends_with_what_was_asked_and_a_read_waits_for_it");
    tap_ok(truncate_to(file, BUFFER) == 0 && read_at(file, in, BUFFER, 0) == BUFFER &&
               are_all(in + BLOCK, 0, BUFFER - BLOCK),
           "test_what_was_cut_away_is_a_hole");

    file = file_of_blocks(BLOCKS);
    submit_truncation(&call, file, BLOCK);
    int cancelled = io_cancel(&call.request);
    settle();
    tap_ok(cancelled == -EALREADY && call.request.result == 0 && blocks_taken() == 1,
           "test_a_cut_that_has_begun_is_not_cancelled");
    file = file_of_blocks(BLOCKS);
    submit_truncation(&call, file, BLOCK);
    io_close(file);
    by_path(FS_UNLINK, "file", NULL); // Settles, too.
    tap_ok(call.request.result == 0 && all_is_free(), "test_a_file_closed_meanwhile_is_cut_first");
    file = file_of_blocks(BLOCKS);
    tap_ok(truncate_to(file, 0) == 0 && blocks_taken() == 0, "test_a_file_is_emptied");
}

static void make_names(unsigned count)
{
    char name[16];
    for (unsigned i = 0; i < count; i++) {
        snprintf(name, sizeof name, "n%u", i);
        io_close(open_file(name, O_RDWR | O_CREAT));
    }
}

static void remove_name(unsigned i)
{
    char name[16];
    snprintf(name, sizeof name, "n%u", i);
    by_path(FS_UNLINK, name, NULL);
}

// Asks for the entry behind a cookie. Result: how many deferred turns that took.
static unsigned turns_of_next(struct device *directory, uint64_t cookie, struct fs_entry *entry,
                              ssize_t *result)
{
    struct fs_call call = { .request.op = IO_CALL, .operation = FS_NEXT_ENTRY };
    unsigned turns = 0;
    call.cookie = cookie;
    call.entry = entry;
    io_submit(directory, &call.request);
    for (; io_in_flight(&call.request) && turns < 100; turns++)
        fake_run_round();
    *result = call.request.result;
    return turns;
}

// Result: the cookie of the entry of that number.
static uint64_t cookie_of(struct device *directory, unsigned number)
{
    struct fs_entry entry = { 0 };
    ssize_t result;
    for (unsigned i = 0; i <= number; i++)
        turns_of_next(directory, entry.cookie, &entry, &result);
    return entry.cookie;
}

static void test_listing(void)
{
    struct fs_entry entry = { 0 };
    ssize_t result;
    machine_reset(MACHINE_BYTES);
    struct device *root = open_file("", O_RDONLY);
    make_names(NAMES);
    unsigned most = 0, told = 0;
    for (;; told++) {
        unsigned turns = turns_of_next(root, entry.cookie, &entry, &result);
        most = turns > most ? turns : most;
        if (result != 1)
            break;
    }
    tap_ok(told == NAMES && most <= 2, "test_the_next_entry_is_found_at_once");

    // Goal: also for whoever removes what it is told; the completion itself is one turn.
    entry.cookie = most = told = 0;
    while (turns_of_next(root, entry.cookie, &entry, &result) <= 2 && result == 1)
        if (told++ % 2)
            by_path(FS_UNLINK, entry.name, NULL);
    tap_ok(told == NAMES && result == 0, "test_also_behind_an_entry_that_was_just_removed");

    machine_reset(MACHINE_BYTES);
    root = open_file("", O_RDONLY);
    make_names(NAMES);
    uint64_t late = cookie_of(root, NAMES - 2), early = cookie_of(root, 3);
    remove_name(NAMES - 2);
    unsigned turns = turns_of_next(root, late, &entry, &result);
    tap_ok(turns > NAMES / RAMFS_SLICE - 1 && result == 1 && strcmp(entry.name, "n191") == 0,
           "test_one_removed_long_ago_is_looked_for_in_bounded_turns");

    struct fs_call call = { .request.op = IO_CALL, .operation = FS_NEXT_ENTRY, .cookie = late };
    struct fs_call status = { .request.op = IO_CALL, .operation = FS_FILE_STATUS };
    call.entry = &entry;
    turns_of_next(root, early, &entry, &result);
    io_submit(root, &call.request);
    io_submit(root, &status.request);
    int cancelled = io_cancel(&call.request);
    for (unsigned i = 0; i < NAMES; i++)
        if (i % 50 < 20)
            remove_name(i);
    settle();
    tap_ok(cancelled == -EBUSY && call.request.result == 1 && strcmp(entry.name, "n191") == 0 &&
               status.request.result == 0,
           "test_entries_go_while_one_is_looked_for");
    call.cookie = UINT64_MAX;
    tap_equal(ask(root, &call), 0, "test_a_cookie_of_nothing_is_the_end");
}

// All slots are taken by one file; then others ask, and the slots come free.
static void test_priorities(void)
{
    struct device *busy = fresh_file(SMALL), *files[3];
    for (unsigned i = 0; i < 3; i++) {
        char name[2] = { (char)('a' + i) };
        files[i] = open_file(name, O_RDWR | O_CREAT);
        write_at(files[i], out, 100, 0);
    }
    write_at(busy, out, 100, 0);
    for (unsigned i = 0; i < RAMFS_IN_FLIGHT; i++)
        submit(i, busy, IO_READ, in, 100, 0);
    static const uint8_t priority[] = { 7, 7, 3, 0 };
    static const uint8_t which[] = { 0, 1, 2, 1 };
    for (unsigned i = 0; i < 4; i++) {
        unsigned r = RAMFS_IN_FLIGHT + i;
        requests[r] = (struct io_request){ .op = IO_READ, .buffer = in, .size = 100 };
        requests[r].priority = priority[i];
        requests[r].done = on_done;
        io_submit(files[which[i]], &requests[r]);
    }
    done_count = 0;
    settle();
    const unsigned *last = &order[RAMFS_IN_FLIGHT];
    tap_ok(done_count == RAMFS_IN_FLIGHT + 4 && last[0] == RAMFS_IN_FLIGHT + 1 &&
               last[1] == RAMFS_IN_FLIGHT + 3,
           "test_the_file_with_the_most_urgent_request_goes_first_in_its_own_order");
    tap_ok(last[2] == RAMFS_IN_FLIGHT + 2 && last[3] == RAMFS_IN_FLIGHT,
           "test_the_others_follow_by_priority");
}

int main(void)
{
    tap_plan(13);
    test_cutting();
    test_listing();
    test_priorities();
    return tap_done();
}
