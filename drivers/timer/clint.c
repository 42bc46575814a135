// The timer of the Core-Local Interruptor (SiFive CLINT; RISC-V Privileged Architecture, 3.2.1): a
// 64-bit counter that all harts share, and a comparator for each. Its interrupt is there as long as
// the counter is not below the comparator. Runs at a fixed rate, which is board data.
//
// Without an alarm the interrupt is masked, and the comparator stays where it was. Quirk (QEMU with
// -icount sleep=off): a comparator at "never" is a date that a sleeping machine's clock leaps to,
// so the last moment of time has come while a disk is still at work.
#include "arch/hardware.h"
#include "arch/mmio.h"
#include "drivers/timer/split_counter.h"
#include "irq/clock.h"
#include "irq/irq.h"

enum {
    CLINT_MTIMECMP_LOW = 0x4000, // Of hart 0.
    CLINT_MTIMECMP_HIGH = 0x4004,
    CLINT_MTIME_LOW = 0xbff8,
    CLINT_MTIME_HIGH = 0xbffc,
};

static uintptr_t base;
static unsigned irq;

uint64_t clock_counter(void)
{
    return split_counter_read(base + CLINT_MTIME_LOW, base + CLINT_MTIME_HIGH);
}

uint32_t clock_counter_low(void)
{
    return read32(base + CLINT_MTIME_LOW);
}

void clock_counter_set_alarm(uint64_t ticks)
{
    // With interrupts masked nobody sees what the comparator is between the two halves. It is never
    // sent to "never" meanwhile, as 3.2.1 does it: see the quirk above.
    write32(base + CLINT_MTIMECMP_LOW, (uint32_t)ticks);
    write32(base + CLINT_MTIMECMP_HIGH, (uint32_t)(ticks >> 32));
    irq_enable(irq);
}

void clock_counter_clear_alarm(void)
{
    irq_disable(irq);
}

static bool clint_interrupt(void *context)
{
    (void)context;
    clock_alarm(); // It moves the comparator or masks the interrupt.
    return true;
}

static int clint_start(const struct hardware *hardware)
{
    base = hardware->base;
    irq = hardware->irqs[0];
    int error = irq_install(irq, hardware->name, clint_interrupt, NULL);
    if (error)
        return error;
    clock_init(hardware->clock_hz);
    return 0; // The interrupt is let through by the first alarm.
}

const struct driver timer_clint = { clint_start };
