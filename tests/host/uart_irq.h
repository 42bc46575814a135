// The interrupt dispatcher around a UART's driver with one interrupt, IRQ: what it installed, and
// the work that it deferred. Included behind the suite's own enum, which says what IRQ is.
#pragma once

#include <errno.h>

#include "drivers/device.h"
#include "irq/irq.h"

static irq_handler *handler;
static void *handler_context;
static bool irq_on;
static int install_result;
static struct irq_work *deferred;

int irq_install(unsigned irq, const char *name, irq_handler *function, void *context)
{
    (void)name;
    if (irq != IRQ || install_result)
        return install_result ? install_result : -EINVAL;
    handler = function;
    handler_context = context;
    return 0;
}
void irq_remove(unsigned irq)
{
    (void)irq;
    handler = NULL;
}
void irq_enable(unsigned irq)
{
    irq_on = irq == IRQ;
}
void irq_defer(struct irq_work *work)
{
    work->next = deferred;
    deferred = work;
}

void device_ready(struct device *device)
{
    (void)device;
}
