// Folders whose names the kernel fixes: the root with what is mounted, /dev, /proc. A folder is a
// device, and the outermost one is a file system as well. Nothing can be created, removed or
// renamed in them.
#pragma once

#include "fs/call.h"

struct fixed_entry {
    const char *name; // One name, without '/'.
    struct device *device;
};

struct fixed_folder {
    struct device device; // First: submit() gets from it to the folder.
    // Gives an entry by its number, from 0 on; entries may be added behind, and none goes away.
    // Result: false: there are no more.
    // Context: any, interrupts masked.
    bool (*entry)(unsigned index, struct fixed_entry *entry);
    int refusal; // What those hear who want to change it: -EACCES or -EROFS.
};

// Makes a folder ready to be opened and mounted. entry and refusal: as above.
// Context: boot.
void fixed_folder_init(struct fixed_folder *folder, const char *name,
                       bool (*entry)(unsigned index, struct fixed_entry *entry), int refusal);
