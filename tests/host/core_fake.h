// What the real core (aio/core.c) stands on, for host suites that run it: deferred work and
// callbacks wait in lists until core_run() plays the interrupt. Deadlines are armed and never come.
#pragma once

#include <stdio.h>
#include <stdlib.h>

#include "aio/core.h"
#include "arch/container.h"
#include "arch/cpu.h"
#include "arch/memory.h"

static struct {
    struct irq_work *work, **work_end;
    struct callback *callbacks;
} core_fake;

void irq_defer(struct irq_work *work)
{
    if (!core_fake.work)
        core_fake.work_end = &core_fake.work;
    work->next = NULL;
    *core_fake.work_end = work;
    core_fake.work_end = &work->next;
}

void callback_post_isr(struct callback *callback)
{
    callback->next = core_fake.callbacks;
    core_fake.callbacks = callback;
}

void timer_arm(struct timer *timer, uint64_t expires_ns)
{
    timer->expires_ns = expires_ns;
}

bool timer_cancel(struct timer *timer)
{
    (void)timer;
    return true;
}

int memory_check(uintptr_t address, size_t size, enum memory_access access)
{
    (void)address, (void)size, (void)access;
    return 0;
}

bool memory_is_open(uintptr_t address, size_t size)
{
    (void)address, (void)size;
    return false; // memory_check() is to be asked.
}

enum level level_current(void)
{
    return LEVEL_MAIN;
}

void level_sleep_locked(void)
{
    printf("Bail out! a wait on the host\n");
    exit(1);
}

// Runs what has been deferred, as an interrupt's tail does. Result: false: there was nothing.
static inline bool core_run(void)
{
    if (!core_fake.work)
        return false;
    while (core_fake.work) {
        struct irq_work *work = core_fake.work;
        core_fake.work = work->next;
        fake_in_isr = fake_irqs_masked = true;
        work->run(work);
        fake_in_isr = fake_irqs_masked = false;
    }
    return true;
}

// Plays a top half: what `handler` does, it does at isr level.
static inline void core_isr(void (*handler)(void *), void *argument)
{
    fake_in_isr = fake_irqs_masked = true;
    handler(argument);
    fake_in_isr = fake_irqs_masked = false;
}
