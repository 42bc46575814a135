// 100,000 random calls with random arguments, good and bad: NULL and wild pointers, control blocks
// copied or overwritten in flight, closed descriptors, sizes, offsets, priorities and notifications
// out of range; signals come meanwhile. After each call the kernel's books must add up, its answer
// must be one of the call's, and at the end everything that was accepted has come to its end once
// and all that was taken is there again.
#include <malloc.h>
#include <stdlib.h>

#include "arch/cpu.h"
#include "tests/tap.h"
#include "tests/target/random_calls_others.h"

enum { CALLS = 100000, PROC_EVERY = 1000, LIST_MOST = 12 };

static unsigned bad_books, bad_guards, allocations;

// ---- What must be true after each call

static struct aio_census take_census(void)
{
    uint32_t flags = irq_save();
    struct aio_census census = aio_slots_census_locked();
    irq_restore(flags);
    return census;
}

static void check_books(void)
{
    struct aio_census census = take_census();
    if (census.free + census.in_flight + census.untold != AIO_SLOTS && bad_books++ < 5)
        tap_note("call %u: slots: %u free, %u in flight, %u untold", calls_made, census.free,
                 census.in_flight, census.untold);
    bad_guards += !guards_intact(&items[calls_made % ITEMS]);
}

// Each line of /proc/aio but the last: name queued in_flight submitted completed refused.
static void check_proc(void)
{
    static char text[4096];
    unsigned long sum[5] = { 0 }, line[5];
    char name[32];
    int fd = open("/proc/aio", O_RDONLY), used;
    if (fd < 0)
        return; // No descriptor is free.
    ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    text[size > 0 ? size : 0] = '\0';
    for (const char *at = text; sscanf(at, "%31s %lu %lu %lu %lu %lu %n", name, &line[0], &line[1],
                                       &line[2], &line[3], &line[4], &used) == 6;
         at += used) {
        bool total = strcmp(name, "total") == 0;
        bad_books += line[2] != line[3] + line[0] + line[1];
        for (int i = 0; i < 5; i++) {
            // What has been released counts in the total only; nothing of it waits any more.
            bad_books += total && (i < 2 ? sum[i] != line[i] : sum[i] > line[i]);
            sum[i] += line[i];
        }
    }
}

// ---- Requests

static bool in_progress(const struct item *item)
{
    return aio_error(&item->block) == EINPROGRESS;
}

static size_t random_size(void)
{
    const size_t odd[] = { 0, SSIZE_MAX, (size_t)SSIZE_MAX + 1, SIZE_MAX, SIZE_MAX - 7, 1 << 28 };
    return one_in(12) ? odd[dice(6)] : dice(BUFFER_BYTES + 1);
}

// Fills a control block that nothing is under way for.
static void prepare(struct item *item)
{
    struct aiocb *block = &item->block;
    memset(block, 0, sizeof *block);
    block->aio_fildes = random_fd();
    block->aio_nbytes = random_size();
    block->aio_buf = item->memory + GUARD_BYTES;
    if (block->aio_nbytes < BUFFER_BYTES)
        block->aio_buf = item->memory + GUARD_BYTES + dice(BUFFER_BYTES - block->aio_nbytes + 1);
    else if (block->aio_nbytes > BUFFER_BYTES && block->aio_nbytes < SSIZE_MAX)
        block->aio_buf = wild_pointer(NULL); // So large a buffer may well be in RAM.
    if (one_in(20))
        block->aio_buf = wild_pointer(NULL);
    block->aio_offset = random_offset();
    block->aio_reqprio = one_in(10) ? (int)dice(40) - 20 : one_in(3) ? (int)dice(8) : 0;
    block->aio_lio_opcode = one_in(10) ? (int)dice(100) - 50 : (int)dice(3);
    item->serial = random_event(&block->aio_sigevent);
}

// An item that a request may be started by, or one that is in use, once in a while.
static struct item *choose(unsigned which)
{
    struct item *item = &items[which % ITEMS];
    if (item->spoiled && item->serial > 0 && told[item->serial] > 0)
        item->spoiled = false;
    if (!item->spoiled && !in_progress(item))
        prepare(item);
    return item;
}

static const int start_errors[] = { EINVAL, EFAULT, EBUSY, EAGAIN, EBADF, EISDIR, 0 };

