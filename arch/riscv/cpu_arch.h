// The inline half of arch/cpu.h for RISC-V in machine mode (The RISC-V Instruction Set Manual,
// volume II, chapter 3).
//
// There is only one mode here, so the isr level is told by mscratch: main and callbacks have the
// isr stack's pointer in it, for the next trap to find, the isr level has 0.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// Bytes. The caches of these chips are coherent with their bus masters; see cache.c.
#define CPU_CACHE_LINE 64
#define CPU_CACHE_LINE_MAX 64

#define MSTATUS_MIE 0x8 // Fits into the instruction.

#define csr_read(csr)                                         \
    __extension__({                                           \
        unsigned long csr_value;                              \
        __asm__ volatile("csrr %0, " #csr : "=r"(csr_value)); \
        csr_value;                                            \
    })
#define csr_write(csr, value) __asm__ volatile("csrw " #csr ", %0" ::"rK"(value) : "memory")
#define csr_set(csr, bits) __asm__ volatile("csrs " #csr ", %0" ::"rK"(bits) : "memory")
#define csr_clear(csr, bits) __asm__ volatile("csrc " #csr ", %0" ::"rK"(bits) : "memory")

static inline uint32_t irq_save(void)
{
    unsigned long mstatus;
    __asm__ volatile("csrrci %0, mstatus, %1" : "=r"(mstatus) : "i"(MSTATUS_MIE) : "memory");
    return (uint32_t)mstatus & MSTATUS_MIE;
}

static inline void irq_restore(uint32_t flags)
{
    csr_set(mstatus, flags);
}

static inline void irq_unmask(void)
{
    csr_set(mstatus, MSTATUS_MIE);
}

static inline void irq_mask(void)
{
    csr_clear(mstatus, MSTATUS_MIE);
}

static inline void irq_open_once(void)
{
    // A pending interrupt is taken right behind a write to mstatus that lets it through (3.1.9).
    irq_unmask();
    irq_mask();
}

static inline bool irq_masked(void)
{
    return (csr_read(mstatus) & MSTATUS_MIE) == 0;
}

static inline bool cpu_in_isr(void)
{
    return csr_read(mscratch) == 0;
}

static inline bool irq_saved_in_isr(uint32_t flags)
{
    (void)flags;
    return cpu_in_isr();
}

static inline void cpu_wait_for_interrupt(void)
{
    // The fence lets stores reach their devices before the hart sleeps.
    __asm__ volatile("fence iorw, iorw\n\twfi" ::: "memory");
}

static inline uint32_t cpu_instructions(void)
{
    return (uint32_t)csr_read(minstret);
}

static inline void barrier_publish(void)
{
    __asm__ volatile("fence w, o" ::: "memory");
}

static inline void barrier_consume(void)
{
    __asm__ volatile("fence ir, r" ::: "memory");
}

static inline void barrier_store(void)
{
    __asm__ volatile("fence w, w" ::: "memory");
}

static inline void barrier_full(void)
{
    __asm__ volatile("fence iorw, iorw" ::: "memory");
}

// See arch/fixup.h. The relocation keeps the table's entry where, and only where, the access is
// linked.
#define CPU_LOAD_OR(value, base, offset, label)               \
    __asm__ goto volatile(".option push\n\t.option norvc\n"   \
                          "1: ld %0, %2(%1)\n\t"              \
                          ".option pop\n\t"                   \
                          ".reloc 1b, BFD_RELOC_NONE, 2f\n\t" \
                          ".pushsection .fixups, \"a\"\n\t"   \
                          "2: .dword 1b, %l3\n\t"             \
                          ".popsection"                       \
                          : "=r"(value)                       \
                          : "r"(base), "i"(offset)            \
                          : "memory"                          \
                          : label)
#define CPU_STORE_OR(value, base, offset, label)               \
    __asm__ goto volatile(".option push\n\t.option norvc\n"    \
                          "1: sd %0, %2(%1)\n\t"               \
                          ".option pop\n\t"                    \
                          ".reloc 1b, BFD_RELOC_NONE, 2f\n\t"  \
                          ".pushsection .fixups, \"a\"\n\t"    \
                          "2: .dword 1b, %l3\n\t"              \
                          ".popsection"                        \
                          :                                    \
                          : "r"(value), "r"(base), "i"(offset) \
                          :                                    \
                          : label)
