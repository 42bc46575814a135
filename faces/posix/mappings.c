// mmap() and its family, over malloc().
#include <sys/mman.h>

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arch/cpu.h"
#include "faces/posix/pointers.h"
#include "faces/posix/posix.h"

enum { MAPPINGS = 64 };

static struct mapping {
    void *base; // NULL: the place is free.
    size_t size;
} mappings[MAPPINGS];

// Result: false: there is no place.
static bool enter(void *base, size_t size)
{
    uint32_t flags = irq_save();
    int i = 0;
    while (i < MAPPINGS && mappings[i].base)
        i++;
    if (i < MAPPINGS)
        mappings[i] = (struct mapping){ base, size };
    irq_restore(flags);
    return i < MAPPINGS;
}

static bool leave(const void *base, size_t size)
{
    bool found = false;
    uint32_t flags = irq_save();
    for (int i = 0; i < MAPPINGS && !found; i++) {
        found = base && mappings[i].base == base && mappings[i].size == size;
        if (found)
            mappings[i].base = NULL;
    }
    irq_restore(flags);
    return found;
}

static size_t whole_pages(size_t size)
{
    const size_t page = (size_t)getpagesize();
    return size > SIZE_MAX - page ? 0 : (size + page - 1) / page * page;
}

static void *fail_to_map(int error)
{
    errno = error;
    return MAP_FAILED;
}

void *mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
    (void)address, (void)fd, (void)offset;
    void *base;
    int kind = flags & (MAP_SHARED | MAP_PRIVATE);
    if (size == 0 || (kind != MAP_SHARED && kind != MAP_PRIVATE))
        return fail_to_map(EINVAL);
    if (!(flags & MAP_ANONYMOUS))
        return fail_to_map(ENODEV);
    if (flags & MAP_FIXED || protection != (PROT_READ | PROT_WRITE))
        return fail_to_map(ENOTSUP);
    size = whole_pages(size);
    if (size == 0 || posix_memalign(&base, (size_t)getpagesize(), size) != 0)
        return fail_to_map(ENOMEM);
    if (!enter(base, size)) {
        free(base);
        return fail_to_map(ENOMEM);
    }
    return memset(base, 0, size);
}

int munmap(void *address, size_t size)
{
    if (!leave(address, whole_pages(size)))
        return posix_fail(EINVAL);
    free(address);
    return 0;
}

static int check(const void *address, size_t size)
{
    return posix_can_read((const char *)address, size) ? 0 : posix_fail(ENOMEM);
}

int msync(void *address, size_t size, int flags)
{
    return (flags & MS_ASYNC) && (flags & MS_SYNC) ? posix_fail(EINVAL) : check(address, size);
}

int mlock(const void *address, size_t size)
{
    return check(address, size);
}

int munlock(const void *address, size_t size)
{
    return check(address, size);
}

int mprotect(void *address, size_t size, int protection)
{
    return protection == (PROT_READ | PROT_WRITE) ? check(address, size) : posix_fail(ENOTSUP);
}

int mlockall(int flags)
{
    return flags & ~(MCL_CURRENT | MCL_FUTURE) || flags == 0 ? posix_fail(EINVAL) : 0;
}

int munlockall(void)
{
    return 0;
}
