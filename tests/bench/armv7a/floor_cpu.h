// The floor's machine where the CPU is an ARMv7-A: QEMU's virt with a GICv2 (IHI 0048B) and the
// generic timer (ARM ARM B8).
#pragma once

#include "arch/mmio.h"

#define FLOOR_SLOT_BASE UINT32_C(0x0a000000)
enum { FLOOR_SLOTS = 32, FLOOR_SLOT_STRIDE = 0x200, FLOOR_SLOT_IRQ = 48 };

#define GICD UINT32_C(0x08000000)
#define GICC UINT32_C(0x08010000)
enum {
    GICD_CTLR = 0x000,
    GICD_ISENABLER = 0x100,
    GICD_ITARGETSR = 0x800,
    GICC_CTLR = 0x00,
    GICC_PMR = 0x04,
    GICC_IAR = 0x0c,
    GICC_EOIR = 0x10,
};

// Interrupts are taken in IRQ mode, on a stack of its own; the compiler saves what it uses.
#define FLOOR_INTERRUPT __attribute__((interrupt("IRQ")))
FLOOR_INTERRUPT void floor_interrupt(void);

// Calls a function that changes no register.
#define FLOOR_CALL(function) __asm__ volatile("bl " #function ::: "lr", "memory")

static inline uint32_t floor_irq_claim(void)
{
    return read32(GICC + GICC_IAR);
}

static inline void floor_irq_complete(uint32_t irq)
{
    write32(GICC + GICC_EOIR, irq);
}

static inline void floor_irq_start(unsigned irq)
{
    __asm__ volatile("cps #0x12\n\tldr sp, =__isr_stack_top\n\tcps #0x1f");
    write32(GICD + GICD_ITARGETSR + irq / 4 * 4, 0x01010101);
    write32(GICD + GICD_ISENABLER + irq / 32 * 4, BIT(irq % 32));
    write32(GICD + GICD_CTLR, 1);
    write32(GICC + GICC_PMR, 0xff);
    write32(GICC + GICC_CTLR, 1);
}

static inline uint64_t floor_now_ns(void)
{
    uint64_t count;
    __asm__ volatile("isb\n\tmrrc p15, 1, %Q0, %R0, c14" : "=r"(count)::"memory"); // CNTVCT
    return count * 16; // Nanoseconds each.
}
