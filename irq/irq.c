// The dispatcher: one claim, one handler, one completion per interrupt taken. It does not loop for a second pending
// interrupt: the CPU takes that by itself, and a spurious answer then always means a withdrawn line.
#include "irq/irq.h"

#include <errno.h>

#include "arch/assert.h"
#include "arch/cpu.h"
#include "arch/report.h"
#include "irq/callback.h"
#include "irq/clock.h"
#include "irq/controller.h"

enum { DEFERRED_BUDGET = 64 }; // Pieces of work at an interrupt's tail before others get their turn.

struct irq_line {
    _Alignas(32) irq_handler *handler; // A power of two in size: found by a shift.
    void *context;
    struct irq_statistics statistics;
    uint32_t unclaimed; // In a row.
};

static struct irq_line irq_lines[IRQ_LIMIT];
static uint32_t spurious;
static struct irq_work *deferred_head, *deferred_tail;

static bool irq_valid(unsigned irq)
{
    return irq < IRQ_LIMIT && irq_controller_has(irq);
}

int irq_install(unsigned irq, const char *name, irq_handler *handler, void *context)
{
    if (!irq_valid(irq) || !handler)
        return -EINVAL;
    struct irq_line *line = &irq_lines[irq];
    if (line->handler)
        return -EBUSY;
    uint32_t flags = irq_save();
    line->context = context;
    line->statistics.name = name;
    line->statistics.longest_ticks = line->statistics.unhandled = 0;
    line->unclaimed = 0;
    line->handler = handler;
    irq_restore(flags);
    return 0;
}

void irq_remove(unsigned irq)
{
    assert(irq_valid(irq));
    uint32_t flags = irq_save();
    irq_controller_disable(irq);
    irq_lines[irq].handler = NULL;
    irq_lines[irq].statistics.name = NULL;
    irq_restore(flags);
}

void irq_enable(unsigned irq)
{
    assert(irq_valid(irq));
    irq_controller_enable(irq);
}

void irq_disable(unsigned irq)
{
    assert(irq_valid(irq));
    irq_controller_disable(irq);
}

int irq_statistics(unsigned irq, struct irq_statistics *statistics)
{
    if (irq >= IRQ_LIMIT)
        return -EINVAL;
    uint32_t flags = irq_save();
    *statistics = irq_lines[irq].statistics;
    irq_restore(flags);
    return 0;
}

struct irq_totals irq_totals(void)
{
    // Summed up here, so that taking an interrupt costs one count and not two.
    struct irq_totals totals = { .taken = spurious, .spurious = spurious };
    for (unsigned irq = 0; irq < IRQ_LIMIT; irq++)
        totals.taken += irq_lines[irq].statistics.count;
    return totals;
}

// Nobody wants this interrupt: it is masked, so that it cannot come again and again, and reported, once by that.
static void irq_unhandled(unsigned irq, struct irq_line *line)
{
    line->statistics.unhandled++;
    if (line->handler && ++line->unclaimed < IRQ_UNCLAIMED_LIMIT)
        return;
    irq_controller_disable(irq);
    report("irq: %u %s, masked\n", irq, line->handler ? "is claimed by no device, again and again" : "has no handler");
}

// Runs deferred work, up to the budget; for the rest the software interrupt comes once more.
static void run_deferred(void)
{
    for (unsigned budget = DEFERRED_BUDGET; deferred_head && budget > 0; budget--) {
        struct irq_work *work = deferred_head;
        deferred_head = work->next;
        work->run(work);
    }
    if (deferred_head)
        irq_raise_software();
}

bool irq_dispatch(void)
{
    unsigned irq = irq_controller_claim();
    if (irq >= IRQ_LIMIT) {
        spurious++;
        return callback_level_wanted();
    }
    struct irq_line *line = &irq_lines[irq];
    uint32_t begun = clock_counter_low();
    if (line->handler && line->handler(line->context))
        line->unclaimed = 0;
    else
        irq_unhandled(irq, line);
    uint32_t ticks = clock_counter_low() - begun;
    line->statistics.count++;
    if (ticks > line->statistics.longest_ticks)
        line->statistics.longest_ticks = ticks;
    irq_controller_complete(irq);
    if (deferred_head)
        run_deferred();
    return callback_level_wanted();
}

void irq_raise_software(void)
{
    irq_controller_raise_software();
}

void irq_defer(struct irq_work *work)
{
    uint32_t flags = irq_save();
    work->next = NULL;
    if (deferred_head)
        deferred_tail->next = work;
    else
        deferred_head = work;
    deferred_tail = work;
    if (!cpu_in_isr())
        irq_raise_software();
    irq_restore(flags);
}

// The software interrupt's top half: what it is for happens at every interrupt's tail.
static bool on_software_interrupt(void *context)
{
    (void)context;
    return true;
}

void irq_init(void)
{
    int error = irq_install(irq_controller_software(), "software", on_software_interrupt, NULL);
    assert(error == 0);
    irq_enable(irq_controller_software());
}
