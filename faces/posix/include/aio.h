// POSIX asynchronous I/O (IEEE Std 1003.1-2017, <aio.h>).
//
// A request is handed to the device and the program goes on; the completion interrupt brings the
// result. With SIGEV_THREAD the function of aio_sigevent runs at the callback level: it preempts
// main, one callback at a time, on a stack of its own with an errno and streams of its own, and may
// itself start or wait for I/O. Everything it shares with main must be written as for a signal
// handler. It may run before aio_read() has returned.
//
// With SIGEV_SIGNAL it is a signal with the value and SI_ASYNCIO, a queued one from SIGRTMIN on;
// number 0 is none. The request's place stays taken until the signal has been, so that none is
// lost. The result can be had before any notification is seen.
//
// Requests are cancelled by the descriptor that they came through; one that was closed takes its
// requests with it, which go on, and has none when its number is used again.
//
// Through a descriptor with O_SYNC or O_DSYNC a write is done when its bytes are on the medium: a
// flush follows it in the device, whose error is the request's.
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
    struct sigevent aio_sigevent; // Zeroed, it is SIGEV_NONE.
    int aio_lio_opcode;           // For lio_listio().

    // The implementation's; zero before the first use.
    unsigned long __state;
    ssize_t __result;
};

// What aio_cancel() answers.
#define AIO_CANCELED 0    // All of them were.
#define AIO_NOTCANCELED 1 // At least one is in progress, or had done a part.
#define AIO_ALLDONE 2     // There was none that was not done.

// What lio_listio() does with a block, and whether it waits.
#define LIO_READ 0
#define LIO_WRITE 1
#define LIO_NOP 2
#define LIO_WAIT 0
#define LIO_NOWAIT 1

// Starts reading aio_nbytes at aio_offset into aio_buf, or writing them from it. The control block
// and the buffer must stay where they are until the request is done, as its function, aio_error(),
// aio_suspend() or aio_return() tell; the control block may be used again after aio_return().
// Result: 0: the request is under way, all further errors come from aio_error(). -1: nothing has
// happened, errno says EINVAL (offset, size, priority or notification; a function that is NULL, a
// small number or the address of data), EFAULT (a control block or a buffer outside RAM or in the
// kernel's; a control block or what is read into in read-only memory), EBUSY (the control block is
// in use), EAGAIN (AIO_MAX requests are under way). Found in aio_error() only: EBADF (nothing is
// open, or in another mode), EFBIG and EOVERFLOW (a regular file at the greatest offset that off_t
// can say).
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
// timeout), EFAULT. A handler with SA_RESTART does not end it.
// Context: main | callback.
int aio_suspend(const struct aiocb *const list[], int count, const struct timespec *timeout);

// Cancels a request, or with NULL all that came through the descriptor and are not done. What has
// not started is cancelled, and what has, where its device can give it up, but for writes. A
// cancelled request is done with ECANCELED and notified of like any other; one that had moved some
// bytes is done with their count. Waits until that is so.
// Result: AIO_CANCELED, AIO_NOTCANCELED, AIO_ALLDONE; -1 with EBADF, EINVAL (the block is another
// descriptor's).
// Context: main | callback.
int aio_cancel(int fildes, struct aiocb *block);

// Starts a request that is done when everything that was submitted for the same file before it is,
// and is on the medium. operation: O_SYNC or O_DSYNC, which are the same here. Of the block, only
// aio_fildes and aio_sigevent count.
// Result: 0; -1: nothing has happened, errno says EINVAL (operation, notification), EBADF, EBUSY,
// EAGAIN.
// Context: main | callback.
int aio_fsync(int operation, struct aiocb *block);

// Starts count requests, as their aio_lio_opcode says; NULL and LIO_NOP are skipped. Each has its
// own notification. LIO_WAIT: returns when all are done. LIO_NOWAIT: returns at once; event, if not
// NULL, says how to tell that all are done, at once where there are none.
// A request that is refused has its reason in aio_error(), and the others go on; it is not notified
// of.
// Result: 0; -1: EINVAL (mode, count, event: nothing has happened), EAGAIN (no room for all of
// them), EIO (some were refused; with LIO_WAIT: or failed), EINTR (LIO_WAIT: a signal handler has
// run; the requests go on).
// Context: main | callback.
int lio_listio(int mode, struct aiocb *const list[], int count, struct sigevent *event);

#ifdef __cplusplus
}
#endif
