// What random_calls.c picks from: numbers, pointers, descriptors, control blocks; and the books
// that it keeps of requests whose end is told.
#pragma once

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "faces/posix/aio_slots.h"
#include "tests/target/aio_notifications.h"

enum { ITEMS = 64, BUFFER_BYTES = 6000, GUARD_BYTES = 32, GUARD = 0x5a, SERIALS = 1 << 19 };

// ---- Numbers

static uint32_t dice_state;

static inline unsigned dice(unsigned faces)
{
    dice_state ^= dice_state << 13;
    dice_state ^= dice_state >> 17;
    dice_state ^= dice_state << 5;
    return dice_state % faces;
}

static inline bool one_in(unsigned count)
{
    return dice(count) == 0;
}

// ---- Pointers that lead nowhere, or where nothing of a program's is

extern char __ram_end[], __tmp_start[], __main_stack_guard[], __kernel_data_start[],
    __isr_stack_top[];
int main(void);

static inline void *wild_pointer(void *good)
{
    const uintptr_t wild[] = {
        0,
        1,
        64,
        (uintptr_t)main,
        (uintptr_t)main + 2,
        (uintptr_t)&aio_pool,
        (uintptr_t)&aio_pool.slots[3],
        (uintptr_t)__kernel_data_start,
        (uintptr_t)__isr_stack_top - 64,
        (uintptr_t)__main_stack_guard + 128,
        (uintptr_t)__tmp_start + 4096,
        (uintptr_t)__ram_end - 1, // The last byte of RAM.
        (uintptr_t)__ram_end - 8,
        (uintptr_t)__ram_end,
        UINTPTR_MAX,
        UINTPTR_MAX - 63,
        (uintptr_t)good + 1,
        (uintptr_t)good + 2,
    };
    return (void *)wild[dice(sizeof wild / sizeof wild[0])];
}

// ---- Books: each request and list that is told of has a serial number as its value

static unsigned char promised[SERIALS]; // So often it will be told of,
static unsigned char possible[SERIALS]; // and so often more it may be.
static unsigned char told[SERIALS];
static int next_serial;

static inline void tell(union sigval value)
{
    if (value.sival_int > 0 && value.sival_int < SERIALS)
        told[value.sival_int]++;
}

static inline void tell_by_signal(int number, siginfo_t *info, void *context)
{
    (void)number, (void)context;
    if (info->si_code == SI_ASYNCIO)
        tell(info->si_value);
}

// A control block that was in use when it was chosen may be done, and be started anew with its old
// number: so these are counts.
static inline void promise(int serial, bool surely)
{
    if (serial > 0)
        (surely ? promised : possible)[serial]++;
}

// Result: serial numbers that were told of less or more often than that.
static inline unsigned broken_promises(void)
{
    unsigned broken = 0;
    for (int i = 1; i <= next_serial; i++)
        broken += told[i] < promised[i] || told[i] > promised[i] + possible[i];
    return broken;
}

// Has everything been told of that surely is?
static inline bool all_promises_kept(void)
{
    for (int i = 1; i <= next_serial; i++)
        if (told[i] < promised[i])
            return false;
    return true;
}

// Result: its serial number, where it will be told of exactly once; 0.
static inline int random_event(struct sigevent *event)
{
    *event = (struct sigevent){ .sigev_notify = 0 };
    int serial = ++next_serial;
    switch (dice(12)) {
    case 0:
        event->sigev_notify = SIGEV_NONE;
        return 0;
    case 1:
        event->sigev_notify = (int)dice(100) - 20;
        return 0;
    case 2:
        *event = event_by_signal(one_in(2) ? SIGUSR1 : (int)dice(200) - 50, 0);
        if (event->sigev_signo > 0 && event->sigev_signo < NSIG)
            event->sigev_signo = SIGUSR1;
        return 0;
    case 3:
        *event = event_by_function(NULL, serial);
        return 0;
    case 4:
    case 5:
        *event = event_by_signal(SIGRTMIN + (int)dice(4), serial);
        return serial;
    case 6:
        return 0;
    default:
        *event = event_by_function(tell, serial);
        return serial;
    }
}

// ---- Control blocks and their buffers

