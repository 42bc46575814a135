// Jumping out of signal handlers.
#include <setjmp.h>
#include <stdint.h>

#include "aio/unwind.h"
#include "arch/cpu.h"
#include "faces/posix/signals.h"
#include "irq/callback.h"

// newlib's longjmp().
_Noreturn void __registers_restore(__registers_buf place, int value) __asm__("longjmp");

struct __sigjmp *__sigsetjmp_prepare(struct __sigjmp *place, int save, unsigned long stack)
{
    uint32_t flags = irq_save();
    place->__mask = posix_signals_mask_locked();
    irq_restore(flags);
    place->__saved = save;
    place->__stack = stack;
    place->__level = (int)level_current();
    return place;
}

// At the level of the place, on its stack.
static _Noreturn void jump(void *argument)
{
    struct __sigjmp *place = argument;
    unwind_to((enum level)place->__level, place->__stack);
    if (place->__saved) {
        uint32_t flags = irq_save();
        posix_signals_set_mask_locked(place->__mask);
        irq_restore(flags);
        posix_signals_post();
    }
    __registers_restore(place->__registers, place->__value);
}

void siglongjmp(sigjmp_buf place, int value)
{
    place->__value = value;
    if ((enum level)place->__level == level_current())
        jump(place);
    // What this callback itself was waiting for.
    unwind_to(LEVEL_MAIN, 0);
    callback_level_leave(jump, place);
}
