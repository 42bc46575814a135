// The slots in which the requests of <aio.h> live, as its parts share them: aio.c is the usual
// request's way and knows nothing but that; the rest is about all others.
//
// A slot belongs to a request from its submission until the notification begins, or, with
// SIGEV_SIGNAL, until the signal has been taken: the signal lies in the slot, so none is lost for
// want of room. Slots are reached with interrupts masked, but for aio.c's notification.
#pragma once

#include <aio.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "aio/core.h"
#include "aio/unwind.h"
#include "arch/memory.h"
#include "faces/posix/signals.h"
#include "irq/callback.h"

enum { AIO_SLOTS = AIO_MAX };
_Static_assert(AIO_SLOTS >= 128 && AIO_SLOTS <= 1022, "what make AIO_MAX=n may be");

// Not for programs, which are linked with the face's functions.
#pragma GCC visibility push(hidden)

// Somebody who waits for requests that he is cancelling.
struct aio_canceller {
    struct unwind unwind; // He may be taken out of his wait by a jump.
    unsigned waiting;     // Requests that have been asked to end.
    bool refused;         // One could not be withdrawn, or had done a part.
};

// A call of lio_listio() that is under way. With LIO_WAIT it is the caller's.
struct aio_list {
    unsigned waiting; // Requests that are not done, and one for the call that submits them.
    bool failed;      // One of them has.
    struct posix_signal signal;     // si_signo 0: none.
    void (*function)(union sigval); // NULL: none.
    union sigval value;             // Its.
    struct callback callback;       // On its way to the function.
    struct aio_list *next;          // While free.
};

struct aio_slot {
    struct io_request request; // First: done() and notify() get back from it to the slot.
    struct aiocb *block;       // Where the result goes.
    union sigval value;
    void (*function)(union sigval);
    struct aio_slot *link; // While free: the next one. While in use: AIO_WATCHED, or anything else.

    // Of an unusual request; the others find them as they are in a free slot, zero.
    struct aio_list *list;
    struct aio_canceller *canceller;
    bool abandoned;             // The descriptor that it came through has been closed.
    struct posix_signal signal; // si_signo 0: none.
};

// All in one struct, so that a submission reaches it with one address.
extern struct aio_pool {
    struct aio_slot *free;
    struct aio_slot *free_isr; // Those that became free with interrupts masked.
    uintptr_t code_size;       // As aio_code_size(), once a slot has been used.
    unsigned used_once;        // Slots from here on have never been used and are in neither list.
    struct aiocb nobody;       // Where a result goes that has been moved already.
    struct aio_slot slots[AIO_SLOTS];
} aio_pool;

// The link of a slot whose request main waits for in aio_suspend(). It ends with the request: a
// free slot's link is another one.
#define AIO_WATCHED ((struct aio_slot *)&aio_pool)

// ---- Control blocks. Their state is 0, the address of their request's slot, or this: the result
// is there. It differs from block to block, so a copy's is neither.

static inline unsigned long aio_state_done(const struct aiocb *block)
{
    return 0 - (unsigned long)(uintptr_t)block;
}

// Gives the request's result to its block, which is the program's from then on.
static inline void aio_result_move(const struct aio_slot *slot)
{
    struct aiocb *block = slot->block;
    block->__state = aio_state_done(block); // In this order the usual notification needs no stack.
    block->__result = slot->request.result;
}

// Result: the slot of the block's request, or NULL. The slot must know the block too: nothing is
// believed of what a program may have copied or overwritten.
struct aio_slot *aio_slot_of(const struct aiocb *block);

// Result: true: the block's request is done, and its result now in the block.
bool aio_result_found_locked(const struct aiocb *block);

// ---- Slots

static inline void aio_slot_release_locked(struct aio_slot *slot, struct aio_slot **list)
{
    slot->link = *list;
    *list = slot;
}

// When aio_pool.free is empty. Result: a slot that is in no list; NULL: all are in use.
struct aio_slot *aio_slot_find_locked(void);

// As a free slot has to be, and nearly every request wants it: notified by aio.c.
void aio_slot_make_usual(struct aio_slot *slot);
void aio_slot_notify(struct callback *notify);

// Before a request is submitted, or while it is in flight: when it is done, whatever the slot holds
// beside the usual is looked at.
void aio_slot_make_unusual_locked(struct aio_slot *slot);

// Takes over from the block how its request is notified; list: what it is part of, or NULL.
void aio_slot_notification_locked(struct aio_slot *slot, struct aio_list *list);

// What each slot is at this moment: together they are AIO_SLOTS. For tests; it walks through all.
struct aio_census {
    unsigned free;
    unsigned in_flight; // Of them requests are under way.
    unsigned untold;    // Their requests are done, their function or signal is still to come.
};
struct aio_census aio_slots_census_locked(void);

// ---- Submission

// Fills what the usual request takes over from its block, whose __state is to become the slot's
// address.
static inline void aio_slot_fill(struct aio_slot *slot, struct aiocb *block, enum io_op op)
{
    struct io_request *request = &slot->request;
    request->op = op;
    request->flags = 0;
    request->priority = (uint8_t)block->aio_reqprio;
    request->offset = (unsigned long)block->aio_offset; // Below 0 only where it is ignored.
    request->buffer = (void *)(uintptr_t)block->aio_buf;
    request->size = block->aio_nbytes;
    slot->value = block->aio_sigevent.sigev_value;
    slot->function = block->aio_sigevent.sigev_notify_function;
    slot->block = block;
}

// Submits any request, with all questions asked; list: the call that it is part of, or NULL.
// Result: 0, or errno: nothing has happened.
int aio_submit_locked(struct aiocb *block, enum io_op op, struct aio_list *list);

// What has been submitted was refused: nothing has happened. state: the block's before.
// Result: errno.
int aio_refused_locked(struct aio_slot *slot, unsigned long state, int error);

// Can there be a function at this address? NULL, small numbers and data are none. What lies between
// and below RAM is let through: it costs less, and calling it faults, as anywhere else.
enum { AIO_NO_CODE_BELOW = 0x10000 };

static inline uintptr_t aio_code_size(void)
{
    return memory_code_end() - AIO_NO_CODE_BELOW;
}

static inline bool aio_may_be_code(uintptr_t code_size, void (*function)(union sigval))
{
    return (uintptr_t)function - AIO_NO_CODE_BELOW < code_size;
}

// Is this a notification that can be sent? Result: 0, or EINVAL.
int aio_event_check(const struct sigevent *event);

// Fills in the signal that says that something of <aio.h> is done; with an event that is none, no
// signal.
void aio_signal_fill(struct posix_signal *signal, const struct sigevent *event);

// ---- Lists

// One request of a list is done. Result: true: it was the last, and aio_list_notify_locked() has to
// be called.
bool aio_list_count_locked(struct aio_list *list, ssize_t result);

// Notifies of a list whose requests are all done.
void aio_list_notify_locked(struct aio_list *list);

// ---- Calls

// errno. Result: -1.
int aio_fail(int error);

#pragma GCC visibility pop
