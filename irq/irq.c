// The dispatcher: one claim, one handler, one completion per interrupt taken. It does not loop for
// a second pending interrupt: the CPU takes that by itself, and a spurious answer then always means
// a withdrawn line.
#include "irq/irq.h"

#include <errno.h>

#include "arch/assert.h"
#include "arch/cpu.h"
#include "arch/report.h"
#include "irq/callback.h"
#include "irq/clock.h"
#include "irq/controller.h"

enum { DEFERRED_ROUNDS = 2, DEFERRED_REST_NS = 4000 };

struct irq_line {
    irq_handler *handler;
    void *context;
    struct irq_statistics statistics;
    uint32_t unclaimed;      // In a row,
    uint32_t unclaimed_last; // and the count at the last of them: what is claimed need not say so.
};

// All in one struct, so that taking an interrupt reaches it with one address.
static struct {
    struct irq_work *head, *tail; // Deferred work.
    uint32_t spurious;
    unsigned end;      // Behind the last line that was ever installed.
    struct timer rest; // Until the deferred work that is left goes on.
    struct irq_line lines[IRQ_LIMIT];
} dispatcher;

// The handler of a line that has none: taking an interrupt need not look whether there is one.
static bool nobody(void *context)
{
    (void)context;
    return false;
}

static bool irq_valid(unsigned irq)
{
    return irq < IRQ_LIMIT && irq_controller_has(irq);
}

int irq_install(unsigned irq, const char *name, irq_handler *handler, void *context)
{
    if (!irq_valid(irq) || !handler)
        return -EINVAL;
    struct irq_line *line = &dispatcher.lines[irq];
    if (line->handler != nobody)
        return -EBUSY;
    uint32_t flags = irq_save();
    line->context = context;
    line->statistics.name = name;
    line->statistics.longest_ticks = line->statistics.unhandled = 0;
    line->unclaimed = 0;
    line->handler = handler;
    if (dispatcher.end <= irq)
        dispatcher.end = irq + 1;
    irq_restore(flags);
    return 0;
}

void irq_remove(unsigned irq)
{
    assert(irq_valid(irq));
    uint32_t flags = irq_save();
    irq_controller_disable(irq);
    dispatcher.lines[irq].handler = nobody;
    dispatcher.lines[irq].statistics.name = NULL;
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
    *statistics = dispatcher.lines[irq].statistics;
    irq_restore(flags);
    return 0;
}

struct irq_totals irq_totals(void)
{
    // Summed up here, so that taking an interrupt costs one count and not two.
    struct irq_totals totals = { .taken = dispatcher.spurious, .spurious = dispatcher.spurious };
    for (unsigned irq = 0; irq < dispatcher.end; irq++)
        totals.taken += dispatcher.lines[irq].statistics.count;
    return totals;
}

// Nobody wants this interrupt: it is masked, so that it cannot come again and again, and reported,
// once by that.
static __attribute__((noinline)) void irq_unhandled(unsigned irq, struct irq_line *line)
{
    line->statistics.unhandled++;
    if (line->statistics.count != line->unclaimed_last + 1)
        line->unclaimed = 0;
    line->unclaimed_last = line->statistics.count;
    if (line->handler != nobody && ++line->unclaimed < IRQ_UNCLAIMED_LIMIT)
        return;
    irq_controller_disable(irq);
    report("irq: %u %s, masked\n", irq,
           line->handler != nobody ? "is claimed by no device, again and again" : "has no handler");
}

// The rest's turn has come: this interrupt's tail runs it.
static void rest_over(struct timer *timer)
{
    (void)timer;
}

// Runs deferred work, and once more what that has deferred: a device is started at the same tail at
// which its last request was finished. What is left then waits for a short time, so work that
// defers itself, a copy by the CPU for one, lets other interrupts, callbacks and main in between.
static __attribute__((noinline)) void run_deferred(void)
{
    for (unsigned rounds = DEFERRED_ROUNDS; dispatcher.head && rounds > 0; rounds--) {
        struct irq_work *work = dispatcher.head;
        dispatcher.head = NULL;
        while (work) {
            struct irq_work *next = work->next; // It may be deferred again, or gone, when it has
                                                // run.
            work->run(work);
            work = next;
        }
    }
    if (dispatcher.head && !timer_armed(&dispatcher.rest)) {
        dispatcher.rest.expired = rest_over;
        timer_arm(&dispatcher.rest, clock_now_ns() + DEFERRED_REST_NS);
    }
}

bool irq_dispatch(void)
{
    unsigned irq = irq_controller_claim();
    if (irq >= IRQ_LIMIT) {
        dispatcher.spurious++;
        return callback_level_wanted();
    }
    struct irq_line *line = &dispatcher.lines[irq];
    uint32_t begun = clock_counter_low();
    if (!line->handler(line->context))
        irq_unhandled(irq, line);
    uint32_t ticks = clock_counter_low() - begun;
    line->statistics.count++;
    if (ticks > line->statistics.longest_ticks)
        line->statistics.longest_ticks = ticks;
    irq_controller_complete(irq);
    if (dispatcher.head)
        run_deferred();
    return callback_level_wanted();
}

void irq_defer(struct irq_work *work)
{
    uint32_t flags = irq_save();
    work->next = NULL;
    if (dispatcher.head)
        dispatcher.tail->next = work;
    else
        dispatcher.head = work;
    dispatcher.tail = work;
    if (!cpu_in_isr())
        irq_controller_raise_software();
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
    for (unsigned irq = 0; irq < IRQ_LIMIT; irq++)
        dispatcher.lines[irq].handler = nobody;
    int error = irq_install(irq_controller_software(), "software", on_software_interrupt, NULL);
    assert(error == 0);
    irq_enable(irq_controller_software());
}
