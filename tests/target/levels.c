// Requests submitted and cancelled at all three levels at once: from main, from callbacks, and at
// isr level from a timer, on four devices, some with deadlines. Each is done exactly once, notified
// at most once after that, and none is left.
// sd: 8M
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aio/core.h"
#include "arch/cpu.h"
#include "tests/tap.h"
#include "tests/target/board_find.h"

enum { ITEMS = 48, SIZE = 8192, REQUESTS = 20000 };

struct item {
    struct io_request request; // First: done() and notify() get back from it to the item.
    volatile bool out;
    unsigned done, notified;
    char memory[SIZE];
};

static struct item items[ITEMS];
static struct device *devices[4];
static struct timer ticker;
static volatile unsigned accepted, done_total, late, cancelled, broken;
static volatile bool stop;
static uint32_t seed = 1;

// All levels draw from one sequence.
static unsigned draw(unsigned below)
{
    uint32_t flags = irq_save();
    seed = seed * 1664525u + 1013904223u;
    unsigned number = (seed >> 8) % below;
    irq_restore(flags);
    return number;
}

static void on_done(struct io_request *request)
{
    struct item *item = (struct item *)request;
    ssize_t result = request->result;
    done_total++;
    late += result == -ETIMEDOUT;
    cancelled += result == -ECANCELED;
    broken += ++item->done != 1 || !cpu_in_isr() || timer_armed(&request->timer);
    broken += request->moved > request->size;
    broken += result < 0 && result != -ETIMEDOUT && result != -ECANCELED;
    if (!request->notify.run)
        item->out = false;
}

static void fire(void);
static void cancel(void);

static void on_notify(struct callback *notify)
{
    struct io_request *request = request_of(notify);
    struct item *item = (struct item *)request;
    broken += ++item->notified != 1 || item->done != 1;
    item->out = false;
    if (draw(3) == 0)
        fire();
    if (draw(4) == 0)
        cancel();
}

static void choose(struct item *item)
{
    struct io_request *request = &item->request;
    memset(request, 0, sizeof *request);
    item->done = item->notified = 0;
    request->op = draw(8) == 0 ? IO_FLUSH : draw(2) ? IO_READ : IO_WRITE;
    request->buffer = item->memory + draw(64);
    request->size = 1 + draw(SIZE - 64);
    request->offset = draw(1 << 20);
    request->priority = (uint8_t)draw(IO_PRIORITIES);
    request->done = on_done;
    request->notify.run = draw(2) ? on_notify : NULL;
    io_set_deadline(request, draw(4) == 0 ? clock_now_ns() + draw(200000) : 0);
}

// Submits some item that is not under way.
static void fire(void)
{
    uint32_t flags = irq_save();
    struct item *item = &items[draw(ITEMS)];
    if (!item->out && !stop) {
        choose(item);
        item->out = true;
        accepted++;
        broken += io_submit(devices[draw(4)], &item->request) != 0;
    }
    irq_restore(flags);
}

// Cancels some item that is; all three answers are right.
static void cancel(void)
{
    uint32_t flags = irq_save();
    struct item *item = &items[draw(ITEMS)];
    if (item->out) {
        int error = io_cancel(&item->request);
        broken += error != 0 && error != -EALREADY && error != -EBUSY;
    }
    irq_restore(flags);
}

static void fire_or_cancel(void)
{
    if (draw(3) != 0)
        fire();
    else
        cancel();
}

static void tick(struct timer *timer)
{
    for (int i = 0; i < 3; i++)
        fire_or_cancel();
    if (!stop)
        timer_arm(timer, clock_now_ns() + draw(30000));
}

static void wait_for_one(void)
{
    struct item *item = &items[draw(ITEMS)];
    uint32_t flags = irq_save();
    for (int sleeps = 0; item->out && sleeps < 3; sleeps++)
        level_sleep_locked();
    irq_restore(flags);
}

static unsigned left(void)
{
    unsigned count = 0;
    for (unsigned i = 0; i < ITEMS; i++)
        count += items[i].out;
    return count;
}

int main(void)
{
    const char *const names[] = { board.disk, "ram0", "zero", "null" };
    tap_plan(4);
    for (int i = 0; i < 4; i++)
        devices[i] = device_find(names[i]);
    struct io_request open = { .op = IO_OPEN };
    io_submit(devices[0], &open);
    tap_equal(io_wait(&open), 0, "test_card_is_ready");
    ticker.expired = tick;
    timer_arm(&ticker, clock_now_ns());
    while (accepted < REQUESTS) {
        fire_or_cancel();
        if (draw(16) == 0)
            wait_for_one();
    }
    stop = true;
    for (unsigned looks = 0; left() > 0 && looks < 100000000; looks++)
        ;
    tap_note("%u requests, %u cancelled, %u late", accepted, cancelled, late);
    tap_equal(left(), 0, "test_no_request_is_left");
    tap_equal(done_total, accepted, "test_each_request_is_done_once");
    tap_equal(broken, 0, "test_every_level_keeps_the_order_of_done_and_notify");
    return tap_done();
}
