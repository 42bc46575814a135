// A request that is held in flight inside a virtio disk for as long as the suite likes: what is
// said of it meanwhile, what goes on beside it, and that it ends once, whatever was asked of it.
// image: vda 8M
// image: vdb 8M
// virtio: -blockdev driver=file,node-name=a,filename=@/vda -device virtio-blk-device,drive=a
// virtio: -blockdev driver=file,node-name=f,filename=@/vdb
// virtio: -blockdev driver=blkdebug,node-name=d,image=f -blockdev driver=raw,node-name=b,file=d
// virtio: -device virtio-blk-device,drive=b,id=vdb,request-merging=off
// monitor: yes
#include <aio.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "irq/callback.h"
#include "sd_image.h"
#include "tests/tap.h"
#include "tests/target/board_find.h"
#include "virtio_monitor.h"

enum { BYTES = 4096, AROUND = 64, HELD_AT = 1048576, FILL = 0xa5, WRITTEN_AT = 2097152 };

static _Alignas(64) uint8_t memory[BYTES], around_memory[AROUND][BYTES];
static struct io_request held, around[AROUND];
static struct device *vda, *vdb;
static volatile unsigned done_count, notify_count, calls;

static void on_done(struct io_request *request)
{
    (void)request;
    done_count++;
}

static void on_notify(struct callback *callback)
{
    (void)callback;
    notify_count++;
}

// A request goes into the device and stays there. deadline_ns: from now on; 0: none.
static void hold(const char *event, char tag, struct io_request request, uint64_t deadline_ns)
{
    hold_next("vdb", event, tag);
    held = request;
    held.done = on_done;
    held.notify.run = on_notify;
    io_set_deadline(&held, deadline_ns ? clock_now_ns() + deadline_ns : 0);
    done_count = notify_count = 0;
    int error = io_submit(vdb, &held);
    if (error)
        tap_note("submit: %d", error);
    wait_held("vdb", tag);
}

static bool still_held(void)
{
    return io_in_flight(&held) && done_count == 0 && notify_count == 0;
}

static bool ended_once(ssize_t result)
{
    bool right = io_wait(&held) == result;
    while (!io_idle(&held))
        continue; // Its notification is on the way.
    right &= done_count == 1 && notify_count == 1;
    if (!right)
        tap_note("result %ld, done %u, notified %u", (long)held.result, done_count, notify_count);
    return right;
}

// Reads at once, all over a disk. True: all of them ended, with the right bytes.
static bool goes_on(struct device *disk, uint64_t deadline_ns)
{
    bool right = true;
    for (unsigned i = 0; i < AROUND; i++) {
        around[i] = card_request(IO_READ, i * 3 * BYTES, around_memory[i], BYTES);
        io_set_deadline(&around[i], deadline_ns);
        right &= io_submit(disk, &around[i]) == 0;
    }
    for (unsigned i = 0; i < AROUND; i++)
        right &= io_wait(&around[i]) == BYTES &&
                 image_is(around_memory[i], around[i].offset, BYTES);
    return right;
}

static void on_complete(union sigval value)
{
    (void)value;
    calls++;
}

// Work that needs the CPU. Result: always the same.
static unsigned compute(void)
{
    unsigned value = 1;
    for (unsigned i = 0; i < 1000000; i++)
        value = value * 1664525 + 1013904223;
    return value;
}

