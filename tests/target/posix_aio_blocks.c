// POSIX AIO: when a control block is the program's again, and where the kernel's slots go.
// sd: 8M
#include <aio.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "irq/callback.h"
#include "tests/tap.h"
#include "tests/target/aio_blocks.h"

enum { SLOTS = AIO_MAX, BLOCK = 4096 };

static char buffer[BLOCK];
static volatile int calls, value_seen;

static void on_complete(union sigval value)
{
    calls++;
    value_seen = value.sival_int;
}

// Once the program knows that a request is done, its control block is left alone, though the
// notification still waits. In whichever way it got to know.
static bool left_alone(int ram, bool (*learn)(struct aiocb *))
{
    struct aiocb block = block_for(ram, buffer, BLOCK, 0), trash;
    memset(&trash, 0xa5, sizeof trash);
    block.aio_sigevent = event_by_function(on_complete, 43);
    calls = value_seen = 0;
    callbacks_hold();
    aio_read(&block);
    bool learned = learn(&block);
    block = trash;
    callbacks_release();
    while (calls == 0) {}
    return learned && calls == 1 && value_seen == 43 && memcmp(&block, &trash, sizeof trash) == 0;
}

static bool learn_by_error(struct aiocb *block)
{
    int error;
    while ((error = aio_error(block)) == EINPROGRESS)
        ;
    return error == 0;
}

static bool learn_by_return(struct aiocb *block)
{
    ssize_t result;
    while ((result = aio_return(block)) == -1 && errno == EINVAL)
        ;
    return result == BLOCK && aio_return(block) == -1;
}

static bool learn_by_suspend(struct aiocb *block)
{
    const struct aiocb *list[] = { block };
    return aio_suspend(list, 1, NULL) == 0;
}

static void test_block_is_left_alone(int ram)
{
    tap_ok(left_alone(ram, learn_by_error), "test_a_block_is_left_alone_after_aio_error");
    tap_ok(left_alone(ram, learn_by_return), "test_a_block_is_left_alone_after_aio_return");
    tap_ok(left_alone(ram, learn_by_suspend), "test_a_block_is_left_alone_after_aio_suspend");
}

// While main waits for a block, its callback retrieves the result, submits it anew and looks for it
// itself, again and again: main never sees it done.
static volatile bool renewing;

static void on_renewed(union sigval value)
{
    struct aiocb *block = value.sival_ptr;
    const struct aiocb *list[] = { block };
    const struct timespec poll = { 0, 0 };
    if (renewing && aio_return(block) == BLOCK && aio_read(block) == 0)
        aio_suspend(list, 1, &poll);
}

static void test_suspend_on_a_renewed_block(int sd)
{
    static struct aiocb block;
    const struct aiocb *list[] = { &block };
    block = block_for(sd, buffer, BLOCK, 0);
    block.aio_sigevent = event_by_function(on_renewed, 0);
    block.aio_sigevent.sigev_value.sival_ptr = &block;
    renewing = true;
    aio_read(&block);
    tap_equal(aio_suspend(list, 1, NULL), 0,
              "test_suspend_ends_though_a_callback_submits_the_block_anew");
    renewing = false;
    wait_for(&block);
}

// More requests of either kind one after another than there are slots: each gives its slot back.
static void test_slots_come_back(int zero)
{
    struct aiocb silent[2], told;
    int good = 0;
    for (int i = 0; i < SLOTS + 8; i++) {
        told = block_for(zero, buffer, 8, 0);
        told.aio_sigevent = event_by_function(on_complete, i);
        for (int j = 0; j < 2; j++) {
            silent[j] = block_for(zero, buffer + 8 * (j + 1), 8, 0);
            good += aio_read(&silent[j]) == 0;
        }
        good += aio_read(&told) == 0 && wait_for(&told) == 0 && aio_return(&told) == 8;
        good += wait_for(&silent[0]) == 0 && wait_for(&silent[1]) == 0; // Never retrieved.
    }
    tap_equal(good, 4 * (SLOTS + 8), "test_slots_come_back_with_and_without_notification");
}

// As usual a request as can be, but for where its block lies. Its descriptor is the first one.
static const struct aiocb unwritable = { .aio_fildes = 3,
                                         .aio_buf = buffer,
                                         .aio_nbytes = BLOCK,
                                         .aio_sigevent = { .sigev_notify = SIGEV_THREAD,
                                                           .sigev_notify_function = on_complete } };

static void test_a_block_that_cannot_be_written(int ram)
{
    struct aiocb *block = (struct aiocb *)(uintptr_t)&unwritable;
    bool good = ram == unwritable.aio_fildes;
    calls = 0;
    for (int i = 0; i < 2 * SLOTS; i++) // None of them takes a slot with it.
        good &= aio_read(block) == -1 && errno == EFAULT && aio_error(block) == -1;
    good &= aio_write(block) == -1 && errno == EFAULT && aio_fsync(O_SYNC, block) == -1 &&
            errno == EFAULT;
    tap_ok(good && calls == 0, "test_a_block_in_read_only_memory_is_EFAULT");
    struct aiocb other = unwritable;
    tap_ok(aio_read(&other) == 0 && wait_for(&other) == 0 && aio_return(&other) == BLOCK,
           "test_the_next_one_that_can_be_is_read_by");
}

// Result: errno of each call that takes a notification by this function, or 0.
static int refusal(int ram, void (*function)(union sigval))
{
    struct aiocb block = block_for(ram, buffer, BLOCK, 0), *list[] = { &block };
    struct sigevent event = event_by_function(function, 0);
    int error = lio_listio(LIO_NOWAIT, list, 1, &event) == -1 ? errno : 0;
    block.aio_sigevent = event;
    bool same = (aio_read(&block) == -1 ? errno : 0) == error;
    same &= (aio_fsync(O_SYNC, &block) == -1 ? errno : 0) == error;
    return same ? error : -1;
}

static void test_functions_that_are_none(int ram)
{
    extern char __text_end[];
    uintptr_t const wild[] = { 0,
                               1,
                               4,
                               0xfffc,
                               (uintptr_t)__text_end,
                               (uintptr_t)&unwritable,
                               (uintptr_t)buffer,
                               (uintptr_t)&calls + 1,
                               (uintptr_t)ram,
                               UINTPTR_MAX,
                               UINTPTR_MAX / 2 };
    bool good = true;
    struct aiocb first = block_for(ram, buffer, 8, 0);
    first.aio_sigevent = event_by_function(on_complete, 0);
    aio_read(&first); // So that what follows finds a slot.
    wait_for(&first);
    for (unsigned i = 0; i < sizeof wild / sizeof wild[0]; i++)
        good &= refusal(ram, (void (*)(union sigval))wild[i]) == EINVAL;
    tap_ok(good, "test_a_function_that_is_no_code_is_EINVAL");
}

int main(void)
{
    int ram = open("/dev/ram0", O_RDWR), sd = open("/dev/disk", O_RDWR),
        zero = open("/dev/zero", O_RDWR);
    tap_plan(8);
    test_block_is_left_alone(ram);
    test_suspend_on_a_renewed_block(sd);
    test_slots_come_back(zero);
    test_a_block_that_cannot_be_written(ram);
    test_functions_that_are_none(ram);
    return tap_done();
}
