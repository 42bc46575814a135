// All registers of an ARMv7-A core that a program has, for tests/target/registers.c: r0 … r12, lr,
// the flags, d0 … d31 in two words each, fpscr. Not sp and pc, without which nothing goes on.
#pragma once

enum { REGISTERS = 80, REGISTERS_FLAGS = 14, REGISTERS_FLOAT = 15, REGISTERS_FPSCR = 79 };

// What a register can hold: N, Z, C, V, Q and GE; N, Z, C, V and the rounding mode.
static inline unsigned long register_bits(unsigned n)
{
    return n == REGISTERS_FLAGS ? 0xf80f0000 : n == REGISTERS_FPSCR ? 0xf0c00000 : 0xffffffff;
}

static inline const char *register_name(unsigned n)
{
    static const char *const names[] = { "r0", "r1", "r2",  "r3",  "r4",  "r5", "r6",   "r7",
                                         "r8", "r9", "r10", "r11", "r12", "lr", "flags" };
    return n < REGISTERS_FLOAT ? names[n] : n == REGISTERS_FPSCR ? "fpscr" : "half of a d register";
}

// Fills all registers with values[], sleeps until an interrupt has been taken, and puts what the
// registers hold then into seen[].
// Context: main | callback, interrupts open.
static __attribute__((naked, noipa)) void registers_wait(const unsigned long *values,
                                                         unsigned long *seen)
{
    (void)values, (void)seen;
    __asm__("push   {r4-r12, lr}\n"
            "vpush  {d8-d15}\n"
            "vmrs   r2, fpscr\n"
            "push   {r1, r2}\n"
            "add    r2, r0, #15 * 4\n"
            "vldmia r2!, {d0-d15}\n"
            "vldmia r2!, {d16-d31}\n"
            "ldr    r3, [r2]\n"
            "vmsr   fpscr, r3\n"
            "ldr    r2, [r0, #14 * 4]\n"
            "msr    apsr_nzcvqg, r2\n"
            "ldr    lr, [r0, #13 * 4]\n"
            "ldmia  r0, {r0-r12}\n"
            "wfi\n"
            "push   {r0-r12, lr}\n" // None of what follows changes flags.
            "ldr    r0, [sp, #14 * 4]\n"
            "pop    {r1-r7}\n"
            "stmia  r0!, {r1-r7}\n"
            "pop    {r1-r7}\n"
            "stmia  r0!, {r1-r7}\n"
            "mrs    r1, apsr\n"
            "str    r1, [r0], #4\n"
            "vstmia r0!, {d0-d15}\n"
            "vstmia r0!, {d16-d31}\n"
            "vmrs   r1, fpscr\n"
            "str    r1, [r0]\n"
            "pop    {r1, r2}\n"
            "vmsr   fpscr, r2\n"
            "vpop   {d8-d15}\n"
            "pop    {r4-r12, pc}\n");
}

// Writes to all registers that a C function may use, those it has to put back included.
// Context: isr: the general ones only, as the kernel's own code.
static inline void registers_spoil_isr(void)
{
    __asm__ volatile(".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14\n"
                     "mov   r\\n, #0x5a\n"
                     ".endr\n"
                     "msr   apsr_nzcvqg, r0\n" ::
                         : "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11",
                           "r12", "lr", "cc", "memory");
}

// Context: callback.
static inline void registers_spoil_callback(void)
{
    registers_spoil_isr();
    __asm__ volatile(".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n"
                     "vmov.i8 q\\n, #0x5a\n"
                     ".endr\n"
                     "mov   r0, #0\n"
                     "vmsr  fpscr, r0\n" ::
                         : "r0", "q0", "q1", "q2", "q3", "q4", "q5", "q6", "q7", "q8", "q9", "q10",
                           "q11", "q12", "q13", "q14", "q15", "memory");
}

// Reserves a word, sleeps until an interrupt has been taken if that is wanted, and stores with the
// reservation. Result: true: stored.
// Context: main | callback; interrupts open if sleeping.
static __attribute__((noinline)) bool reservation_kept(volatile uint32_t *word, bool sleeping)
{
    uint32_t failed, value;
    __asm__ volatile("ldrex %1, [%2]\n"
                     "cmp   %3, #0\n"
                     "beq   1f\n"
                     "wfi\n"
                     "1: strex %0, %1, [%2]\n"
                     : "=&r"(failed), "=&r"(value)
                     : "r"(word), "r"((unsigned)sleeping)
                     : "cc", "memory");
    return !failed;
}
