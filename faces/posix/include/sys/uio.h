// Parts of a buffer. readv() and writev() are not there yet.
#pragma once

#include <sys/types.h>

struct iovec {
    void *iov_base;
    size_t iov_len; // Bytes.
};
