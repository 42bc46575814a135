// What the dispatcher asks of an interrupt controller. One is linked per board (gic.c, plic.c), so
// the calls are direct: no pointer is followed on the way from an interrupt to its handler.
#pragma once

#include <stdbool.h>

// Asks for the interrupt to handle.
// Result: its number, or one of IRQ_LIMIT or more: a spurious interrupt.
// Context: isr.
unsigned irq_controller_claim(void);

// Tells the controller that the interrupt which the last claim returned has been handled.
// Context: isr.
void irq_controller_complete(unsigned irq);

// Context: any.
bool irq_controller_has(unsigned irq);
void irq_controller_enable(unsigned irq);
void irq_controller_disable(unsigned irq);

// Makes an interrupt pending as if its device had raised it, and withdraws it again; for trying out
// handlers.
// Result: false where the controller cannot do that.
// Context: any.
bool irq_controller_set_pending(unsigned irq);
bool irq_controller_clear_pending(unsigned irq);

// Makes the software interrupt (number irq_controller_software()) pending on this CPU.
// Context: any.
void irq_controller_raise_software(void);
unsigned irq_controller_software(void);
