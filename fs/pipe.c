// Pipes, as POSIX's pipe(), read() and write() describe them.
#include "fs/pipe.h"

#include <errno.h>
#include <sys/stat.h>

#include "arch/container.h"
#include "arch/cpu.h"
#include "fs/channel.h"
#include "fs/stream.h"

// What is to go in as a whole goes in in one turn.
_Static_assert((int)PIPE_ATOMIC <= (int)CHANNEL_PIECE, "an atomic write is one piece");

struct pipe {
    struct channel channel;
    struct device reader, writer;
    unsigned open; // Ends that are not released yet.
};

static struct pipe pipes[PIPE_LIMIT]; // Free: no end is open.

static struct pipe *pipe_of_reader(const struct device *device)
{
    return container_of(device, struct pipe, reader);
}

static struct pipe *pipe_of_writer(const struct device *device)
{
    return container_of(device, struct pipe, writer);
}

// What either end knows beside reading or writing.
static int submit_other(struct io_request *request)
{
    if (request->op != IO_OPEN)
        return -EINVAL; // A flush, as on Linux: there is no medium.
    device_complete(request, 0);
    return 0;
}

static int reader_serve(struct device *device, struct io_request *request)
{
    if (request->op == IO_WRITE)
        return -EBADF;
    if (request->op != IO_READ)
        return submit_other(request);
    return channel_read(&pipe_of_reader(device)->channel, request);
}

static void reader_submit(struct device *device, struct io_request *request)
{
    device_complete_refused(request, reader_serve(device, request));
}

static int writer_serve(struct device *device, struct io_request *request)
{
    if (request->op == IO_READ)
        return -EBADF;
    if (request->op != IO_WRITE)
        return submit_other(request);
    return channel_write(&pipe_of_writer(device)->channel, request);
}

static void writer_submit(struct device *device, struct io_request *request)
{
    device_complete_refused(request, writer_serve(device, request));
}

static int reader_cancel(struct device *device, struct io_request *request)
{
    return channel_cancel(&pipe_of_reader(device)->channel, request);
}

static int writer_cancel(struct device *device, struct io_request *request)
{
    return channel_cancel(&pipe_of_writer(device)->channel, request);
}

static unsigned reader_ready(const struct device *device)
{
    const struct channel *channel = &pipe_of_reader(device)->channel;
    return (channel_readable(channel) ? IO_READY_READ : 0u) |
           (channel->ended ? IO_READY_HANGUP : 0u);
}

static unsigned writer_ready(const struct device *device)
{
    const struct channel *channel = &pipe_of_writer(device)->channel;
    return (channel_writable(channel, PIPE_ATOMIC) ? IO_READY_WRITE : 0u) |
           (channel->refusal ? IO_READY_ERROR : 0u);
}

static void release(struct pipe *pipe)
{
    pipe->open--;
    channel_end(&pipe->channel, -EPIPE);
}

static void reader_release(struct device *device)
{
    release(pipe_of_reader(device));
}

static void writer_release(struct device *device)
{
    release(pipe_of_writer(device));
}

static const struct device_ops reader_ops = { .submit = reader_submit,
                                              .cancel = reader_cancel,
                                              .ready = reader_ready,
                                              .release = reader_release };
static const struct device_ops writer_ops = { .submit = writer_submit,
                                              .cancel = writer_cancel,
                                              .ready = writer_ready,
                                              .release = writer_release };

static struct pipe *take_free_locked(void)
{
    for (struct pipe *pipe = pipes; pipe < pipes + PIPE_LIMIT; pipe++) {
        if (pipe->open == 0) {
            pipe->open = 2;
            return pipe;
        }
    }
    return NULL;
}

int pipe_create(struct device **reader, struct device **writer)
{
    uint32_t flags = irq_save();
    struct pipe *pipe = take_free_locked();
    irq_restore(flags);
    if (!pipe)
        return -ENFILE;
    stream_init(&pipe->reader, "pipe", &reader_ops);
    stream_init(&pipe->writer, "pipe", &writer_ops);
    pipe->reader.type = pipe->writer.type = S_IFIFO;
    channel_init(&pipe->channel, &pipe->writer, &pipe->reader);
    pipe->channel.atomic = PIPE_ATOMIC;
    *reader = &pipe->reader;
    *writer = &pipe->writer;
    return 0;
}
