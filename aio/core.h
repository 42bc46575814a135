// The core: requests on devices. Whoever asks, whatever moves the bytes, a request lives here.
//
// A request accepted by io_submit() completes exactly once; a refused one leaves no trace. done()
// runs at isr level and may come before io_submit() has returned; notify() runs at callback level
// after that.
#pragma once

#include <stdbool.h>

#include "aio/unwind.h"
#include "drivers/device.h"

// Hands a request to a device, which starts it at once or as soon as the ones before it let it.
// The request must be idle (asserted), zeroed before its first use, and stays the core's until
// notify() is called (or done(), where notify is NULL).
// Result: 0, or the reason why nothing happened: -EINVAL (operation or priority), -EFAULT (buffer),
// -EAGAIN (IO_NONBLOCK, and others wait for this stream), -ENOTSUP (IO_CALL, which this device does
// not know).
// Context: any.
int io_submit(struct device *device, struct io_request *request);

// The same for a caller that has masked interrupts. What need not wait for other requests is
// started at once: at isr level for a device without registers only.
// Context: any, interrupts masked.
int io_submit_locked(struct device *device, struct io_request *request);

// Accepts a request that no device will see and completes it with an error like any other: done()
// at isr level, notify() at callback level. Its op is lost.
// Context: any.
void io_fail(struct io_request *request, int error);

// Withdraws a request.
// Result: 0: it will complete with -ECANCELED. -EALREADY: too late, it is done or being cancelled.
// -EBUSY: the device cannot give it up; it completes as if nothing had been asked.
// Context: any.
int io_cancel(struct io_request *request);

// Waits until a submitted request is done; the CPU sleeps meanwhile. Result: request->result.
// Context: main | callback (only other callbacks are kept waiting).
ssize_t io_wait(struct io_request *request);

// The same, but once over(context) says so, which is asked with interrupts masked whenever the CPU
// has been woken and may open them meanwhile, the request is cancelled, if its device lets it. It
// is waited for in any case.
// Context: main | callback.
ssize_t io_wait_until(struct io_request *request, bool (*over)(void *), void *context);

// A request that will be submitted and waited for, and lies on the stack of whoever does: a jump
// out of a signal handler that comes from here on withdraws it. Begins before the submission, with
// an idle request; io_wait() itself guards what it is given only from then on.
// Context: main | callback.
struct io_guard {
    struct unwind unwind;
    struct io_request *request;
};
void io_guard_begin(struct io_guard *guard, struct io_request *request);
void io_guard_end(struct io_guard *guard);

// One more refers to this device: it will not be released before io_close() has been called once
// for it. Takes back a closing that still waits for requests in flight. Whoever gives a device out
// that may be released calls this, with interrupts masked since it made sure that the device is
// there.
// Context: any.
void io_retain(struct device *device);

// One fewer does: after the last, nobody will submit to the device any more. Once nothing is in
// flight and nothing waits, and no poll either, ops->release() is called, at once where that is so
// already; a device without it stays. A device that was never retained is closed like one that has
// been once.
// Context: any.
void io_close(struct device *device);

// Releases a device that is being closed, if it is quiet by now; any other is left alone. For
// whoever ends what keeps it from that: the core itself and aio/poll.c.
// Context: any, interrupts masked.
void io_release_when_quiet(struct device *device);

// Does the done() of one of its requests still have to come, though it is not in flight any more?
// Context: any, interrupts masked.
bool io_is_finishing(const struct device *device);

// The first of the devices that are open and will be released after their last closing, such as
// files and pipes; the others follow by open_next, in the order of opening. Devices that stay are
// in the list of drivers/device.h.
// Context: any, interrupts masked until the list has been looked at.
struct device *io_open_first(void);

// The requests of all devices that have been released, since boot.
// Context: any.
struct io_totals {
    uint64_t completed, refused;
};
struct io_totals io_totals_of_released(void);

// Sets a request's deadline before its submit: a time on the clock of clock_now_ns(); 0: none.
// Context: any.
static inline void io_set_deadline(struct io_request *request, uint64_t at_ns)
{
    request->deadline_ns = at_ns;
    request->flags &= (uint8_t)~IO_DEADLINE;
    if (at_ns != 0)
        request->flags |= IO_DEADLINE;
}

// May the owner use it again? True before the first submit, and from notify() or done() on.
// Context: any.
static inline bool io_idle(const struct io_request *request)
{
    return *(volatile const uint8_t *)&request->state == IO_IDLE &&
           !*(struct callback *volatile const *)&request->notify.next;
}

// True from acceptance until the result is there.
// Context: any.
static inline bool io_in_flight(const struct io_request *request)
{
    return *(volatile const uint8_t *)&request->state != IO_IDLE;
}
