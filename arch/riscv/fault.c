// Fault reports on RISC-V: what happened, where, at which level, with which registers (Privileged
// Architecture, 3.1.15 and 3.1.16).
#include "arch/fault.h"

#include "arch/cpu.h"
#include "arch/fixup.h"
#include "arch/memory.h"
#include "arch/report.h"

// mcause of the exceptions that machine mode can meet (table 3.6).
enum fault_cause {
    CAUSE_FETCH_MISALIGNED = 0,
    CAUSE_FETCH_ACCESS = 1,
    CAUSE_ILLEGAL_INSTRUCTION = 2,
    CAUSE_BREAKPOINT = 3,
    CAUSE_LOAD_MISALIGNED = 4,
    CAUSE_LOAD_ACCESS = 5,
    CAUSE_STORE_MISALIGNED = 6,
    CAUSE_STORE_ACCESS = 7,
    CAUSE_CALL = 11,
};

// As entry.S stores it.
struct fault_frame {
    uint64_t x[31];    // x1 … x31.
    uint64_t mscratch; // Where the next trap would have begun on the isr stack; 0: it was there.
};

enum { PAGE_BYTES = 4096, REGISTERS = 31, REGISTERS_PER_LINE = 3 };

static const char names[REGISTERS][4] = {
    "ra", "sp", "gp", "tp",  "t0",  "t1", "t2", "s0", "s1", "a0", "a1",
    "a2", "a3", "a4", "a5",  "a6",  "a7", "s2", "s3", "s4", "s5", "s6",
    "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
};

extern char __isr_stack_top[], __image_start[], __ram_end[];

static bool faulted; // A fault inside the report ends the machine at once.

// PMP says only that it was not allowed; the address tells why.
static const char *access_reason(uintptr_t address)
{
    const char *overflow = memory_guard_hit(address);
    if (overflow)
        return overflow;
    if (address >= (uintptr_t)__image_start && address < (uintptr_t)__ram_end)
        return "read-only, or data executed";
    return address < PAGE_BYTES ? "null pointer" : "nothing is mapped there";
}

static const char *fault_level(const struct fault_frame *frame)
{
    if (frame->mscratch == 0)
        return "isr";
    // While callbacks run, main's interrupt frame lies on the isr stack.
    return frame->mscratch == (uintptr_t)__isr_stack_top ? "main" : "callback";
}

static void report_access(const char *what, bool misaligned)
{
    uint64_t address = csr_read(mtval);
    report("\nfault: cannot %s 0x%016lx: %s (mcause 0x%lx)", what, address,
           misaligned ? "unaligned address" : access_reason(address), csr_read(mcause));
}

static void report_cause(uint64_t cause)
{
    uint64_t pc = csr_read(mepc);
    switch (cause) {
    case CAUSE_FETCH_MISALIGNED:
    case CAUSE_FETCH_ACCESS:
        report_access("execute at", cause == CAUSE_FETCH_MISALIGNED);
        break;
    case CAUSE_LOAD_MISALIGNED:
    case CAUSE_LOAD_ACCESS:
        report_access("read", cause == CAUSE_LOAD_MISALIGNED);
        report(", by the instruction at 0x%016lx", pc);
        break;
    case CAUSE_STORE_MISALIGNED:
    case CAUSE_STORE_ACCESS:
        report_access("write", cause == CAUSE_STORE_MISALIGNED);
        report(", by the instruction at 0x%016lx", pc);
        break;
    case CAUSE_ILLEGAL_INSTRUCTION:
        report("\nfault: undefined instruction at 0x%016lx", pc);
        break;
    case CAUSE_BREAKPOINT:
    case CAUSE_CALL:
        report("\nfault: unexpected %s at 0x%016lx",
               cause == CAUSE_CALL ? "environment call" : "breakpoint", pc);
        break;
    default:
        report("\nfault: exception %lu at 0x%016lx", cause, pc);
        break;
    }
}

static void report_registers(const struct fault_frame *frame)
{
    for (unsigned i = 0; i < REGISTERS; i++)
        report("  %-4s%016lx%s", names[i], frame->x[i],
               (i + 1) % REGISTERS_PER_LINE == 0 || i + 1 == REGISTERS ? "\n" : "");
    report("  mepc %016lx  mtval %016lx  mcause %016lx  mstatus %016lx\n", csr_read(mepc),
           csr_read(mtval), csr_read(mcause), csr_read(mstatus));
}

// An access that may fault goes on elsewhere. Result: false: it is no such access.
static bool is_fixed_up(uint64_t cause)
{
    bool access = cause >= CAUSE_LOAD_MISALIGNED && cause <= CAUSE_STORE_ACCESS;
    uintptr_t otherwise = access ? fixup_find(csr_read(mepc)) : 0;
    if (otherwise)
        csr_write(mepc, otherwise);
    return otherwise != 0;
}

// Called by entry.S on the fault stack. Ends the machine, or returns to mepc.
void fault_taken(const struct fault_frame *frame);
void fault_taken(const struct fault_frame *frame)
{
    uint64_t cause = csr_read(mcause);
    if (is_fixed_up(cause))
        return;
    int exit_status = cause == CAUSE_ILLEGAL_INSTRUCTION ? EXIT_UNDEFINED
                      : cause == CAUSE_BREAKPOINT        ? EXIT_BREAKPOINT
                                                         : EXIT_FAULT;
    if (faulted)
        machine_exit(exit_status);
    faulted = true;
    report_cause(cause);
    report(", at %s level\n", fault_level(frame));
    report_registers(frame);
    machine_exit(exit_status);
}
