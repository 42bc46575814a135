// Fault reports on ARMv7-A: what happened, where, at which level, with which registers (ARM ARM
// B3.12, B3.13).
#include "arch/fault.h"

#include "arch/cpu.h"
#include "arch/fixup.h"
#include "arch/memory.h"
#include "arch/report.h"

enum fault_kind {
    FAULT_UNDEFINED,
    FAULT_PREFETCH_ABORT,
    FAULT_DATA_ABORT,
    FAULT_SUPERVISOR_CALL,
    FAULT_FIQ,
};

// As entry.S pushes it.
struct fault_frame {
    uint32_t sp, lr;
    uint32_t r[13];
    uint32_t pc, cpsr;
};

enum { CPSR_MODE_SYSTEM = 0x1f, CPSR_THUMB = 0x20, FSR_WRITE = 1 << 11, PAGE_BYTES = 4096 };

extern char __isr_stack_top[];

static bool faulted; // A fault inside the report ends the machine at once.

static uint32_t fault_status(enum fault_kind kind, uint32_t *address)
{
    uint32_t status;
    if (kind == FAULT_PREFETCH_ABORT) {
        __asm__ volatile("mrc p15, 0, %0, c5, c0, 1" : "=r"(status));   // IFSR
        __asm__ volatile("mrc p15, 0, %0, c6, c0, 2" : "=r"(*address)); // IFAR
    } else {
        __asm__ volatile("mrc p15, 0, %0, c5, c0, 0" : "=r"(status));   // DFSR
        __asm__ volatile("mrc p15, 0, %0, c6, c0, 0" : "=r"(*address)); // DFAR
    }
    return status;
}

// The status field in words (ARM ARM table B3-23, short descriptors).
static const char *fault_reason(uint32_t status, uint32_t address)
{
    const char *overflow = memory_guard_hit(address);
    if (overflow)
        return overflow;
    switch ((status & 0xf) | (status >> 6 & 0x10)) {
    case 0x01:
        return "unaligned address";
    case 0x05:
    case 0x07:
        return address < PAGE_BYTES ? "null pointer" : "nothing is mapped there";
    case 0x0d:
    case 0x0f:
        return "read-only, or data executed";
    case 0x08:
    case 0x16:
        return "bus error";
    default:
        return "see the fault status";
    }
}

// isr_sp: the isr stack's pointer. While callbacks run, main's interrupt frame lies on that stack.
static const char *fault_level(const struct fault_frame *frame, enum fault_kind kind,
                               uint32_t isr_sp)
{
    if ((frame->cpsr & CPSR_MODE_MASK) != CPSR_MODE_SYSTEM)
        return "isr";
    // A supervisor call is taken on the isr stack itself: behind its frame is where it was.
    if (kind == FAULT_SUPERVISOR_CALL)
        isr_sp = (uint32_t)(frame + 1);
    return isr_sp == (uint32_t)__isr_stack_top ? "main" : "callback";
}

// The link register of these two points behind the instruction, which is half as long in Thumb (ARM
// ARM table B1-7).
static uint32_t faulting_pc(const struct fault_frame *frame, enum fault_kind kind)
{
    bool behind = kind == FAULT_UNDEFINED || kind == FAULT_SUPERVISOR_CALL;
    return frame->pc + (behind && frame->cpsr & CPSR_THUMB ? 2 : 0);
}

static void report_cause(const struct fault_frame *frame, enum fault_kind kind, uint32_t isr_sp)
{
    uint32_t address = faulting_pc(frame, kind);
    uint32_t status;
    switch (kind) {
    case FAULT_UNDEFINED:
        report("\nfault: undefined instruction at 0x%08x", (unsigned)address);
        break;
    case FAULT_PREFETCH_ABORT:
        status = fault_status(kind, &address);
        report("\nfault: cannot execute at 0x%08x: %s (IFSR 0x%x)", (unsigned)address,
               fault_reason(status, address), (unsigned)status);
        break;
    case FAULT_DATA_ABORT:
        status = fault_status(kind, &address);
        report("\nfault: cannot %s 0x%08x: %s (DFSR 0x%x), by the instruction at 0x%08x",
               status & FSR_WRITE ? "write" : "read", (unsigned)address,
               fault_reason(status, address), (unsigned)status, (unsigned)frame->pc);
        break;
    case FAULT_SUPERVISOR_CALL:
    case FAULT_FIQ:
        report("\nfault: unexpected %s at 0x%08x",
               kind == FAULT_FIQ ? "fast interrupt" : "supervisor call", (unsigned)address);
        break;
    }
    report(", at %s level\n", fault_level(frame, kind, isr_sp));
}

// An access that may fault goes on elsewhere. Result: false: it is no such access.
static bool is_fixed_up(struct fault_frame *frame, enum fault_kind kind)
{
    uintptr_t otherwise = kind == FAULT_DATA_ABORT ? fixup_find(frame->pc) : 0;
    if (otherwise)
        frame->pc = otherwise;
    return otherwise != 0;
}

// Called by entry.S on the fault stack. Ends the machine, or returns to what the frame says.
void fault_taken(struct fault_frame *frame, enum fault_kind kind, uint32_t isr_sp);
void fault_taken(struct fault_frame *frame, enum fault_kind kind, uint32_t isr_sp)
{
    if (is_fixed_up(frame, kind))
        return;
    int exit_status = kind == FAULT_UNDEFINED ? EXIT_UNDEFINED : EXIT_FAULT;
    if (faulted)
        machine_exit(exit_status);
    faulted = true;
    report_cause(frame, kind, isr_sp);
    for (int i = 0; i < 12; i += 4)
        report("  r%-2d %08x  r%-2d %08x  r%-2d %08x  r%-2d %08x\n", i, (unsigned)frame->r[i],
               i + 1, (unsigned)frame->r[i + 1], i + 2, (unsigned)frame->r[i + 2], i + 3,
               (unsigned)frame->r[i + 3]);
    report("  r12 %08x  sp  %08x  lr  %08x  pc  %08x  cpsr %08x (%s)\n", (unsigned)frame->r[12],
           (unsigned)frame->sp, (unsigned)frame->lr, (unsigned)faulting_pc(frame, kind),
           (unsigned)frame->cpsr, frame->cpsr & CPSR_THUMB ? "Thumb" : "ARM");
    machine_exit(exit_status);
}
