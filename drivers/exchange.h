// A message exchange: bytes that go out and bytes that come back for them, as one request. What is
// submitted to a device that speaks so, virtio_9p.c for one, is an IO_CALL in front of this struct.
#pragma once

#include "drivers/device.h"

enum { EXCHANGE_PARTS = 2 };

// Memory that a message is put together from, or that its answer is spread over, in this order. The
// submitter has checked it: nobody else does.
struct exchange_part {
    void *base;
    size_t size; // Bytes; not 0.
};

struct exchange {
    struct io_request request; // op: IO_CALL. First. Result: bytes of the answer, or -EIO.
    struct exchange_part out[EXCHANGE_PARTS], in[EXCHANGE_PARTS];
    unsigned out_count, in_count; // Parts that are used; at least 1 each.
};
