// newlib's <sys/stat.h> declares lstat() for some systems only.
#pragma once

#include_next <sys/stat.h>

#ifdef __cplusplus
extern "C" {
#endif

struct stat;

// As stat(), but of a symbolic link on /host it tells of the link itself: S_ISLNK().
// Context: main | callback.
int lstat(const char *path, struct stat *status);

#ifdef __cplusplus
}
#endif
