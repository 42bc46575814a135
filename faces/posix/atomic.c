// Atomic operations on one and two bytes, for compilers that call the library for them (GCC on
// RISC-V, whose atomic instructions know words) and come without libatomic. One core runs
// everything, so masking interrupts is enough. Elsewhere nothing refers to these.
#include <stdbool.h>
#include <stdint.h>

#include "arch/cpu.h"

// The compiler has functions of these names of its own, so ours get theirs by assembler name.
#define NAMED(name) __asm__(#name)

#define ATOMIC_FETCH(bytes, type, operation, expression)                                    \
    type atomic_fetch_##operation##_##bytes(volatile void *object, type operand, int order) \
        NAMED(__atomic_fetch_##operation##_##bytes);                                        \
    type atomic_fetch_##operation##_##bytes(volatile void *object, type operand, int order) \
    {                                                                                       \
        volatile type *place = object;                                                      \
        (void)order;                                                                        \
        uint32_t flags = irq_save();                                                        \
        type before = *place;                                                               \
        *place = (type)(expression);                                                        \
        irq_restore(flags);                                                                 \
        return before;                                                                      \
    }

#define ATOMIC_OPERATIONS(bytes, type)                                                        \
    type atomic_exchange_##bytes(volatile void *object, type operand, int order)              \
        NAMED(__atomic_exchange_##bytes);                                                     \
    type atomic_exchange_##bytes(volatile void *object, type operand, int order)              \
    {                                                                                         \
        volatile type *place = object;                                                        \
        (void)order;                                                                          \
        uint32_t flags = irq_save();                                                          \
        type before = *place;                                                                 \
        *place = operand;                                                                     \
        irq_restore(flags);                                                                   \
        return before;                                                                        \
    }                                                                                         \
    bool atomic_compare_exchange_##bytes(volatile void *object, void *expected, type desired, \
                                         bool weak, int success, int failure)                 \
        NAMED(__atomic_compare_exchange_##bytes);                                             \
    bool atomic_compare_exchange_##bytes(volatile void *object, void *expected, type desired, \
                                         bool weak, int success, int failure)                 \
    {                                                                                         \
        volatile type *place = object;                                                        \
        type *wanted = expected;                                                              \
        (void)weak, (void)success, (void)failure;                                             \
        uint32_t flags = irq_save();                                                          \
        type before = *place;                                                                 \
        bool equal = before == *wanted;                                                       \
        if (equal)                                                                            \
            *place = desired;                                                                 \
        irq_restore(flags);                                                                   \
        *wanted = before;                                                                     \
        return equal;                                                                         \
    }                                                                                         \
    ATOMIC_FETCH(bytes, type, add, before + operand)                                          \
    ATOMIC_FETCH(bytes, type, sub, before - operand)                                          \
    ATOMIC_FETCH(bytes, type, and, before &operand)                                           \
    ATOMIC_FETCH(bytes, type, or, before | operand)                                           \
    ATOMIC_FETCH(bytes, type, xor, before ^ operand)                                          \
    ATOMIC_FETCH(bytes, type, nand, ~(before & operand))

ATOMIC_OPERATIONS(1, uint8_t)
ATOMIC_OPERATIONS(2, uint16_t)
