// The interrupt dispatcher: from an interrupt number to its handler, with statistics, and work
// deferred to isr level.
//
// Handlers ("top halves") run at isr level with interrupts masked: acknowledge the device, drain at
// most a bounded amount, complete requests. An interrupt that no handler claims is masked and
// reported once.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { IRQ_LIMIT = 320 }; // Interrupt numbers 0 … 319.

// A top half. Returns true when its device had raised the interrupt, false when it was not its own;
// after IRQ_UNCLAIMED_LIMIT false answers in a row the interrupt is taken for a storm, masked and
// reported.
typedef bool irq_handler(void *context);

enum { IRQ_UNCLAIMED_LIMIT = 64 };

struct irq_statistics {
    const char *name;       // NULL: never installed.
    uint32_t count;         // Times it was taken since boot.
    uint32_t longest_ticks; // Longest run of the handler in ticks of the clock (clock_ticks_to_ns
                            // in irq/clock.h).
    uint32_t unhandled;     // Times nobody claimed it.
};

struct irq_totals {
    uint32_t taken;    // Interrupts taken in all, spurious ones included.
    uint32_t spurious; // Withdrawn before the CPU asked which it was.
};

// Installs the software interrupt. The controller has been started.
// Context: boot.
void irq_init(void);

// Gives interrupt number irq to handler. The interrupt stays masked until irq_enable().
// Result: 0, -EINVAL for a number that the controller does not have, -EBUSY when it is taken.
// Context: any.
int irq_install(unsigned irq, const char *name, irq_handler *handler, void *context);

// Takes the interrupt away from its handler and masks it. Its count goes on when it is installed
// again.
// Context: any.
void irq_remove(unsigned irq);

// Context: any.
void irq_enable(unsigned irq);
void irq_disable(unsigned irq);

// Statistics of one interrupt. Result: 0, or -EINVAL for a number out of range.
// Context: any.
int irq_statistics(unsigned irq, struct irq_statistics *statistics);
struct irq_totals irq_totals(void);

// A piece of work that has to run at isr level.
struct irq_work {
    struct irq_work *next;
    void (*run)(struct irq_work *work);
};

// Runs work->run(work) at isr level, first in, first out: called at isr level, at this interrupt's
// tail, when the handler has returned and the controller knows; called elsewhere, by a software
// interrupt as soon as interrupts are open. The caller keeps the storage until then; work that is
// already waiting must not be given again.
// Context: any.
void irq_defer(struct irq_work *work);

// Takes one interrupt from the controller and runs its handler. Called by the interrupt entry in
// arch/ only.
// Result: true when the callback level has to be entered before the interrupted code goes on.
// Context: isr.
bool irq_dispatch(void);
