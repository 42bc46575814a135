// Timers that are read, as Linux's timerfd_create(2): a read gives the number of times the timer
// has expired since it was last read or set, in eight bytes, and waits while that is 0.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "drivers/device.h"

enum { TIMERFD_LIMIT = 16 }; // Timers at a time.

struct timerfd_setting {
    uint64_t value_ns;    // Until it first expires, or when; 0: it does not.
    uint64_t interval_ns; // From there on again and again; 0: never again.
};

// Makes a timer that is not set; it is given back by io_close(). Writing is -EINVAL, as is reading
// less than eight bytes.
// Result: 0, or -ENFILE: all are in use.
// Context: main | callback.
int timerfd_make(struct device **device);

// Sets the timer anew and forgets what it has counted; a read that waits goes on waiting. absolute:
// value_ns is a time on the clock of clock_now_ns(). old, if not NULL, gets what timerfd_get()
// would.
// Context: any; the device is a timer that is not closed meanwhile.
void timerfd_set(struct device *device, bool absolute, struct timerfd_setting setting,
                 struct timerfd_setting *old);

// What is set: value_ns is what is left until it expires next.
// Context: as timerfd_set().
struct timerfd_setting timerfd_get(const struct device *device);

// Result: is this device such a timer?
// Context: any.
bool timerfd_is(const struct device *device);
