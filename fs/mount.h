// Where each file system is in the one tree of names, and what a path means: "/dev", "/proc",
// "/tmp", "/host" hang in a root that holds nothing else.
#pragma once

#include "drivers/device.h"

enum { FS_PATH_LIMIT = 1024 }; // Bytes of a path, its end included: -ENAMETOOLONG beyond.

// A path that has been looked at: which file system it leads into, and the names from there on.
struct fs_path {
    struct device *fs;
    const char *rest;         // In text: as struct fs_call has it.
    bool directory;           // It ended with '/', "." or "..".
    char text[FS_PATH_LIMIT]; // The whole of it, absolute, each name once.
};

// Hangs a file system, a device of any name, into the root under one name, without '/'. It need not
// be registered.
// Result: 0, or -EEXIST; -ENOSPC: more than MOUNT_LIMIT.
// Context: boot.
enum { MOUNT_LIMIT = 8 };
int mount_add(const char *name, struct device *fs);

// Looks at a path, relative ones from the working directory on. "." and ".." are taken out by name.
// Result: 0, -EFAULT, -ENOENT (empty, or nothing is mounted there and it is not the root),
// -ENAMETOOLONG.
// Context: any.
int path_resolve(const char *path, struct fs_path *resolved);

// The working directory: at first /host where there is one, else /tmp, else /.
// path: absolute and clean, as in fs_path.text; the caller has seen that it is a directory.
// Context: any.
void path_set_working_directory(const struct fs_path *path);
const char *path_working_directory(void);
