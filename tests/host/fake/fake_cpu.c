// The parts of arch/ that host tests share: cache maintenance as reported events, assertions that
// abort the test.
#include <stdio.h>
#include <stdlib.h>

#include "arch/assert.h"
#include "arch/cpu.h"

bool fake_irqs_masked, fake_in_isr;

// For tests that have nothing to say to these.
__attribute__((weak)) void fake_event(enum fake_event event, uintptr_t address, uint64_t value)
{
    (void)event, (void)address, (void)value;
}

__attribute__((weak)) void fake_wait_for_interrupt(void)
{
}

void cache_clean(uintptr_t address, size_t size)
{
    fake_event(FAKE_CLEAN, address, size);
}

void cache_invalidate(uintptr_t address, size_t size)
{
    fake_event(FAKE_INVALIDATE, address, size);
}

void cache_clean_invalidate(uintptr_t address, size_t size)
{
    fake_event(FAKE_CLEAN_INVALIDATE, address, size);
}

_Noreturn void assertion_failed(const char *expression, const char *file, int line)
{
    printf("Bail out! assertion failed: %s (%s:%d)\n", expression, file, line);
    fflush(stdout);
    abort();
}
