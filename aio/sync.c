// The flush behind a write.
#include "aio/sync.h"

#include <stddef.h>

// What is the owner's or its result is kept meanwhile; a flush has neither place nor size.
static void become_flush(struct io_request *request)
{
    request->written.result = request->result;
    request->written.moved = request->moved;
    request->written.offset = request->offset;
    request->written.size = request->size;
    request->written.flags = request->flags;
    request->op = IO_FLUSH;
    request->offset = 0;
    request->size = 0;
    request->flags &= IO_SYNC | IO_DEADLINE;
}

static void become_write(struct io_request *request)
{
    if (request->result == 0)
        request->result = request->written.result;
    request->moved = request->written.moved;
    request->offset = request->written.offset;
    request->size = request->written.size;
    request->flags = request->written.flags;
    request->op = IO_WRITE;
}

bool sync_follows_locked(struct io_request *request)
{
    if (sync_is_flush(request)) {
        become_write(request);
        return false;
    }
    if (request->op != IO_WRITE || request->moved == 0)
        return false;
    become_flush(request);
    return true;
}
