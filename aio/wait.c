// Waiting for a request: the CPU sleeps, and a wait that is left by siglongjmp() takes its request
// along.
#include "aio/core.h"
#include "aio/unwind.h"
#include "arch/container.h"
#include "arch/cpu.h"

static void sleep_until_done(const struct io_request *request)
{
    uint32_t flags = irq_save();
    while (io_in_flight(request))
        level_sleep_locked();
    irq_restore(flags);
}

struct waiting {
    struct unwind unwind;
    struct io_request *request;
};

// Nobody waits for it any more, and its memory is about to go.
static void stop_waiting(struct unwind *unwind)
{
    struct io_request *request = container_of(unwind, struct waiting, unwind)->request;
    io_cancel(request);
    sleep_until_done(request);
}

ssize_t io_wait(struct io_request *request)
{
    struct waiting waiting = { .request = request };
    unwind_push(&waiting.unwind, stop_waiting);
    sleep_until_done(request);
    unwind_pop(&waiting.unwind);
    return request->result;
}

ssize_t io_wait_until(struct io_request *request, bool (*over)(void *), void *context)
{
    struct waiting waiting = { .request = request };
    bool asked = false;
    unwind_push(&waiting.unwind, stop_waiting);
    uint32_t flags = irq_save();
    while (io_in_flight(request)) {
        if (!asked && over(context)) {
            asked = true;
            io_cancel(request);
            continue;
        }
        level_sleep_locked();
    }
    irq_restore(flags);
    unwind_pop(&waiting.unwind);
    return request->result;
}
