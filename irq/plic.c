// RISC-V Platform-Level Interrupt Controller (RISC-V PLIC Specification 1.0) and the hart's own
// interrupts, which are the dispatcher's too.
//
// All sources are enabled for this hart for good, and masked by priority 0 ("never interrupt"): one
// store, and a completion is never lost, as it would be for a source that is not enabled. Of the
// hart's own interrupts, software clears the pending bit at the claim, as a GIC does; the timer's
// goes with its comparator.
//
// Quirk (QEMU 7.2): a source that rises while it is being served is remembered even if it falls
// again before the completion, and comes once more with nothing behind it; its top half answers
// false, which is counted as unhandled.
#include "irq/plic.h"

#include <errno.h>

#include "arch/cpu.h"
#include "arch/hardware.h"
#include "arch/mmio.h"
#include "irq/controller.h"

enum {
    PLIC_PRIORITY = 0x000000,
    PLIC_ENABLE = 0x002000,
    PLIC_ENABLE_STRIDE = 0x80, // From context to context.
    PLIC_THRESHOLD = 0x200000,
    PLIC_CLAIM = 0x200004,
    PLIC_CONTEXT_STRIDE = 0x1000,
};

enum { PRIORITY_NEVER = 0, PRIORITY_ALL = 1, SPURIOUS = IRQ_LIMIT };

// Bits of mip and mie.
#define MIP_SSIP BIT(1)
#define MIP_MSIP BIT(3)
#define MIP_STIP BIT(5)
#define MIP_MTIP BIT(7)
#define MIP_SEIP BIT(9)
#define MIP_MEIP BIT(11)
#define MIP_WRITABLE (MIP_SSIP | MIP_STIP | MIP_SEIP) // By software, where they are there at all.

static uintptr_t plic, claim, software_interrupt;
static unsigned sources;
static uint32_t hart_interrupts; // Those that this hart has, as bits of mie.

static void plic_reset(unsigned context)
{
    for (unsigned irq = 1; irq < sources; irq++)
        write32(plic + PLIC_PRIORITY + 4 * irq, PRIORITY_NEVER);
    for (unsigned irq = 0; irq < sources; irq += 32)
        write32(plic + PLIC_ENABLE + context * PLIC_ENABLE_STRIDE + irq / 8, ~UINT32_C(0));
    write32(plic + PLIC_THRESHOLD + context * PLIC_CONTEXT_STRIDE, 0);
    // What a boot loader has claimed and not completed would never come again.
    for (unsigned irq = 1; irq < sources; irq++)
        write32(claim, irq);
}

static int plic_start(const struct hardware *hardware)
{
    const struct plic_settings *settings = hardware->settings;
    if (settings->sources > PLIC_HART)
        return -EINVAL;
    plic = hardware->base;
    claim = plic + PLIC_CLAIM + settings->context * PLIC_CONTEXT_STRIDE;
    software_interrupt = settings->software_interrupt;
    sources = settings->sources;
    plic_reset(settings->context);
    write32(software_interrupt, 0);
    csr_write(mie, MIP_MSIP | MIP_MTIP | MIP_WRITABLE);
    hart_interrupts = (uint32_t)csr_read(mie); // What is not there stays 0.
    csr_write(mie, MIP_MEIP);
    irq_init(); // Interrupts can be installed from now on.
    return 0;
}

unsigned irq_controller_claim(void)
{
    unsigned long pending = csr_read(mip) & csr_read(mie);
    if (pending & MIP_MEIP) {
        unsigned irq = read32(claim);
        return irq ? irq : SPURIOUS;
    }
    if (pending & MIP_MSIP) {
        write32(software_interrupt, 0);
        return PLIC_HART_SOFTWARE;
    }
    if (pending & MIP_MTIP)
        return PLIC_HART_TIMER;
    if (!pending)
        return SPURIOUS;
    unsigned number = (unsigned)__builtin_ctzl(pending);
    csr_clear(mip, 1ul << number);
    return PLIC_HART + number;
}

void irq_controller_complete(unsigned irq)
{
    // The top half's register writes are in order with this one.
    if (irq < PLIC_HART)
        write32(claim, irq);
}

bool irq_controller_has(unsigned irq)
{
    if (irq >= PLIC_HART)
        return irq < IRQ_LIMIT && hart_interrupts & BIT(irq - PLIC_HART);
    return irq > 0 && irq < sources;
}

void irq_controller_enable(unsigned irq)
{
    if (irq >= PLIC_HART)
        csr_set(mie, 1ul << (irq - PLIC_HART));
    else
        write32(plic + PLIC_PRIORITY + 4 * irq, PRIORITY_ALL);
}

void irq_controller_disable(unsigned irq)
{
    if (irq >= PLIC_HART)
        csr_clear(mie, 1ul << (irq - PLIC_HART));
    else
        write32(plic + PLIC_PRIORITY + 4 * irq, PRIORITY_NEVER);
}

// The PLIC's pending bits belong to its gateways; of the hart's own, supervisor mode's are free.
static bool writable(unsigned irq)
{
    return irq >= PLIC_HART && irq < IRQ_LIMIT && BIT(irq - PLIC_HART) & MIP_WRITABLE;
}

bool irq_controller_set_pending(unsigned irq)
{
    if (!writable(irq))
        return false;
    csr_set(mip, 1ul << (irq - PLIC_HART));
    return true;
}

bool irq_controller_clear_pending(unsigned irq)
{
    if (!writable(irq))
        return false;
    csr_clear(mip, 1ul << (irq - PLIC_HART));
    return true;
}

void irq_controller_raise_software(void)
{
    // What the interrupt is to find in RAM must be there before it.
    barrier_publish();
    write32(software_interrupt, 1);
}

unsigned irq_controller_software(void)
{
    return PLIC_HART_SOFTWARE;
}

const struct driver irq_plic = { plic_start };
