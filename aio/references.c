// Who refers to a device, and its release once nobody does and nothing is in flight any more.
#include "aio/core.h"
#include "aio/poll.h"
#include "arch/assert.h"
#include "arch/cpu.h"

// Devices that are open and will be released, and what those did that have been.
static struct device *open_devices;
static struct io_totals gone;

static struct device **open_link(const struct device *device)
{
    struct device **link = &open_devices;
    while (*link && *link != device)
        link = &(*link)->open_next;
    return link;
}

// A device whose closing has been taken back is in the list already.
static void enter_locked(struct device *device)
{
    struct device **link = open_link(device);
    if (*link || !device->ops->release)
        return;
    device->open_next = NULL;
    *link = device;
}

// Its counters begin anew, should it be given out again.
static void leave_locked(struct device *device)
{
    struct device **link = open_link(device);
    if (*link)
        *link = device->open_next;
    gone.completed += device->statistics.completed;
    gone.refused += device->statistics.refused;
    device->statistics.completed = device->statistics.refused = 0;
}

struct device *io_open_first(void)
{
    return open_devices;
}

struct io_totals io_totals_of_released(void)
{
    uint32_t flags = irq_save();
    struct io_totals totals = gone;
    irq_restore(flags);
    return totals;
}

static inline bool lane_is_quiet(const struct io_lane *lane)
{
    return lane->waiting == LANE_CLOSING && lane->in_flight == 0;
}

void io_release_when_quiet(struct device *device)
{
    if (!lane_is_quiet(&device->lanes[0]) || !lane_is_quiet(&device->lanes[1]) ||
        io_is_polled(device) || io_is_finishing(device))
        return;
    device->lanes[0].waiting = device->lanes[1].waiting = 0;
    leave_locked(device);
    device->ops->release(device);
}

void io_retain(struct device *device)
{
    uint32_t flags = irq_save();
    if (device->references++ == 0)
        enter_locked(device);
    device->lanes[0].waiting &= ~(uint32_t)LANE_CLOSING;
    device->lanes[1].waiting &= ~(uint32_t)LANE_CLOSING;
    irq_restore(flags);
}

// The last one has closed the device.
static void close_locked(struct device *device)
{
    assert(!((device->lanes[0].waiting | device->lanes[1].waiting) & LANE_CLOSING));
    // A completion looks again at a lane in which something waits; this counts as such.
    device->lanes[0].waiting |= LANE_CLOSING;
    device->lanes[1].waiting |= LANE_CLOSING;
    bool quiet = lane_is_quiet(&device->lanes[0]) && lane_is_quiet(&device->lanes[1]);
    if (!quiet && device->ops->orphaned)
        device->ops->orphaned(device);
    else
        io_release_when_quiet(device);
}

void io_close(struct device *device)
{
    uint32_t flags = irq_save();
    if (device->references > 0)
        device->references--;
    if (device->references == 0 && device->ops->release)
        close_locked(device);
    irq_restore(flags);
}
