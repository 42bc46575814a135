// The floor's vectors on ARMv7-A: one interrupt, and a fault stands still.
    .syntax unified
    .arm
    .section .vectors, "ax"
    .balign 32
    .global __vectors
__vectors:
    b       _start
    b       .
    b       .
    b       .
    b       .
    nop
    b       floor_interrupt
    b       .

// floor_turn(), saving what it may destroy. The stack is on 8 bytes where the handler has pushed an
// even number of registers; floor_turn() does not mind.
    .text
    .global floor_turn_saved
    .type   floor_turn_saved, %function
floor_turn_saved:
    push    {r0-r3, r12, lr}
    bl      floor_turn
    pop     {r0-r3, r12, pc}
