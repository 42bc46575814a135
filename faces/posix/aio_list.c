// lio_listio(): many requests by one call, and one notification for all of them.
//
// A list that nobody waits for lives in a record of ours until its notification begins, or its
// signal has been taken; there are as many as slots. With LIO_WAIT it lies on the caller's stack,
// and a signal that ends the wait makes its requests forget it.
#include <aio.h>

#include <errno.h>
#include <limits.h>
#include <stdbool.h>

#include "aio/unwind.h"
#include "arch/container.h"
#include "arch/cpu.h"
#include "faces/posix/aio_slots.h"
#include "faces/posix/pointers.h"
#include "faces/posix/posix.h"

// ---- Records

static struct {
    struct aio_list *free;
    unsigned used_once; // Records from here on have never been used.
    struct aio_list records[AIO_SLOTS];
} lists;

static struct aio_list *list_allocate_locked(void)
{
    struct aio_list *list = lists.free;
    if (list)
        lists.free = list->next;
    else if (lists.used_once < AIO_SLOTS)
        list = &lists.records[lists.used_once++];
    return list;
}

static void list_release_locked(struct aio_list *list)
{
    list->next = lists.free;
    lists.free = list;
}

static void signal_taken(struct posix_signal *signal)
{
    list_release_locked(container_of(signal, struct aio_list, signal));
}

static void run_function(struct callback *callback)
{
    struct aio_list *list = container_of(callback, struct aio_list, callback);
    void (*function)(union sigval) = list->function;
    union sigval value = list->value;
    uint32_t flags = irq_save();
    list_release_locked(list);
    irq_restore(flags);
    function(value);
}

static bool is_told(const struct sigevent *event)
{
    return event && (event->sigev_notify == SIGEV_THREAD ||
                     (event->sigev_notify == SIGEV_SIGNAL && event->sigev_signo != 0));
}

// Result: a list that tells as the event says; NULL: there is no room.
static struct aio_list *list_create_locked(const struct sigevent *event)
{
    struct aio_list *list = list_allocate_locked();
    if (!list)
        return NULL;
    list->waiting = 1; // For the call.
    list->failed = false;
    list->function = event->sigev_notify == SIGEV_THREAD ? event->sigev_notify_function : NULL;
    list->value = event->sigev_value;
    list->callback.run = run_function;
    aio_signal_fill(&list->signal, event);
    list->signal.taken = signal_taken;
    return list;
}

// ---- Requests come to their end

// A list on somebody's stack has neither a function nor a signal.
bool aio_list_count_locked(struct aio_list *list, ssize_t result)
{
    list->failed |= result < 0;
    return --list->waiting == 0 && (list->function || list->signal.info.si_signo != 0);
}

void aio_list_notify_locked(struct aio_list *list)
{
    if (list->function)
        callback_post(&list->callback);
    else
        posix_signal_send(&list->signal);
}

// A call of lio_listio(), which may be left by a jump.
struct list_call {
    struct unwind unwind;
    struct aio_list *list;
};

// The call itself has submitted what it could.
static void submitted(struct unwind *unwind)
{
    struct aio_list *list = container_of(unwind, struct list_call, unwind)->list;
    if (aio_list_count_locked(list, 0))
        aio_list_notify_locked(list);
}

// ---- Submission

static int submit_locked(struct aiocb *block, struct aio_list *list)
{
    if (block->aio_lio_opcode != LIO_READ && block->aio_lio_opcode != LIO_WRITE)
        return aio_slot_of(block) && !aio_result_found_locked(block) ? EBUSY : EINVAL;
    enum io_op op = block->aio_lio_opcode == LIO_READ ? IO_READ : IO_WRITE;
    if (list)
        list->waiting++;
    int error = aio_submit_locked(block, op, list);
    if (error && list)
        list->waiting--;
    return error;
}

// The block of a request that was refused says why, as if it had been submitted; one that is in use
// is its request's.
static void refuse_locked(struct aiocb *block, int error)
{
    if (error == EBUSY)
        return;
    block->__state = aio_state_done(block);
    block->__result = -error;
}

// Result: 0, EIO: some were refused; EAGAIN: for want of room.
static int submit_all(struct aiocb *const blocks[], int count, struct aio_list *list)
{
    int worst = 0;
    for (int i = 0; i < count; i++) {
        struct aiocb *block = blocks[i];
        bool wild = !posix_may_write(block);
        if (wild && worst != EAGAIN)
            worst = EIO;
        if (wild || !block || block->aio_lio_opcode == LIO_NOP)
            continue;
        uint32_t flags = irq_save();
        int error = submit_locked(block, list);
        if (error)
            refuse_locked(block, error);
        irq_restore(flags);
        if (error && worst != EAGAIN)
            worst = error == EAGAIN ? EAGAIN : EIO;
    }
    return worst;
}

// ---- LIO_WAIT

// The requests go on without the list.
static void forget(struct unwind *unwind)
{
    const struct aio_list *list = container_of(unwind, struct list_call, unwind)->list;
    for (unsigned i = 0; i < AIO_SLOTS; i++)
        if (aio_pool.slots[i].list == list)
            aio_pool.slots[i].list = NULL;
}

// Result: 0, or EINTR.
static int wait_for_all(struct aio_list *list, const struct posix_wait *wait)
{
    int error = 0;
    uint32_t flags = irq_save();
    while (*(volatile unsigned *)&list->waiting > 0 && (error = posix_wait_over(wait)) == 0)
        posix_wait_sleep_locked(wait);
    irq_restore(flags);
    return error;
}

static int submit_and_wait(struct aiocb *const blocks[], int count)
{
    struct posix_wait wait;
    struct aio_list list = { .waiting = 0 };
    struct list_call call = { .list = &list };
    unwind_push(&call.unwind, forget);
    posix_wait_begin(&wait, NULL);
    posix_wait_restarts(&wait);
    int refused = submit_all(blocks, count, &list);
    int error = wait_for_all(&list, &wait);
    posix_wait_end(&wait);
    unwind_end(&call.unwind);
    if (error || refused)
        return error ? error : refused;
    return list.failed ? EIO : 0;
}

// ---- LIO_NOWAIT

static int submit_and_go(struct aiocb *const blocks[], int count, const struct sigevent *event)
{
    int error = event ? aio_event_check(event) : 0;
    if (error)
        return error;
    if (!is_told(event))
        return submit_all(blocks, count, NULL);
    struct list_call call;
    uint32_t flags = irq_save();
    call.list = list_create_locked(event);
    if (call.list)
        unwind_push(&call.unwind, submitted);
    irq_restore(flags);
    if (!call.list)
        return EAGAIN;
    error = submit_all(blocks, count, call.list);
    unwind_end(&call.unwind);
    return error;
}

int lio_listio(int mode, struct aiocb *const list[restrict], int count,
               struct sigevent *restrict event)
{
    int error = EINVAL;
    if (count < 0 || count > AIO_LISTIO_MAX || (count > 0 && !list))
        return aio_fail(EINVAL);
    if (!posix_can_read(list, (unsigned)count) || !posix_may_read(event))
        return aio_fail(EFAULT);
    if (mode == LIO_WAIT)
        error = submit_and_wait(list, count);
    else if (mode == LIO_NOWAIT)
        error = submit_and_go(list, count, event);
    return error ? aio_fail(error) : 0;
}
