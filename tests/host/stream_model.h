// The little kernel that a stream and the real core need: deferred work that the test lets go on
// piece by piece, and a clock that stands still until the test moves it.
#pragma once

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aio/core.h"
#include "aio/poll.h"
#include "arch/cpu.h"
#include "arch/memory.h"
#include "tests/tap.h"

uint32_t fake_read(uintptr_t address, unsigned bytes)
{
    (void)address, (void)bytes;
    return 0;
}
void fake_write(uintptr_t address, unsigned bytes, uint32_t value)
{
    (void)address, (void)bytes, (void)value;
}
int memory_check(uintptr_t address, size_t size, enum memory_access access)
{
    (void)address, (void)size, (void)access;
    return 0;
}

bool memory_is_open(uintptr_t address, size_t size)
{
    (void)address, (void)size;
    return false; // memory_check() is to be asked.
}
void callback_post(struct callback *callback)
{
    (void)callback;
}
void callback_post_isr(struct callback *callback)
{
    (void)callback;
}

// --- Deferred work ---

static struct irq_work *deferred;

void irq_defer(struct irq_work *work)
{
    struct irq_work **link = &deferred;
    while (*link)
        link = &(*link)->next;
    work->next = NULL;
    *link = work;
}

// Runs one piece of work. Result: false: there was none.
static bool run_one(void)
{
    struct irq_work *work = deferred;
    if (!work)
        return false;
    deferred = work->next;
    fake_in_isr = fake_irqs_masked = true;
    work->run(work);
    fake_in_isr = fake_irqs_masked = false;
    return true;
}

static void run(void)
{
    while (run_one()) {}
}
enum level level_current(void)
{
    return LEVEL_MAIN;
}

void level_sleep_locked(void)
{
    if (!run_one()) {
        printf("Bail out! waits for ever\n");
        exit(1);
    }
}

// --- Time ---

enum { ARMED_LIMIT = 16 };
static uint64_t now_ns = 1000;
static struct timer *armed[ARMED_LIMIT];
static unsigned timer_events; // Expirations so far.

uint64_t clock_now_ns(void)
{
    return now_ns;
}

bool timer_cancel(struct timer *timer)
{
    bool was_armed = timer->link != NULL;
    if (was_armed)
        *timer->link = NULL;
    timer->link = NULL;
    return was_armed;
}

void timer_arm(struct timer *timer, uint64_t expires_ns)
{
    timer_cancel(timer);
    unsigned i = 0;
    while (armed[i])
        i++;
    armed[i] = timer;
    timer->link = &armed[i];
    timer->expires_ns = expires_ns;
}

// Moves the clock and lets the timers expire that are due; one that is armed meanwhile, too.
static inline void advance_to(uint64_t ns)
{
    now_ns = ns;
    for (unsigned i = 0; i < ARMED_LIMIT; i++) {
        struct timer *timer = armed[i];
        if (!timer || timer->expires_ns > now_ns)
            continue;
        timer_cancel(timer);
        timer_events++;
        fake_in_isr = fake_irqs_masked = true;
        timer->expired(timer);
        fake_in_isr = fake_irqs_masked = false;
    }
    run();
}

// --- Requests ---

static inline int start(struct device *device, struct io_request *request, enum io_op op,
                        void *buffer, size_t size)
{
    request->op = op;
    request->buffer = buffer;
    request->size = size;
    return io_submit(device, request);
}

// Starts a request and lets everything happen that can. Result: its result; -EINPROGRESS: it waits.
static inline ssize_t move(struct device *device, struct io_request *request, enum io_op op,
                           void *buffer, size_t size)
{
    int error = start(device, request, op, buffer, size);
    run();
    if (error)
        return error;
    return io_in_flight(request) ? -EINPROGRESS : request->result;
}

// The same for a request of its own that must not wait.
static inline ssize_t move_now(struct device *device, enum io_op op, void *buffer, size_t size)
{
    struct io_request request = { .flags = IO_NONBLOCK };
    return move(device, &request, op, buffer, size);
}

static inline ssize_t read_now(struct device *device, void *buffer, size_t size)
{
    return move_now(device, IO_READ, buffer, size);
}

static inline ssize_t write_now(struct device *device, const void *buffer, size_t size)
{
    return move_now(device, IO_WRITE, (void *)(uintptr_t)buffer, size);
}

static inline unsigned random_number(void)
{
    static uint32_t state = 2463534242u;
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

// The byte at a place of the test's endless text.
static inline uint8_t text_at(size_t place)
{
    return (uint8_t)(place * 2654435761u >> 13);
}
