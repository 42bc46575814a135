// The semihosting call of the A and R profiles in ARM state: a supervisor call that QEMU or the
// debugger catches.
    .syntax unified
    .arm
    .text
    .global semihosting_call
    .type semihosting_call, %function
semihosting_call:
    push    {r4, lr}            // In Supervisor mode the call itself would destroy lr.
    svc     0x123456
    pop     {r4, pc}
