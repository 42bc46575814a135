// Sockets (IEEE Std 1003.1-2017, <sys/socket.h>): pairs of connected ones inside the machine, made
// by socketpair(). There is no network and no address: socket() fails with EAFNOSUPPORT.
//
// SOCK_STREAM moves bytes in order. SOCK_DGRAM keeps messages apart: one send, one receive; what
// does not fit the receiver's buffer is lost. A writer waits while the send buffer is full
// (SO_SNDBUF, 16,380 bytes), with O_NONBLOCK or MSG_DONTWAIT it gets EAGAIN. When the peer is
// closed, readers get what is still there and then 0, writers EPIPE, or ECONNREFUSED with
// SOCK_DGRAM.
#pragma once

#include <fcntl.h>
#include <sys/types.h>
#include <sys/uio.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef unsigned int socklen_t;
typedef unsigned short sa_family_t;

struct sockaddr {
    sa_family_t sa_family;
    char sa_data[14];
};

struct sockaddr_storage {
    sa_family_t ss_family;
    char __padding[126];
};

struct msghdr {
    void *msg_name;
    socklen_t msg_namelen;
    struct iovec *msg_iov;
    size_t msg_iovlen; // At most IOV_MAX: EMSGSIZE.
    void *msg_control;
    size_t msg_controllen;
    int msg_flags;
};

// What goes beside the bytes: nothing does here.
struct cmsghdr {
    size_t cmsg_len;
    int cmsg_level;
    int cmsg_type;
};

// Numbers as on Linux; flags of a type are those of open(), as there.
#define AF_UNSPEC 0
#define AF_UNIX 1
#define AF_LOCAL AF_UNIX
#define AF_INET 2
#define AF_INET6 10
#define PF_UNSPEC AF_UNSPEC
#define PF_UNIX AF_UNIX
#define PF_LOCAL AF_LOCAL
#define PF_INET AF_INET
#define PF_INET6 AF_INET6

#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define SOCK_RAW 3
#define SOCK_SEQPACKET 5
#define SOCK_NONBLOCK O_NONBLOCK
#define SOCK_CLOEXEC O_CLOEXEC

#define SOL_SOCKET 1
#define SO_TYPE 3
#define SO_ERROR 4
#define SO_SNDBUF 7
#define SO_RCVBUF 8
#define SO_DOMAIN 39

#define SHUT_RD 0
#define SHUT_WR 1
#define SHUT_RDWR 2

#define MSG_OOB 0x01
#define MSG_PEEK 0x02
#define MSG_TRUNC 0x20
#define MSG_DONTWAIT 0x40
#define MSG_WAITALL 0x100
#define MSG_NOSIGNAL 0x4000

#define SOMAXCONN 4096

// Makes two connected sockets. type: SOCK_STREAM or SOCK_DGRAM, with SOCK_NONBLOCK, SOCK_CLOEXEC.
// Result: 0; -1: EAFNOSUPPORT, EPROTOTYPE (type), EPROTONOSUPPORT, EINVAL (flags), EMFILE, ENFILE
// (8 pairs are open).
// Context: main | callback.
int socketpair(int domain, int type, int protocol, int ends[2]);

// As write() and read(), with flags: MSG_DONTWAIT, MSG_NOSIGNAL; of a receiver MSG_WAITALL, which
// waits until the buffer of a stream is full. A receiver of no bytes takes a datagram all the same;
// recvmsg() says by MSG_TRUNC in msg_flags that one has been cut. Addresses are refused and not
// given: EISCONN, length 0.
// A message's parts are one datagram, or bytes one after another; what goes beside them is refused
// (EOPNOTSUPP), and msg_controllen comes back 0.
// Result: bytes; -1: ENOTSOCK, EOPNOTSUPP (flags), EMSGSIZE (a message larger than the send buffer,
// or of too many parts), EAGAIN, EPIPE, ECONNREFUSED, EINTR …
// Context: main | callback.
ssize_t send(int fd, const void *buffer, size_t size, int flags);
ssize_t recv(int fd, void *buffer, size_t size, int flags);
ssize_t sendto(int fd, const void *buffer, size_t size, int flags, const struct sockaddr *address,
               socklen_t length);
ssize_t recvfrom(int fd, void *buffer, size_t size, int flags, struct sockaddr *address,
                 socklen_t *length);
ssize_t sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t recvmsg(int fd, struct msghdr *message, int flags);

// Ends one way or both. Result: 0; -1: ENOTSOCK, EBADF, EINVAL.
// Context: main | callback.
int shutdown(int fd, int how);

// Options of SOL_SOCKET: SO_SNDBUF, SO_RCVBUF (remembered, but the sender's buffer holds all that
// is on the way); SO_TYPE, SO_DOMAIN, SO_ERROR (0) to be read. A buffer's size is what was set, not
// twice that, brought between 256 and 16,380; where several messages are on the way each takes 4
// bytes more than it has, so that empty ones end, too.
// Result: 0; -1: ENOTSOCK, EBADF, ENOPROTOOPT, EINVAL, EFAULT.
// Context: main | callback.
int getsockopt(int fd, int level, int option, void *value, socklen_t *length);
int setsockopt(int fd, int level, int option, const void *value, socklen_t length);

// There is nobody to be reached. Result: -1: EAFNOSUPPORT, of a pair's socket EOPNOTSUPP.
// Context: main | callback.
int socket(int domain, int type, int protocol);
int bind(int fd, const struct sockaddr *address, socklen_t length);
int connect(int fd, const struct sockaddr *address, socklen_t length);
int listen(int fd, int backlog);
int accept(int fd, struct sockaddr *address, socklen_t *length);

#ifdef __cplusplus
}
#endif