static void test_posix(void)
{
    struct aiocb block = { .aio_fildes = open("/dev/vdb", O_RDONLY),
                           .aio_buf = memory,
                           .aio_nbytes = BYTES,
                           .aio_offset = HELD_AT };
    const struct aiocb *list[] = { &block };
    const struct timespec moment = { .tv_nsec = 1000000 };
    block.aio_sigevent.sigev_notify = SIGEV_THREAD;
    block.aio_sigevent.sigev_notify_function = on_complete;
    unsigned expected = compute();
    hold_next("vdb", "read_aio", 'P');
    tap_equal(aio_read(&block), 0, "test_aio_read_returns_while_the_request_is_held");
    wait_held("vdb", 'P');
    tap_equal(aio_error(&block), EINPROGRESS, "test_a_held_request_is_in_progress");
    tap_ok(compute() == expected && aio_error(&block) == EINPROGRESS,
           "test_main_computes_meanwhile");
    tap_ok(aio_suspend(list, 1, &moment) == -1 && errno == EAGAIN,
           "test_aio_suspend_gives_up_at_its_time");
    errno = 0;
    tap_ok(aio_return(&block) == -1 && errno == EINVAL, "test_there_is_nothing_to_retrieve_yet");
    tap_ok(aio_read(&block) == -1 && errno == EBUSY, "test_its_block_cannot_be_used_again_yet");
    tap_ok(goes_on(vdb, 0) && goes_on(vda, 0), "test_both_disks_go_on_beside_it");
    tap_ok(aio_error(&block) == EINPROGRESS && calls == 0, "test_others_ends_are_not_its_own");
    let_go("vdb", 'P');
    tap_ok(aio_suspend(list, 1, NULL) == 0 && aio_error(&block) == 0, "test_then_it_completes");
    tap_equal(aio_return(&block), BYTES, "test_all_bytes_are_read");
    tap_ok(image_is(memory, HELD_AT, BYTES), "test_they_are_the_right_ones");
    goes_on(vdb, 0); // Time enough for a second call, if there were one.
    tap_equal(calls, 1, "test_its_callback_runs_once");
    close(block.aio_fildes);
}

static void test_cancel(void)
{
    hold("read_aio", 'C', card_request(IO_READ, HELD_AT, memory, BYTES), 0);
    tap_equal(io_cancel(&held), -EBUSY, "test_a_held_request_is_not_cancelable");
    tap_equal(io_cancel(&held), -EBUSY, "test_nor_is_it_when_asked_again");
    tap_ok(goes_on(vdb, 0) && still_held(), "test_its_disk_goes_on");
    let_go("vdb", 'C');
    tap_ok(ended_once(BYTES) && image_is(memory, HELD_AT, BYTES),
           "test_it_completes_once_as_if_nothing_had_been_asked");
    tap_equal(io_cancel(&held), -EALREADY, "test_then_it_is_too_late");
}

// Goal: past its deadline a request keeps its buffer until the device has given it up, and nothing
// else waits for that.
static struct io_request from_callback;
static volatile bool callback_saw_it;

static void submit_and_spin(struct callback *callback)
{
    (void)callback;
    from_callback = card_request(IO_READ, 0, around_memory[0], BYTES);
    io_set_deadline(&from_callback, clock_now_ns() + 5000000000);
    io_submit(vdb, &from_callback);
    while (io_in_flight(&from_callback))
        continue;
    callback_saw_it = from_callback.result == BYTES;
}

static void nothing(struct callback *callback)
{
    (void)callback;
}

// What a callback submits goes to the device at once, not when the callbacks behind it have run,
// nor with the device's next interrupt: it may be waited for, and the held request brings none.
static void test_submit_from_callback(void)
{
    static struct callback spins = { .run = submit_and_spin }, behind = { .run = nothing };
    hold("read_aio", 'S', card_request(IO_READ, HELD_AT, memory, BYTES), 0);
    callbacks_hold();
    callback_post(&spins);
    callback_post(&behind);
    callbacks_release();
    tap_ok(callback_saw_it && still_held(),
           "test_a_callbacks_read_passes_a_held_one_while_it_spins");
    let_go("vdb", 'S');
    tap_equal(io_wait(&held), BYTES, "test_and_the_held_one_is_read_afterwards");
}

