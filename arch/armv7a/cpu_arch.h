// The inline half of arch/cpu.h for ARMv7-A. Main and callbacks run in System mode, the isr level
// in Supervisor mode.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// Bytes, Cortex-A9 L1 (a Cortex-A15 has 64: twice the lines are cleaned, none is missed).
#define CPU_CACHE_LINE 32
#define CPU_CACHE_LINE_MAX 64

enum {
    CPSR_IRQ_MASKED = 0x80,
    CPSR_MODE_MASK = 0x1f,
    CPSR_MODE_NOT_ISR = 0x0c, // Set in System mode (0x1f), clear in Supervisor mode (0x13).
};

static inline uint32_t cpsr_read(void)
{
    uint32_t cpsr;
    __asm__ volatile("mrs %0, cpsr" : "=r"(cpsr));
    return cpsr;
}

static inline uint32_t irq_save(void)
{
    uint32_t cpsr = cpsr_read();
    __asm__ volatile("cpsid i" ::: "memory");
    return cpsr;
}

static inline void irq_restore(uint32_t flags)
{
    __asm__ volatile("msr cpsr_c, %0" ::"r"(flags) : "memory");
}

static inline void irq_unmask(void)
{
    __asm__ volatile("cpsie i" ::: "memory");
}

static inline void irq_mask(void)
{
    __asm__ volatile("cpsid i" ::: "memory");
}

static inline void irq_open_once(void)
{
    __asm__ volatile("cpsie i\n\tisb\n\tcpsid i" ::: "memory");
}

static inline bool irq_masked(void)
{
    return (cpsr_read() & CPSR_IRQ_MASKED) != 0;
}

static inline bool irq_saved_in_isr(uint32_t flags)
{
    return (flags & CPSR_MODE_NOT_ISR) == 0;
}

static inline bool cpu_in_isr(void)
{
    return irq_saved_in_isr(cpsr_read());
}

static inline void cpu_wait_for_interrupt(void)
{
    // The barrier lets stores reach their devices before the core sleeps (ARM ARM B1.8.14).
    __asm__ volatile("dsb\n\twfi" ::: "memory");
}

static inline uint32_t cpu_instructions(void)
{
    // Event counter 0, which start.S has set to this and selected. QEMU's counts under -icount
    // only; a Cortex-A9 does not know the event.
    uint32_t count;
    __asm__ volatile("mrc p15, 0, %0, c9, c13, 2" : "=r"(count)); // PMXEVCNTR
    return count;
}

static inline void barrier_publish(void)
{
    // A full-system barrier: the observer is a bus master, outside the inner shareable domain.
    __asm__ volatile("dsb st" ::: "memory");
}

static inline void barrier_consume(void)
{
    __asm__ volatile("dmb sy" ::: "memory");
}

static inline void barrier_store(void)
{
    __asm__ volatile("dmb st" ::: "memory");
}

static inline void barrier_full(void)
{
    __asm__ volatile("dsb sy" ::: "memory");
}

// See arch/fixup.h. The instruction for two words, since that one minds alignment. The relocation
// keeps the table's entry where, and only where, the access is linked.
#define CPU_LOAD_OR(value, base, offset, label)                   \
    do {                                                          \
        uint64_t both_;                                           \
        __asm__ goto volatile("1: ldrd %0, %H0, [%1, %2]\n\t"     \
                              ".reloc 1b, BFD_RELOC_NONE, 2f\n\t" \
                              ".pushsection .fixups, \"a\"\n\t"   \
                              "2: .word 1b, %l3\n\t"              \
                              ".popsection"                       \
                              : "=r"(both_)                       \
                              : "r"(base), "i"(offset)            \
                              : "memory"                          \
                              : label);                           \
        (value) = (uint32_t)both_;                                \
    } while (0)
#define CPU_STORE_OR(value, base, offset, label)               \
    __asm__ goto volatile("1: str %0, [%1, %2]\n\t"            \
                          ".reloc 1b, BFD_RELOC_NONE, 2f\n\t"  \
                          ".pushsection .fixups, \"a\"\n\t"    \
                          "2: .word 1b, %l3\n\t"               \
                          ".popsection"                        \
                          :                                    \
                          : "r"(value), "r"(base), "i"(offset) \
                          :                                    \
                          : label)
