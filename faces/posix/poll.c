// poll() and select(): one poll of the core (aio/poll.h) for each descriptor, and a sleep until one
// of them is done.
//
// First everything is looked at, which is all where something is ready or nobody wants to wait.
// Only then are requests submitted; they look again themselves, so what happens in between is not
// lost.
#include <poll.h>

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/select.h>

#include "aio/poll.h"
#include "aio/unwind.h"
#include "arch/container.h"
#include "arch/cpu.h"
#include "faces/posix/pointers.h"
#include "faces/posix/posix.h"
#include "faces/posix/signals.h"
#include "fs/file.h"
#include "irq/callback.h"

_Static_assert(FD_SETSIZE >= FILE_LIMIT, "every descriptor fits into an fd_set");

enum { MILLISECONDS = 1000, NANOSECONDS_EACH = 1000000 };

static unsigned wanted(short events)
{
    return (events & (POLLIN | POLLRDNORM) ? IO_READY_READ : 0) |
           (events & (POLLOUT | POLLWRNORM) ? IO_READY_WRITE : 0);
}

static short revents_of(unsigned ready, short events)
{
    unsigned found = 0;
    if (ready & IO_READY_READ)
        found |= events & (POLLIN | POLLRDNORM);
    if (ready & IO_READY_WRITE && !(ready & IO_READY_HANGUP))
        found |= events & (POLLOUT | POLLWRNORM);
    if (ready & IO_READY_ERROR)
        found |= POLLERR;
    if (ready & IO_READY_HANGUP)
        found |= POLLHUP;
    return (short)found;
}

// Result: enum io_ready, or -EBADF.
static int look(int fd)
{
    uint32_t flags = irq_save(); // Another level may close it.
    const struct device *device = file_snapshot(fd).device;
    int ready = device ? (int)io_ready_now(device) : -EBADF;
    irq_restore(flags);
    return ready;
}

// Result: entries that are ready.
static int look_at_all(struct pollfd *entries, nfds_t count)
{
    int found = 0;
    for (nfds_t i = 0; i < count; i++) {
        entries[i].revents = 0;
        if (entries[i].fd < 0)
            continue;
        int ready = look(entries[i].fd);
        entries[i].revents = ready < 0 ? POLLNVAL : revents_of((unsigned)ready, entries[i].events);
        found += entries[i].revents != 0;
    }
    return found;
}

// ---- Waiting ----

// An entry without a request has one that is idle, with the result it would have.
static void submit_all(struct io_request *requests, const struct pollfd *entries, nfds_t count)
{
    for (nfds_t i = 0; i < count; i++) {
        requests[i].result = 0;
        if (entries[i].fd < 0)
            continue;
        uint32_t flags = irq_save();
        int error = file_poll_locked(entries[i].fd, &requests[i], wanted(entries[i].events));
        irq_restore(flags);
        if (error)
            requests[i].result = error;
    }
}

static bool any_done(const struct io_request *requests, const struct pollfd *entries, nfds_t count)
{
    for (nfds_t i = 0; i < count; i++)
        if (entries[i].fd >= 0 && !io_in_flight(&requests[i]))
            return true;
    return false;
}

static void withdraw_all(struct io_request *requests, nfds_t count)
{
    for (nfds_t i = 0; i < count; i++)
        io_cancel(&requests[i]); // Too late for some: they are done.
    for (nfds_t i = 0; i < count; i++)
        io_wait(&requests[i]);
}

static int collect(const struct io_request *requests, struct pollfd *entries, nfds_t count)
{
    int found = 0;
    for (nfds_t i = 0; i < count; i++) {
        ssize_t ready = requests[i].result;
        if (ready == -EBADF) // Closed since it was looked at.
            entries[i].revents = POLLNVAL;
        else if (ready > 0)
            entries[i].revents = revents_of((unsigned)ready, entries[i].events);
        found += entries[i].revents != 0;
    }
    return found;
}

struct polling {
    struct unwind unwind;
    struct io_request *requests;
    nfds_t count;
};

static void polling_left(struct unwind *unwind)
{
    const struct polling *polling = container_of(unwind, struct polling, unwind);
    withdraw_all(polling->requests, polling->count);
}

// Nothing is ready: sleeps until something is. Result: entries that are; 0; or -EINTR.
static int wait_for_any(struct pollfd *entries, nfds_t count, const struct posix_wait *wait)
{
    struct io_request requests[FILE_LIMIT];
    struct polling polling = { .requests = requests, .count = count };
    int error = 0;
    for (nfds_t i = 0; i < count; i++)
        requests[i] = (struct io_request){ 0 };
    unwind_push(&polling.unwind, polling_left);
    submit_all(requests, entries, count);
    uint32_t flags = irq_save();
    while (!any_done(requests, entries, count) && (error = posix_wait_over(wait)) == 0)
        posix_wait_sleep_locked(wait);
    irq_restore(flags);
    withdraw_all(requests, count);
    unwind_pop(&polling.unwind);
    int found = collect(requests, entries, count);
    return found == 0 && error == EINTR ? -EINTR : found;
}

