// newlib's <sys/stat.h> declares lstat() for some systems only.
#pragma once

#include_next <sys/stat.h>

#ifdef __cplusplus
extern "C" {
#endif

struct stat;

// As stat(): there are no symbolic links.
// Context: main | callback.
int lstat(const char *path, struct stat *status);

#ifdef __cplusplus
}
#endif
