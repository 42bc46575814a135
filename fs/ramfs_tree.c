// Inodes and names of the RAM file system: a tree of directories, each a list of its entries in the
// order in which they came to it, and names found by a hash of directory and name.
//
// An entry's place in its directory is a number that grows and never comes again, and a cookie is
// the place of the entry that was told last. So whatever comes and goes between two calls, none
// that stays is told twice or left out. The place's low bits are the inode's number, by which the
// entry is found; where it has gone meanwhile, the directory knows what lay before the entry told
// last, and only who comes with an older place has to look for it from the beginning.
#include <errno.h>
#include <sys/stat.h>

#include "arch/assert.h"
#include "arch/container.h"
#include "fs/ramfs_internal.h"
#include "irq/clock.h"

enum { PLACE_INODE_BITS = 24 };               // Of a place: enough for inodes of 512 GiB.
enum { FILE_LINKS = 1, DIRECTORY_LINKS = 2 }; // A directory's own "." is one.

// ---- Inodes

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
    ramfs_contents_init(&fs->pool, &inode->contents);
    return inode;
}

void ramfs_let_go(struct ramfs_inode *inode)
{
    struct ramfs *fs = inode->fs;
    if (inode->links > 0 || inode->open || inode->pins > 0)
        return;
    ramfs_contents_clear(&fs->pool, &inode->contents);
    inode->next = fs->inodes_free;
    fs->inodes_free = inode;
    fs->inode_free_count++;
}

// ---- Names

static bool is_named(const struct ramfs_inode *inode, const char *name, size_t length)
{
    size_t i = 0;
    while (i < length && inode->name[i] == name[i])
        i++;
    return i == length && inode->name[i] == '\0';
}

void ramfs_names_init(struct ramfs *fs, struct ramfs_inode **buckets, uint32_t count)
{
    assert(fs->inode_count <= UINT32_C(1) << PLACE_INODE_BITS);
    fs->names = buckets;
    fs->name_mask = count - 1;
    for (uint32_t i = 0; i < count; i++)
        buckets[i] = NULL;
}

// By FNV-1a, from the directory's number on.
static struct ramfs_inode **name_bucket(const struct ramfs_inode *directory, const char *name,
                                        size_t length)
{
    const uint32_t prime = UINT32_C(0x01000193);
    uint32_t hash = (UINT32_C(0x811c9dc5) ^ (uint32_t)ramfs_inode_number(directory)) * prime;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (uint8_t)name[i]) * prime;
    return &directory->fs->names[(hash ^ hash >> 16) & directory->fs->name_mask];
}

static struct ramfs_inode *entry_find(const struct ramfs_inode *directory, const char *name,
                                      size_t length)
{
    struct ramfs_inode *entry = *name_bucket(directory, name, length);
    while (entry && (entry->parent != directory || !is_named(entry, name, length)))
        entry = entry->name_chain;
    return entry;
}

static void name_remove(struct ramfs_inode *inode)
{
    size_t length = 0;
    while (inode->name[length])
        length++;
    struct ramfs_inode **link = name_bucket(inode->parent, inode->name, length);
    while (*link != inode)
        link = &(*link)->name_chain;
    *link = inode->name_chain;
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
    inode->place = ++directory->fs->last_place << PLACE_INODE_BITS |
                   (uint64_t)(inode - directory->fs->inodes);
    struct ramfs_inode **bucket = name_bucket(directory, place->name, place->length);
    inode->name_chain = *bucket;
    *bucket = inode;
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
    name_remove(inode);
    if (directory->told == inode)
        directory->told = inode->previous;
    if (directory->search_from == inode)
        directory->search_from = inode->next;
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
    inode->device.lanes[0].depth = S_ISDIR(mode) ? 1 : RAMFS_IN_FLIGHT;
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

// Ends the call with what lies behind an entry; NULL: behind none, which is before all.
static void tell_behind(struct ramfs_inode *directory, const struct ramfs_inode *before,
                        struct fs_call *call)
{
    struct ramfs_inode *inode = before ? before->next : directory->first;
    struct fs_entry *entry = call->entry;
    if (!inode) {
        device_complete(&call->request, 0);
        return;
    }
    directory->told = inode;
    directory->told_place = entry->cookie = inode->place;
    entry->inode = ramfs_inode_number(inode);
    entry->mode = inode->mode & S_IFMT;
    size_t i = 0;
    for (; inode->name[i]; i++)
        entry->name[i] = inode->name[i];
    entry->name[i] = '\0';
    device_complete(&call->request, 1);
}

// Result: the entry at a place, or NULL: it has gone.
static const struct ramfs_inode *entry_at(const struct ramfs_inode *directory, uint64_t place)
{
    const struct ramfs *fs = directory->fs;
    const struct ramfs_inode *inode = fs->inodes +
                                      (place & ((UINT64_C(1) << PLACE_INODE_BITS) - 1));
    bool is_it = inode < fs->inodes_unused && inode->parent == directory && inode->place == place;
    return is_it ? inode : NULL;
}

// Passes over entries that lie before the call's place, a slice at a time.
static void search_on(struct irq_work *work)
{
    struct ramfs_inode *directory = container_of(work, struct ramfs_inode, search_work);
    struct fs_call *call = fs_call_of(directory->search);
    struct ramfs_inode *inode = directory->search_from;
    unsigned looked = 0;
    for (; inode && inode->place <= call->cookie && looked < RAMFS_SLICE; looked++)
        inode = inode->next;
    directory->search_from = inode;
    if (looked == RAMFS_SLICE) {
        irq_defer(work);
        return;
    }
    directory->search_from = NULL;
    tell_behind(directory, inode ? inode->previous : directory->last, call);
}

void ramfs_next_entry(struct ramfs_inode *directory, struct fs_call *call)
{
    const struct ramfs_inode *entry = entry_at(directory, call->cookie);
    if (!ramfs_is_directory(directory)) {
        device_complete(&call->request, -ENOTDIR);
    } else if (entry || call->cookie == 0) {
        tell_behind(directory, entry, call);
    } else if (call->cookie == directory->told_place) {
        tell_behind(directory, directory->told, call);
    } else {
        directory->search = &call->request;
        directory->search_from = directory->first;
        directory->search_work.run = search_on;
        irq_defer(&directory->search_work);
    }
}
