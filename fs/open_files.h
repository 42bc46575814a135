// What the parts of fs/file.h share with one another and with other blocking calls: the table of
// descriptors and the pool of open files.
#pragma once

#include "aio/unwind.h"
#include "fs/file.h"

struct file_hold {
    struct unwind unwind; // It may be left by a jump.
    struct file *file;
};

// The open file of a descriptor, which stays open until it is dropped, whoever closes the
// descriptor meanwhile. Result: NULL: not open, nothing is held.
// Context: main | callback.
struct file *file_hold(struct file_hold *hold, int fd);
void file_drop(struct file_hold *hold);

// Takes the lowest free descriptor from `lowest` on. Nobody can use it until it is either given an
// open file or freed again.
// Result: the descriptor, -EMFILE, or -ENFILE (calls that wait hold too many files).
// Context: main | callback.
int descriptor_reserve(int lowest);
void descriptor_open(int fd, struct device *device, int flags);
void descriptor_free(int fd);

// Submits a request through an open file. Result: as file_submit_locked().
// Context: main | callback.
int file_submit(struct file *file, struct io_request *request);

// The same for a request whose offset counts also where the file is open for appending.
// Context: main | callback.
int file_submit_at(struct file *file, struct io_request *request);

// As file_submit(), and waits. Result: the request's, or -errno.
// Context: main | callback.
ssize_t file_submit_and_wait(struct file *file, struct io_request *request);

// The same for a read or write, as file_read() and file_write() wait for it: -EINTR where something
// interrupts before anything has been moved. The file's position stays.
// Context: main | callback.
ssize_t file_transfer(struct file *file, struct io_request *request);

// Submits a call, in which the operation and its fields are set, and waits.
// Result: as the operation says, or -errno; -ENOTSUP: the device knows no calls.
// Context: main | callback.
int fs_call_and_wait(struct device *device, struct fs_call *call);