static struct item {
    struct aiocb block;
    int serial;
    bool spoiled; // The block was overwritten in flight; it is left alone until it is told of.
    unsigned char memory[GUARD_BYTES + BUFFER_BYTES + GUARD_BYTES];
} items[ITEMS];

static inline void guards_set(void)
{
    for (int i = 0; i < ITEMS; i++) {
        memset(items[i].memory, GUARD, GUARD_BYTES);
        memset(items[i].memory + GUARD_BYTES + BUFFER_BYTES, GUARD, GUARD_BYTES);
    }
}

static inline bool guards_intact(const struct item *item)
{
    for (int i = 0; i < GUARD_BYTES; i++)
        if (item->memory[i] != GUARD || item->memory[GUARD_BYTES + BUFFER_BYTES + i] != GUARD)
            return false;
    return true;
}

static inline struct item *random_item(void)
{
    return &items[dice(ITEMS)];
}

// ---- Descriptors

enum { FIRST_FD = 3, TABLE = 20 };

static int fds[TABLE];

// Nothing of the suite's own output is disturbed.
static inline int random_fd(void)
{
    int fd = one_in(6) ? (int)dice(72) - 1 : fds[dice(TABLE)];
    return fd >= 0 && fd < FIRST_FD ? -1 : fd;
}

static inline void open_pair(int which, int kind)
{
    int ends[2] = { -1, -1 };
    int result = kind == 0   ? pipe(ends)
                 : kind == 1 ? socketpair(AF_UNIX, SOCK_STREAM, 0, ends)
                             : socketpair(AF_UNIX, SOCK_DGRAM, 0, ends);
    if (result != 0)
        return;
    if (one_in(2))
        fcntl(ends[dice(2)], F_SETFL, O_NONBLOCK);
    fds[which] = ends[0];
    fds[which ^ 1] = ends[1];
}

// Opens what place `which` of the table is for; those of a pair are open or closed together.
static inline void open_one(int which)
{
    static const char *const names[] = { "/tmp/random0", "/tmp/random1", "/tmp/random2" };
    static const int flags[] = { O_RDWR, O_RDWR | O_APPEND, O_RDONLY };
    if (which < 6)
        fds[which] = open(names[which % 3], flags[dice(3)] | O_CREAT, 0600);
    else if (which == 6)
        fds[which] = open("/dev/null", O_RDWR);
    else if (which == 7)
        fds[which] = open("/dev/ram0", one_in(4) ? O_RDONLY : O_RDWR);
    else if (which == 8)
        fds[which] = eventfd(dice(3), one_in(2) ? EFD_NONBLOCK : 0);
    else if (which == 9)
        fds[which] = open("/tmp", O_RDONLY | O_DIRECTORY);
    else if (fds[which ^ 1] < 0)
        open_pair(which, which < 14 ? 0 : which < 18 ? 1 : 2);
}

static inline void close_one(int which)
{
    if (fds[which] >= FIRST_FD)
        close(fds[which]);
    fds[which] = -1;
    if (which >= 10 && fds[which ^ 1] >= FIRST_FD) {
        close(fds[which ^ 1]);
        fds[which ^ 1] = -1;
    }
}

static inline void close_all(void)
{
    for (int fd = FIRST_FD; fd < OPEN_MAX; fd++)
        close(fd);
    for (int i = 0; i < TABLE; i++)
        fds[i] = -1;
}

// ---- Pools: how many of each can be open

struct pools {
    int files, pipes, sockets, counters;
};

static inline int count_pool(int (*open_some)(void))
{
    int count = 0;
    while (open_some() >= 0)
        count++;
    close_all();
    return count;
}

static inline int open_null(void)
{
    return open("/dev/null", O_RDWR);
}

static inline int open_pipe(void)
{
    int ends[2];
    return pipe(ends);
}

static inline int open_sockets(void)
{
    int ends[2];
    return socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
}

static inline int open_counter(void)
{
    return eventfd(0, 0);
}

static inline struct pools pools_count(void)
{
    return (struct pools){ count_pool(open_null), count_pool(open_pipe), count_pool(open_sockets),
                           count_pool(open_counter) };
}
