// ARM Generic Interrupt Controller, versions 1 (PL390, Zynq) and 2 (IHI 0048B).
// Shared interrupts are level-sensitive, as after reset, of one priority, and go to CPU 0.
// Interrupts do not nest.
#include "irq/gic.h"

#include "arch/cpu.h"
#include "arch/hardware.h"
#include "arch/mmio.h"
#include "irq/controller.h"
#include "irq/irq.h"

enum {
    GICD_CTLR = 0x000,
    GICD_TYPER = 0x004,
    GICD_ISENABLER = 0x100,
    GICD_ICENABLER = 0x180,
    GICD_ISPENDR = 0x200,
    GICD_ICPENDR = 0x280,
    GICD_IPRIORITYR = 0x400,
    GICD_ITARGETSR = 0x800,
    GICD_SGIR = 0xf00,
    GICC_CTLR = 0x00,
    GICC_PMR = 0x04,
    GICC_IAR = 0x0c,
    GICC_EOIR = 0x10,
};

#define GICD_CTLR_ENABLE BIT(0)
#define GICC_CTLR_ENABLE BIT(0)
#define GICD_SGIR_SELF (2u << 24)

enum {
    SOFTWARE_INTERRUPT = 0,
    FIRST_SHARED = 32, // Below: software and private interrupts, banked per CPU.
    PRIORITY_ALL = 0xa0a0a0a0,
    TARGET_CPU0 = 0x01010101,
    PMR_LET_ALL = 0xff,
};

static uintptr_t distributor, cpu_interface;
static unsigned lines;

static int gic_start(const struct hardware *hardware)
{
    const struct gic_settings *settings = hardware->settings;
    distributor = hardware->base;
    cpu_interface = settings->cpu_interface;
    lines = 32 * ((read32(distributor + GICD_TYPER) & 0x1f) + 1);
    write32(distributor + GICD_CTLR, 0);
    for (unsigned irq = 0; irq < lines; irq += 32) {
        write32(distributor + GICD_ICENABLER + irq / 8, ~UINT32_C(0));
        write32(distributor + GICD_ICPENDR + irq / 8, ~UINT32_C(0));
    }
    for (unsigned irq = 0; irq < lines; irq += 4) {
        write32(distributor + GICD_IPRIORITYR + irq, PRIORITY_ALL);
        if (irq >= FIRST_SHARED)
            write32(distributor + GICD_ITARGETSR + irq, TARGET_CPU0);
    }
    write32(distributor + GICD_CTLR, GICD_CTLR_ENABLE);
    write32(cpu_interface + GICC_PMR, PMR_LET_ALL);
    write32(cpu_interface + GICC_CTLR, GICC_CTLR_ENABLE);
    irq_init(); // Interrupts can be installed from now on.
    return 0;
}

unsigned irq_controller_claim(void)
{
    // 1023 is the spurious answer. One CPU sends all software interrupts, CPU 0, so the source
    // field above the number is 0.
    return read32(cpu_interface + GICC_IAR);
}

void irq_controller_complete(unsigned irq)
{
    // The top half's register writes are device accesses and come before this one.
    write32(cpu_interface + GICC_EOIR, irq);
}

bool irq_controller_has(unsigned irq)
{
    return irq < lines;
}

void irq_controller_enable(unsigned irq)
{
    write32(distributor + GICD_ISENABLER + irq / 32 * 4, BIT(irq % 32));
}

void irq_controller_disable(unsigned irq)
{
    write32(distributor + GICD_ICENABLER + irq / 32 * 4, BIT(irq % 32));
}

bool irq_controller_set_pending(unsigned irq)
{
    write32(distributor + GICD_ISPENDR + irq / 32 * 4, BIT(irq % 32));
    return true;
}

bool irq_controller_clear_pending(unsigned irq)
{
    write32(distributor + GICD_ICPENDR + irq / 32 * 4, BIT(irq % 32));
    return true;
}

void irq_controller_raise_software(void)
{
    // What the interrupt is to find in RAM must be there before it (IHI 0048B 3.1).
    barrier_publish();
    write32(distributor + GICD_SGIR, GICD_SGIR_SELF | SOFTWARE_INTERRUPT);
}

unsigned irq_controller_software(void)
{
    return SOFTWARE_INTERRUPT;
}

const struct driver irq_gic = { gic_start };