static void call_start(void)
{
    struct item *item = choose(dice(ITEMS));
    struct aiocb *block = one_in(25) ? wild_pointer(&item->block) : &item->block;
    bool writing = one_in(2), flush = one_in(12);
    errno = 0;
    int result = flush     ? aio_fsync(one_in(8) ? (int)dice(9) : O_SYNC, block)
                 : writing ? aio_write(block)
                           : aio_read(block);
    int error = errno;
    if (result == 0 && !item->spoiled && block == &item->block)
        promise(item->serial, true);
    errno = error;
    expect(flush ? "aio_fsync" : writing ? "aio_write" : "aio_read", result, start_errors);
}

static void call_error(void)
{
    struct aiocb *block = one_in(15) ? wild_pointer(&items[0].block) : &random_item()->block;
    EXPECT(aio_error(block), EINVAL, EFAULT);
}

static void call_return(void)
{
    struct item *item = random_item();
    struct aiocb copy = item->block;
    struct aiocb *block = one_in(15) ? wild_pointer(&item->block) : &item->block;
    if (one_in(15)) {
        // A copy of a control block is none, but for one that has never been used.
        EXPECT(aio_return(&copy), EINVAL);
        bad_answers += aio_error(&copy) != -1 || aio_cancel(copy.aio_fildes, &copy) == AIO_CANCELED;
    }
    EXPECT(aio_return(block), EINVAL, EFAULT, ECANCELED, EBADF, EPIPE, EAGAIN, EIO, ENOSPC, EFBIG,
           EMSGSIZE, EISDIR, EOVERFLOW, ECONNREFUSED, ENOTCONN, ECONNRESET, EBUSY);
}

static const struct timespec *random_timeout(struct timespec *timeout)
{
    *timeout = (struct timespec){ .tv_nsec = (long)dice(50000) };
    if (one_in(20))
        *timeout = (struct timespec){ .tv_sec = (time_t)dice(3) - 1, .tv_nsec = -5 };
    if (one_in(20))
        return wild_pointer(timeout);
    if (!one_in(3))
        timeout->tv_nsec = 0;
    return timeout;
}

static int random_list(struct aiocb *list[])
{
    int count = (int)dice(LIST_MOST + 1);
    for (int i = 0; i < count; i++)
        list[i] = one_in(20)  ? wild_pointer(&items[0].block)
                  : one_in(8) ? NULL
                              : &random_item()->block;
    return count;
}

// A list of NULL entries ends by a signal only: one comes in less than a millisecond.
static void call_suspend(void)
{
    struct aiocb *list[LIST_MOST];
    struct timespec timeout;
    int count = random_list(list);
    const struct aiocb *const *where = (const struct aiocb *const *)list;
    if (one_in(20))
        count = one_in(2) ? -(int)dice(9) : INT_MAX;
    if (one_in(30))
        where = wild_pointer(list);
    EXPECT(aio_suspend(where, count, random_timeout(&timeout)), EAGAIN, EINTR, EINVAL, EFAULT);
}

static void call_cancel(void)
{
    int fd = random_fd();
    struct aiocb *block = NULL;
    if (!one_in(4)) {
        block = &random_item()->block;
        fd = one_in(4) ? fd : block->aio_fildes;
    }
    if (one_in(20))
        block = wild_pointer(&items[0].block);
    EXPECT(aio_cancel(fd, block), EBADF, EINVAL, EFAULT);
}

// Which of a list have been accepted is known only where none was refused.
static void call_list(void)
{
    struct aiocb *list[LIST_MOST];
    struct item *chosen[LIST_MOST];
    struct sigevent event;
    unsigned first = dice(ITEMS);
    int count = (int)dice(LIST_MOST + 1);
    for (int i = 0; i < count; i++) {
        chosen[i] = choose(first + (unsigned)i); // Each once: a request that is done makes room.
        list[i] = one_in(30) ? wild_pointer(&chosen[i]->block) : &chosen[i]->block;
    }
    int serial = random_event(&event);
    int mode = one_in(20) ? (int)dice(9) : one_in(4) ? LIO_WAIT : LIO_NOWAIT;
    struct sigevent *how = one_in(3) ? NULL : one_in(20) ? wild_pointer(&event) : &event;
    struct aiocb *const *where = one_in(30) ? wild_pointer(list) : list;
    errno = 0;
    int result = lio_listio(mode, where, one_in(40) ? -(int)dice(5) : count, how);
    int error = errno;
    bool nothing = result != 0 && (error == EINVAL || error == EFAULT);
    for (int i = 0; i < count && !nothing; i++)
        if (!chosen[i]->spoiled)
            promise(chosen[i]->serial, false);
    if (!nothing && how == &event && mode == LIO_NOWAIT)
        promise(serial, result == 0);
    errno = error;
    expect("lio_listio", result, (const int[]){ EINVAL, EFAULT, EIO, EAGAIN, EINTR, 0 });
}

