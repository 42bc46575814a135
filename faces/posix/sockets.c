// Sockets: pairs of them, and the refusal of all others.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "aio/core.h"
#include "arch/cpu.h"
#include "faces/posix/descriptors.h"
#include "faces/posix/pieces.h"
#include "faces/posix/pointers.h"
#include "faces/posix/posix.h"
#include "fs/open_files.h"
#include "fs/socket.h"

// --- Which socket ---

// Result: 0, -EBADF or -ENOTSOCK. The socket is open for as long as interrupts are masked.
static int find_locked(int fd, struct socket **socket)
{
    struct device *device = file_snapshot(fd).device;
    *socket = socket_of(device);
    if (!device)
        return -EBADF;
    return *socket ? 0 : -ENOTSOCK;
}

// Result: why there is nothing that a call on addresses could do with this descriptor.
static int no_address(int fd)
{
    struct socket *socket;
    uint32_t saved = irq_save();
    int error = find_locked(fd, &socket);
    irq_restore(saved);
    return error ? error : -EOPNOTSUPP;
}

int socketpair(int domain, int type, int protocol, int fds[2])
{
    int flags = type & (SOCK_NONBLOCK | SOCK_CLOEXEC);
    type &= ~flags;
    if (domain != AF_UNIX)
        return (int)posix_result(-EAFNOSUPPORT);
    if (protocol != 0 && protocol != PF_UNIX)
        return (int)posix_result(-EPROTONOSUPPORT);
    if (type != SOCK_STREAM && type != SOCK_DGRAM)
        return (int)posix_result(-EPROTOTYPE);
    if (!posix_can_write(fds, 2))
        return (int)posix_result(-EFAULT);
    struct device *ends[2];
    int error = socket_pair_create(type == SOCK_DGRAM, ends);
    if (!error)
        error = posix_install_two(ends, (const int[]){ O_RDWR | flags, O_RDWR | flags }, fds);
    return (int)posix_result(error);
}

// --- Moving bytes ---

// Holds the open file of a socket, so that its descriptor may be closed meanwhile, and means
// something else then. Result: 0, -EBADF or -ENOTSOCK: nothing is held.
static int hold(struct file_hold *hold, int fd, const struct socket **socket)
{
    const struct file *file = file_hold(hold, fd);
    if (!file)
        return -EBADF;
    *socket = socket_of(file->device);
    if (*socket)
        return 0;
    file_drop(hold);
    return -ENOTSOCK;
}

static ssize_t send_held(struct file *file, const void *buffer, size_t size, int flags)
{
    struct io_request request = { .op = IO_WRITE,
                                  .buffer = (void *)(uintptr_t)buffer,
                                  .size = size,
                                  .flags = flags & MSG_DONTWAIT ? IO_NONBLOCK : 0 };
    return file_transfer(file, &request);
}

ssize_t send(int fd, const void *buffer, size_t size, int flags)
{
    const struct socket *socket;
    struct file_hold held;
    if (flags & ~(MSG_DONTWAIT | MSG_NOSIGNAL))
        return (ssize_t)posix_result(-EOPNOTSUPP);
    ssize_t result = hold(&held, fd, &socket);
    if (result == 0) {
        result = send_held(held.file, buffer, size, flags);
        file_drop(&held);
    }
    if (result == -EPIPE && !(flags & MSG_NOSIGNAL))
        raise(SIGPIPE);
    return (ssize_t)posix_result(result);
}

// Result: bytes, or -errno. *whole: of a datagram the size that it was sent with.
static ssize_t receive_once(struct file *file, void *buffer, size_t size, int flags, size_t *whole)
{
    struct io_request request = { .op = IO_READ,
                                  .buffer = buffer,
                                  .size = size,
                                  .flags = flags & MSG_DONTWAIT ? IO_NONBLOCK : 0 };
    ssize_t result = file_transfer(file, &request);
    *whole = (size_t)request.offset;
    return result;
}

// Without a buffer it takes a datagram, too, which read() does not.
static ssize_t receive_datagram(struct file *file, void *buffer, size_t size, int flags, bool *cut)
{
    char no_buffer;
    size_t whole;
    ssize_t result = size > 0 ? receive_once(file, buffer, size, flags, &whole)
                              : receive_once(file, &no_buffer, sizeof no_buffer, flags, &whole);
    if (result < 0)
        return result;
    *cut = whole > size;
    return size > 0 ? result : 0;
}

