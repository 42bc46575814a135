// What lies where in the address space, and who may have bytes moved there.
// The hardware stays silent about a bad address, so every address is checked here before hardware
// sees it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct memory_range {
    uintptr_t base;
    size_t size; // Bytes; 0 ends a list.
};

enum memory_access {
    MEMORY_SOURCE,      // Will be read: any RAM but the kernel's own.
    MEMORY_DESTINATION, // Will be written: not text and constants either.
    MEMORY_KERNEL_SOURCE,
    MEMORY_KERNEL_DESTINATION, // As above for the kernel's own requests, whose buffers lie in its
                               // own data.
};

// Says where RAM is: one range that outlives the call. Called once, before the first check.
// Context: boot.
void memory_init(const struct memory_range *ram);

// Where the code of kernel and program ends, which comes first in RAM: behind it nothing can be
// executed.
// Context: any.
uintptr_t memory_code_end(void);

// What it means that this address faulted, where it lies in the guard below a stack: "main's stack
// has overflowed" or the like; else NULL.
// Context: any.
const char *memory_guard_hit(uintptr_t address);

// Does all of it lie in bss, on the callback stack or on the heap, as nearly every buffer does?
// Then memory_check() has nothing against it, whatever the access.
// Context: any.
bool memory_is_open(uintptr_t address, size_t size);

// Checks that size bytes at address may be moved by hardware in this way. Nothing is read at the
// address.
// Result: 0, or -EFAULT: outside RAM, wrapping, in page zero, text as a destination, the
// guard below the callback stack, or, but for kernel access, the kernel's own data with its stacks,
// the guard below main's and the memory of /tmp. size 0 is fine anywhere.
// Context: any.
int memory_check(uintptr_t address, size_t size, enum memory_access access);
