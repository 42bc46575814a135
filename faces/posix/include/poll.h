// Waiting until descriptors are ready (IEEE Std 1003.1-2017, <poll.h>).
//
// Everything that can be opened can be polled. What never waits (disks, files, /dev/null) is always
// ready. A descriptor that is ready for reading may have been emptied by a callback when poll()
// returns: who must not wait then reads with O_NONBLOCK.
#pragma once

#include <signal.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef unsigned int nfds_t;

struct pollfd {
    int fd;        // Negative: this entry is passed over.
    short events;  // What is waited for.
    short revents; // What there is; of the last three below also what was not asked for.
};

// Values as on Linux. Nothing is urgent: POLLPRI and its like never come.
#define POLLIN 0x001     // A read would not wait; at the end of the file, too.
#define POLLPRI 0x002    // Urgent data.
#define POLLOUT 0x004    // A write would not wait. Never together with POLLHUP.
#define POLLERR 0x008    // Writing is of no use: the device is broken, or nobody can read it.
#define POLLHUP 0x010    // The other end has been closed.
#define POLLNVAL 0x020   // The descriptor is not open.
#define POLLRDNORM 0x040 // As POLLIN.
#define POLLRDBAND 0x080
#define POLLWRNORM 0x100 // As POLLOUT.
#define POLLWRBAND 0x200

// Sleeps until one of the descriptors is ready. timeout: milliseconds; 0: only looks; negative:
// without end.
// Result: entries with a revents other than 0; 0: the time is up. -1: EINTR (a signal handler has
// run), EINVAL (more than 64 entries), EFAULT (no entries where there should be some).
// Context: main | callback.
int poll(struct pollfd entries[], nfds_t count, int timeout_ms);

// The same with a timeout of nanoseconds; NULL: without end. mask: of signals, meanwhile; NULL: as
// it is.
// Result: as poll(); -1 also: EINVAL (timeout).
// Context: main | callback.
int ppoll(struct pollfd entries[], nfds_t count, const struct timespec *timeout,
          const sigset_t *mask);

#ifdef __cplusplus
}
#endif
