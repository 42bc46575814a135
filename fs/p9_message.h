// Messages of 9P2000.L: put together and taken apart byte by byte (Plan 9's intro(5) and diod's
// protocol.md: size[4] type[1] tag[2], then the body; little-endian; a name is its length[2] and
// its bytes). What comes from a server is held against its own lengths here: nothing behind what
// was received is read, and a reply must be used up exactly.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/call.h"

// Types of what is asked; a reply's is the next number, or P9_RLERROR.
enum p9_type {
    P9_RLERROR = 7,
    P9_TLOPEN = 12,
    P9_TLCREATE = 14,
    P9_TREADLINK = 22,
    P9_TGETATTR = 24,
    P9_TSETATTR = 26,
    P9_TREADDIR = 40,
    P9_TFSYNC = 50,
    P9_TMKDIR = 72,
    P9_TRENAMEAT = 74,
    P9_TUNLINKAT = 76,
    P9_TVERSION = 100,
    P9_TATTACH = 104,
    P9_TWALK = 110,
    P9_TREAD = 116,
    P9_TWRITE = 118,
    P9_TCLUNK = 120,
};

enum {
    P9_HEADER_BYTES = 7,       // size, type, tag.
    P9_DATA_HEADER_BYTES = 11, // Before the data of Rread and Rreaddir; all of an Rlerror, too.
    P9_WRITE_HEADER_BYTES = 23,
    P9_IO_HEADER_BYTES = 24, // What a message of data is longer than its data, at most.
    P9_QID_BYTES = 13,
    P9_WALK_NAMES = 16, // In one Twalk.
    P9_NO_TAG = 0xffff,
    P9_UNLINK_DIRECTORY = 0x200, // In Tunlinkat's flags.
};
#define P9_NOBODY UINT32_MAX // No fid, no user: whoever runs the server.

// In a qid's type.
enum { P9_QID_SYMLINK = 0x02, P9_QID_DIRECTORY = 0x80 };

struct p9_qid {
    uint8_t type;
    uint64_t path; // Which file it is.
};

// ---- Asking ----

struct p9_writer {
    uint8_t *bytes;
    size_t room, used;
    bool full; // Something did not fit: the message must not be sent.
};

// Begins a message in `room` bytes.
void p9_begin(struct p9_writer *writer, void *bytes, size_t room, enum p9_type type, uint16_t tag);
void p9_put(struct p9_writer *writer, uint64_t value, unsigned bytes);
void p9_put_name(struct p9_writer *writer, const char *name, size_t length);

// Stores the message's size; `data` bytes will follow from elsewhere.
// Result: bytes that lie in the writer's memory, or 0: they did not fit.
size_t p9_end(struct p9_writer *writer, size_t data);

// ---- The answer ----

struct p9_reader {
    const uint8_t *bytes;
    size_t left;
    bool bad; // Something was read that is not there. It read as 0.
};

// Looks at a reply to a message of this type and tag, of which `received` bytes have come, the
// first `here` of them at `bytes`.
// Result: 0, and the reader is at the body; -errno, as the server says; -EIO with reader->bad: it
// is no such reply.
int p9_reply(struct p9_reader *reader, const void *bytes, size_t here, size_t received,
             enum p9_type asked, uint16_t tag);
uint64_t p9_get(struct p9_reader *reader, unsigned bytes);
struct p9_qid p9_get_qid(struct p9_reader *reader);

// Result: the first of `length` bytes, which stay where they are; NULL: they are not there.
const char *p9_get_name(struct p9_reader *reader, size_t *length);

// Has all of it been read, and nothing beyond?
bool p9_complete(const struct p9_reader *reader);

// The body of Rgetattr. Result: 0; -EIO: the kind or the size of the file is not in it.
int p9_get_status(struct p9_reader *reader, struct fs_status *status);

// One entry of Rreaddir's data. Result: 1: it is in `entry`; 0: no entry is left;
// -EIO: what is there is none, or its name could not be a file's.
int p9_get_entry(struct p9_reader *reader, struct fs_entry *entry);

// ---- What Linux calls things ----

// Our errno, negative, for one of Linux's numbers; -EIO for one that is unknown.
int p9_error(uint32_t linux_errno);

// The flags of open() that a server is told: access mode, O_TRUNC, O_DIRECTORY.
uint32_t p9_open_flags(int flags);
enum { P9_EXCLUSIVE = 0200 }; // Linux's O_EXCL.
