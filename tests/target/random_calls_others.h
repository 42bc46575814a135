// random_calls.c: what is expected of a call, and the calls beside the eight of <aio.h>: signals,
// and the rest of the face with pointers that a program may get wrong.
#pragma once

#include <poll.h>
#include <semaphore.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/uio.h>

#include "tests/tap.h"
#include "tests/target/random_calls.h"

enum { OFFSETS = 1 << 16 };

static unsigned bad_answers, calls_made, refusals;

// ---- What errno may say

static bool is_any_of(int error, const int *allowed)
{
    for (; *allowed; allowed++)
        if (*allowed == error)
            return true;
    return false;
}

// allowed: what errno may say, ending with 0.
static void expect(const char *call, long result, const int *allowed)
{
    int error = errno;
    if (result >= 0)
        return;
    refusals++;
    if (!is_any_of(error, allowed) && bad_answers++ < 5)
        tap_note("call %u: %s: errno %d", calls_made, call, error);
}
#define EXPECT(call, ...) (errno = 0, expect(#call, (long)(call), (const int[]){ __VA_ARGS__, 0 }))

static off_t random_offset(void)
{
    const off_t odd[] = { -1, LONG_MIN, LONG_MAX, LONG_MAX - 1, 1 << 30, 4 << 20 };
    return one_in(12) ? odd[dice(6)] : (off_t)dice(OFFSETS);
}

// ---- Calls

static void call_signals(void)
{
    sigset_t set, *where = one_in(8) ? wild_pointer(&set) : &set;
    siginfo_t info;
    const struct timespec none = { 0, 0 };
    union sigval value = { .sival_int = 0 };
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN + (int)dice(4));
    switch (dice(7)) {
    case 0:
        EXPECT(sigprocmask(one_in(6) ? 77 : SIG_BLOCK, where, NULL), EINVAL, EFAULT);
        break;
    case 1:
    case 2:
        EXPECT(sigprocmask(SIG_UNBLOCK, where, NULL), EFAULT);
        break;
    case 3: {
        // Of a signal that is taken without its information nobody is told.
        siginfo_t *taken = one_in(8) ? wild_pointer(&info) : &info;
        errno = 0;
        int number = sigtimedwait(where, taken ? taken : &info, &none);
        if (number > 0 && info.si_code == SI_ASYNCIO)
            tell(info.si_value);
        expect("sigtimedwait", number, (const int[]){ EAGAIN, EINTR, EFAULT, 0 });
        break;
    }
    case 4:
        EXPECT(sigqueue(one_in(4) ? 99 : getpid(), SIGRTMIN, value), ESRCH, EAGAIN);
        break;
    case 5:
        EXPECT(sigaction((int)dice(80) - 5, NULL, wild_pointer(&set)), EINVAL, EFAULT);
        break;
    default:
        EXPECT(sigpending(where), EFAULT);
    }
}

// The rest of the face, with pointers that a program may get wrong.
static void call_others(void)
{
    struct item *item = random_item();
    void *wild = wild_pointer(item->memory + GUARD_BYTES + 8 - (uintptr_t)item->memory % 8);
    struct iovec pieces[2] = { { wild, 10 }, { wild_pointer(wild), dice(3000) } };
    int fd = fds[dice(TABLE)];
    switch (dice(14)) {
    case 0:
        EXPECT(clock_gettime(CLOCK_MONOTONIC, wild), EFAULT);
        break;
    case 1:
        EXPECT(nanosleep(wild_pointer(pieces), NULL), EFAULT, EINVAL, EINTR);
        break;
    case 2:
        EXPECT(poll(wild, dice(70), 0), EFAULT, EINVAL);
        break;
    case 3:
        EXPECT(pipe(wild), EFAULT, EMFILE, ENFILE);
        break;
    case 4:
        EXPECT(fstat(fd, wild), EFAULT, EBADF);
        break;
    case 5:
        EXPECT(readv(fds[dice(10)], one_in(3) ? wild : pieces, (int)dice(4) - 1), EFAULT, EBADF,
               EINVAL, EISDIR, EAGAIN, EINTR);
        break;
    case 6:
        EXPECT(pread(fd, wild, dice(100), random_offset()), EFAULT, EBADF, EINVAL, EISDIR, ESPIPE,
               EOVERFLOW);
        break;
    case 7:
        EXPECT(sem_post(wild), EINVAL, EOVERFLOW);
        break;
    case 8:
        EXPECT(stat(wild, NULL), EFAULT, ENOENT, ENAMETOOLONG, ENOTDIR);
        break;
    case 9:
        EXPECT(open(wild, O_RDONLY), EFAULT, ENOENT, ENAMETOOLONG, ENOTDIR, EMFILE);
        break;
    case 10:
        EXPECT(timerfd_settime(fd, 0, wild, wild), EFAULT, EBADF, EINVAL);
        break;
    case 11:
        EXPECT(getsockopt(fd, SOL_SOCKET, SO_TYPE, wild, wild), EFAULT, EBADF, ENOTSOCK, EINVAL);
        break;
    case 12:
        EXPECT(sendmsg(fd, wild, MSG_DONTWAIT), EFAULT, EMSGSIZE, EBADF, ENOTSOCK, EOPNOTSUPP,
               EISCONN, EAGAIN);
        break;
    default:
        EXPECT(
            select((int)dice(80) - 5, wild, NULL, wild_pointer(pieces), &(struct timeval){ 0, 0 }),
            EFAULT, EINVAL, EBADF);
    }
}
