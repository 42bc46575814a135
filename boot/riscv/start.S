// The first instructions on RISC-V in machine mode: one hart goes on, the others are parked;
// stacks, traps, zeroed memory, then C. Entered by every hart, with whatever the boot loader left
// in the registers.
    .section .start, "ax"
    .global _start
    .type   _start, %function
_start:
    csrci   mstatus, 8                  // MIE: no interrupt,
    csrw    mie, zero                   // and none waits to be let through.
    la      t0, __vectors + 1             // 1: vectored.
    csrw    mtvec, t0
    csrr    t0, mhartid
    bnez    t0, park
    la      t0, __isr_stack_top
    csrw    mscratch, t0                // Not 0: this is main, see cpu_in_isr().
    la      sp, __main_stack_top
    la      a0, __kernel_bss_start
    la      a1, __kernel_bss_end
    call    zero_memory
    la      a0, __bss_start
    la      a1, __bss_end
    call    zero_memory
    call    __boot
park:
    wfi                                 // It may return for no reason (3.3.3).
    j       park

// Zeroes [a0, a1), both multiples of eight.
    .type   zero_memory, %function
zero_memory:
    bgeu    a0, a1, 2f
1:  sd      zero, (a0)
    addi    a0, a0, 8
    bltu    a0, a1, 1b
2:  ret