static void test_read_deadline(void)
{
    memset(memory, FILL, BYTES);
    hold("read_aio", 'R', card_request(IO_READ, HELD_AT, memory, BYTES), 5000000);
    while (!*(volatile bool *)&held.late)
        continue;
    tap_ok(still_held(), "test_a_late_request_is_kept_in_quarantine");
    tap_equal(io_cancel(&held), -EBUSY, "test_it_is_not_cancelable_there");
    tap_ok(goes_on(vdb, 0) && goes_on(vda, 0), "test_both_disks_go_on_beside_the_quarantine");
    tap_ok(goes_on(vdb, clock_now_ns() + 60000000000), "test_deadlines_of_others_are_their_own");
    tap_ok(still_held() && memory[0] == FILL && memory[BYTES - 1] == FILL,
           "test_it_is_not_reported_before_the_device_is_quiet");
    let_go("vdb", 'R');
    tap_ok(ended_once(-ETIMEDOUT), "test_then_it_ends_once_as_timed_out");
    tap_ok(held.moved == BYTES && image_is(memory, HELD_AT, BYTES),
           "test_what_was_moved_all_the_same_is_told");
    tap_ok(goes_on(vdb, 0), "test_the_disk_goes_on_afterwards");
}

static void test_write_deadline(void)
{
    static uint8_t back[BYTES];
    memset(memory, FILL, BYTES);
    hold("write_aio", 'W', card_request(IO_WRITE, WRITTEN_AT, memory, BYTES), 5000000);
    while (!*(volatile bool *)&held.late)
        continue;
    card = vdb;
    bool untouched = card_do(IO_READ, WRITTEN_AT, back, BYTES) == BYTES &&
                     image_is(back, WRITTEN_AT, BYTES);
    tap_ok(untouched && still_held(), "test_a_late_write_is_kept_in_quarantine_too");
    memset(back, 0x5a, BYTES);
    tap_ok(card_do(IO_WRITE, WRITTEN_AT + BYTES, back, BYTES) == BYTES,
           "test_other_writes_go_on_beside_it");
    let_go("vdb", 'W');
    tap_ok(ended_once(-ETIMEDOUT) && held.moved == BYTES, "test_it_is_timed_out_when_it_is_done");
    tap_ok(card_do(IO_READ, WRITTEN_AT, back, BYTES) == BYTES && memcmp(back, memory, BYTES) == 0,
           "test_what_it_says_to_have_written_is_there");
}

static void test_held_flush(void)
{
    hold("flush_to_disk", 'F', card_request(IO_FLUSH, 0, NULL, 0), 5000000);
    while (!*(volatile bool *)&held.late)
        continue;
    tap_ok(goes_on(vdb, 0) && goes_on(vda, 0) && still_held(),
           "test_both_disks_go_on_beside_a_late_flush");
    tap_equal(io_cancel(&held), -EBUSY, "test_the_flush_is_not_cancelable");
    let_go("vdb", 'F');
    tap_ok(ended_once(-ETIMEDOUT), "test_then_it_ends_once_as_timed_out_too");
}

