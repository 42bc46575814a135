// A stream device that is ready for what a suite says, when it says so: /dev/fake0. A read gets one
// byte, a write is taken.
#pragma once

#include <fcntl.h>
#include <stdbool.h>

#include "arch/cpu.h"
#include "drivers/device.h"
#include "irq/callback.h"
#include "irq/clock.h"

static volatile unsigned fake_is_ready, fake_questions;
static unsigned fake_ready_later; // It is ready for that when it is asked for the second time.

static void fake_submit(struct device *device, struct io_request *request)
{
    (void)device;
    device_complete(request, request->op == IO_READ || request->op == IO_WRITE);
}

static unsigned fake_ready(const struct device *device)
{
    (void)device;
    if (fake_questions++ > 0)
        fake_is_ready |= fake_ready_later;
    return fake_is_ready;
}

static const struct device_ops fake_ops = { .submit = fake_submit, .ready = fake_ready };
static struct device fake = { .name = "fake0",
                              .ops = &fake_ops,
                              .kind = DEVICE_STREAM,
                              .duplex = true,
                              .lanes = { { .depth = 8 }, { .depth = 8 } } };

// Result: a descriptor of the device.
static int fake_open(void)
{
    device_register(&fake); // The second time it is there.
    return open("/dev/fake0", O_RDWR);
}

// ---- What happens while somebody sleeps: first `first`, later `second`, enum io_ready ----

static struct {
    struct timer timer;
    unsigned first, second;
    bool told; // Ready for `first` by now.
} fake_plan;

enum { FAKE_STEP_NS = 2000000 };

static void fake_step(struct timer *timer)
{
    fake_is_ready |= fake_plan.told ? fake_plan.second : fake_plan.first;
    device_ready(&fake);
    if (!fake_plan.told && fake_plan.second)
        timer_arm(timer, clock_now_ns() + FAKE_STEP_NS);
    fake_plan.told = true;
}

static void fake_begin(unsigned ready)
{
    timer_cancel(&fake_plan.timer);
    fake_is_ready = ready;
    fake_questions = fake_ready_later = 0;
    fake_plan.told = false;
}

// Not ready now, but soon.
static void fake_will_be(unsigned first, unsigned second)
{
    fake_begin(0);
    fake_plan.first = first;
    fake_plan.second = second;
    fake_plan.timer.expired = fake_step;
    timer_arm(&fake_plan.timer, clock_now_ns() + FAKE_STEP_NS);
}
