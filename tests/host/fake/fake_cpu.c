// The parts of arch/ that host tests share: cache maintenance as reported events, assertions that
// abort the test, and answers for tests that have nothing to say.
#include <stdio.h>
#include <stdlib.h>

#include "arch/assert.h"
#include "arch/cpu.h"
#include "arch/mmio.h"

bool fake_irqs_masked, fake_in_isr;

__attribute__((weak)) void fake_event(enum fake_event event, uintptr_t address, uint64_t value)
{
    (void)event, (void)address, (void)value;
}

// Where no chip is modelled, no register is touched.
__attribute__((weak)) uint32_t fake_read(uintptr_t address, unsigned bytes)
{
    (void)address, (void)bytes;
    assertion_failed("no chip", __FILE__, __LINE__);
}

__attribute__((weak)) void fake_write(uintptr_t address, unsigned bytes, uint32_t value)
{
    (void)address, (void)bytes, (void)value;
    assertion_failed("no chip", __FILE__, __LINE__);
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