// Result: bytes, fewer where the end came, a signal, or nothing more without waiting; or -errno.
static ssize_t receive_all(struct file *file, char *buffer, size_t size, int flags)
{
    size_t received = 0, whole;
    ssize_t result;
    do {
        result = receive_once(file, buffer + received, size - received, flags, &whole);
        received += result > 0 ? (size_t)result : 0;
    } while (result > 0 && received < size && flags & MSG_WAITALL);
    return received > 0 ? (ssize_t)received : result;
}

// Result: bytes, or -errno. *cut: it was a datagram, and longer.
static ssize_t receive(int fd, void *buffer, size_t size, int flags, bool *cut)
{
    const struct socket *socket;
    struct file_hold held;
    *cut = false;
    if (flags & ~(MSG_DONTWAIT | MSG_WAITALL | MSG_NOSIGNAL))
        return -EOPNOTSUPP;
    ssize_t result = hold(&held, fd, &socket);
    if (result < 0)
        return result;
    result = socket->datagrams ? receive_datagram(held.file, buffer, size, flags, cut)
                               : receive_all(held.file, buffer, size, flags);
    file_drop(&held);
    return result;
}

ssize_t recv(int fd, void *buffer, size_t size, int flags)
{
    bool cut;
    return (ssize_t)posix_result(receive(fd, buffer, size, flags, &cut));
}

ssize_t sendto(int fd, const void *buffer, size_t size, int flags, const struct sockaddr *address,
               socklen_t length)
{
    (void)length;
    return address ? posix_result(-EISCONN) : send(fd, buffer, size, flags);
}

ssize_t recvfrom(int fd, void *buffer, size_t size, int flags, struct sockaddr *address,
                 socklen_t *length)
{
    if (address && !posix_may_write(length))
        return (ssize_t)posix_result(-EFAULT);
    ssize_t result = recv(fd, buffer, size, flags);
    if (result >= 0 && address && length)
        *length = 0;
    return result;
}

// --- Messages of several parts ---

// Result: 0, or -errno.
static int parts_of(const struct msghdr *message, struct pieces *parts)
{
    if (!posix_can_read(message, 1))
        return -EFAULT;
    if (message->msg_iovlen > IOV_MAX)
        return -EMSGSIZE;
    *parts = (struct pieces){ message->msg_iov, message->msg_iovlen, 0 };
    return -pieces_measure(parts);
}

static size_t at_most(size_t size)
{
    return size < PIECES_BUFFER ? size : PIECES_BUFFER;
}

// Through a buffer: a datagram whole, of a stream a buffer full after the other.
static __attribute__((noinline)) ssize_t send_parts(int fd, const struct pieces *parts, int flags)
{
    char buffer[PIECES_BUFFER];
    size_t done = 0, size;
    ssize_t sent;
    do {
        size = at_most(parts->size - done);
        bool good = pieces_copy(parts, done, buffer, size, false);
        sent = good ? send(fd, buffer, size, flags) : (ssize_t)posix_result(-EFAULT);
        done += sent > 0 ? (size_t)sent : 0;
    } while (sent == (ssize_t)size && done < parts->size);
    return done > 0 ? (ssize_t)done : sent;
}

static bool is_datagram_socket(int fd)
{
    uint32_t saved = irq_save();
    struct socket *socket;
    bool datagrams = find_locked(fd, &socket) == 0 && socket->datagrams;
    irq_restore(saved);
    return datagrams;
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    struct pieces parts;
    int error = parts_of(message, &parts);
    if (error)
        return (ssize_t)posix_result(error);
    if (message->msg_controllen >= sizeof(struct cmsghdr))
        return (ssize_t)posix_result(-EOPNOTSUPP);
    if (message->msg_namelen > 0 && message->msg_name)
        return (ssize_t)posix_result(-EISCONN);
    if (parts.count == 1)
        return send(fd, parts.list->iov_base, parts.size, flags);
    if (parts.size > PIECES_BUFFER && is_datagram_socket(fd))
        return (ssize_t)posix_result(-EMSGSIZE);
    return send_parts(fd, &parts, flags);
}

