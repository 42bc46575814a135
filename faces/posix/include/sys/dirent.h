// What <dirent.h> defines. newlib's own version of this file is an #error on ARM.
#pragma once

#include <sys/types.h>

struct dirent {
    ino_t d_ino;
    unsigned char d_type; // DT_REG and the like.
    char d_name[256];     // Its end included.
};

// d_type: what S_IFMT's bits of a mode say.
enum {
    DT_UNKNOWN = 0,
    DT_FIFO = 1,
    DT_CHR = 2,
    DT_DIR = 4,
    DT_BLK = 6,
    DT_REG = 8,
    DT_LNK = 10,
    DT_SOCK = 12,
};

typedef struct __directory DIR;
