// A thousand requests on virtio disks, more than a ring holds: they end in whatever order the
// device likes, each once, and what waits for room in the ring goes by priority.
// image: vda 8M
// virtio: -blockdev driver=file,node-name=f,filename=@/vda
// virtio: -blockdev driver=blkdebug,node-name=d,image=f -blockdev driver=raw,node-name=a,file=d
// virtio: -device virtio-blk-device,drive=a,id=vda
// virtio: -blockdev driver=null-co,node-name=n,size=1073741824,latency-ns=1000000
// virtio: -device virtio-blk-device,drive=n,request-merging=off
// monitor: yes
#include <errno.h>
#include <string.h>

#include "arch/cpu.h"
#include "sd_image.h"
#include "tests/tap.h"
#include "tests/target/board_find.h"
#include "virtio_monitor.h"

enum { MANY = 1000, BYTES = 65536, BLOCK = 4096, HELD = 8, URGENT = 8, SOON = 100 };

static _Alignas(64) uint8_t memory[MANY][BYTES];
static struct io_request requests[MANY];
static unsigned finished_at[MANY], done_count[MANY], notify_count[MANY];
static volatile unsigned finished;

static void on_done(struct io_request *request)
{
    unsigned index = (unsigned)(request - requests);
    done_count[index]++;
    finished_at[index] = finished++;
}

static void on_notify(struct callback *notify)
{
    struct io_request *request = request_of(notify);
    notify_count[request - requests]++;
}

// From one block to 16 of them, scattered over the disk.
static void prepare(unsigned index)
{
    size_t size = (size_t)BLOCK << index % 5;
    uint64_t offset = (uint64_t)(index * 1237u % (IMAGE_BYTES / BLOCK)) * BLOCK;
    if (offset + size > IMAGE_BYTES)
        size = (size_t)(IMAGE_BYTES - offset);
    requests[index] = card_request(IO_READ, offset, memory[index], size);
    requests[index].done = on_done;
    requests[index].notify.run = on_notify;
    requests[index].priority = 4;
}

static void begin(void)
{
    memset(done_count, 0, sizeof done_count);
    memset(notify_count, 0, sizeof notify_count);
    finished = 0;
}

// Waits for the end, and for its notification, which may come later: callbacks leave main its share
// of the CPU.
static bool ended_once(unsigned index)
{
    ssize_t result = io_wait(&requests[index]);
    while (!io_idle(&requests[index]))
        continue;
    return result == (ssize_t)requests[index].size && done_count[index] == 1 &&
           notify_count[index] == 1;
}

// The first few are held inside the device, all others pass them by, and then the held ones are let
// go, the last one first.
static void test_any_order(void)
{
    bool right = true, order = true;
    begin();
    for (unsigned i = 0; i < HELD; i++) {
        hold_next("vda", "read_aio", (char)('A' + i));
        prepare(i);
        right &= io_submit(card, &requests[i]) == 0;
        wait_held("vda", (char)('A' + i));
    }
    uint32_t flags = irq_save();
    for (unsigned i = HELD; i < MANY; i++) {
        prepare(i);
        right &= io_submit(card, &requests[i]) == 0;
    }
    unsigned in_ring = card->lanes[0].in_flight;
    irq_restore(flags);
    tap_ok(right && in_ring == card->lanes[0].depth && in_ring < MANY,
           "test_1000_requests_are_taken_and_not_all_fit_into_the_ring");
    tap_note("%u in the ring", in_ring);
    for (unsigned i = HELD; i < MANY; i++)
        right &= ended_once(i);
    tap_ok(right && finished == MANY - HELD, "test_992_end_once_and_pass_8_that_are_held");
    for (unsigned i = 0; i < HELD; i++)
        right &= io_in_flight(&requests[i]) && done_count[i] == 0;
    tap_ok(right, "test_those_are_still_in_flight");
    for (unsigned i = HELD; i-- > 0;) {
        let_go("vda", (char)('A' + i));
        right &= ended_once(i);
        order &= finished_at[i] == MANY - 1 - i;
    }
    tap_ok(right && order, "test_they_end_once_each_when_they_are_let_go_the_last_first");
    for (unsigned i = 0; i < MANY; i++)
        right &= image_is(memory[i], requests[i].offset, requests[i].size) && done_count[i] == 1;
    tap_ok(right && finished == MANY, "test_each_has_brought_its_own_bytes");
}

static unsigned priority_of(unsigned index)
{
    return index >= MANY - URGENT ? 0 : index >= MANY - SOON ? 3 : 4;
}

// Goal: what waits starts by priority, and within one in the order of submission. Method: a disk
// that ends its requests in the order in which it gets them, so the order of the ends is known
// beforehand: what was in the ring, then the urgent ones, which were submitted last of all, then
// those that are less so, then the rest.
static void test_priorities(void)
{
    struct device *vdb = device_find("vdb");
    unsigned depth = vdb->lanes[0].depth;
    bool right = true;
    begin();
    uint32_t flags = irq_save();
    for (unsigned i = 0; i < MANY; i++) {
        requests[i] = card_request(IO_READ, (uint64_t)i * 2 * BLOCK, memory[i], BLOCK);
        requests[i].done = on_done;
        requests[i].notify.run = on_notify;
        requests[i].priority = (uint8_t)priority_of(i);
        right &= io_submit(vdb, &requests[i]) == 0;
    }
    irq_restore(flags);
    for (unsigned i = 0; i < MANY; i++)
        right &= ended_once(i);
    tap_ok(right && finished == MANY, "test_1000_requests_of_three_priorities_end_once_each");
    bool urgent = true, soon = true, rest = true, in_ring = true;
    for (unsigned i = 0; i < MANY; i++) {
        if (i < depth)
            in_ring &= finished_at[i] == i;
        else if (priority_of(i) == 0)
            urgent &= finished_at[i] == i - (MANY - URGENT) + depth;
        else if (priority_of(i) == 3)
            soon &= finished_at[i] == i - (MANY - SOON) + depth + URGENT;
        else
            rest &= finished_at[i] == i + SOON;
    }
    tap_ok(in_ring, "test_what_is_in_the_ring_is_not_overtaken");
    tap_ok(urgent, "test_urgent_ones_submitted_last_overtake_all_that_wait");
    tap_ok(soon, "test_the_next_priority_follows");
    tap_ok(rest, "test_then_the_rest_in_the_order_of_submission");
}

int main(void)
{
    tap_plan(12);
    if (!board_find("virtio"))
        return tap_skip_rest("this board has no virtio");
    card = device_find("vda");
    if (!tap_ok(card && device_find("vdb"), "test_both_disks_are_there"))
        return tap_done();
    tap_equal(card_do(IO_OPEN, 0, NULL, 0), 0, "test_open");
    test_any_order();
    test_priorities();
    return tap_done();
}
