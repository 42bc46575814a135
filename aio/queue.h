// The requests that wait for a lane of a device: one FIFO per priority, found by one bit scan. Cost
// does not depend on how many wait. A flush, and from it on whatever else is submitted until that
// queue has run dry, waits in the order of submission behind them: nothing overtakes a flush for
// ever. Called with interrupts masked.
#pragma once

#include "drivers/device.h"

static inline void queue_push(struct io_lane *lane, struct io_request *request)
{
    bool behind = request->op == IO_FLUSH || lane->waiting & (1u << QUEUE_BEHIND);
    unsigned queue = behind ? QUEUE_BEHIND : request->priority;
    request->queue = (uint8_t)queue;
    request->next = NULL;
    request->previous = lane->queue[queue].tail;
    if (request->previous)
        request->previous->next = request;
    else
        lane->queue[queue].head = request;
    lane->queue[queue].tail = request;
    lane->waiting |= 1u << queue;
}

static inline void queue_remove(struct io_lane *lane, struct io_request *request)
{
    unsigned queue = request->queue;
    if (request->previous)
        request->previous->next = request->next;
    else
        lane->queue[queue].head = request->next;
    if (request->next)
        request->next->previous = request->previous;
    else
        lane->queue[queue].tail = request->previous;
    if (!lane->queue[queue].head)
        lane->waiting &= ~(1u << queue);
    request->next = request->previous = NULL;
}

// Result: the longest waiting request of the first queue that has any; there must be one.
static inline struct io_request *queue_pop(struct io_lane *lane)
{
    struct io_request *request = lane->queue[__builtin_ctz(lane->waiting)].head;
    queue_remove(lane, request);
    return request;
}
