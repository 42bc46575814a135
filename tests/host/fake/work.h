// Work deferred to isr level (irq/irq.h), for host tests: it waits, first in, first out, until the
// test lets it run.
#pragma once

#include "arch/assert.h"
#include "arch/cpu.h"
#include "irq/irq.h"

static struct {
    struct irq_work *head, **end; // end is where the next one is hung; NULL: never deferred yet.
} fake_work;

void irq_defer(struct irq_work *work)
{
    for (const struct irq_work *other = fake_work.head; other; other = other->next)
        assert(other != work); // It waits already.
    work->next = NULL;
    if (!fake_work.head)
        fake_work.end = &fake_work.head;
    *fake_work.end = work;
    fake_work.end = &work->next;
}

// Runs one piece of work. Result: false: there was none.
static inline bool fake_run_one(void)
{
    struct irq_work *work = fake_work.head;
    if (!work)
        return false;
    fake_work.head = work->next;
    fake_enter_isr();
    work->run(work);
    fake_leave_isr();
    return true;
}

// Runs what waits now, as an interrupt's tail does; what is deferred meanwhile waits for the next
// round. Result: false: nothing waited.
static inline bool fake_run_round(void)
{
    unsigned waiting = 0;
    for (const struct irq_work *work = fake_work.head; work; work = work->next)
        waiting++;
    for (unsigned i = 0; i < waiting; i++)
        fake_run_one();
    return waiting > 0;
}

// Runs everything, also what is deferred meanwhile. Result: false: nothing waited.
static inline bool fake_run_all(void)
{
    bool any = fake_run_one();
    while (fake_run_one()) {}
    return any;
}
