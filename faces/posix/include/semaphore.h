// Semaphores of one process (IEEE Std 1003.1-2017, <semaphore.h>): how a callback or a signal
// handler lets main go on. Named ones are there for the whole program; there are none between
// processes (ENOSYS).
#pragma once

#include <sys/types.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    volatile unsigned __value;
} sem_t;
#define SEM_FAILED ((sem_t *)0)

// shared must be 0. Result: 0; -1/EINVAL (value beyond SEM_VALUE_MAX), ENOSYS (shared).
// Context: main | callback, and so are the others.
int sem_init(sem_t *semaphore, int shared, unsigned value);
int sem_destroy(sem_t *semaphore);

// Result: 0; -1/EOVERFLOW.
int sem_post(sem_t *semaphore);

// Wait until the value is above 0, then take one off. Result: 0; -1/EINTR (a signal handler has
// run), ETIMEDOUT, EINVAL (no time), EAGAIN (sem_trywait), EDEADLK (in a callback: only another
// callback could post, and none runs before this one ends). time is absolute, of CLOCK_REALTIME.
int sem_wait(sem_t *semaphore);
int sem_timedwait(sem_t *__restrict semaphore, const struct timespec *__restrict time);
int sem_trywait(sem_t *semaphore);

int sem_getvalue(sem_t *__restrict semaphore, int *__restrict value);

// flags: O_CREAT, with a mode (ignored) and the value as further arguments, and O_EXCL. A name that
// is opened again gives the same semaphore. Result: SEM_FAILED/ENOENT, EEXIST, EINVAL (no name, a
// slash in it, or the value), ENAMETOOLONG, ENOMEM.
sem_t *sem_open(const char *name, int flags, ...);

// It goes when it has neither its name nor anybody who has not closed it.
// Result: 0; -1/EINVAL (not an open one with a name), -1/ENOENT (no such name).
int sem_close(sem_t *semaphore);
int sem_unlink(const char *name);

#ifdef __cplusplus
}
#endif
