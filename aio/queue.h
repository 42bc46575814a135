// The requests that wait for a lane of a device: one FIFO per priority, found by one bit scan. Cost
// does not depend on how many wait. A flush, and from it on whatever else is submitted until that
// queue has run dry, waits in the order of submission behind them: nothing overtakes a flush for
// ever. Called with interrupts masked.
#pragma once

#include "drivers/device.h"

// The queue itself, also for drivers in which started requests wait.
static inline void fifo_push(struct io_fifo *fifo, struct io_request *request)
{
    request->next = NULL;
    request->previous = fifo->tail;
    if (request->previous)
        request->previous->next = request;
    else
        fifo->head = request;
    fifo->tail = request;
}

static inline void fifo_remove(struct io_fifo *fifo, struct io_request *request)
{
    if (request->previous)
        request->previous->next = request->next;
    else
        fifo->head = request->next;
    if (request->next)
        request->next->previous = request->previous;
    else
        fifo->tail = request->previous;
    request->next = request->previous = NULL;
}

static inline void queue_push(struct io_lane *lane, struct io_request *request)
{
    bool behind = request->op == IO_FLUSH || lane->waiting & (1u << QUEUE_BEHIND);
    unsigned queue = behind ? QUEUE_BEHIND : request->priority;
    request->queue = (uint8_t)queue;
    fifo_push(&lane->queue[queue], request);
    lane->waiting |= 1u << queue;
}

static inline void queue_remove(struct io_lane *lane, struct io_request *request)
{
    unsigned queue = request->queue;
    fifo_remove(&lane->queue[queue], request);
    if (!lane->queue[queue].head)
        lane->waiting &= ~(1u << queue);
}

// Result: the longest waiting request of the first queue that has any; there must be one.
static inline struct io_request *queue_pop(struct io_lane *lane)
{
    struct io_request *request = lane->queue[__builtin_ctz(lane->waiting)].head;
    queue_remove(lane, request);
    return request;
}
