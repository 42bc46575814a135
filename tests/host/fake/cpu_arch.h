// A CPU for host tests: masking is a flag, barriers and cache maintenance are reported to the test
// in order.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/assert.h"

#define CPU_CACHE_LINE 32
#define CPU_CACHE_LINE_MAX 64

enum fake_event {
    FAKE_PUBLISH,
    FAKE_CONSUME,
    FAKE_STORE,
    FAKE_FULL,
    FAKE_CLEAN,
    FAKE_INVALIDATE,
    FAKE_CLEAN_INVALIDATE,
    FAKE_READ,
    FAKE_WRITE,
};

extern bool fake_irqs_masked, fake_in_isr;

// A test may define it; called for each barrier, cache operation and register access, before it
// takes effect.
void fake_event(enum fake_event event, uintptr_t address, uint64_t size_or_value);

// Around what a test plays at isr level, where interrupts are masked.
static inline void fake_enter_isr(void)
{
    fake_in_isr = fake_irqs_masked = true;
}
static inline void fake_leave_isr(void)
{
    fake_in_isr = fake_irqs_masked = false;
}

// Plays a top half.
static inline void fake_isr(void (*handler)(void *), void *argument)
{
    fake_enter_isr();
    handler(argument);
    fake_leave_isr();
}

// RISC-V's control and status registers, for the suites of files that know them: the test answers,
// by name.
unsigned long fake_csr_read(const char *name);
void fake_csr_write(const char *name, unsigned long value);

#define csr_read(csr) fake_csr_read(#csr)
#define csr_write(csr, value) fake_csr_write(#csr, value)
#define csr_set(csr, bits) fake_csr_write(#csr, fake_csr_read(#csr) | (bits))
#define csr_clear(csr, bits) fake_csr_write(#csr, fake_csr_read(#csr) & ~(unsigned long)(bits))

static inline uint32_t irq_save(void)
{
    bool masked = fake_irqs_masked;
    fake_irqs_masked = true;
    return masked;
}
static inline void irq_restore(uint32_t flags)
{
    fake_irqs_masked = flags;
}
static inline void irq_unmask(void)
{
    fake_irqs_masked = false;
}
static inline void irq_mask(void)
{
    fake_irqs_masked = true;
}
static inline void irq_open_once(void)
{
    assertion_failed("a sleep", __FILE__, __LINE__); // What does sleep is tried on the boards.
}
static inline bool irq_masked(void)
{
    return fake_irqs_masked;
}
static inline bool irq_saved_in_isr(uint32_t flags)
{
    (void)flags;
    return fake_in_isr;
}
static inline bool cpu_in_isr(void)
{
    return fake_in_isr;
}
static inline void cpu_wait_for_interrupt(void)
{
}
static inline uint32_t cpu_instructions(void)
{
    return 0;
}
static inline void barrier_publish(void)
{
    fake_event(FAKE_PUBLISH, 0, 0);
}
static inline void barrier_consume(void)
{
    fake_event(FAKE_CONSUME, 0, 0);
}
static inline void barrier_store(void)
{
    fake_event(FAKE_STORE, 0, 0);
}
static inline void barrier_full(void)
{
    fake_event(FAKE_FULL, 0, 0);
}