// Result: as receive(). A datagram fits the buffer; of a stream it is as much as one call brings.
static __attribute__((noinline)) ssize_t receive_parts(int fd, const struct pieces *parts,
                                                       int flags, bool *cut)
{
    char buffer[PIECES_BUFFER];
    size_t done = 0, size;
    ssize_t received;
    do {
        size = at_most(parts->size - done);
        received = receive(fd, buffer, size, flags, cut);
        if (received > 0) {
            pieces_copy(parts, done, buffer, (size_t)received, true);
            done += (size_t)received;
        }
    } while (flags & MSG_WAITALL && received == (ssize_t)size && done < parts->size &&
             !is_datagram_socket(fd));
    return done > 0 ? (ssize_t)done : received;
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    struct pieces parts;
    bool cut = false;
    ssize_t result = parts_of(message, &parts);
    if (result == 0 && (!posix_can_write(message, 1) || !pieces_can_write(&parts)))
        result = -EFAULT;
    if (result == 0) {
        result = parts.count == 1 ? receive(fd, parts.list->iov_base, parts.size, flags, &cut)
                                  : receive_parts(fd, &parts, flags, &cut);
    }
    if (result >= 0) {
        message->msg_namelen = 0;
        message->msg_controllen = 0;
        message->msg_flags = cut ? MSG_TRUNC : 0;
    }
    return (ssize_t)posix_result(result);
}

int shutdown(int fd, int how)
{
    struct socket *socket;
    if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR)
        return (int)posix_result(-EINVAL);
    uint32_t saved = irq_save();
    int error = find_locked(fd, &socket);
    if (!error)
        socket_shutdown_locked(socket, how != SHUT_WR, how != SHUT_RD);
    irq_restore(saved);
    return (int)posix_result(error);
}

// --- Options ---

static int option_get(const struct socket *socket, int option, int *value)
{
    switch (option) {
    case SO_SNDBUF:
        *value = (int)socket_send_limit_locked(socket);
        return 0;
    case SO_RCVBUF:
        *value = (int)socket->receive_buffer;
        return 0;
    case SO_TYPE:
        *value = socket->datagrams ? SOCK_DGRAM : SOCK_STREAM;
        return 0;
    case SO_DOMAIN:
        *value = AF_UNIX;
        return 0;
    case SO_ERROR: // Every error is some call's result.
        *value = 0;
        return 0;
    }
    return -ENOPROTOOPT;
}

static int option_set(struct socket *socket, int option, int value)
{
    size_t size = value > 0 ? (size_t)value : 0;
    switch (option) {
    case SO_SNDBUF:
        socket_set_send_limit_locked(socket, size);
        return 0;
    case SO_RCVBUF:
        socket->receive_buffer = size;
        return 0;
    }
    return -ENOPROTOOPT;
}

int getsockopt(int fd, int level, int option, void *value, socklen_t *length)
{
    struct socket *socket;
    int answer = 0;
    if (!posix_can_write((int *)value, 1) || !posix_can_write(length, 1))
        return (int)posix_result(-EFAULT);
    uint32_t saved = irq_save();
    int error = find_locked(fd, &socket);
    if (!error)
        error = level == SOL_SOCKET ? option_get(socket, option, &answer) : -ENOPROTOOPT;
    irq_restore(saved);
    if (!error && *length < sizeof answer)
        error = -EINVAL;
    if (error)
        return (int)posix_result(error);
    *(int *)value = answer;
    *length = sizeof answer;
    return 0;
}

int setsockopt(int fd, int level, int option, const void *value, socklen_t length)
{
    struct socket *socket;
    if (!posix_can_read((const int *)value, 1))
        return (int)posix_result(-EFAULT);
    uint32_t saved = irq_save();
    int error = find_locked(fd, &socket);
    if (!error && length < sizeof(int))
        error = -EINVAL;
    if (!error)
        error = level == SOL_SOCKET ? option_set(socket, option, *(const int *)value)
                                    : -ENOPROTOOPT;
    irq_restore(saved);
    return (int)posix_result(error);
}

// --- What needs addresses ---

int socket(int domain, int type, int protocol)
{
    (void)domain, (void)type, (void)protocol;
    return (int)posix_result(-EAFNOSUPPORT);
}

int bind(int fd, const struct sockaddr *address, socklen_t length)
{
    (void)address, (void)length;
    return (int)posix_result(no_address(fd));
}

int connect(int fd, const struct sockaddr *address, socklen_t length)
{
    (void)address, (void)length;
    return (int)posix_result(no_address(fd));
}

int listen(int fd, int backlog)
{
    (void)backlog;
    return (int)posix_result(no_address(fd));
}

int accept(int fd, struct sockaddr *address, socklen_t *length)
{
    (void)address, (void)length;
    return (int)posix_result(no_address(fd));
}
