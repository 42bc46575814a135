// POSIX AIO over the core: the usual request, and results. A request lives in a slot of ours from
// submission until its notification begins. Its result stays there until somebody looks: the
// notification, or a program that asks before, has it moved to the control block, which is the
// program's from then on and may be used again even while the notification still waits its turn.
// Where none is wanted, or a signal, the result is moved at once.
//
// Instructions on the way aio_read() → is_usual() → io_submit_locked(), aio_slot_notify(),
// aio_return() are counted (docs/BENCH.md). What is unusual goes elsewhere.
#include <aio.h>

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aio/core.h"
#include "arch/cpu.h"
#include "arch/fixup.h"
#include "faces/posix/aio_slots.h"
#include "fs/file.h"

struct aio_pool aio_pool;

__attribute__((noinline)) int aio_fail(int error)
{
    errno = error;
    return -1;
}

// Result: errno for a pointer that leads nowhere.
static __attribute__((noinline)) int nowhere_error(const struct aiocb *block)
{
    return block ? EFAULT : EINVAL;
}

// ---- The usual request

// Callback level. The slot is free before the function is called, which then finds room for its
// next request. Interrupts need not be masked: they do not touch this list, and main, which does,
// masks them.
void aio_slot_notify(struct callback *notify)
{
    struct aio_slot *slot = (struct aio_slot *)request_of(notify);
    aio_slot_release_locked(slot, &aio_pool.free);
    aio_result_move(slot);
    slot->function(slot->value);
}

// From this offset on questions are asked: an eighth of what off_t can say, and more than fits into
// RAM below its end.
enum { OFFSET_FAR_BITS = sizeof(off_t) * 8 - 2 };

// A request that aio_submit_locked() would only ask questions of, by a block that has not been used
// or whose result has been retrieved, and a slot for it. A size that is too large is left to the
// core, which refuses what does not fit into RAM.
static inline bool is_usual(const struct aiocb *block, unsigned long state,
                            const struct aio_slot *slot)
{
    const struct sigevent *event = &block->aio_sigevent;
    // What has to be 0 in one test, what must not be in another.
    unsigned long unusual = state | (unsigned)block->aio_reqprio / IO_PRIORITIES |
                            (unsigned)block->aio_fildes / FILE_LIMIT |
                            (unsigned long)block->aio_offset >> OFFSET_FAR_BITS |
                            (unsigned)(event->sigev_notify ^ SIGEV_THREAD);
    return unusual == 0 &&
           (aio_may_be_code(aio_pool.code_size, event->sigev_notify_function) & (slot != NULL));
}

// Result: 0, or errno. The first look at the block is where a pointer to nowhere is found, the
// first store where one to constants is; until then nothing has happened.
static inline __attribute__((always_inline)) int submit_locked(struct aiocb *block, enum io_op op)
{
    unsigned long state;
    // cppcheck-suppress legacyUninitvar
    CPU_LOAD_OR(state, block, offsetof(struct aiocb, __state), nowhere);
    struct aio_slot *slot = aio_pool.free;
    struct device *device = is_usual(block, state, slot) ? file_direct_locked(block->aio_fildes, op)
                                                         : NULL;
    if (!device)
        return aio_submit_locked(block, op, NULL);
    aio_slot_fill(slot, block, op);
    CPU_STORE_OR((unsigned long)(uintptr_t)slot, block, offsetof(struct aiocb, __state), nowhere);
    aio_pool.free = slot->link;
    int error = io_submit_locked(device, &slot->request);
    return error ? aio_refused_locked(slot, 0, error) : 0;
nowhere:
    return nowhere_error(block);
}

// In one go: what a callback might do in between makes no difference then.
static inline __attribute__((always_inline)) int start(struct aiocb *block, enum io_op op)
{
    uint32_t flags = irq_save();
    int error = submit_locked(block, op);
    irq_restore(flags);
    return error ? aio_fail(error) : 0;
}

int aio_read(struct aiocb *block)
{
    return start(block, IO_READ);
}

int aio_write(struct aiocb *block)
{
    return start(block, IO_WRITE);
}

// ---- Results

static int error_locked(const struct aiocb *block)
{
    unsigned long state;
    // cppcheck-suppress legacyUninitvar
    CPU_LOAD_OR(state, block, offsetof(struct aiocb, __state), nowhere);
    if (state == aio_state_done(block) || aio_result_found_locked(block))
        return block->__result < 0 ? -(int)block->__result : 0;
    return aio_slot_of(block) ? EINPROGRESS : -EINVAL;
nowhere:
    return -nowhere_error(block);
}

int aio_error(const struct aiocb *block)
{
    uint32_t flags = irq_save();
    int error = error_locked(block);
    irq_restore(flags);
    return error < 0 ? aio_fail(-error) : error;
}

static __attribute__((noinline)) ssize_t return_otherwise_locked(struct aiocb *block,
                                                                 uint32_t flags)
{
    bool found = aio_result_found_locked(block);
    irq_restore(flags);
    return found ? aio_return(block) : aio_fail(EINVAL);
}

ssize_t aio_return(struct aiocb *block)
{
    unsigned long state;
    // Looked at and retrieved in one go: a callback may retrieve it and submit the block anew in
    // between.
    uint32_t flags = irq_save();
    // cppcheck-suppress legacyUninitvar
    CPU_LOAD_OR(state, block, offsetof(struct aiocb, __state), nowhere);
    if (state != aio_state_done(block))
        return return_otherwise_locked(block, flags);
    block->__state = 0;
    ssize_t result = block->__result;
    irq_restore(flags);
    return result < 0 ? aio_fail((int)-result) : result;
nowhere:
    irq_restore(flags);
    return aio_fail(nowhere_error(block));
}
