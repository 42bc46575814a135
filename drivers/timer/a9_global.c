// The global timer of the Cortex-A9 (ARM DDI 0407, chapter 4.3): a 64-bit counter with a
// comparator. From revision r2p0 on, Zynq's r3p0 among them, the comparator also fires when the
// counter is already past it; the driver relies on that. Counts at half the CPU's clock, which is
// board data.
#include "arch/hardware.h"
#include "arch/mmio.h"
#include "drivers/timer/split_counter.h"
#include "irq/clock.h"
#include "irq/irq.h"

enum {
    GT_COUNTER_LOW = 0x00,
    GT_COUNTER_HIGH = 0x04,
    GT_CONTROL = 0x08,
    GT_STATUS = 0x0c,
    GT_COMPARATOR_LOW = 0x10,
    GT_COMPARATOR_HIGH = 0x14,
};

#define GT_CONTROL_ENABLE BIT(0)
#define GT_CONTROL_COMPARE BIT(1)
#define GT_CONTROL_IRQ BIT(2)
#define GT_STATUS_EVENT BIT(0)

static uintptr_t base;

uint64_t clock_counter(void)
{
    return split_counter_read(base + GT_COUNTER_LOW, base + GT_COUNTER_HIGH);
}

uint32_t clock_counter_low(void)
{
    return read32(base + GT_COUNTER_LOW);
}

void clock_counter_clear_alarm(void)
{
    write32(base + GT_CONTROL, GT_CONTROL_ENABLE);
}

void clock_counter_set_alarm(uint64_t ticks)
{
    // The comparator is off while its halves do not belong together.
    write32(base + GT_CONTROL, GT_CONTROL_ENABLE);
    write32(base + GT_COMPARATOR_LOW, (uint32_t)ticks);
    write32(base + GT_COMPARATOR_HIGH, (uint32_t)(ticks >> 32));
    write32(base + GT_CONTROL, GT_CONTROL_ENABLE | GT_CONTROL_COMPARE | GT_CONTROL_IRQ);
}

static bool global_interrupt(void *context)
{
    (void)context;
    if (!(read32(base + GT_STATUS) & GT_STATUS_EVENT))
        return false;
    // Off first: past its comparator the timer would set the event again at once.
    clock_counter_clear_alarm();
    write32(base + GT_STATUS, GT_STATUS_EVENT);
    clock_alarm();
    return true;
}

static int global_start(const struct hardware *hardware)
{
    base = hardware->base;
    write32(base + GT_CONTROL, GT_CONTROL_ENABLE);
    write32(base + GT_STATUS, GT_STATUS_EVENT);
    int error = irq_install(hardware->irqs[0], hardware->name, global_interrupt, NULL);
    if (error)
        return error;
    clock_init(hardware->clock_hz);
    irq_enable(hardware->irqs[0]);
    return 0;
}

const struct driver timer_a9_global = { global_start };
