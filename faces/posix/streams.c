// newlib's state per level: the callback level has a struct _reent of its own, so errno and the
// standard streams of a callback are not those of the code it interrupted, and malloc and the table
// of open streams keep callbacks off.
#include <errno.h>
#include <reent.h>
#include <stdio.h>
#include <sys/lock.h>

#include "faces/posix/posix.h"
#include "irq/callback.h"

// Outside the kernel's own data: unbuffered streams read and write inside it.
__attribute__((section(".user.data"))) static struct _reent callback_reent;

// newlib's own walk over a level's streams, in none of its public headers.
int _fwalk_reent(struct _reent *reent, int (*function)(struct _reent *, FILE *));

// A callback's unterminated output must not wait for the next callback.
static void flush_callback_streams(void)
{
    if (callback_reent.__sdidinit)
        _fwalk_reent(&callback_reent, _fflush_r);
}

void posix_streams_init(void)
{
    _REENT_INIT_PTR(&callback_reent);
    callback_level_context((void **)&_impure_ptr, &callback_reent);
}

// A level's first use of its streams. Only from then on is there anything to flush after callbacks:
// most never print, and looking each time would cost all of them. Linked with --wrap=__sinit.
void __real___sinit(struct _reent *reent);
void __wrap___sinit(struct _reent *reent);
void __wrap___sinit(struct _reent *reent)
{
    __real___sinit(reent);
    if (reent == &callback_reent)
        callback_level_at_end(flush_callback_streams);
}

void posix_streams_flush(void)
{
    callbacks_hold(); // They may still be printing to these streams.
    flush_callback_streams();
    callbacks_release();
}

void __malloc_lock(struct _reent *reent)
{
    (void)reent;
    callbacks_hold();
}

void __malloc_unlock(struct _reent *reent)
{
    (void)reent;
    callbacks_release();
}

void __env_lock(struct _reent *reent)
{
    (void)reent;
    callbacks_hold();
}

void __env_unlock(struct _reent *reent)
{
    (void)reent;
    callbacks_release();
}

// The search for a free stream is not under malloc's lock: two levels could find the same one.
// Linked with --wrap=__sfp.
FILE *__real___sfp(struct _reent *reent);
FILE *__wrap___sfp(struct _reent *reent);
FILE *__wrap___sfp(struct _reent *reent)
{
    callbacks_hold();
    FILE *stream = __real___sfp(reent);
    callbacks_release();
    return stream;
}
