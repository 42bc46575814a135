// From a part back to the whole: callbacks are handed the part that they were stored in.
#pragma once

#include <stddef.h>

// The struct `type` whose `member` this pointer points to.
#define container_of(pointer, type, member) \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))
