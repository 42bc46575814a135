// The requests that wait for a lane of a device: one FIFO per priority, found by one bit scan. Cost
// does not depend on how many wait. Called with interrupts masked.
#pragma once

#include "drivers/device.h"

static inline void queue_push(struct io_lane *lane, struct io_request *request)
{
    unsigned priority = request->priority;
    request->next = NULL;
    request->previous = lane->queue[priority].tail;
    if (request->previous)
        request->previous->next = request;
    else
        lane->queue[priority].head = request;
    lane->queue[priority].tail = request;
    lane->waiting |= 1u << priority;
}

static inline void queue_remove(struct io_lane *lane, struct io_request *request)
{
    unsigned priority = request->priority;
    if (request->previous)
        request->previous->next = request->next;
    else
        lane->queue[priority].head = request->next;
    if (request->next)
        request->next->previous = request->previous;
    else
        lane->queue[priority].tail = request->previous;
    if (!lane->queue[priority].head)
        lane->waiting &= ~(1u << priority);
    request->next = request->previous = NULL;
}

static inline bool queue_waits(const struct io_lane *lane)
{
    return (lane->waiting & ~(uint32_t)LANE_STARTING) != 0;
}

// Result: the longest waiting request of the most urgent priority; there must be one.
static inline struct io_request *queue_first(const struct io_lane *lane)
{
    return lane->queue[__builtin_ctz(lane->waiting)].head;
}

static inline struct io_request *queue_pop(struct io_lane *lane)
{
    struct io_request *request = queue_first(lane);
    queue_remove(lane, request);
    return request;
}
