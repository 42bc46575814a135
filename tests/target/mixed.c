// 10,000 requests of every kind on every device at once: reads, writes, flushes, of all sizes and
// alignments, some cancelled while they wait, some while the card works on them, some with a
// deadline that they miss. Each completes exactly once, and the memory between the buffers stays as
// it was.
// qemu: -icount shift=0,sleep=off
// sd: 8M
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aio/core.h"
#include "arch/cpu.h"
#include "tests/tap.h"
#include "tests/target/board_find.h"

enum {
    REQUESTS = 10000,
    CANCELLED_QUEUED = 1000, // At least so many of each,
    CANCELLED_RUNNING = 100,
    LATE = 100,
    DISK_DEPTH = 1, // A disk that takes many at once would leave none in the queue to cancel.
    SLOTS = 48,     // under way at a time.
    SLOT_BYTES = 16384,
    GUARD_BYTES = 64,
    LAST_OFFSET = (4 << 20) - SLOT_BYTES, // The smallest device is the RAM disk of 4 MiB.
};

enum fate { FATE_NONE, FATE_CANCEL_QUEUED, FATE_CANCEL_RUNNING, FATE_LATE };

struct slot {
    struct io_request request;
    unsigned char memory[GUARD_BYTES + SLOT_BYTES + GUARD_BYTES];
    unsigned offset, size; // Of the buffer in memory.
    enum fate fate;
    bool busy, notified;
    unsigned done;
};

static struct slot slots[SLOTS];
static struct device *devices[4];
static unsigned submitted, completed, cancelled_queued, cancelled_running, late, finished_well;
static unsigned bad_results, bad_guards, refused;

static void on_done(struct io_request *request)
{
    struct slot *slot = (struct slot *)request;
    slot->done++;
    if (!request->notify.run)
        slot->notified = true;
}

static void on_notify(struct callback *notify)
{
    struct io_request *request = request_of(notify);
    struct slot *slot = (struct slot *)request;
    slot->notified = true;
}

static unsigned char guard_byte(const struct slot *slot, unsigned i)
{
    return (unsigned char)(i * 31 + (unsigned)(slot - slots) * 7 + 1);
}

static void fill_guards(struct slot *slot)
{
    for (unsigned i = 0; i < sizeof slot->memory; i++)
        if (i < slot->offset || i >= slot->offset + slot->size)
            slot->memory[i] = guard_byte(slot, i);
}

static bool guards_intact(const struct slot *slot)
{
    for (unsigned i = 0; i < sizeof slot->memory; i++)
        if ((i < slot->offset || i >= slot->offset + slot->size) &&
            slot->memory[i] != guard_byte(slot, i))
            return false;
    return true;
}

// Large aligned reads of the card are long enough to be caught while they run.
static void choose(struct slot *slot, enum fate fate)
{
    struct io_request *request = &slot->request;
    bool running = fate == FATE_CANCEL_RUNNING;
    memset(request, 0, sizeof *request);
    slot->fate = fate;
    slot->offset = GUARD_BYTES + (running || rand() % 2 ? 0 : (unsigned)rand() % 64);
    slot->size = running ? 8192 : 1 + (unsigned)rand() % (SLOT_BYTES - 64);
    if (!running && rand() % 2)
        slot->size = (slot->size + 511) / 512 * 512 % SLOT_BYTES;
    request->op = rand() % 100 == 0 ? IO_FLUSH : rand() % 3 == 0 ? IO_WRITE : IO_READ;
    if (running)
        request->op = IO_READ;
    request->priority = (uint8_t)(rand() % IO_PRIORITIES);
    request->offset = (uint64_t)(rand() % (4 << 20)) / (rand() % 2 ? 1 : 512) * 512 % LAST_OFFSET;
    request->buffer = slot->memory + slot->offset;
    request->size = slot->size;
    request->done = on_done;
    request->notify.run = rand() % 2 ? on_notify : NULL;
}

static void submit(struct slot *slot, struct device *device)
{
    fill_guards(slot);
    slot->done = 0;
    slot->notified = false;
    slot->busy = true;
    submitted++;
    if (slot->fate == FATE_LATE)
        io_set_deadline(&slot->request, clock_now_ns() + (uint64_t)(rand() % 3000));
    if (io_submit(device, &slot->request) != 0) {
        refused++;
        slot->busy = false;
    }
}

static ssize_t expected(const struct slot *slot)
{
    if (slot->request.op == IO_FLUSH)
        return 0;
    return slot->request.op == IO_READ && slot->request.device == devices[3] ? 0
                                                                             : (ssize_t)slot->size;
}

