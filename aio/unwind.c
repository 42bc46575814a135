// The list of what waits have begun.
#include "aio/unwind.h"

#include <stdbool.h>
#include <stddef.h>

#include "arch/assert.h"
#include "arch/cpu.h"

static struct unwind *latest;

void unwind_push(struct unwind *unwind, void (*undo)(struct unwind *))
{
    unwind->undo = undo;
    unwind->level = level_current();
    uint32_t flags = irq_save();
    unwind->next = latest;
    latest = unwind;
    irq_restore(flags);
}

void unwind_pop(struct unwind *unwind)
{
    uint32_t flags = irq_save();
    assert(latest == unwind);
    latest = unwind->next;
    irq_restore(flags);
}

void unwind_end(struct unwind *unwind)
{
    uint32_t flags = irq_save();
    unwind_pop(unwind);
    unwind->undo(unwind);
    irq_restore(flags);
}

static bool is_left(const struct unwind *unwind, enum level level, uintptr_t stack)
{
    return unwind->level > level || (unwind->level == level && (uintptr_t)unwind < stack);
}

void unwind_to(enum level level, uintptr_t stack)
{
    while (latest && is_left(latest, level, stack)) {
        uint32_t flags = irq_save();
        struct unwind *unwind = latest;
        unwind->undo(unwind);
        unwind_pop(unwind);
        irq_restore(flags);
    }
}
