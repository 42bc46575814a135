// The semihosting call of RISC-V ("RISC-V Semihosting", chapter 2): a breakpoint between two
// instructions that do nothing, by which QEMU or the debugger knows it. The three must not be
// compressed and must lie on one page.
    .text
    .balign 16          // Before norvc: the linker may find itself at any even address here.
    .option norvc
    .global semihosting_call
    .type   semihosting_call, %function
semihosting_call:
    slli    zero, zero, 0x1f
    ebreak
    srai    zero, zero, 7
    ret
