// Pairs of connected sockets, as socketpair(AF_UNIX) makes them: what is written to one end is read
// from the other. A stream keeps the order of bytes, a datagram socket keeps messages apart.
//
// A reader whose peer is closed gets what is still there, then 0. A writer gets -EPIPE, or
// -ECONNREFUSED of a datagram socket.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "drivers/device.h"
#include "fs/channel.h"

enum {
    SOCKET_PAIR_LIMIT = 8,                     // Pairs at a time.
    SOCKET_SEND_LIMIT = CHANNEL_MESSAGE_LIMIT, // The largest send buffer, and what it is at first.
    SOCKET_SEND_LEAST = 256,                   // The smallest.
};

struct socket {
    struct device device;
    struct channel outgoing;
    struct socket *peer; // Whose outgoing channel is what comes in.
    bool datagrams;
    bool open;             // Not released yet.
    bool orphaned;         // Its last descriptor has been closed while requests waited.
    size_t receive_buffer; // Remembered only: what waits for a reader is in the sender's buffer.
};

// Makes two ends; each is given back by io_close(). Once both have been released, which is at once
// where nothing is in flight on them, another pair can be made.
// Result: 0, or -ENFILE: all are in use.
// Context: main | callback.
int socket_pair_create(bool datagrams, struct device *ends[2]);

// Result: the socket that this device is, or NULL.
// Context: any.
struct socket *socket_of(struct device *device);

// Ends the ways of a socket. Reading: what is there can be read, then comes 0, and the peer's
// writes are -EPIPE. Writing: the same, seen from the peer.
// Context: any, interrupts masked: the socket must not be closed meanwhile.
void socket_shutdown_locked(struct socket *socket, bool reading, bool writing);

// Bytes that may wait for the peer to read them; the largest message, too. Of several messages all
// headers but one (CHANNEL_HEADER) count, so empty ones are bounded as well. What is set is brought
// between the smallest and the largest.
// Context: any, interrupts masked.
size_t socket_send_limit_locked(const struct socket *socket);
void socket_set_send_limit_locked(struct socket *socket, size_t size);
