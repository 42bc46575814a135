// The generic timer of ARM cores (ARM ARM chapter B8): a 64-bit counter with a comparator, seen
// through coprocessor registers. The virtual counter and its timer are used: they are there at
// every privilege level, while the physical ones may belong to a hypervisor. The comparator's
// condition is a level, met as long as the counter has reached it: an alarm in the past goes off at
// once.
//
// hardware->irqs[0] is the virtual timer's private interrupt; clock_hz, if not 0, stands for
// CNTFRQ, which only holds what the firmware has written there.
#include <errno.h>

#include "arch/generic_timer.h"
#include "arch/hardware.h"
#include "irq/clock.h"
#include "irq/irq.h"

uint64_t clock_counter(void)
{
    return generic_timer_count();
}

uint32_t clock_counter_low(void)
{
    return (uint32_t)generic_timer_count();
}

void clock_counter_clear_alarm(void)
{
    generic_timer_set_control(0);
}

void clock_counter_set_alarm(uint64_t ticks)
{
    generic_timer_set_comparator(ticks);
    generic_timer_set_control(CNTV_CTL_ENABLE);
}

static bool generic_interrupt(void *context)
{
    (void)context;
    if (!(generic_timer_control() & CNTV_CTL_ISTATUS))
        return false;
    // Off first: the condition would hold on, and what expires now may set the next alarm.
    clock_counter_clear_alarm();
    clock_alarm();
    return true;
}

static int generic_start(const struct hardware *hardware)
{
    uint32_t hz = hardware->clock_hz != 0 ? hardware->clock_hz : generic_timer_frequency();
    if (hz == 0)
        return -EINVAL;
    clock_counter_clear_alarm();
    int error = irq_install(hardware->irqs[0], hardware->name, generic_interrupt, NULL);
    if (error)
        return error;
    clock_init(hz);
    irq_enable(hardware->irqs[0]);
    return 0;
}

const struct driver timer_arm_generic = { generic_start };
