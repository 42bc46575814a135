// Inodes and names of the RAM file system: a tree of directories, each a list of its entries in the
// order in which they came to it. A name is looked for from entry to entry.
//
// An entry's place in its directory is a number that grows and never comes again, and a cookie is
// the place of the entry that was told last. So whatever comes and goes between two calls, none
// that stays is told twice or left out.
#include <errno.h>
#include <sys/stat.h>

#include "fs/ramfs_internal.h"
#include "irq/clock.h"

enum { FILE_LINKS = 1, DIRECTORY_LINKS = 2 }; // A directory's own "." is one.

// ---- Inodes
// --------------------------------------------------------------------------------------

static struct ramfs_inode *inode_take(struct ramfs *fs)
{
    struct ramfs_inode *inode = fs->inodes_free;
    if (fs->inode_free_count == 0)
        return NULL;
    fs->inode_free_count--;
    if (inode)
        fs->inodes_free = inode->next;
    else
        inode = fs->inodes_unused++;
    ramfs_clear(inode, sizeof *inode);
    inode->fs = fs;
    inode->device.name = fs->device.name;
    inode->device.ops = &ramfs_inode_ops;
    inode->device.block_bytes = RAMFS_BLOCK_BYTES;
    inode->device.calls = true;
    inode->device.lanes[0].depth = RAMFS_IN_FLIGHT;
    ramfs_contents_init(&fs->pool, &inode->contents);
    return inode;
}

void ramfs_let_go(struct ramfs_inode *inode)
{
    struct ramfs *fs = inode->fs;
    if (inode->links > 0 || inode->open || inode->pins > 0)
        return;
    ramfs_contents_cut(&fs->pool, &inode->contents, 0);
    inode->next = fs->inodes_free;
    fs->inodes_free = inode;
    fs->inode_free_count++;
}

// ---- Names
// ---------------------------------------------------------------------------------------

static bool is_named(const struct ramfs_inode *inode, const char *name, size_t length)
{
    size_t i = 0;
    while (i < length && inode->name[i] == name[i])
        i++;
    return i == length && inode->name[i] == '\0';
}

static struct ramfs_inode *entry_find(const struct ramfs_inode *directory, const char *name,
                                      size_t length)
{
    struct ramfs_inode *entry = directory->first;
    while (entry && !is_named(entry, name, length))
        entry = entry->next;
    return entry;
}

int ramfs_find(struct ramfs *fs, const char *path, struct ramfs_place *place)
{
    place->directory = NULL;
    place->inode = fs->root;
    while (*path) {
        if (!place->inode)
            return -ENOENT;
        if (!ramfs_is_directory(place->inode))
            return -ENOTDIR;
        place->directory = place->inode;
        place->name = path;
        while (*path && *path != '/')
            path++;
        place->length = (size_t)(path - place->name);
        if (place->length > FS_NAME_LIMIT)
            return -ENAMETOOLONG;
        place->inode = entry_find(place->directory, place->name, place->length);
        path += *path == '/';
    }
    return 0;
}

// What there must be. Result: 0, or -errno; -ENOTDIR where the path wants a directory.
static int find_existing(struct ramfs *fs, const struct fs_call *call, struct ramfs_place *place)
{
    int error = ramfs_find(fs, call->path, place);
    if (error)
        return error;
    if (!place->inode)
        return -ENOENT;
    return call->directory && !ramfs_is_directory(place->inode) ? -ENOTDIR : 0;
}

// ---- Entries come and go
// -------------------------------------------------------------------------

static void changed(struct ramfs_inode *inode)
{
    inode->modified_ns = (int64_t)clock_now_ns();
}

// Puts an inode behind the other entries of a directory, by the name that place gives it.
static void entry_add(const struct ramfs_place *place, struct ramfs_inode *inode)
{
    struct ramfs_inode *directory = place->directory;
    for (size_t i = 0; i < place->length; i++)
        inode->name[i] = place->name[i];
    inode->name[place->length] = '\0';
    inode->place = ++directory->fs->last_place;
    inode->parent = directory;
    inode->next = NULL;
    inode->previous = directory->last;
    if (directory->last)
        directory->last->next = inode;
    else
        directory->first = inode;
    directory->last = inode;
    directory->links += ramfs_is_directory(inode);
    changed(directory);
}