// Goal: part of a sector is written by reading the sector first, one such write at a time. One that
// is held there holds up no more than it must. Method: it is late, and in quarantine.
static void test_parts(void)
{
    enum { AT = 3145728 };
    static uint8_t whole[2 * SECTOR], back[2 * SECTOR];
    struct io_request late = card_request(IO_WRITE, AT + SECTOR + 3, "late", 4);
    struct io_request given_up = card_request(IO_WRITE, AT + SECTOR + 9, "gone", 4);
    struct io_request behind = card_request(IO_WRITE, AT, whole, SECTOR);
    memset(whole, FILL, sizeof whole);
    hold("read_aio", 'S', card_request(IO_WRITE, AT + 100, "part", 4), 5000000);
    while (!*(volatile bool *)&held.late)
        continue;
    io_set_deadline(&late, clock_now_ns() + 5000000);
    int error = io_submit(vdb, &late) | io_submit(vdb, &given_up) | io_submit(vdb, &behind);
    tap_ok(error == 0 && io_wait(&late) == -ETIMEDOUT && late.moved == 0,
           "test_a_write_that_waits_for_others_parts_times_out_at_its_deadline");
    tap_ok(io_cancel(&given_up) == 0 && io_wait(&given_up) == -ECANCELED,
           "test_and_can_be_cancelled");
    card = vdb;
    tap_equal(card_do(IO_WRITE, AT + 2 * SECTOR, whole, sizeof whole), sizeof whole,
              "test_writes_to_other_sectors_go_on_beside_a_part");
    tap_ok(goes_on(vdb, 0) && still_held() && io_in_flight(&behind),
           "test_so_do_reads_and_only_what_writes_the_same_sector_waits");
    tap_equal(io_cancel(&held), -EBUSY, "test_the_part_is_not_cancelable");
    let_go("vdb", 'S');
    tap_ok(ended_once(-ETIMEDOUT) && held.moved == 4, "test_the_part_ends_once_as_timed_out");
    tap_ok(io_wait(&behind) == SECTOR && card_do(IO_READ, AT, back, sizeof back) == sizeof back &&
               memcmp(back, whole, SECTOR) == 0 && image_is(back + SECTOR, AT + SECTOR, SECTOR),
           "test_what_was_given_up_has_not_been_written");
}

// A flush waits for what was submitted before it, and what comes later waits behind the flush. All
// these are still the core's, which can end them, whatever the device does.
static void test_flush_behind(void)
{
    struct io_request flush = card_request(IO_FLUSH, 0, NULL, 0), late_flush = flush;
    struct io_request given_up = card_request(IO_READ, 0, around_memory[0], BYTES);
    struct io_request late = given_up;
    struct io_request behind = card_request(IO_READ, HELD_AT, around_memory[1], BYTES);
    hold("read_aio", 'B', card_request(IO_READ, HELD_AT, memory, BYTES), 0);
    io_set_deadline(&late, clock_now_ns() + 5000000);
    int error = io_submit(vdb, &flush) | io_submit(vdb, &given_up) | io_submit(vdb, &late);
    tap_ok(error == 0 && io_cancel(&given_up) == 0 && io_wait(&given_up) == -ECANCELED,
           "test_what_waits_behind_a_flush_can_be_cancelled");
    tap_ok(io_wait(&late) == -ETIMEDOUT && late.moved == 0 && io_in_flight(&flush),
           "test_and_times_out_at_its_deadline");
    tap_ok(io_cancel(&flush) == 0 && io_wait(&flush) == -ECANCELED, "test_so_can_the_flush");
    io_set_deadline(&late_flush, clock_now_ns() + 5000000);
    error = io_submit(vdb, &late_flush) | io_submit(vdb, &behind);
    tap_ok(error == 0 && io_wait(&late_flush) == -ETIMEDOUT && io_wait(&behind) == BYTES &&
               image_is(around_memory[1], HELD_AT, BYTES),
           "test_a_flush_that_has_timed_out_lets_the_others_go_on");
    tap_ok(still_held(), "test_while_what_it_waited_for_is_still_held");
    let_go("vdb", 'B');
    tap_ok(ended_once(BYTES), "test_which_ends_once");
}

int main(void)
{
    tap_plan(49);
    if (!board_find("virtio"))
        return tap_skip_rest("this board has no virtio");
    vda = device_find("vda");
    vdb = device_find("vdb");
    if (!tap_ok(vda && vdb, "test_both_disks_are_there"))
        return tap_done();
    card = vda;
    tap_equal(card_do(IO_OPEN, 0, NULL, 0), 0, "test_open");
    test_posix();
    test_cancel();
    test_submit_from_callback();
    test_read_deadline();
    test_write_deadline();
    test_held_flush();
    test_flush_behind();
    test_parts();
    return tap_done();
}
