// What the real core (aio/core.c) stands on, for host suites that run it. All of the memory is
// anyone's; main never sleeps for ever; nobody has asked for the callback level.
#pragma once

#include <errno.h>

#include "aio/core.h"
#include "arch/assert.h"
#include "arch/memory.h"
#include "irq/callback.h"
#include "tests/host/fake/clock.h"
#include "tests/host/fake/work.h"

static struct {
    unsigned kernel_checks; // Checks of buffers that were said to be the kernel's own.
    bool kernel_is_bad;     // These fail.
} fake_memory;

int memory_check(uintptr_t address, size_t size, enum memory_access access)
{
    (void)address, (void)size;
    if (access < MEMORY_KERNEL_SOURCE)
        return 0;
    fake_memory.kernel_checks++;
    return fake_memory.kernel_is_bad ? -EFAULT : 0;
}

bool memory_is_open(uintptr_t address, size_t size)
{
    (void)address, (void)size;
    return false; // memory_check() is to be asked.
}

enum level level_current(void)
{
    return LEVEL_MAIN;
}

void level_sleep_locked(void)
{
    assert(fake_run_one()); // Or main would wait for ever.
}

void callback_post_isr(struct callback *callback)
{
    assert(!callback);
}
