// POSIX asynchronous I/O (IEEE Std 1003.1-2017, <aio.h>).
//
// A request is handed to the device and the program goes on; the completion interrupt brings the
// result. With SIGEV_THREAD the function of aio_sigevent runs at the callback level: it preempts
// main, one callback at a time, on a stack of its own with an errno and streams of its own, and may
// itself start or wait for I/O. Everything it shares with main must be written as for a signal
// handler. It may run before aio_read() has returned.
//
// aio_cancel, aio_fsync and lio_listio are not there yet, nor is SIGEV_SIGNAL (ENOTSUP).
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/types.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

struct aiocb {
    int aio_fildes;
    off_t aio_offset;       // Bytes from the start; ignored where the descriptor cannot seek.
    volatile void *aio_buf; // Any alignment.
    size_t aio_nbytes;
    int aio_reqprio;              // 0 … 7: larger is less urgent.
    struct sigevent aio_sigevent; // SIGEV_NONE, SIGEV_THREAD, or zeroed: no notification.
    int aio_lio_opcode;

    // The implementation's; zero before the first use.
    unsigned long __state;
    ssize_t __result;
};

// Starts reading aio_nbytes at aio_offset into aio_buf, or writing them from it. The control block
// and the buffer must stay where they are until the request is done, as its function, aio_error(),
// aio_suspend() or aio_return() tell; the control block may be used again after aio_return().
// Result: 0: the request is under way, all further errors come from aio_error(). -1: nothing has
// happened, errno says EINVAL (offset, size, priority or notification), EFAULT (a buffer outside
// RAM, in read-only memory or the kernel's), EBUSY (the control block is in use), ENOTSUP
// (SIGEV_SIGNAL), EAGAIN (256 requests are under way).
// Context: main | callback.
int aio_read(struct aiocb *block);
int aio_write(struct aiocb *block);

// The state of a request. Result: EINPROGRESS, 0, or the errno it failed with; -1/EINVAL: not a
// request's, or retrieved.
// Context: main | callback.
int aio_error(const struct aiocb *block);

// Retrieves the result, once. Result: what read() or write() would have returned; -1/EINVAL: in
// progress, not a request's, or already retrieved.
// Context: main | callback.
ssize_t aio_return(struct aiocb *block);

// Sleeps until one of the requests in the list is done; NULL entries are skipped. timeout is
// relative, on the monotonic clock; NULL: without end.
// Result: 0; -1 with EAGAIN (time is up), EINTR (a signal handler has run), EINVAL (bad count or
// timeout).
// Context: main | callback.
int aio_suspend(const struct aiocb *const list[], int count, const struct timespec *timeout);

#ifdef __cplusplus
}
#endif
