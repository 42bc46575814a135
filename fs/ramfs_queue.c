// Whose turn it is in the RAM file system. The requests of a file wait in the order of submission:
// reads start together, everything else when it has the file to itself. Files with something to
// start stand in the run list, by the most urgent request that waits for each, and those of one
// priority take slots in turn, one each.
#include <errno.h>

#include "aio/queue.h"
#include "fs/ramfs_internal.h"

// The most urgent of what waits. Who waits for a file waits for all that is before it there: so
// that all counts as urgent.
static unsigned urgency(const struct ramfs_inode *inode)
{
    return (unsigned)__builtin_ctz(inode->waiting_priorities | 1u << (IO_PRIORITIES - 1));
}

static void run_list_add(struct ramfs_inode *inode, unsigned priority)
{
    struct ramfs *fs = inode->fs;
    inode->run_priority = (uint8_t)priority;
    inode->run_next = NULL;
    inode->run_previous = fs->run[priority].last;
    if (inode->run_previous)
        inode->run_previous->run_next = inode;
    else
        fs->run[priority].first = inode;
    fs->run[priority].last = inode;
    fs->run_priorities |= 1u << priority;
}

static void run_list_remove(struct ramfs_inode *inode)
{
    struct ramfs *fs = inode->fs;
    unsigned priority = inode->run_priority;
    if (inode->run_previous)
        inode->run_previous->run_next = inode->run_next;
    else
        fs->run[priority].first = inode->run_next;
    if (inode->run_next)
        inode->run_next->run_previous = inode->run_previous;
    else
        fs->run[priority].last = inode->run_previous;
    if (!fs->run[priority].first)
        fs->run_priorities &= ~(1u << priority);
}

// Puts an inode into the run list, or forward in it.
static void runnable(struct ramfs_inode *inode)
{
    unsigned priority = urgency(inode);
    if (inode->runnable && inode->run_priority <= priority)
        return;
    if (inode->runnable) {
        run_list_remove(inode);
    } else {
        inode->runnable = true;
        inode->pins++;
    }
    run_list_add(inode, priority);
}

static struct ramfs_inode *run_list_pop(struct ramfs *fs)
{
    struct ramfs_inode *inode = fs->run[__builtin_ctz(fs->run_priorities)].first;
    run_list_remove(inode);
    inode->runnable = false;
    inode->pins--;
    return inode;
}

static void waiting_add(struct ramfs_inode *inode, struct io_request *request)
{
    fifo_push(&inode->waiting, request);
    inode->waiting_count[request->priority]++;
    inode->waiting_priorities |= 1u << request->priority;
}

static void waiting_remove(struct ramfs_inode *inode, struct io_request *request)
{
    fifo_remove(&inode->waiting, request);
    if (--inode->waiting_count[request->priority] == 0)
        inode->waiting_priorities &= ~(1u << request->priority);
}

static void begin(struct ramfs_slot *slot, struct ramfs_inode *inode, struct io_request *request)
{
    inode->fs->slots_free = slot->next;
    slot->inode = inode;
    slot->request = request;
    slot->moved = 0;
    slot->cancelled = false;
    if (request->op == IO_READ)
        inode->reading++;
    else
        inode->writing = true;
    ramfs_start(slot);
}

void ramfs_turn_over(struct ramfs_slot *slot)
{
    struct ramfs_inode *inode = slot->inode;
    struct ramfs *fs = inode->fs;
    if (slot->request->op == IO_READ)
        inode->reading--;
    else
        inode->writing = false;
    if (inode->waiting.head)
        runnable(inode);
    slot->request = NULL;
    slot->next = fs->slots_free;
    fs->slots_free = slot;
}

static bool may_start(const struct ramfs_inode *inode)
{
    const struct io_request *request = inode->waiting.head;
    return request && !inode->writing && (request->op == IO_READ || inode->reading == 0);
}

// Starts what may be started: one request of each file in turn, as long as there are slots. A file
// that has to wait for itself comes to the list again when that has ended.
void ramfs_run(struct ramfs *fs)
{
    while (fs->run_priorities && fs->slots_free) {
        struct ramfs_inode *inode = run_list_pop(fs);
        struct io_request *request = inode->waiting.head;
        if (may_start(inode)) {
            waiting_remove(inode, request);
            if (inode->waiting.head)
                runnable(inode);
            begin(fs->slots_free, inode, request);
        } else {
            ramfs_let_go(inode);
        }
    }
}

void ramfs_enqueue(struct ramfs_inode *inode, struct io_request *request)
{
    waiting_add(inode, request);
    runnable(inode);
    ramfs_run(inode->fs);
}

static struct ramfs_slot *slot_of(struct ramfs *fs, const struct io_request *request)
{
    for (unsigned i = 0; i < RAMFS_IN_FLIGHT; i++)
        if (fs->slots[i].request == request)
            return &fs->slots[i];
    return NULL;
}

// With its transfer's end on the way a request can still be kept from another one.
static int cancel_started(struct ramfs_slot *slot)
{
    int error = dma_terminate(&slot->transfer);
    if (error && slot->moved + slot->data >= slot->size)
        return error;
    slot->cancelled = true;
    return 0;
}

static int cancel_waiting(struct ramfs_inode *inode, struct io_request *request)
{
    struct ramfs *fs = inode->fs;
    waiting_remove(inode, request);
    runnable(inode); // What waited behind it may be able to start.
    if (request->op == IO_CALL && ((const struct fs_call *)request)->operation == FS_OPEN)
        inode->pins--;
    device_complete(request, -ECANCELED);
    ramfs_run(fs);
    return 0;
}

int ramfs_cancel(struct ramfs_inode *inode, struct io_request *request)
{
    struct ramfs_slot *slot = slot_of(inode->fs, request);
    return slot ? cancel_started(slot) : cancel_waiting(inode, request);
}