static void entry_remove(struct ramfs_inode *inode)
{
    struct ramfs_inode *directory = inode->parent;
    if (inode->previous)
        inode->previous->next = inode->next;
    else
        directory->first = inode->next;
    if (inode->next)
        inode->next->previous = inode->previous;
    else
        directory->last = inode->previous;
    inode->parent = NULL;
    directory->links -= ramfs_is_directory(inode);
    changed(directory);
}

// Its name is gone; whoever has it open keeps it.
static void unlink_inode(struct ramfs_inode *inode)
{
    entry_remove(inode);
    inode->links = 0;
    ramfs_let_go(inode);
}

int ramfs_create(struct ramfs *fs, const struct ramfs_place *place, uint32_t mode,
                 struct ramfs_inode **created)
{
    struct ramfs_inode *inode = inode_take(fs);
    if (!inode)
        return -ENOSPC;
    inode->mode = mode;
    inode->device.kind = S_ISDIR(mode) ? DEVICE_DIRECTORY : DEVICE_FILE;
    inode->links = S_ISDIR(mode) ? DIRECTORY_LINKS : FILE_LINKS;
    changed(inode);
    if (place->directory)
        entry_add(place, inode);
    *created = inode;
    return 0;
}

int ramfs_unlink(struct ramfs *fs, const struct fs_call *call)
{
    struct ramfs_place place;
    int error = find_existing(fs, call, &place);
    if (error)
        return error;
    if (ramfs_is_directory(place.inode))
        return -EISDIR;
    unlink_inode(place.inode);
    return 0;
}

int ramfs_make_directory(struct ramfs *fs, const struct fs_call *call)
{
    struct ramfs_place place;
    struct ramfs_inode *created;
    int error = ramfs_find(fs, call->path, &place);
    if (error)
        return error;
    if (place.inode)
        return -EEXIST;
    return ramfs_create(fs, &place, S_IFDIR | (call->mode & ~(uint32_t)S_IFMT), &created);
}

int ramfs_remove_directory(struct ramfs *fs, const struct fs_call *call)
{
    struct ramfs_place place;
    int error = find_existing(fs, call, &place);
    if (error)
        return error;
    if (!ramfs_is_directory(place.inode))
        return -ENOTDIR;
    if (place.inode == fs->root)
        return -EBUSY;
    if (place.inode->first)
        return -ENOTEMPTY;
    unlink_inode(place.inode);
    return 0;
}

// ---- Rename
// --------------------------------------------------------------------------------------

static bool is_within(const struct ramfs_inode *inode, const struct ramfs_inode *directory)
{
    while (inode && inode != directory)
        inode = inode->parent;
    return inode == directory;
}

// May an inode take the place of what is there already?
static int replace_check(const struct ramfs_inode *inode, const struct ramfs_inode *replaced)
{
    if (ramfs_is_directory(replaced) && !ramfs_is_directory(inode))
        return -EISDIR;
    if (!ramfs_is_directory(replaced) && ramfs_is_directory(inode))
        return -ENOTDIR;
    return replaced->first ? -ENOTEMPTY : 0;
}

int ramfs_rename(struct ramfs *fs, const struct fs_call *call)
{
    struct ramfs_place from, to;
    int error = find_existing(fs, call, &from);
    if (!error)
        error = ramfs_find(fs, call->to, &to);
    if (error)
        return error;
    if (!from.directory || !to.directory)
        return -EBUSY;
    if (is_within(to.directory, from.inode))
        return -EINVAL;
    if (from.inode == to.inode)
        return 0;
    if (to.inode) {
        error = replace_check(from.inode, to.inode);
        if (error)
            return error;
        unlink_inode(to.inode);
    }
    entry_remove(from.inode);
    entry_add(&to, from.inode);
    return 0;
}

// ---- What is in a directory
// ----------------------------------------------------------------------

int ramfs_next_entry(const struct ramfs_inode *directory, const struct fs_call *call)
{
    const struct ramfs_inode *inode = directory->first;
    struct fs_entry *entry = call->entry;
    if (!ramfs_is_directory(directory))
        return -ENOTDIR;
    while (inode && inode->place <= call->cookie)
        inode = inode->next;
    if (!inode)
        return 0;
    entry->cookie = inode->place;
    entry->inode = ramfs_inode_number(inode);
    entry->mode = inode->mode & S_IFMT;
    size_t i = 0;
    for (; inode->name[i]; i++)
        entry->name[i] = inode->name[i];
    entry->name[i] = '\0';
    return 1;
}
