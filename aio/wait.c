// Waiting for a request: the CPU sleeps, and a wait that is left by siglongjmp() takes its request
// along.
#include "aio/core.h"
#include "arch/container.h"
#include "arch/cpu.h"

static void sleep_until_done(const struct io_request *request)
{
    uint32_t flags = irq_save();
    while (io_in_flight(request))
        level_sleep_locked();
    irq_restore(flags);
}

// Nobody waits for it any more, and its memory is about to go.
static void withdraw_and_wait(struct unwind *unwind)
{
    struct io_request *request = container_of(unwind, struct io_guard, unwind)->request;
    io_cancel(request);
    sleep_until_done(request);
}

void io_guard_begin(struct io_guard *guard, struct io_request *request)
{
    guard->request = request;
    unwind_push(&guard->unwind, withdraw_and_wait);
}

void io_guard_end(struct io_guard *guard)
{
    unwind_pop(&guard->unwind);
}

ssize_t io_wait(struct io_request *request)
{
    struct io_guard guard;
    io_guard_begin(&guard, request);
    sleep_until_done(request);
    io_guard_end(&guard);
    return request->result;
}

ssize_t io_wait_until(struct io_request *request, bool (*over)(void *), void *context)
{
    struct io_guard guard;
    bool asked = false;
    io_guard_begin(&guard, request);
    uint32_t flags = irq_save();
    while (io_in_flight(request)) {
        if (!asked && over(context)) {
            asked = true;
            io_cancel(request);
        }
        if (io_in_flight(request)) // It may have come to its end meanwhile.
            level_sleep_locked();
    }
    irq_restore(flags);
    io_guard_end(&guard);
    return request->result;
}