static void check(struct slot *slot)
{
    ssize_t result = slot->request.result;
    completed++;
    if (result == -ECANCELED || result == -ETIMEDOUT)
        bad_results += slot->request.moved > slot->size;
    else if (result != expected(slot)) {
        bad_results++;
        tap_note("%s, operation %d at %lu: result %ld instead of %ld", slot->request.device->name,
                 slot->request.op, (unsigned long)slot->request.offset, (long)result,
                 (long)expected(slot));
    }
    late += result == -ETIMEDOUT;
    finished_well += result >= 0;
    bad_results += slot->done != 1;
    bad_guards += !guards_intact(slot);
    slot->busy = false;
}

// Cancels what was chosen for it; which of the two kinds it was is told by the request's state at
// that moment.
static void cancel(struct slot *slot)
{
    uint32_t flags = irq_save();
    enum io_state state = slot->request.state;
    int error = io_cancel(&slot->request);
    irq_restore(flags);
    if (error == 0 && state == IO_QUEUED)
        cancelled_queued++;
    else if (error == 0 && state == IO_STARTED && slot->request.device == devices[0])
        cancelled_running++;
}

// A virtio disk is quick, and what is meant for its queue is often given to it at once: try more
// often.
static enum fate next_fate(void)
{
    unsigned dice = (unsigned)rand() % 100;
    if (dice < 20 || (dice >= 60 && !board_find("mmcblk0")))
        return FATE_CANCEL_QUEUED;
    if (dice < 23)
        return FATE_CANCEL_RUNNING;
    return dice < 33 ? FATE_LATE : FATE_NONE;
}

static void one_round(void)
{
    unsigned batch = 1 + (unsigned)rand() % SLOTS;
    for (unsigned i = 0; i < batch && submitted < REQUESTS; i++) {
        struct slot *slot = &slots[i];
        choose(slot, next_fate());
        // What is to be cancelled goes to the card, which takes its time; the rest anywhere.
        bool cancelled = slot->fate == FATE_CANCEL_RUNNING || slot->fate == FATE_CANCEL_QUEUED;
        uint32_t flags = irq_save();
        submit(slot, devices[cancelled ? 0 : rand() % 4]);
        if (slot->fate == FATE_CANCEL_QUEUED && slot->request.state == IO_QUEUED)
            cancel(slot);
        irq_restore(flags);
        if (slot->fate == FATE_CANCEL_RUNNING) {
            for (volatile unsigned spin = 0;
                 spin < 20000 && *(volatile uint8_t *)&slot->request.state == IO_QUEUED; spin++)
                ;
            cancel(slot);
        }
    }
    for (unsigned i = 0; i < batch; i++) {
        if (!slots[i].busy)
            continue;
        uint32_t flags = irq_save();
        while (!slots[i].notified)
            level_sleep_locked();
        irq_restore(flags);
        check(&slots[i]);
    }
}

int main(void)
{
    const char *const names[] = { board.disk, "ram0", "zero", "null" };
    tap_plan(8);
    srand(20);
    for (int i = 0; i < 4; i++)
        devices[i] = device_find(names[i]);
    struct io_request open = { .op = IO_OPEN };
    io_submit(devices[0], &open);
    tap_equal(io_wait(&open), 0, "test_card_is_ready");
    if (devices[0]->lanes[0].depth > DISK_DEPTH)
        devices[0]->lanes[0].depth = DISK_DEPTH;
    while (submitted < REQUESTS)
        one_round();
    tap_note("figure: %u requests: %u well, %u cancelled while queued, %u while running, %u late",
             submitted, finished_well, cancelled_queued, cancelled_running, late);
    tap_ok(submitted - refused == completed && submitted == REQUESTS,
           "test_10000_requests_complete");
    tap_equal(refused, 0, "test_none_of_them_is_refused");
    tap_equal(bad_results, 0, "test_each_completes_once_with_a_result_that_fits");
    tap_equal(bad_guards, 0, "test_memory_around_the_buffers_is_untouched");
    tap_ok(cancelled_queued >= CANCELLED_QUEUED, "test_1000_are_cancelled_while_queued");
    if (board_find("mmcblk0"))
        tap_ok(cancelled_running >= CANCELLED_RUNNING,
               "test_100_are_cancelled_while_running_on_sd");
    else
        tap_skip("test_100_are_cancelled_while_running_on_sd",
                 "what a virtio disk has been given cannot be withdrawn");
    tap_ok(late >= LATE, "test_100_miss_their_deadline");
    return tap_done();
}
