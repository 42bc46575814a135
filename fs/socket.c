// Pairs of connected sockets: two channels, one for each way.
#include "fs/socket.h"

#include <errno.h>
#include <sys/stat.h>

#include "arch/container.h"
#include "arch/cpu.h"
#include "fs/stream.h"

// Free: neither end is open.
static struct socket sockets[SOCKET_PAIR_LIMIT][2];

static struct socket *to_socket(const struct device *device)
{
    return container_of(device, struct socket, device);
}

static int socket_serve(struct device *device, struct io_request *request)
{
    struct socket *socket = to_socket(device);
    switch (request->op) {
    case IO_READ:
        return channel_read(&socket->peer->outgoing, request);
    case IO_WRITE:
        return channel_write(&socket->outgoing, request);
    case IO_OPEN:
        device_complete(request, 0);
        return 0;
    case IO_FLUSH: // As on Linux: there is no medium.
    case IO_CALL:  // Never comes.
        break;
    }
    return -EINVAL;
}

static void socket_submit(struct device *device, struct io_request *request)
{
    device_complete_refused(request, socket_serve(device, request));
}

static int socket_cancel(struct device *device, struct io_request *request)
{
    struct socket *socket = to_socket(device);
    return channel_cancel(request->op == IO_READ ? &socket->peer->outgoing : &socket->outgoing,
                          request);
}

// Ready for writing: where little waits to be read, as on Linux, so that a writer is not woken for
// every byte that the peer takes.
static unsigned socket_ready(const struct device *device)
{
    const struct socket *socket = to_socket(device);
    const struct channel *in = &socket->peer->outgoing, *out = &socket->outgoing;
    return (channel_readable(in) ? IO_READY_READ : 0u) |
           (channel_writable(out, out->limit - out->limit / 4) ? IO_READY_WRITE : 0u) |
           (in->ended && out->refusal ? IO_READY_HANGUP : 0u);
}

static void socket_release(struct device *device)
{
    struct socket *socket = to_socket(device);
    socket->open = false;
    channel_end(&socket->outgoing, -EPIPE);
    channel_end(&socket->peer->outgoing, socket->datagrams ? -ECONNREFUSED : -EPIPE);
}

// An end that waits for the other is one thing; two that wait for each other would do so for ever.
static void socket_orphaned(struct device *device)
{
    struct socket *socket = to_socket(device);
    socket->orphaned = true;
    if (!socket->peer->orphaned)
        return;
    channel_end(&socket->outgoing, -EPIPE);
    channel_end(&socket->peer->outgoing, -EPIPE);
}

static const struct device_ops socket_ops = { .submit = socket_submit,
                                              .cancel = socket_cancel,
                                              .ready = socket_ready,
                                              .orphaned = socket_orphaned,
                                              .release = socket_release };

static struct socket *take_free_locked(void)
{
    for (unsigned i = 0; i < SOCKET_PAIR_LIMIT; i++) {
        struct socket *pair = sockets[i];
        if (!pair[0].open && !pair[1].open) {
            pair[0].open = pair[1].open = true;
            return pair;
        }
    }
    return NULL;
}

static void end_init(struct socket *socket, struct socket *peer, bool datagrams)
{
    stream_init(&socket->device, "socket", &socket_ops);
    socket->device.type = S_IFSOCK;
    channel_init(&socket->outgoing, &socket->device, &peer->device);
    socket->outgoing.limit = SOCKET_SEND_LIMIT;
    socket->outgoing.messages = datagrams;
    socket->device.messages = datagrams;
    socket->peer = peer;
    socket->orphaned = false;
    socket->datagrams = datagrams;
    socket->receive_buffer = SOCKET_SEND_LIMIT;
}

int socket_pair_create(bool datagrams, struct device *ends[2])
{
    uint32_t flags = irq_save();
    struct socket *pair = take_free_locked();
    irq_restore(flags);
    if (!pair)
        return -ENFILE;
    end_init(&pair[0], &pair[1], datagrams);
    end_init(&pair[1], &pair[0], datagrams);
    ends[0] = &pair[0].device;
    ends[1] = &pair[1].device;
    return 0;
}

struct socket *socket_of(struct device *device)
{
    return device && device->ops == &socket_ops ? to_socket(device) : NULL;
}

void socket_shutdown_locked(struct socket *socket, bool reading, bool writing)
{
    if (reading)
        channel_end(&socket->peer->outgoing, -EPIPE);
    if (writing)
        channel_end(&socket->outgoing, -EPIPE);
}

size_t socket_send_limit_locked(const struct socket *socket)
{
    return socket->outgoing.limit;
}

void socket_set_send_limit_locked(struct socket *socket, size_t size)
{
    if (size < SOCKET_SEND_LEAST)
        size = SOCKET_SEND_LEAST;
    if (size > SOCKET_SEND_LIMIT)
        size = SOCKET_SEND_LIMIT;
    channel_set_limit(&socket->outgoing, size);
}
