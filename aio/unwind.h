// What has to be undone when code that waits is left for good, by a jump out of a signal handler
// (siglongjmp): requests, timers and references that lie on the stack of the wait. Whoever begins
// such a thing pushes a record that lies beside it, and pops it at the end.
//
// Records form one list, latest first: a callback's are popped before main goes on, or undone. A
// handler may come between any two instructions: what is begun is pushed before, and popped
// afterwards or in the same go, interrupts masked.
#pragma once

#include <stdint.h>

#include "irq/callback.h"

struct unwind {
    struct unwind *next;
    enum level level;
    // Called with interrupts masked. It may wait, and be left by another jump meanwhile: then it is
    // called again.
    void (*undo)(struct unwind *unwind);
};

// Context: main | callback.
void unwind_push(struct unwind *unwind, void (*undo)(struct unwind *));
void unwind_pop(struct unwind *unwind);

// Pops it and undoes it, in one go: for what ends as it is undone.
// Context: main | callback.
void unwind_end(struct unwind *unwind);

// Undoes what was begun at a level above this one, and at this level what lies below this address
// on its stack, which grows down. May wait for devices that do not give up a request.
// Context: main | callback.
void unwind_to(enum level level, uintptr_t stack);
