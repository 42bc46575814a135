// What a suite asks of the board's list of hardware. Its disk is board.disk, or /dev/disk: an SD
// card or a virtio disk; `// sd: 8M` in a suite gives it the test pattern on either.
#pragma once

#include <string.h>

#include "board/board.h"

// Result: the hardware of that name, or NULL.
static inline const struct hardware *board_find(const char *name)
{
    for (unsigned i = 0; i < BOARD_HARDWARE && board.hardware[i].name; i++)
        if (strcmp(board.hardware[i].name, name) == 0)
            return &board.hardware[i];
    return NULL;
}
