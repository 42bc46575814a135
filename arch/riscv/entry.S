// Trap entry on RISC-V in machine mode: the vectors, the interrupt path up to the callback level,
// and the way into a fault report.
//
// An interrupt saves what a C function may destroy on the isr stack. mscratch tells where that
// begins; while the isr level runs it is 0 (cpu_in_isr()). Interrupts do not nest at isr level, so
// the isr stack holds one frame, or two while the callback level is active.
    .equ    FRAME_SP, 16 * 8
    .equ    FRAME_MEPC, 17 * 8
    .equ    FRAME_BYTES, 18 * 8         // A multiple of 16, as the calling convention wants.

    .equ    MSTATUS_MPIE, 1 << 7
    .equ    MSTATUS_MPP_MACHINE, 3 << 11

// Vectored mode: exceptions come to the first entry, interrupt n to entry n (3.1.7). Local
// interrupts past the standard ones are never enabled.
    .section .vectors, "ax"
    .balign 256
    .option push
    .option norvc
    .global __vectors
__vectors:
    j       fault_entry
    .rept   11
    j       irq_entry
    .endr
    .option pop

// Beside the vectors, whose jumps reach one MiB: a program's text may be longer.
    .section .vectors.entry, "ax"
#include "arch/riscv/saved_registers.inc"

    .type   irq_entry, %function
irq_entry:
    csrrw   sp, mscratch, sp
    addi    sp, sp, -FRAME_BYTES
    each_saved_register sd
    csrrw   t0, mscratch, zero          // The interrupted stack; from here on this is isr level.
    sd      t0, FRAME_SP(sp)
    call    irq_dispatch
    bnez    a0, callback_level_enter
    .type   irq_leave, %function
irq_leave:
#ifndef HART_WITHOUT_LR_SC
    // The interrupted code's reservation must not survive: a store-conditional to nowhere ends it
    // (volume I, 8.2).
    addi    t0, sp, FRAME_MEPC
    sc.d    zero, zero, (t0)
#endif
    addi    t0, sp, FRAME_BYTES
    csrw    mscratch, t0
    each_saved_register ld
    ld      sp, FRAME_SP(sp)
    mret

// The callback level is entered from the tail of an interrupt that came out of main. Main's frame
// stays on the isr stack, and mscratch points to its lower end: a callback's interrupts push and
// pop their own frame below it. They overwrite mepc and what mret takes from mstatus. No
// floating-point register is saved: the boards' harts have none, or programs do not use them.
    .type   callback_level_enter, %function
callback_level_enter:
    csrr    t0, mepc
    sd      t0, FRAME_MEPC(sp)
    csrw    mscratch, sp
    la      sp, __callback_stack_top
    call    callback_level_run
callback_level_left:
    csrrw   sp, mscratch, zero
    ld      t0, FRAME_MEPC(sp)
    csrw    mepc, t0
    li      t0, MSTATUS_MPP_MACHINE | MSTATUS_MPIE
    csrs    mstatus, t0
    j       irq_leave

// Main's frame is changed to go on in resume (a0), with argument (a1) in its a0.
    .equ    FRAME_A0, 4 * 8             // saved_registers.inc
    .global cpu_leave_callbacks
    .type   cpu_leave_callbacks, %function
cpu_leave_callbacks:
    csrr    t0, mscratch
    sd      a1, FRAME_A0(t0)
    sd      a0, FRAME_MEPC(t0)
    j       callback_level_left

// Faults: everything the report shows is stored as struct fault_frame of fault.c. What mscratch
// held tells the level. It is in sp while mscratch keeps sp; where it leads to the isr stack, the
// free part of that stack lends a register.
    .equ    FAULT_FRAME_BYTES, 32 * 8   // x1 … x31 and mscratch.

    .type   fault_entry, %function
    .balign 4
fault_entry:
    csrrw   sp, mscratch, sp
    beqz    sp, 1f
    sd      t0, -8(sp)
    mv      t0, sp
    la      sp, __fault_stack_top - FAULT_FRAME_BYTES
    sd      t0, 31 * 8(sp)
    ld      t0, -8(t0)
    j       2f
1:  la      sp, __fault_stack_top - FAULT_FRAME_BYTES
    sd      zero, 31 * 8(sp)
2:  sd      a0, 9 * 8(sp)
    csrrw   a0, mscratch, zero
    sd      a0, 1 * 8(sp)
    sd      ra, 0 * 8(sp)
    .irp    x, 3, 4, 5, 6, 7, 8, 9
    sd      x\x, (\x - 1) * 8(sp)
    .endr
    .irp    x, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    sd      x\x, (\x - 1) * 8(sp)
    .endr
    mv      a0, sp
    call    fault_taken
    // A load that may fault: mepc is another place to go on.
    ld      t0, 31 * 8(sp)
    csrw    mscratch, t0
    ld      ra, 0 * 8(sp)
    .irp    x, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25
    ld      x\x, (\x - 1) * 8(sp)
    .endr
    .irp    x, 26, 27, 28, 29, 30, 31
    ld      x\x, (\x - 1) * 8(sp)
    .endr
    ld      sp, 1 * 8(sp)
    mret
