// Event counters, as Linux's <sys/eventfd.h>.
#pragma once

#include <fcntl.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef uint64_t eventfd_t;

// As on Linux: the flags of open(), but for the first.
#define EFD_SEMAPHORE 1
#define EFD_NONBLOCK O_NONBLOCK
#define EFD_CLOEXEC O_CLOEXEC

// Opens a counter. read() gives it as eight bytes and leaves 0, waiting while it is 0; of a
// semaphore it gives 1 and takes 1 away. write() adds eight bytes' worth, waiting while the sum is
// beyond 2^64 - 2.
// Result: a descriptor; -1: EINVAL (flags), EMFILE, ENFILE (32 are open).
// Context: main | callback.
int eventfd(unsigned int count, int flags);

// read() and write() by another name. Result: 0, or -1.
// Context: main | callback.
int eventfd_read(int fd, eventfd_t *value);
int eventfd_write(int fd, eventfd_t value);

#ifdef __cplusplus
}
#endif
