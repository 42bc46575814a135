// Slots of requests that are not the usual one, and where the result of any request is found.
#include "faces/posix/aio_slots.h"

#include <errno.h>
#include <unistd.h>

#include "aio/core.h"
#include "arch/container.h"
#include "arch/cpu.h"
#include "faces/posix/posix.h"
#include "fs/file.h"

// ---- Control blocks

__attribute__((noinline)) struct aio_slot *aio_slot_of(const struct aiocb *block)
{
    size_t offset = block->__state - (uintptr_t)aio_pool.slots;
    struct aio_slot *slot = &aio_pool.slots[offset / sizeof aio_pool.slots[0]];
    bool known = offset < sizeof aio_pool.slots && offset % sizeof aio_pool.slots[0] == 0 &&
                 slot->block == block && !io_idle(&slot->request);
    return known ? slot : NULL;
}

__attribute__((noinline)) bool aio_result_found_locked(const struct aiocb *block)
{
    struct aio_slot *slot = aio_slot_of(block);
    if (!slot || io_in_flight(&slot->request))
        return false;
    aio_result_move(slot);
    slot->block = &aio_pool.nobody;
    return true;
}

// ---- The unusual request's end

static void give_back_locked(struct aio_slot *slot)
{
    aio_slot_make_usual(slot);
    aio_slot_release_locked(slot, &aio_pool.free_isr);
}

static void signal_taken(struct posix_signal *signal)
{
    give_back_locked(container_of(signal, struct aio_slot, signal));
}

// What a cancelled request has moved all the same is its result.
static void settle(struct io_request *request)
{
    if (request->result == -ECANCELED && request->moved > 0)
        request->result = (ssize_t)request->moved;
}

static void tell_canceller(struct aio_slot *slot)
{
    slot->canceller->waiting--;
    slot->canceller->refused |= slot->request.result != -ECANCELED;
    slot->canceller = NULL;
}

// Nobody is told by a function: the block has its result now, and the slot is free once the signal
// has been taken.
static void end_without_function(struct aio_slot *slot)
{
    struct aio_list *list = slot->list;
    aio_result_move(slot);
    if (slot->signal.info.si_signo != 0)
        posix_signal_send(&slot->signal);
    else
        give_back_locked(slot);
    if (list)
        aio_list_notify_locked(list);
}

// isr level. A list's notification comes behind that of its last request, so the slot remembers the
// list only where that is the case.
static void unusual_done(struct io_request *request)
{
    struct aio_slot *slot = (struct aio_slot *)request;
    settle(request);
    if (slot->canceller)
        tell_canceller(slot);
    if (slot->list && !aio_list_count_locked(slot->list, request->result))
        slot->list = NULL;
    if (!request->notify.run)
        end_without_function(slot);
}

// Callback level: as aio_slot_notify().
static void unusual_notify(struct callback *notify)
{
    struct aio_slot *slot = (struct aio_slot *)request_of(notify);
    uint32_t flags = irq_save();
    struct aio_list *list = slot->list;
    void (*function)(union sigval) = slot->function;
    union sigval value = slot->value;
    aio_result_move(slot);
    give_back_locked(slot);
    if (list)
        aio_list_notify_locked(list); // Its turn comes when the function has returned.
    irq_restore(flags);
    function(value);
}

// ---- Slots

// Requests of a descriptor that is closed are not those of the next one with its number.
static void descriptor_closed(int fd)
{
    for (unsigned i = 0; i < aio_pool.used_once; i++) {
        struct aio_slot *slot = &aio_pool.slots[i];
        if (io_in_flight(&slot->request) && slot->block->aio_fildes == fd) {
            aio_slot_make_unusual_locked(slot);
            slot->abandoned = true;
        }
    }
}

// A read or write of a stream may never end.
static bool are_files_busy(void)
{
    for (unsigned i = 0; i < aio_pool.used_once; i++) {
        const struct io_request *request = &aio_pool.slots[i].request;
        if (io_in_flight(request) && request->device->kind != DEVICE_STREAM)
            return true;
    }
    return false;
}

struct aio_slot *aio_slot_find_locked(void)
{
    struct aio_slot *slot = aio_pool.free_isr;
    if (slot) {
        aio_pool.free = slot->link;
        aio_pool.free_isr = NULL;
    } else if (aio_pool.used_once < AIO_SLOTS) {
        file_on_close(descriptor_closed);
        posix_end_waits_while(are_files_busy);
        aio_pool.code_size = aio_code_size();
        slot = &aio_pool.slots[aio_pool.used_once++];
        aio_slot_make_usual(slot);
    }
    return slot;
}

static unsigned length(const struct aio_slot *list)
{
    unsigned count = 0;
    for (; list; list = list->link)
        count++;
    return count;
}

struct aio_census aio_slots_census_locked(void)
{
    struct aio_census census = { .free = AIO_SLOTS - aio_pool.used_once };
    census.free += length(aio_pool.free) + length(aio_pool.free_isr);
    for (unsigned i = 0; i < aio_pool.used_once; i++) {
        const struct aio_slot *slot = &aio_pool.slots[i];
        bool in_flight = io_in_flight(&slot->request);
        census.in_flight += in_flight;
        census.untold += !in_flight &&
                         (!io_idle(&slot->request) || slot->signal.info.si_signo != 0);
    }
    return census;
}

void aio_slot_make_usual(struct aio_slot *slot)
{
    slot->request.done = NULL;
    slot->request.notify.run = aio_slot_notify;
    slot->list = NULL;
    slot->canceller = NULL;
    slot->abandoned = false;
    slot->signal.info.si_signo = 0;
}

void aio_slot_make_unusual_locked(struct aio_slot *slot)
{
    slot->request.done = unusual_done;
    if (slot->request.notify.run)
        slot->request.notify.run = unusual_notify;
}

void aio_signal_fill(struct posix_signal *signal, const struct sigevent *event)
{
    bool wanted = event->sigev_notify == SIGEV_SIGNAL;
    signal->info = (siginfo_t){ .si_signo = wanted ? event->sigev_signo : 0,
                                .si_code = SI_ASYNCIO,
                                .si_pid = getpid(),
                                .si_value = event->sigev_value };
}

void aio_slot_notification_locked(struct aio_slot *slot, struct aio_list *list)
{
    const struct sigevent *event = &slot->block->aio_sigevent;
    bool function = event->sigev_notify == SIGEV_THREAD;
    if (function && !list)
        return; // As usual.
    if (!function)
        slot->request.notify.run = NULL;
    slot->list = list;
    aio_signal_fill(&slot->signal, event);
    slot->signal.taken = signal_taken;
    aio_slot_make_unusual_locked(slot);
}
