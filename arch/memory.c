// The address space as far as moved bytes are concerned: RAM from the board, the image's parts from
// the linker.
#include "arch/memory.h"

#include <errno.h>

extern char __text_start[], __text_end[], __rodata_end[];
extern char __kernel_data_start[], __kernel_data_end[];
extern char __heap_end[], __tmp_start[], __tmp_end[];
extern char __callback_stack_guard[], __callback_stack_bottom[];
extern char __main_stack_guard[], __main_stack_bottom[];
extern char __isr_stack_guard[], __isr_stack_bottom[];
extern char __fault_stack_guard[], __fault_stack_bottom[];

static const struct memory_range *memory_ram;
static struct memory_range memory_open; // From the callback stack, behind nearly all that is
                                        // forbidden, to the heap's end.

void memory_init(const struct memory_range *ram)
{
    memory_ram = ram;
    memory_open.base = (uintptr_t)__callback_stack_bottom;
    memory_open.size = (uintptr_t)__heap_end - memory_open.base;
}

uintptr_t memory_code_end(void)
{
    return (uintptr_t)__text_end;
}

// Do [address, address + size) and [start, end) share a byte? Nothing wraps: the caller has
// checked.
static bool overlaps(uintptr_t address, size_t size, const char *start, const char *end)
{
    return address < (uintptr_t)end && address + size > (uintptr_t)start;
}

// Anywhere but between the last guard and the heap's end, where anything goes.
static __attribute__((noinline)) int check_elsewhere(uintptr_t address, size_t size,
                                                     enum memory_access access)
{
    bool kernel = access >= MEMORY_KERNEL_SOURCE;
    bool destination = access == MEMORY_DESTINATION || access == MEMORY_KERNEL_DESTINATION;
    if (size == 0)
        return 0;
    uintptr_t offset = address - memory_ram->base;
    if (offset >= memory_ram->size || size > memory_ram->size - offset)
        return -EFAULT;
    if (destination && overlaps(address, size, __text_start, __rodata_end))
        return -EFAULT;
    if (!kernel && overlaps(address, size, __kernel_data_start, __kernel_data_end))
        return -EFAULT;
    if (!kernel && overlaps(address, size, __tmp_start, __tmp_end))
        return -EFAULT;
    if (overlaps(address, size, __callback_stack_guard, __callback_stack_bottom))
        return -EFAULT;
    return 0;
}

inline bool memory_is_open(uintptr_t address, size_t size)
{
    // One comparison each for its start and its end. An offset wraps to a huge number below, so one
    // comparison serves both sides.
    uintptr_t offset = address - memory_open.base;
    return (size <= memory_open.size) & (offset <= memory_open.size - size);
}

int memory_check(uintptr_t address, size_t size, enum memory_access access)
{
    return memory_is_open(address, size) ? 0 : check_elsewhere(address, size, access);
}

const char *memory_guard_hit(uintptr_t address)
{
    if (overlaps(address, 1, __main_stack_guard, __main_stack_bottom))
        return "main's stack has overflowed";
    if (overlaps(address, 1, __callback_stack_guard, __callback_stack_bottom))
        return "the callback stack has overflowed";
    if (overlaps(address, 1, __isr_stack_guard, __isr_stack_bottom))
        return "the isr stack has overflowed";
    if (overlaps(address, 1, __fault_stack_guard, __fault_stack_bottom))
        return "the fault stack has overflowed";
    return NULL;
}
