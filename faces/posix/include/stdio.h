// newlib's <stdio.h>, and what POSIX has besides that newlib names otherwise.
#pragma once

#include_next <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

// IEEE Std 1003.1-2017, getdelim(). Context: main | callback, each with streams of its own.
ssize_t getdelim(char **__restrict line, size_t *__restrict size, int delimiter,
                 FILE *__restrict stream);
ssize_t getline(char **__restrict line, size_t *__restrict size, FILE *__restrict stream);

#ifdef __cplusplus
}
#endif
