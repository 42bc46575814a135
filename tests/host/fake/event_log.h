// What the code under test did with registers, barriers and caches, in order: for suites whose
// fake_event() writes it down here.
#pragma once

#include "arch/cpu.h"

enum { FAKE_LOG = 4096 }; // What comes after that many is not kept.

static struct {
    struct {
        enum fake_event event;
        uintptr_t address;
        uint64_t value; // For the operations on caches a size, in bytes.
    } entries[FAKE_LOG];
    unsigned count;
} fake_log;

static inline void fake_log_add(enum fake_event event, uintptr_t address, uint64_t value)
{
    if (fake_log.count == FAKE_LOG)
        return;
    fake_log.entries[fake_log.count].event = event;
    fake_log.entries[fake_log.count].address = address;
    fake_log.entries[fake_log.count++].value = value;
}

static inline bool fake_is_maintenance(enum fake_event event)
{
    return event == FAKE_CLEAN || event == FAKE_INVALIDATE || event == FAKE_CLEAN_INVALIDATE;
}

// The place of the first event of this kind that touches address, from a place on; FAKE_LOG: there
// is none.
static inline unsigned fake_log_find(enum fake_event event, uintptr_t address, unsigned from)
{
    uint64_t size = 1;
    for (unsigned i = from; i < fake_log.count; i++) {
        if (fake_is_maintenance(event))
            size = fake_log.entries[i].value;
        if (fake_log.entries[i].event == event && address - fake_log.entries[i].address < size)
            return i;
    }
    return FAKE_LOG;
}
