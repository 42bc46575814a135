// The first instructions on ARMv7-A: stacks, floating point, zeroed memory, then C.
// Entered in Supervisor mode, MMU and caches off, by QEMU's -kernel or a boot loader that leaves
// them so.
    .syntax unified
    .arm
    .fpu    neon

    .section .start, "ax"
    .global _start
    .type _start, %function
_start:
    cpsid   if
    ldr     r0, =__vectors
    mcr     p15, 0, r0, c12, c0, 0      // VBAR
    cps     #0x17                       // Abort,
    ldr     sp, =__fault_stack_top
    cps     #0x1b                       // undefined and
    ldr     sp, =__fault_stack_top
    cps     #0x11                       // fast interrupts: only ever one of them, the last.
    ldr     sp, =__fault_stack_top
    cps     #0x13                       // Supervisor: the isr level.
    ldr     sp, =__isr_stack_top
    cps     #0x1f                       // System: main.
    ldr     sp, =__main_stack_top

    mrc     p15, 0, r0, c1, c0, 2       // CPACR: full access to the floating-point unit.
    orr     r0, r0, #(0xf << 20)
    mcr     p15, 0, r0, c1, c0, 2
    isb
    mov     r0, #(1 << 30)              // FPEXC.EN
    vmsr    fpexc, r0

    bl      instructions_count
    bl      data_cache_invalidate
    ldr     r0, =__kernel_bss_start
    ldr     r1, =__kernel_bss_end
    bl      zero
    ldr     r0, =__bss_start
    ldr     r1, =__bss_end
    bl      zero
    bl      __boot
    b       .

// Zeroes [r0, r1), both multiples of eight.
zero:
    mov     r2, #0
    mov     r3, #0
1:  cmp     r0, r1
    strdlo  r2, r3, [r0], #8
    blo     1b
    bx      lr

// Performance counter 0 counts retired instructions from here on, for cpu_instructions() (ARM ARM
// C12). It stays selected. Where the event is unknown, as on a Cortex-A9, it stays 0.
instructions_count:
    mov     r0, #0
    mcr     p15, 0, r0, c9, c12, 5      // PMSELR: counter 0.
    isb
    mov     r0, #0x08                   // INST_RETIRED,
    mcr     p15, 0, r0, c9, c13, 1      // PMXEVTYPER
    mov     r0, #1
    mcr     p15, 0, r0, c9, c12, 1      // PMCNTENSET: counter 0 counts
    mrc     p15, 0, r0, c9, c12, 0
    orr     r0, r0, #3                  // E and P: from 0 on.
    mcr     p15, 0, r0, c9, c12, 0      // PMCR
    bx      lr

// The level-1 data cache holds rubbish after a cold reset and must be dropped before it is switched
// on (Cortex-A9 TRM 7.4): every set and way, from the geometry that CCSIDR gives.
data_cache_invalidate:
    mov     r0, #0
    mcr     p15, 2, r0, c0, c0, 0       // CSSELR: level 1, data.
    isb
    mrc     p15, 1, r0, c0, c0, 0       // CCSIDR
    and     r1, r0, #7
    add     r1, r1, #4                  // log2 of the line's bytes: where the set number begins.
    ubfx    r2, r0, #3, #10             // Ways - 1.
    ubfx    r3, r0, #13, #15            // Sets - 1.
    clz     r4, r2                      // Where the way number begins.
2:  mov     r5, r2
3:  lsl     r6, r5, r4
    orr     r6, r6, r3, lsl r1
    mcr     p15, 0, r6, c7, c6, 2       // DCISW
    subs    r5, r5, #1
    bge     3b
    subs    r3, r3, #1
    bge     2b
    dsb
    bx      lr
    .ltorg
