// An engine's interrupts: all of them, or none.
#include "arch/hardware.h"
#include "dma/engine.h"

int dma_interrupts_install(const struct hardware *hardware, const struct dma_interrupt *interrupts,
                           unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        int error = irq_install(hardware->irqs[i], hardware->name, interrupts[i].handler,
                                interrupts[i].context);
        if (error) {
            while (i-- > 0)
                irq_remove(hardware->irqs[i]);
            return error;
        }
    }
    for (unsigned i = 0; i < count; i++)
        irq_enable(hardware->irqs[i]);
    return 0;
}
