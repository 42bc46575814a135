// The interrupt dispatcher (irq/irq.h) as a driver sees it, for host tests: who has installed what,
// and interrupts that come when the test says so.
#pragma once

#include <errno.h>

#include "arch/assert.h"
#include "arch/cpu.h"
#include "irq/irq.h"
#include "tests/host/fake/work.h"

enum { FAKE_STORM = 100 };

static struct {
    irq_handler *handler; // NULL: nobody's.
    void *context;
    bool enabled;
    unsigned unclaimed; // Times that the handler said it was not its device.
} fake_lines[IRQ_LIMIT];

int irq_install(unsigned irq, const char *name, irq_handler *handler, void *context)
{
    (void)name;
    if (irq >= IRQ_LIMIT)
        return -EINVAL;
    if (fake_lines[irq].handler)
        return -EBUSY;
    fake_lines[irq].handler = handler;
    fake_lines[irq].context = context;
    return 0;
}

void irq_enable(unsigned irq)
{
    fake_lines[irq].enabled = true;
}

void irq_disable(unsigned irq)
{
    fake_lines[irq].enabled = false;
}

static inline bool fake_not_mine(void *context)
{
    (void)context;
    return false;
}

// Somebody else has this interrupt, until it is free again. It is not for the driver to remove.
static inline void fake_line_taken(unsigned irq)
{
    fake_lines[irq].handler = fake_not_mine;
}

static inline void fake_line_free(unsigned irq)
{
    fake_lines[irq].handler = NULL;
    fake_lines[irq].enabled = false;
}

void irq_remove(unsigned irq)
{
    assert(fake_lines[irq].handler && fake_lines[irq].handler != fake_not_mine);
    fake_line_free(irq);
}

// Result: what the top half says.
static inline bool fake_interrupt(unsigned irq)
{
    assert(fake_lines[irq].handler);
    bool in_isr = fake_in_isr, masked = fake_irqs_masked; // A model may raise it in an access.
    fake_enter_isr();
    bool claimed = fake_lines[irq].handler(fake_lines[irq].context);
    fake_in_isr = in_isr;
    fake_irqs_masked = masked;
    fake_lines[irq].unclaimed += !claimed;
    return claimed;
}

// Takes an enabled interrupt while its line is high, and runs deferred work, until neither is left.
// Result: how often it was taken; FAKE_STORM: it did not end.
static inline unsigned fake_settle(unsigned irq, bool (*line_high)(void))
{
    unsigned taken = 0;
    while (taken < FAKE_STORM) {
        if (fake_run_one())
            continue;
        if (!fake_lines[irq].enabled || !line_high())
            break;
        fake_interrupt(irq);
        taken++;
    }
    return taken;
}
