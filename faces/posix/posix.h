// What the parts of the POSIX face share: errno, waiting with a timeout that signals end, and the
// start of the program.
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "aio/unwind.h"
#include "irq/clock.h"

// What a call that has failed with this errno returns: -1.
// Context: main | callback.
static inline int posix_fail(int error)
{
    errno = error;
    return -1;
}

// Turns a result from below, >= 0 or -errno, into POSIX's: -1 and errno.
// Context: main | callback.
int64_t posix_result(int64_t result);

// What umask() leaves of the permissions of something that is created.
// Context: main | callback.
mode_t posix_creation_mode(mode_t mode);

// A wait: it ends with a timeout, or when a signal handler has run since it began.
struct posix_wait {
    struct unwind unwind; // It may be left by siglongjmp().
    struct timer timer;
    bool timed_out;
    bool in_callback;                 // Signals are delivered by the one that waits.
    const volatile unsigned *handled; // Handlers that end it, so far,
    unsigned before;                  // and when it began.
};

// Begins a wait; timeout is relative, NULL: without end. Result: 0, or EINVAL for a timeout that is
// none.
// Context: main | callback.
int posix_wait_begin(struct posix_wait *wait, const struct timespec *timeout);

// From here on handlers with SA_RESTART do not end the wait, as POSIX has it for what it does not
// say otherwise of: then the wait goes on with what is left of its timeout.
// Context: main | callback.
void posix_wait_restarts(struct posix_wait *wait);

// Result: 0: wait on. ETIMEDOUT, EINTR: it is over.
// Context: main | callback, interrupts masked.
int posix_wait_over(const struct posix_wait *wait);

// Sleeps until an interrupt has been handled. In a callback, where nobody else does, it delivers
// what signals there are instead. Look again when it returns.
// Context: main | callback, interrupts masked.
void posix_wait_sleep_locked(const struct posix_wait *wait);

// Every wait that was begun must be ended: its timer lives on the caller's stack.
// Context: main | callback.
void posix_wait_end(struct posix_wait *wait);

// A time has from 0 to 999,999,999 nanoseconds; a span is not negative besides.
// Context: any.
static inline bool posix_is_time(const struct timespec *time)
{
    return time->tv_nsec >= 0 && time->tv_nsec < 1000000000;
}
static inline bool posix_is_span(const struct timespec *span)
{
    return span->tv_sec >= 0 && posix_is_time(span);
}

// Nanoseconds as a timespec, and a valid timespec that is not negative as nanoseconds; what is
// beyond the clock's 584 years is as good as never: UINT64_MAX.
// Context: any.
struct timespec posix_timespec(uint64_t ns);
uint64_t posix_nanoseconds(const struct timespec *span);

// How long it is until a time of CLOCK_REALTIME, which counts like the monotonic clock; 0 once it
// has passed. Result: false: it is no time.
// Context: main | callback.
bool posix_time_until(const struct timespec *time, struct timespec *left);

// argv[0], without folders.
// Context: main | callback.
const char *posix_program_name(void);

// Turns the console's ^C into SIGINT and gives the callback level its own errno and streams.
// Context: boot.
void posix_signals_init(void);
void posix_streams_init(void);

// Writes out what callbacks have printed. Context: main | callback.
void posix_streams_flush(void);

// Has the end of the program wait while this function says that requests are under way whose end is
// near. Interrupts are masked. There is one such function.
// Context: any.
void posix_end_waits_while(bool (*busy)(void));

// Ends the machine once what is under way on disks and files is done, at most ten seconds later,
// and the console has sent everything. Context: main | callback.
_Noreturn void posix_end(int status);

// Opens the standard streams, reads arguments and environment, runs constructors, main and exit().
// command_line: percent-encoded words (program.c); it becomes the program's and must stay.
// Context: boot, interrupts open.
_Noreturn void program_start(char *command_line);
