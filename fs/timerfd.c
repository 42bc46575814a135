// Timers that are read. Expirations are counted by arithmetic: the clock is asked for one event,
// the first that nobody has read yet, however short the interval; the next is asked for when that
// one has been read.
#include "fs/timerfd.h"

#include <errno.h>

#include "arch/assert.h"
#include "arch/container.h"
#include "arch/cpu.h"
#include "fs/stream.h"

struct timerfd {
    struct device device;
    bool open;        // Not released yet.
    bool orphaned;    // Its last descriptor has been closed while a read waited.
    bool set;         // next_ns counts.
    uint64_t next_ns; // The first expiration that has not been read.
    uint64_t interval_ns;
    struct timer timer; // Armed for next_ns until it has come.
    struct io_request *reader;
};

static struct timerfd timerfds[TIMERFD_LIMIT];

static struct timerfd *to_timerfd(const struct device *device)
{
    return container_of(device, struct timerfd, device);
}

// Result: expirations up to now that have not been read.
static uint64_t expirations(const struct timerfd *timerfd, uint64_t now)
{
    if (!timerfd->set || now < timerfd->next_ns)
        return 0;
    return timerfd->interval_ns ? (now - timerfd->next_ns) / timerfd->interval_ns + 1 : 1;
}

// Takes the expirations that have been counted, and has the clock tell about the next.
static void consume_locked(struct timerfd *timerfd, uint64_t count)
{
    if (timerfd->interval_ns == 0) {
        timerfd->set = false;
        return;
    }
    uint64_t next;
    if (__builtin_add_overflow(timerfd->next_ns, count * timerfd->interval_ns, &next))
        next = UINT64_MAX; // Never.
    timerfd->next_ns = next;
    timer_arm(&timerfd->timer, next);
}

// Gives the reader what has been counted, if there is anything. Result: whether it got it; the
// timer may then be gone.
static bool answer_locked(struct timerfd *timerfd)
{
    struct io_request *reader = timerfd->reader;
    uint64_t count = reader ? expirations(timerfd, clock_now_ns()) : 0;
    if (count == 0)
        return false;
    consume_locked(timerfd, count);
    stream_count_store(reader, count);
    timerfd->reader = NULL;
    device_complete(reader, STREAM_COUNT_BYTES);
    return true;
}

static void expired(struct timer *timer)
{
    struct timerfd *timerfd = container_of(timer, struct timerfd, timer);
    if (!answer_locked(timerfd))
        device_ready(&timerfd->device);
}

static int submit_read(struct timerfd *timerfd, struct io_request *request)
{
    if (request->size < STREAM_COUNT_BYTES)
        return -EINVAL;
    assert(timerfd->reader == NULL);
    timerfd->reader = request;
    if (answer_locked(timerfd) || !(request->flags & IO_NONBLOCK))
        return 0;
    timerfd->reader = NULL;
    return -EAGAIN;
}

static int timerfd_serve(struct device *device, struct io_request *request)
{
    if (request->op == IO_READ)
        return submit_read(to_timerfd(device), request);
    if (request->op != IO_OPEN)
        return -EINVAL;
    device_complete(request, 0);
    return 0;
}

// Nobody is left who could set the timer for a read that waits.
static void give_up_locked(struct timerfd *timerfd)
{
    struct io_request *reader = timerfd->reader;
    bool comes = timerfd->set && (timerfd->interval_ns || clock_now_ns() < timerfd->next_ns);
    if (!reader || comes)
        return;
    timerfd->reader = NULL;
    device_complete(reader, -ECANCELED);
}

static void timerfd_submit(struct device *device, struct io_request *request)
{
    struct timerfd *timerfd = to_timerfd(device);
    bool orphaned = timerfd->orphaned; // It may be gone when the request is done.
    device_complete_refused(request, timerfd_serve(device, request));
    if (orphaned)
        give_up_locked(timerfd);
}

static void timerfd_orphaned(struct device *device)
{
    to_timerfd(device)->orphaned = true;
    give_up_locked(to_timerfd(device));
}

static int timerfd_cancel(struct device *device, struct io_request *request)
{
    struct timerfd *timerfd = to_timerfd(device);
    if (request != timerfd->reader)
        return -EALREADY;
    timerfd->reader = NULL;
    device_complete(request, -ECANCELED);
    return 0;
}

static unsigned timerfd_ready(const struct device *device)
{
    return expirations(to_timerfd(device), clock_now_ns()) > 0 ? IO_READY_READ : 0;
}

static void timerfd_release(struct device *device)
{
    struct timerfd *timerfd = to_timerfd(device);
    timer_cancel(&timerfd->timer);
    timerfd->open = false;
}

static const struct device_ops timerfd_ops = { .submit = timerfd_submit,
                                               .cancel = timerfd_cancel,
                                               .ready = timerfd_ready,
                                               .orphaned = timerfd_orphaned,
                                               .release = timerfd_release };

static struct timerfd *take_free_locked(void)
{
    for (struct timerfd *timerfd = timerfds; timerfd < timerfds + TIMERFD_LIMIT; timerfd++) {
        if (!timerfd->open) {
            timerfd->open = true;
            return timerfd;
        }
    }
    return NULL;
}

int timerfd_make(struct device **device)
{
    uint32_t flags = irq_save();
    struct timerfd *timerfd = take_free_locked();
    irq_restore(flags);
    if (!timerfd)
        return -ENFILE;
    stream_init(&timerfd->device, "timerfd", &timerfd_ops);
    timerfd->device.messages = true;
    timerfd->set = timerfd->orphaned = false;
    timerfd->interval_ns = 0;
    timerfd->timer.expired = expired;
    *device = &timerfd->device;
    return 0;
}

struct timerfd_setting timerfd_get(const struct device *device)
{
    uint32_t flags = irq_save();
    const struct timerfd *timerfd = to_timerfd(device);
    struct timerfd_setting setting = { 0, timerfd->interval_ns };
    uint64_t now = clock_now_ns();
    if (timerfd->set && now < timerfd->next_ns)
        setting.value_ns = timerfd->next_ns - now;
    else if (timerfd->set && timerfd->interval_ns)
        setting.value_ns = timerfd->interval_ns - (now - timerfd->next_ns) % timerfd->interval_ns;
    irq_restore(flags);
    return setting;
}

void timerfd_set(struct device *device, bool absolute, struct timerfd_setting setting,
                 struct timerfd_setting *old)
{
    uint32_t flags = irq_save();
    struct timerfd *timerfd = to_timerfd(device);
    if (old)
        *old = timerfd_get(device);
    timer_cancel(&timerfd->timer);
    timerfd->set = setting.value_ns != 0;
    timerfd->interval_ns = setting.interval_ns;
    timerfd->next_ns = setting.value_ns;
    if (!absolute && __builtin_add_overflow(clock_now_ns(), setting.value_ns, &timerfd->next_ns))
        timerfd->next_ns = UINT64_MAX; // Never.
    if (timerfd->set)
        timer_arm(&timerfd->timer, timerfd->next_ns);
    irq_restore(flags);
}

bool timerfd_is(const struct device *device)
{
    return device && device->ops == &timerfd_ops;
}
