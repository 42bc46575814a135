// Semaphores by name: they exist while somebody has them open or they have their name. Names are
// as on Linux: one component, the slash before it may be left out. The semaphores themselves are
// the program's memory, as those of sem_init() are.
#include <semaphore.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "faces/posix/pointers.h"
#include "faces/posix/posix.h"
#include "irq/callback.h"

static struct named {
    struct named *next;
    sem_t semaphore;
    unsigned opened; // More often than closed.
    bool unlinked;
    char name[NAME_MAX + 1];
} * first;

// The name without its slash. Result: 0 or an errno.
static int strip(const char **name)
{
    if (!posix_can_read(*name, 1))
        return EFAULT;
    *name += **name == '/';
    size_t length = strnlen(*name, NAME_MAX + 1);
    if (length > NAME_MAX)
        return ENAMETOOLONG;
    return length == 0 || strchr(*name, '/') ? EINVAL : 0;
}

static struct named *find(const char *name)
{
    struct named *named = first;
    while (named && (named->unlinked || strcmp(named->name, name) != 0))
        named = named->next;
    return named;
}

static struct named *find_open(const sem_t *semaphore)
{
    struct named *named = first;
    while (named && (named->opened == 0 || &named->semaphore != semaphore))
        named = named->next;
    return named;
}

static void free_if_unused(struct named *named)
{
    struct named **link = &first;
    if (named->opened > 0 || !named->unlinked)
        return;
    while (*link != named)
        link = &(*link)->next;
    *link = named->next;
    free(named);
}

// Result: 0 or an errno.
static int create(const char *name, unsigned value, struct named **made)
{
    if (value > SEM_VALUE_MAX)
        return EINVAL;
    struct named *named = calloc(1, sizeof *named);
    if (!named)
        return ENOMEM;
    sem_init(&named->semaphore, 0, value);
    strcpy(named->name, name);
    named->next = first;
    first = named;
    *made = named;
    return 0;
}

// Callbacks are held off. Result: 0 or an errno.
static int open_held(const char *name, int flags, unsigned value, struct named **found)
{
    int error = 0;
    *found = find(name);
    if (*found && flags & O_CREAT && flags & O_EXCL)
        return EEXIST;
    if (!*found)
        error = flags & O_CREAT ? create(name, value, found) : ENOENT;
    if (!error)
        (*found)->opened++;
    return error;
}

sem_t *sem_open(const char *name, int flags, ...)
{
    unsigned value = 0;
    if (flags & O_CREAT) {
        va_list more;
        va_start(more, flags);
        (void)va_arg(more, int); // Permissions: there is one user.
        value = va_arg(more, unsigned);
        va_end(more);
    }
    struct named *named = NULL;
    int error = strip(&name);
    if (!error) {
        callbacks_hold();
        error = open_held(name, flags, value, &named);
        callbacks_release();
    }
    if (!error)
        return &named->semaphore;
    errno = error;
    return SEM_FAILED;
}

int sem_close(sem_t *semaphore)
{
    callbacks_hold();
    struct named *named = find_open(semaphore);
    if (named) {
        named->opened--;
        free_if_unused(named);
    }
    callbacks_release();
    return named ? 0 : posix_fail(EINVAL);
}

int sem_unlink(const char *name)
{
    int error = strip(&name);
    if (error)
        return posix_fail(error == EINVAL ? ENOENT : error);
    callbacks_hold();
    struct named *named = find(name);
    if (named) {
        named->unlinked = true;
        free_if_unused(named);
    }
    callbacks_release();
    return named ? 0 : posix_fail(ENOENT);
}
