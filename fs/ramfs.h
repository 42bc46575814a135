// A file system in RAM, /tmp, whose every byte is moved by the board's DMA engine: from the
// program's buffer to the file's blocks and back. It serves fs/call.h.
//
// Everything it knows lies in the memory that it is given: inodes, the table of blocks, blocks.
// None of it is cleared beforehand: what has never been written reads as zeros because it is no
// block yet. There is one user, who may do everything: permissions are kept and shown, not checked.
//
// One file is one device, however often it is opened. Its reads go together; a write, a truncation
// or an opening with O_TRUNC has the file to itself, and all of them start in the order of
// submission. So a read sees every write submitted before it and none after it, no write is torn,
// and appends follow each other in call order whatever descriptors they come through.
//
// Interrupts are never masked in proportion to a file or a directory. A file that becomes shorter
// gives its blocks back RAMFS_SLICE at a time, by deferred work, and is kept busy meanwhile; one
// that becomes empty, all at once, as one list. A name is found by a hash, an entry by its cookie;
// only behind an entry that somebody else has removed since it was told, the next one is looked
// for, RAMFS_SLICE entries at a time.
//
// Of the files that wait for a transfer, the one with the most urgent request is next; in one file
// nothing overtakes anything.
#pragma once

#include <stddef.h>

#include "drivers/device.h"

enum {
    // What a file of one byte takes. Larger blocks waste more, smaller ones are more segments for
    // an
    // engine where a file is scattered.
    RAMFS_BLOCK_BYTES = 16384,
    // Of all the memory: as many inodes as there are times this, so files of one block each use up
    // the inodes when half of the blocks are taken. An inode takes about 2 % of it.
    RAMFS_BYTES_PER_INODE = 32768,
    // Transfers under way at a time in one file system, and requests of one file that it holds; the
    // others wait, here or in the core.
    RAMFS_IN_FLIGHT = 8,
    // Blocks given back, or names passed over, in one go with interrupts masked.
    RAMFS_SLICE = 64,
};

// Bytes of a file, holes included: -EFBIG beyond.
#define RAMFS_FILE_LIMIT (UINT64_C(1) << 45)

// Makes an empty file system of that memory, which is its own from then on: RAM, of any contents,
// that no program's request may touch.
// Result: the file system, a device of kind DEVICE_DIRECTORY for mount_add(), whose block or inode
// too many is -ENOSPC; or NULL: no DMA engine, or the memory holds less than a few blocks.
// Context: boot | main.
struct device *ramfs_init(void *memory, size_t bytes);

// What is left of a file system; blocks of RAMFS_BLOCK_BYTES.
struct ramfs_space {
    unsigned blocks, blocks_free, inodes, inodes_free;
};
// Context: any.
struct ramfs_space ramfs_space(const struct device *fs);
