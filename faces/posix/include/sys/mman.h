// Memory by the page (IEEE Std 1003.1-2017, <sys/mman.h>), as far as a machine without paging has
// it: anonymous memory, which begins as zeros. It is all there, always: locking it does nothing.
// Files cannot be mapped (ENODEV), and there is no protection to choose: what is mapped can be read
// and written.
#pragma once

#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PROT_NONE 0
#define PROT_READ 1
#define PROT_WRITE 2
#define PROT_EXEC 4

#define MAP_SHARED 1
#define MAP_PRIVATE 2
#define MAP_FIXED 0x10
#define MAP_ANONYMOUS 0x20
#define MAP_ANON MAP_ANONYMOUS
#define MAP_POPULATE 0x8000
#define MAP_FAILED ((void *)-1)

#define MS_ASYNC 1
#define MS_INVALIDATE 2
#define MS_SYNC 4

#define MCL_CURRENT 1
#define MCL_FUTURE 2

// size: bytes, rounded up to pages of 4096. address: is not looked at.
// Result: MAP_FAILED with errno: EINVAL (size 0, neither or both of MAP_SHARED and MAP_PRIVATE),
// ENODEV (a file), ENOTSUP (MAP_FIXED; PROT_EXEC; no right to write), ENOMEM (no memory, or 64
// mappings are there).
// Context: main | callback.
void *mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset);

// Gives back a mapping, whole: with the address and the size that mmap() was given, in bytes up to
// a page. Else EINVAL.
int munmap(void *address, size_t size);

// 0, or ENOMEM for what is no memory of the program's; mprotect(): ENOTSUP but for reading and
// writing.
int msync(void *address, size_t size, int flags);
int mlock(const void *address, size_t size);
int munlock(const void *address, size_t size);
int mprotect(void *address, size_t size, int protection);
int mlockall(int flags);
int munlockall(void);

#ifdef __cplusplus
}
#endif
