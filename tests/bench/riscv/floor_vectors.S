// The floor's vectors on RISC-V, where start.S wants them: interrupt n goes to entry n, and a fault
// stands still.
    .section .vectors, "ax"
    .balign 256
    .option push
    .option norvc
    .global vectors
vectors:
    j       .
    .rept   11
    j       floor_interrupt
    .endr
    .option pop

// floor_turn(), saving what it may destroy; returns by t0.
    .macro  each_saved_register op
    \op     ra, 0 * 8(sp)
    \op     t0, 1 * 8(sp)
    \op     t1, 2 * 8(sp)
    \op     t2, 3 * 8(sp)
    \op     a0, 4 * 8(sp)
    \op     a1, 5 * 8(sp)
    \op     a2, 6 * 8(sp)
    \op     a3, 7 * 8(sp)
    \op     a4, 8 * 8(sp)
    \op     a5, 9 * 8(sp)
    \op     a6, 10 * 8(sp)
    \op     a7, 11 * 8(sp)
    \op     t3, 12 * 8(sp)
    \op     t4, 13 * 8(sp)
    \op     t5, 14 * 8(sp)
    \op     t6, 15 * 8(sp)
    .endm

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
