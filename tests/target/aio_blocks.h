// What suites of <aio.h> need all the time: control blocks, a function to be notified by, waiting.
#pragma once

#include <aio.h>
#include <errno.h>
#include <string.h>
#include <time.h>

static inline struct aiocb block_for(int fd, void *data, size_t size, off_t offset)
{
    struct aiocb block;
    memset(&block, 0, sizeof block);
    block.aio_fildes = fd;
    block.aio_buf = data;
    block.aio_nbytes = size;
    block.aio_offset = offset;
    return block;
}

static inline struct sigevent event_by_function(void (*function)(union sigval), int value)
{
    struct sigevent event;
    memset(&event, 0, sizeof event);
    event.sigev_notify = SIGEV_THREAD;
    event.sigev_notify_function = function;
    event.sigev_value.sival_int = value;
    return event;
}

static inline struct sigevent event_by_signal(int number, int value)
{
    struct sigevent event;
    memset(&event, 0, sizeof event);
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = number;
    event.sigev_value.sival_int = value;
    return event;
}

// Waits whatever signals come. Result: aio_error().
static inline int wait_for(const struct aiocb *block)
{
    const struct aiocb *list[] = { block };
    while (aio_error(block) == EINPROGRESS)
        aio_suspend(list, 1, NULL);
    return aio_error(block);
}

// Is the block's request done, with this result?
static inline bool done_with(struct aiocb *block, ssize_t result)
{
    return aio_error(block) == 0 && aio_return(block) == result;
}

static inline bool failed_with(struct aiocb *block, int error)
{
    return aio_error(block) == error && aio_return(block) == -1;
}

// Waits until a handler or a function has counted so far, however long the host takes for what
// comes before: the suite's time-out is the limit. Result: false: it has counted further.
static inline bool reaches(const volatile int *counter, int count)
{
    const struct timespec moment = { .tv_nsec = 1000000 };
    while (*counter < count)
        nanosleep(&moment, NULL);
    return *counter == count;
}
