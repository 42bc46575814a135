// What the kernel asks of a CPU: interrupt masking, waiting, barriers, caches.
// The contract stands here; each architecture keeps it in arch/<name>/cpu_arch.h, host tests in
// tests/host/fake.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cpu_arch.h"

// Masks interrupts and returns what to give back to irq_restore(). Nests.
// Context: any.
static inline uint32_t irq_save(void);

// Puts the interrupt mask back as irq_save() found it. A pending interrupt is taken before the
// caller's next statement.
// Context: any.
static inline void irq_restore(uint32_t flags);

// Opens and masks the interrupts, whatever they were.
// Context: main | callback.
static inline void irq_unmask(void);
static inline void irq_mask(void);

// Lets pending interrupts be taken, then masks again: at least one instruction boundary with
// interrupts open.
// Context: main | callback, interrupts masked.
static inline void irq_open_once(void);

// True while interrupts are masked.
// Context: any.
static inline bool irq_masked(void);

// What cpu_in_isr() says, from the result of an irq_save().
// Context: any.
static inline bool irq_saved_in_isr(uint32_t flags);

// True at isr level: in a top half, in a request's done(), in a timer's expired().
// Context: any.
static inline bool cpu_in_isr(void);

// Sleeps until an interrupt is pending, masked or not, and returns without taking it.
// Call it with interrupts masked, after a last look at what is waited for: no wake-up is lost.
// Context: main | callback.
static inline void cpu_wait_for_interrupt(void);

// Goes back from the callback stack to main, which goes on in resume(argument) instead of where it
// was interrupted. In entry.S.
// Context: callback, interrupts masked.
_Noreturn void cpu_leave_callbacks(void (*resume)(void *), void *argument);

// Instructions retired so far, low half; always 0 where the CPU does not count them.
// Context: any.
static inline uint32_t cpu_instructions(void);

// Orders every store to RAM before it ahead of every register write after it: descriptors before
// the doorbell.
// Context: any.
static inline void barrier_publish(void);

// Orders every register or index read before it ahead of every load from RAM after it: status
// before the data.
// Context: any.
static inline void barrier_consume(void);

// Orders every store to RAM before it ahead of every store to RAM after it, as bus masters see
// them: an entry before the index that covers it.
// Context: any.
static inline void barrier_store(void);

// Orders every access before it, loads, stores and registers, ahead of every access after it.
// Context: any.
static inline void barrier_full(void);

// Writes the lines that hold [address, address + size) back to memory, where bus masters see them.
// This and the two below end with a full barrier: the maintenance is complete when they return.
// Context: any. Cost: a few instructions a line.
void cache_clean(uintptr_t address, size_t size);

// Drops the lines that hold [address, address + size), so that the CPU reads what a bus master
// wrote. Stores of the CPU's that were still in these lines are lost: the range must be whole lines
// (see dma/coherence.h).
// Context: any.
void cache_invalidate(uintptr_t address, size_t size);

// Writes the lines back, then drops them.
// Context: any.
void cache_clean_invalidate(uintptr_t address, size_t size);
