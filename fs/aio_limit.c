// The number of requests that contexts have reserved, and its limit.
#include "fs/aio_limit.h"

#include <errno.h>

#include "arch/assert.h"
#include "arch/cpu.h"

static uint32_t reserved, most = AIO_LIMIT_DEFAULT;

int aio_limit_reserve(uint32_t requests)
{
    uint32_t flags = irq_save();
    int error = (uint64_t)reserved + requests > most ? -EAGAIN : 0;
    if (!error)
        reserved += requests;
    irq_restore(flags);
    return error;
}

void aio_limit_release(uint32_t requests)
{
    uint32_t flags = irq_save();
    assert(requests <= reserved);
    reserved -= requests;
    irq_restore(flags);
}

uint32_t aio_limit_reserved(void)
{
    return reserved;
}

uint32_t aio_limit_most(void)
{
    return most;
}

void aio_limit_set_most(uint32_t requests)
{
    most = requests;
}