// ---- What happens around them

static void overwrite_in_flight(void)
{
    struct item *item = random_item();
    if (item->spoiled || item->serial == 0 || promised[item->serial] == 0 || !in_progress(item))
        return;
    item->spoiled = true;
    for (unsigned i = 0; i < sizeof item->block; i++)
        ((unsigned char *)&item->block)[i] = (unsigned char)dice(256);
    item->block.aio_buf = item->memory + GUARD_BYTES;
    item->block.aio_nbytes = dice(BUFFER_BYTES);
    item->block.aio_sigevent.sigev_notify = SIGEV_NONE;
}

static void change_descriptors(void)
{
    int which = (int)dice(TABLE);
    if (one_in(8))
        EXPECT(dup2(random_fd(), fds[which] >= FIRST_FD ? fds[which] : -1), EBADF, EBUSY);
    else if (one_in(8))
        EXPECT(close(random_fd()), EBADF);
    else if (one_in(2))
        close_one(which);
    for (int i = 0; i < TABLE; i++)
        if (fcntl(fds[i], F_GETFL) < 0)
            fds[i] = -1;
    if (fds[which] < 0)
        open_one(which);
    if (one_in(30))
        EXPECT(ftruncate(random_fd(), (off_t)dice(OFFSETS)), EBADF, EINVAL, EBUSY);
}

static void one_call(void)
{
    static void (*const aio_calls[])(void) = { call_start,  call_start,  call_start, call_start,
                                               call_return, call_return, call_error, call_list,
                                               call_cancel, call_suspend };
    calls_made++;
    if (one_in(8)) {
        static void (*const others[])(void) = { overwrite_in_flight, change_descriptors,
                                                call_signals, call_others };
        others[dice(4)]();
    } else {
        struct mallinfo before = mallinfo();
        aio_calls[dice(sizeof aio_calls / sizeof aio_calls[0])]();
        struct mallinfo after = mallinfo();
        allocations += before.uordblks != after.uordblks;
    }
    check_books();
    if (calls_made % PROC_EVERY == 0)
        check_proc();
}

// ---- From beginning to end

static void prepare_signals(void)
{
    struct sigaction action = { .sa_sigaction = tell_by_signal, .sa_flags = SA_SIGINFO };
    for (int i = 0; i < 4; i++)
        sigaction(SIGRTMIN + i, &action, NULL);
    sigaction(SIGUSR1, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    pester_begin();
}

static bool all_told(void)
{
    return take_census().free == AIO_SLOTS && all_promises_kept();
}

// Two seconds are enough for what is on its way.
static void end_all(void)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int fd = FIRST_FD; fd < OPEN_MAX; fd++)
        aio_cancel(fd, NULL);
    close_all();
    const struct timespec moment = { .tv_nsec = 1000000 };
    for (int i = 0; i < 2000 && !all_told(); i++)
        nanosleep(&moment, NULL);
}

int main(void)
{
    static const uint32_t seeds[] = { 1, 20, 300, 4000, 50000 };
    const unsigned runs = sizeof seeds / sizeof seeds[0];
    unsigned broken = 0, kept = 0;
    tap_plan(8);
    struct pools before = pools_count();
    guards_set();
    prepare_signals();
    for (unsigned run = 0; run < runs; run++) {
        dice_state = seeds[run];
        close_all();
        for (int i = 0; i < TABLE; i++)
            open_one(i);
        for (unsigned i = 0; i < CALLS / runs; i++)
            one_call();
        end_all();
    }
    pester_end();
    for (int i = 1; i <= next_serial; i++)
        kept += promised[i];
    broken = broken_promises();
    struct aio_census census = take_census();
    struct pools after = pools_count();
    tap_note("figure: %u calls, %u refused, %u ends promised", calls_made, refusals, kept);
    tap_equal(calls_made, CALLS, "test_100000_random_calls_are_survived");
    tap_equal(bad_books, 0, "test_slots_and_counts_add_up_after_each");
    tap_equal(bad_answers, 0, "test_each_answer_is_one_of_its_call");
    tap_equal(bad_guards, 0, "test_memory_around_the_buffers_is_untouched");
    tap_equal(allocations, 0, "test_the_eight_calls_allocate_nothing");
    tap_equal(broken, 0, "test_each_accepted_request_is_told_of_once");
    tap_equal(census.free, AIO_SLOTS, "test_all_slots_are_free_at_the_end");
    tap_ok(memcmp(&before, &after, sizeof before) == 0,
           "test_no_descriptor_pipe_or_socket_is_lost");
    return tap_done();
}
