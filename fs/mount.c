// The mount table, paths, and the root: a folder whose names are the mounts.
#include "fs/mount.h"

#include <errno.h>
#include <sys/stat.h>

#include "arch/cpu.h"
#include "arch/memory.h"
#include "fs/call.h"
#include "fs/fixed.h"
#include "fs/names.h"
#include "fs/open_files.h"

static struct fixed_entry mounts[MOUNT_LIMIT];
static unsigned mount_count;
static char working_directory[FS_PATH_LIMIT]; // Empty: nobody has chosen one.

static bool root_entry(unsigned index, struct fixed_entry *entry)
{
    if (index >= mount_count)
        return false;
    *entry = mounts[index];
    return true;
}

static struct device *root(void)
{
    static struct fixed_folder folder;
    if (!folder.entry)
        fixed_folder_init(&folder, "root", root_entry, -EROFS);
    return &folder.device;
}

// Result: what is mounted under the name that text begins with, up to '/' or its end; or NULL.
static struct device *mount_find(const char *text, size_t length)
{
    for (unsigned i = 0; i < mount_count; i++) {
        const char *name = mounts[i].name;
        size_t same = 0;
        while (same < length && name[same] && name[same] == text[same])
            same++;
        if (same == length && !name[same])
            return mounts[i].device;
    }
    return NULL;
}

int mount_add(const char *name, struct device *fs)
{
    if (mount_find(name, name_length(name, FS_NAME_LIMIT)))
        return -EEXIST;
    if (mount_count == MOUNT_LIMIT)
        return -ENOSPC;
    mounts[mount_count].name = name;
    mounts[mount_count].device = fs;
    mount_count++;
    return 0;
}

const char *mount_name(unsigned index)
{
    return index < mount_count ? mounts[index].name : NULL;
}

struct device *mount_device(unsigned index)
{
    return index < mount_count ? mounts[index].device : NULL;
}

// A program's path may point anywhere: no byte is read before it is known to lie in RAM.
// Result: its length, or -EFAULT, -ENAMETOOLONG.
static int path_length(const char *path)
{
    for (int length = 0; length < FS_PATH_LIMIT; length++) {
        if (memory_check((uintptr_t)(path + length), 1, MEMORY_SOURCE))
            return -EFAULT;
        if (!path[length])
            return length;
    }
    return -ENAMETOOLONG;
}

static size_t text_length(const char *text)
{
    size_t length = 0;
    while (text[length])
        length++;
    return length;
}

// Copies text with its end. Result: its length.
static size_t copy_text(char *to, const char *from)
{
    size_t length = 0;
    while ((to[length] = from[length]) != '\0')
        length++;
    return length;
}

size_t path_working_directory(char text[FS_PATH_LIMIT])
{
    const char *first = mount_find("host", 4) ? "/host" : mount_find("tmp", 3) ? "/tmp" : "/";
    uint32_t flags = irq_save(); // A callback may change it.
    size_t length = copy_text(text, *working_directory ? working_directory : first);
    irq_restore(flags);
    return length;
}

void path_set_working_directory(const struct fs_path *path)
{
    uint32_t flags = irq_save();
    copy_text(working_directory, path->text);
    irq_restore(flags);
}

// Appends a name to a clean text of this length; the root counts as empty.
// Result: the new length, or -ENAMETOOLONG.
static int append(char *text, size_t length, const char *name, size_t size)
{
    if (size > FS_NAME_LIMIT || length + 1 + size >= FS_PATH_LIMIT)
        return -ENAMETOOLONG;
    text[length++] = '/';
    for (size_t i = 0; i < size; i++)
        text[length++] = name[i];
    return (int)length;
}

static void find_fs(struct fs_path *resolved)
{
    const char *first = resolved->text + 1;
    size_t length = name_length(first, FS_PATH_LIMIT);
    resolved->fs = mount_find(first, length);
    resolved->rest = first;
    if (resolved->fs)
        resolved->rest += first[length] ? length + 1 : length;
    else
        resolved->fs = root();
}

// Ends a text of this length, and finds the file system.
static void finish(struct fs_path *resolved, size_t length)
{
    if (length == 0)
        resolved->text[length++] = '/';
    resolved->text[length] = '\0';
    find_fs(resolved);
}

// Asks what the names so far lead to, and has links among them replaced.
// Result: the length, or -ENOTDIR and whatever else the file system says.
static int look_up(struct fs_path *resolved, size_t length)
{
    struct fs_call call = { .operation = FS_STATUS, .directory = true };
    finish(resolved, length);
    char *rest = resolved->text + (resolved->rest - resolved->text);
    call.path = call.text = rest;
    call.text_room = (size_t)(resolved->text + FS_PATH_LIMIT - rest);
    int error = fs_call_and_wait(resolved->fs, &call);
    if (!error && !S_ISDIR(call.status.mode))
        error = -ENOTDIR;
    if (error)
        return error;
    length = text_length(resolved->text);
    return (int)(resolved->text[length - 1] == '/' ? length - 1 : length); // Of a root.
}

// "..": the last of the names is taken out, which must be a directory's.
// known: so much of the text is known to lead to one.
static int leave(struct fs_path *resolved, int length, int *known)
{
    if (length > *known)
        length = look_up(resolved, (size_t)length);
    if (length >= 0)
        length = *known = (int)names_above(resolved->text, (size_t)length);
    return length;
}

// Adds the names of a path to resolved->text, which holds `length` bytes, those of a directory.
// Result: the length, or -ENAMETOOLONG, or as look_up().
static int add_names(struct fs_path *resolved, int length, const char *path, size_t size)
{
    int known = length;
    resolved->dots = NULL;
    while (size > 0 && length >= 0) {
        size_t name = name_length(path, size);
        bool dot = name_is_here(path, name);
        bool dots = name_is_above(path, name);
        resolved->directory = name == 0 || dot || dots;
        if (name > 0)
            resolved->dots = dot ? "." : dots ? ".." : NULL;
        if (dots)
            length = leave(resolved, length, &known);
        else if (!resolved->directory)
            length = append(resolved->text, (size_t)length, path, name);
        size_t step = name > 0 ? name : 1; // A '/'.
        path += step;
        size -= step;
    }
    return length;
}

int path_resolve(const char *path, struct fs_path *resolved)
{
    int size = path_length(path);
    if (size <= 0)
        return size == 0 ? -ENOENT : size;
    int length = 0;
    if (*path != '/')
        length = (int)path_working_directory(resolved->text);
    if (length == 1)
        length = 0; // The root is empty until the end.
    length = add_names(resolved, length, path, (size_t)size);
    if (length < 0)
        return length;
    finish(resolved, (size_t)length);
    return 0;
}
