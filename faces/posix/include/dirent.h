// Reading directories (IEEE Std 1003.1-2017, <dirent.h>): "." and ".." are not among the entries.
#pragma once

#include <sys/dirent.h>

#ifdef __cplusplus
extern "C" {
#endif

// A stream of a directory's entries. Result: NULL and errno: as open(), ENOTDIR, ENOMEM.
// A stream from fdopendir() owns the descriptor.
// Context: main | callback.
DIR *opendir(const char *path);
DIR *fdopendir(int fd);

// The next entry; it is valid until the next call for the same stream. Result: NULL: there are no
// more, and errno is as before; or an error, in errno.
// Context: main | callback.
struct dirent *readdir(DIR *stream);

// Goes back to the first entry.
// Context: main | callback.
void rewinddir(DIR *stream);

// Closes the stream and its descriptor. Result: 0; -1 and EBADF: somebody else has closed that.
// Context: main | callback.
int closedir(DIR *stream);

// The stream's descriptor, which stays its own.
// Context: main | callback.
int dirfd(DIR *stream);

#ifdef __cplusplus
}
#endif