// The mask counts while it waits: what it lets through, and what it lets through from the first
// moment on, ends the wait. Result: entries that are ready, or -errno.
static int poll_all(struct pollfd *entries, nfds_t count, const struct timespec *timeout,
                    const sigset_t *mask)
{
    struct posix_wait wait;
    sigset_t before = 0;
    if (count > FILE_LIMIT)
        return -EINVAL;
    if (!posix_can_write(entries, count) || !posix_may_read(mask))
        return -EFAULT;
    int error = posix_wait_begin(&wait, timeout);
    if (error)
        return -error;
    if (mask)
        before = posix_signals_exchange_mask(*mask);
    int found = look_at_all(entries, count);
    if (found == 0 && posix_wait_over(&wait) != ETIMEDOUT)
        found = wait_for_any(entries, count, &wait);
    posix_wait_end(&wait);
    if (mask)
        posix_signals_exchange_mask(before);
    return found;
}

int ppoll(struct pollfd entries[], nfds_t count, const struct timespec *timeout,
          const sigset_t *mask)
{
    int found = poll_all(entries, count, timeout, mask);
    return found < 0 ? posix_fail(-found) : found;
}

int poll(struct pollfd entries[], nfds_t count, int timeout_ms)
{
    const struct timespec timeout = { .tv_sec = timeout_ms / MILLISECONDS,
                                      .tv_nsec = timeout_ms % MILLISECONDS *
                                                 (long)NANOSECONDS_EACH };
    return ppoll(entries, count, timeout_ms < 0 ? NULL : &timeout, NULL);
}

// ---- select() ----

static bool is_in(int fd, const fd_set *set)
{
    return set && FD_ISSET(fd, set);
}

// Leaves a descriptor in a set only when it is ready. Result: is it there?
static int keep(int fd, fd_set *set, bool ready)
{
    if (!is_in(fd, set))
        return 0;
    if (!ready)
        FD_CLR(fd, set);
    return ready;
}

// Where the other end has been closed neither reading nor writing waits, and that is what select()
// is asked. Nothing is exceptional.
static int collect_sets(const struct pollfd *entries, int count, fd_set *reading, fd_set *writing,
                        fd_set *exceptional)
{
    int found = 0;
    for (int fd = 0; fd < count; fd++) {
        short revents = entries[fd].revents;
        found += keep(fd, reading, (revents & (POLLIN | POLLHUP | POLLERR)) != 0);
        found += keep(fd, writing, (revents & (POLLOUT | POLLHUP | POLLERR)) != 0);
        found += keep(fd, exceptional, false);
    }
    return found;
}

int pselect(int count, fd_set *reading, fd_set *writing, fd_set *exceptional,
            const struct timespec *timeout, const sigset_t *mask)
{
    struct pollfd entries[FILE_LIMIT];
    if (count < 0 || count > FILE_LIMIT)
        return posix_fail(EINVAL);
    if (!posix_may_write(reading) || !posix_may_write(writing) || !posix_may_write(exceptional))
        return posix_fail(EFAULT);
    for (int fd = 0; fd < count; fd++) {
        int events = (is_in(fd, reading) ? POLLIN : 0) | (is_in(fd, writing) ? POLLOUT : 0);
        if ((events || is_in(fd, exceptional)) && !file_snapshot(fd).device)
            return posix_fail(EBADF);
        entries[fd] = (struct pollfd){ .fd = events ? fd : -1, .events = (short)events };
    }
    int found = poll_all(entries, (nfds_t)count, timeout, mask);
    if (found < 0)
        return posix_fail(-found);
    for (int fd = 0; fd < count; fd++)
        if (entries[fd].revents & POLLNVAL) // Closed since.
            return posix_fail(EBADF);
    return collect_sets(entries, count, reading, writing, exceptional);
}

int select(int count, fd_set *reading, fd_set *writing, fd_set *exceptional,
           struct timeval *timeout)
{
    if (!timeout)
        return pselect(count, reading, writing, exceptional, NULL, NULL);
    if (!posix_can_read(timeout, 1))
        return posix_fail(EFAULT);
    const struct timespec span = { .tv_sec = timeout->tv_sec,
                                   .tv_nsec = (long)timeout->tv_usec * 1000 };
    if (timeout->tv_usec < 0 || timeout->tv_usec >= 1000000)
        return posix_fail(EINVAL);
    return pselect(count, reading, writing, exceptional, &span, NULL);
}
