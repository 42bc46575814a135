// The floor's machine where the CPU is a RISC-V hart: QEMU's virt with a PLIC (RISC-V PLIC
// Specification 1.0) and a time register of 10 MHz.
#pragma once

#include "arch/cpu.h"
#include "arch/mmio.h"

#define FLOOR_SLOT_BASE UINT32_C(0x10001000)
enum { FLOOR_SLOTS = 8, FLOOR_SLOT_STRIDE = 0x1000, FLOOR_SLOT_IRQ = 1 };

#define PLIC UINT32_C(0x0c000000)
enum { PLIC_PRIORITY = 0x000000, PLIC_ENABLE = 0x002000, PLIC_CLAIM = 0x200004 };
#define MIE_MEIE BIT(11)

// The compiler saves what it uses on the interrupted stack: the fewer registers, the better.
#define FLOOR_INTERRUPT __attribute__((interrupt("machine"), optimize("Os")))
FLOOR_INTERRUPT void floor_interrupt(void);

// Calls a function that changes no register and returns by t0: ra need not be saved for it.
#define FLOOR_CALL(function) __asm__ volatile("jal t0, " #function ::: "t0", "memory")

static inline uint32_t floor_irq_claim(void)
{
    return read32(PLIC + PLIC_CLAIM);
}

static inline void floor_irq_complete(uint32_t irq)
{
    write32(PLIC + PLIC_CLAIM, irq);
}

static inline void floor_irq_start(unsigned irq)
{
    write32(PLIC + PLIC_PRIORITY + 4 * irq, 1);
    write32(PLIC + PLIC_ENABLE + irq / 32 * 4, BIT(irq % 32));
    csr_write(mie, MIE_MEIE);
}

static inline uint64_t floor_now_ns(void)
{
    return csr_read(time) * 100;
}
