// How many requests the contexts of asynchronous I/O that programs create may reserve together:
// what Linux shows as /proc/sys/fs/aio-nr and aio-max-nr.
#pragma once

#include <stdint.h>

enum { AIO_LIMIT_DEFAULT = 65536 };

// Reserves requests for a context. Result: 0, or -EAGAIN: they would be more than the limit.
// Context: any.
int aio_limit_reserve(uint32_t requests);

// Gives back what was reserved.
// Context: any.
void aio_limit_release(uint32_t requests);

// What is reserved, and the limit. Setting it below what is reserved takes nothing away.
// Context: any.
uint32_t aio_limit_reserved(void);
uint32_t aio_limit_most(void);
void aio_limit_set_most(uint32_t requests);
