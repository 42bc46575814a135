// The floor's vectors on RISC-V, where start.S wants them: interrupt n goes to entry n, and a fault
// stands still.
    .section .vectors, "ax"
    .balign 256
    .option push
    .option norvc
    .global __vectors
__vectors:
    j       .
    .rept   11
    j       floor_interrupt
    .endr
    .option pop

#include "arch/riscv/saved_registers.inc"

// floor_turn(), saving what it may destroy; returns by t0.
    .text
    .global floor_turn_saved
    .type   floor_turn_saved, %function
floor_turn_saved:
    addi    sp, sp, -16 * 8
    each_saved_register sd
    call    floor_turn
    each_saved_register ld
    addi    sp, sp, 16 * 8
    jr      t0
