// Requests of the suites on streams: submitted to the device behind a descriptor, so that they can
// be cancelled and polled for, or by aio with a callback.
#pragma once

#include <aio.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "aio/core.h"
#include "aio/poll.h"
#include "fs/file.h"
#include "irq/callback.h"

static inline int start(int fd, struct io_request *request, enum io_op op, void *buffer,
                        size_t size)
{
    request->op = op;
    request->buffer = buffer;
    request->size = size;
    return io_submit(file_snapshot(fd).device, request);
}

// What a descriptor's device becomes ready for, of those events; waits for it.
static inline unsigned ready_after_poll(int fd, unsigned events)
{
    struct io_request poll = { 0 };
    io_poll(file_snapshot(fd).device, &poll, events);
    return (unsigned)io_wait(&poll);
}

static inline unsigned ready(int fd)
{
    return io_ready_now(file_snapshot(fd).device);
}

static inline struct aiocb aio_block(int fd, void *buffer, size_t size)
{
    struct aiocb block;
    memset(&block, 0, sizeof block);
    block.aio_fildes = fd;
    block.aio_buf = buffer;
    block.aio_nbytes = size;
    return block;
}

static inline void aio_notify(struct aiocb *block, void (*function)(union sigval))
{
    block->aio_sigevent.sigev_notify = SIGEV_THREAD;
    block->aio_sigevent.sigev_notify_function = function;
    block->aio_sigevent.sigev_value.sival_ptr = block;
}

// Sleeps until an aio request is done. Result: as aio_return(); -errno of a failed one.
static inline ssize_t aio_finish(struct aiocb *block)
{
    const struct aiocb *list[] = { block };
    while (aio_error(block) == EINPROGRESS)
        aio_suspend(list, 1, NULL);
    int error = aio_error(block);
    ssize_t result = aio_return(block);
    return error ? -error : result;
}

// Result: what a call has failed with, or 0.
#define errno_of(call) (errno = 0, (call) < 0 ? errno : 0)
