// All registers of a RV64 hart without floating point, for tests/target/registers.c: x1 … x31, but
// for sp, without which nothing goes on.
#pragma once

enum { REGISTERS = 31, REGISTERS_SP = 1 };

static inline unsigned long register_bits(unsigned n)
{
    return n == REGISTERS_SP ? 0 : ~0ul;
}

static inline const char *register_name(unsigned n)
{
    static const char names[REGISTERS][4] = {
        "ra", "sp", "gp", "tp",  "t0",  "t1", "t2", "s0", "s1", "a0", "a1",
        "a2", "a3", "a4", "a5",  "a6",  "a7", "s2", "s3", "s4", "s5", "s6",
        "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
    };
    return names[n];
}

// Fills all registers with values[], sleeps until an interrupt has been taken, and puts what the
// registers hold then into seen[].
// Context: main | callback, interrupts open.
static __attribute__((naked, noipa)) void registers_wait(const unsigned long *values,
                                                         unsigned long *seen)
{
    (void)values, (void)seen;
    __asm__(".macro each_but_sp_a0 op, base\n"
            ".irp n, 1, 3, 4, 5, 6, 7, 8, 9\n"
            "\\op   x\\n, (\\n - 1) * 8(\\base)\n"
            ".endr\n"
            ".irp n, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24\n"
            "\\op   x\\n, (\\n - 1) * 8(\\base)\n"
            ".endr\n"
            ".irp n, 25, 26, 27, 28, 29, 30, 31\n"
            "\\op   x\\n, (\\n - 1) * 8(\\base)\n"
            ".endr\n"
            ".endm\n"
            "addi   sp, sp, -31 * 8 - 8\n"
            "each_but_sp_a0 sd, sp\n"
            "each_but_sp_a0 ld, a0\n"
            "ld     a0, 9 * 8(a0)\n"
            "wfi\n"
            "addi   sp, sp, -16\n"
            "sd     a1, 0(sp)\n"
            "ld     a1, 16 + 10 * 8(sp)\n" // As it came: seen.
            "sd     a0, 9 * 8(a1)\n"
            "mv     a0, a1\n"
            "ld     a1, 0(sp)\n"
            "each_but_sp_a0 sd, a0\n"
            "addi   sp, sp, 16\n"
            "each_but_sp_a0 ld, sp\n"
            "addi   sp, sp, 31 * 8 + 8\n"
            "ret\n"
            ".purgem each_but_sp_a0\n");
}

// Writes to all registers that a C function may use, those it has to put back included.
// Context: isr.
static inline void registers_spoil_isr(void)
{
    __asm__ volatile(
        ".irp n, 1, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24\n"
        "li    x\\n, 0x5a5a\n"
        ".endr\n"
        ".irp n, 25, 26, 27, 28, 29, 30, 31\n"
        "li    x\\n, 0x5a5a\n"
        ".endr\n" ::
            : "ra", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7",
              "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
              "memory");
}

// Context: callback.
static inline void registers_spoil_callback(void)
{
    registers_spoil_isr();
}

// Reserves a word, sleeps until an interrupt has been taken if that is wanted, and stores with the
// reservation. Result: true: stored.
// Context: main | callback; interrupts open if sleeping.
static __attribute__((noinline)) bool reservation_kept(volatile uint32_t *word, bool sleeping)
{
    unsigned long failed, value;
    __asm__ volatile("lr.w  %1, (%2)\n"
                     "beqz  %3, 1f\n"
                     "wfi\n"
                     "1: sc.w %0, %1, (%2)\n"
                     : "=&r"(failed), "=&r"(value)
                     : "r"(word), "r"((unsigned long)sleeping)
                     : "memory");
    return !failed;
}
