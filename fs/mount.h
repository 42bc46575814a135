// Where each file system is in the one tree of names, and what a path means: "/dev", "/proc",
// "/tmp", "/host" hang in a root that holds nothing else.
#pragma once

#include <stddef.h>

#include "drivers/device.h"

enum { FS_PATH_LIMIT = 1024 }; // Bytes of a path, its end included: -ENAMETOOLONG beyond.

// A path that has been looked at: which file system it leads into, and the names from there on.
struct fs_path {
    struct device *fs;        // The root's own where nothing of that name is mounted.
    const char *rest;         // In text: as struct fs_call has it.
    bool directory;           // It ended with '/', "." or "..".
    const char *dots;         // The last name, if it was "." or ".."; else NULL.
    char text[FS_PATH_LIMIT]; // The whole of it, absolute, each name once.
};

// Hangs a file system, a device of any name, into the root under one name, without '/'. Neither
// need be registered; both must stay.
// Result: 0, or -EEXIST; -ENOSPC: more than MOUNT_LIMIT.
// Context: boot.
enum { MOUNT_LIMIT = 8 };
int mount_add(const char *name, struct device *fs);

// The mounts, in their order: a name without '/', and what hangs there. Result: NULL past the last.
// Context: any.
const char *mount_name(unsigned index);
struct device *mount_device(unsigned index);

// Looks at a path, relative ones from the working directory on. "." is taken out; so is "..", after
// its file system has been asked whether what is before it is a directory, and where that is: links
// are followed there, so it leads to the parent of what a link leads to.
// Result: 0, -EFAULT (it does not lie in RAM, with its end), -ENOENT (empty), -ENAMETOOLONG; what
// the file system says of a name before "..": -ENOENT, -ENOTDIR, -ELOOP.
// Context: main | callback.
int path_resolve(const char *path, struct fs_path *resolved);

// The working directory: at first /host where there is one, else /tmp, else /.
// path: the caller has seen that it is a directory.
// Context: main | callback.
void path_set_working_directory(const struct fs_path *path);

// Copies the working directory, absolute and clean. Result: its length.
// Context: main | callback.
size_t path_working_directory(char text[FS_PATH_LIMIT]);
