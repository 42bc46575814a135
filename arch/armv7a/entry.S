// Exception entry on ARMv7-A: the vectors, the interrupt path up to the callback level, and the way
// into a fault report.
//
// Main and callbacks run in System mode, the isr level in Supervisor mode on a stack of its own. An
// interrupt saves only what a C function may destroy; interrupts do not nest at isr level, so the
// isr stack holds one frame, or two while the callback level is active (ARM ARM B1.8).
    .syntax unified
    .arm
    .fpu    neon

    .equ MODE_FIQ, 0x11
    .equ MODE_SUPERVISOR, 0x13
    .equ MODE_ABORT, 0x17
    .equ MODE_UNDEFINED, 0x1b
    .equ MODE_SYSTEM, 0x1f

    .section .vectors, "ax"
    .balign 32
    .global __vectors
__vectors:
    b       _start
    b       undefined_entry
    b       supervisor_call_entry
    b       prefetch_abort_entry
    b       data_abort_entry
    nop                         // Reserved.
    b       irq_entry
    b       fiq_entry

    .text
    .type   irq_entry, %function
irq_entry:
    sub     lr, lr, #4
    srsdb   sp!, #MODE_SUPERVISOR
    cps     #MODE_SUPERVISOR
    push    {r0-r3, r12, lr}    // lr is dead here; it keeps the stack on 8 bytes.
    bl      irq_dispatch
    cmp     r0, #0
    bne     callback_level_enter
    .type   irq_leave, %function
irq_leave:
    clrex                       // The interrupted code's reservation must not survive (A3.4.4).
    pop     {r0-r3, r12, lr}
    rfeia   sp!

// The callback level is entered from the tail of an interrupt that came out of main. Main's frame
// stays on the isr stack; its stack pointer, link register and floating-point registers are kept on
// the callback stack. A callback's interrupts push and pop their own frame above main's.
    .type   callback_level_enter, %function
callback_level_enter:
    cps     #MODE_SYSTEM
    mov     r0, sp
    ldr     sp, =__callback_stack_top
    vmrs    r1, fpscr
    push    {r0, r1, r2, lr}    // r2 keeps the stack on 8 bytes.
    vpush   {d16-d31}
    vpush   {d0-d15}
    bl      callback_level_run
callback_level_left:
    vpop    {d0-d15}
    vpop    {d16-d31}
    pop     {r0, r1, r2, lr}
    vmsr    fpscr, r1
    mov     sp, r0
    cps     #MODE_SUPERVISOR
    b       irq_leave

// Main's frame is changed to go on in resume (r0), with argument (r1) in its r0, outside any IT
// block (B1.3.3). What callback_level_enter has kept lies at the callback stack's top.
    .equ CALLBACK_FRAME, 16 + 2 * 128
    .equ FRAME_PC, 24
    .equ FRAME_CPSR, 28
    .equ CPSR_T, 1 << 5
    .global cpu_leave_callbacks
    .type   cpu_leave_callbacks, %function
cpu_leave_callbacks:
    cps     #MODE_SUPERVISOR
    str     r1, [sp]
    ldr     r2, [sp, #FRAME_CPSR]
    bic     r2, r2, #CPSR_T
    bic     r2, r2, #0x0000fc00         // IT[7:2]
    bic     r2, r2, #0x06000000         // IT[1:0]
    tst     r0, #1
    orrne   r2, r2, #CPSR_T
    bic     r0, r0, #1
    str     r0, [sp, #FRAME_PC]
    str     r2, [sp, #FRAME_CPSR]
    cps     #MODE_SYSTEM
    ldr     sp, =__callback_stack_top - CALLBACK_FRAME
    b       callback_level_left

// Faults: everything the report shows is pushed as struct fault_frame of fault.c, lowest address
// last.
    .macro fault_entry kind, adjust, mode
    sub     lr, lr, #\adjust
    srsdb   sp!, #\mode
    push    {r0-r12}
    mov     r5, #\kind
    mov     r6, #\mode
    b       fault_common
    .endm

    .type   undefined_entry, %function
undefined_entry:
    fault_entry 0, 4, MODE_UNDEFINED
    .type   prefetch_abort_entry, %function
prefetch_abort_entry:
    fault_entry 1, 4, MODE_ABORT
    .type   data_abort_entry, %function
data_abort_entry:
    fault_entry 2, 8, MODE_ABORT
    .type   supervisor_call_entry, %function
supervisor_call_entry:
    fault_entry 3, 4, MODE_SUPERVISOR
    .type   fiq_entry, %function
fiq_entry:
    fault_entry 4, 4, MODE_FIQ

    .type   fault_common, %function
fault_common:
    ldr     r0, [sp, #14 * 4]   // The interrupted code's mode,
    and     r0, r0, #0x1f
    mrs     r4, cpsr
    bic     r1, r4, #0x1f
    orr     r1, r1, r0
    msr     cpsr_c, r1          // whose sp and lr are banked.
    mov     r2, sp
    mov     r3, lr
    cps     #MODE_SUPERVISOR
    mov     r7, sp              // The isr stack's: it tells whether callbacks were running.
    msr     cpsr_c, r4
    push    {r2, r3}
    mov     r0, sp
    mov     r1, r5
    mov     r2, r7
    mov     r8, sp
    bic     sp, sp, #7
    bl      fault_taken
    add     sp, r8, #2 * 4      // A load that may fault: it has been given another place to go
    pop     {r0-r12}            // on. The abort mode's way only.
    rfeia   sp!
