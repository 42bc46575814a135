// The RAM file system's devices: the file system itself, which is asked by path, and its inodes,
// which are what opening gives. What each call does is in ramfs_tree.c and ramfs_io.c.
#include "fs/ramfs.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "arch/assert.h"
#include "arch/cpu.h"
#include "fs/ramfs_internal.h"

enum {
    ROOT_MODE = 01777,
    INODES_LEAST = 2,
    BLOCK_SECTORS = RAMFS_BLOCK_BYTES / FS_STATUS_BLOCK_BYTES,
};

// ---- Calls by path

void ramfs_give(struct fs_call *call, struct ramfs_inode *inode)
{
    inode->open = true;
    fs_call_give(call, &inode->device);
    device_complete(&call->request, 0);
}

// May what is there be opened like this? Result: 0 or -errno.
static int open_check(const struct ramfs_inode *inode, const struct fs_call *call)
{
    bool changes = (call->flags & O_ACCMODE) != O_RDONLY || call->flags & (O_CREAT | O_TRUNC);
    if (call->flags & O_CREAT && call->flags & O_EXCL)
        return -EEXIST;
    if (ramfs_is_directory(inode))
        return changes ? -EISDIR : 0;
    return call->directory || call->flags & O_DIRECTORY ? -ENOTDIR : 0;
}

static int open_new(struct ramfs *fs, const struct fs_call *call, const struct ramfs_place *place,
                    struct ramfs_inode **inode)
{
    if (!(call->flags & O_CREAT))
        return -ENOENT;
    if (call->flags & O_DIRECTORY)
        return -EINVAL;
    if (call->directory)
        return -EISDIR;
    return ramfs_create(fs, place, S_IFREG | (call->mode & ~(uint32_t)S_IFMT), inode);
}

// Result: 0: the call completes, perhaps inside; or -errno.
static int ramfs_open(struct ramfs *fs, struct fs_call *call)
{
    struct ramfs_place place;
    int error = ramfs_find(fs, call->path, &place);
    if (error)
        return error;
    struct ramfs_inode *inode = place.inode;
    error = inode ? open_check(inode, call) : open_new(fs, call, &place, &inode);
    if (error)
        return error;
    if (place.inode && call->flags & O_TRUNC) {
        // In its turn: the file may be in use.
        call->device = &inode->device;
        inode->pins++;
        ramfs_enqueue(inode, &call->request);
    } else {
        ramfs_give(call, inode);
    }
    return 0;
}

static int inode_status(const struct ramfs_inode *inode, struct fs_call *call)
{
    call->status.mode = inode->mode;
    call->status.links = inode->links;
    call->status.size = inode->device.size_bytes;
    call->status.inode = ramfs_inode_number(inode);
    call->status.modified_ns = inode->modified_ns;
    call->status.block_bytes = RAMFS_BLOCK_BYTES;
    call->status.blocks = (uint64_t)inode->contents.count * BLOCK_SECTORS;
    return 0;
}

static int path_status(struct ramfs *fs, struct fs_call *call)
{
    struct ramfs_place place;
    int error = ramfs_find(fs, call->path, &place);
    if (error)
        return error;
    if (!place.inode)
        return -ENOENT;
    if (call->directory && !ramfs_is_directory(place.inode))
        return -ENOTDIR;
    return inode_status(place.inode, call);
}

static int path_call(struct ramfs *fs, struct fs_call *call)
{
    switch (call->operation) {
    case FS_STATUS:
        return path_status(fs, call);
    case FS_UNLINK:
        return ramfs_unlink(fs, call);
    case FS_MKDIR:
        return ramfs_make_directory(fs, call);
    case FS_RMDIR:
        return ramfs_remove_directory(fs, call);
    case FS_RENAME:
        return ramfs_rename(fs, call);
    default:
        return -ENOTSUP;
    }
}

static int fs_serve(struct device *device, struct io_request *request)
{
    struct ramfs *fs = (struct ramfs *)device;
    struct fs_call *call = fs_call_of(request);
    if (request->op == IO_READ || request->op == IO_WRITE)
        return -EISDIR;
    if (request->op == IO_CALL && call->operation == FS_OPEN)
        return ramfs_open(fs, call);
    device_complete(request, request->op == IO_CALL ? path_call(fs, call) : 0);
    return 0;
}

static void fs_submit(struct device *device, struct io_request *request)
{
    device_complete_refused(request, fs_serve(device, request));
}

// Only an opening with O_TRUNC is ever in flight.
static int fs_cancel(struct device *device, struct io_request *request)
{
    (void)device;
    return ramfs_cancel((struct ramfs_inode *)fs_call_of(request)->device, request);
}

static const struct device_ops fs_ops = { .submit = fs_submit, .cancel = fs_cancel };

// ---- Open files

static int inode_call(struct ramfs_inode *inode, struct fs_call *call)
{
    switch (call->operation) {
    case FS_FILE_STATUS:
        return inode_status(inode, call);
    case FS_TRUNCATE:
        return -EINVAL; // Of a directory.
    default:
        return -ENOTSUP;
    }
}

// Does a request wait for its turn? The others are done at once.
static bool takes_turns(const struct ramfs_inode *inode, const struct io_request *request)
{
    if (ramfs_is_directory(inode))
        return false;
    if (request->op == IO_CALL)
        return ((const struct fs_call *)request)->operation == FS_TRUNCATE;
    return request->op == IO_READ || request->op == IO_WRITE;
}

static void inode_submit(struct device *device, struct io_request *request)
{
    struct ramfs_inode *inode = (struct ramfs_inode *)device;
    int result = 0;
    if (takes_turns(inode, request)) {
        ramfs_enqueue(inode, request);
        return;
    }
    if (request->op == IO_CALL && fs_call_of(request)->operation == FS_NEXT_ENTRY) {
        ramfs_next_entry(inode, fs_call_of(request));
        return;
    }
    if (request->op == IO_READ || request->op == IO_WRITE)
        result = -EISDIR;
    else if (request->op == IO_CALL)
        result = inode_call(inode, fs_call_of(request));
    device_complete(request, result);
}

static int inode_cancel(struct device *device, struct io_request *request)
{
    struct ramfs_inode *inode = (struct ramfs_inode *)device;
    // In a directory only the search for an entry is ever in flight, and that ends by itself.
    return ramfs_is_directory(inode) ? -EBUSY : ramfs_cancel(inode, request);
}

static void inode_release(struct device *device)
{
    struct ramfs_inode *inode = (struct ramfs_inode *)device;
    inode->open = false;
    ramfs_let_go(inode);
}

const struct device_ops ramfs_inode_ops = { .submit = inode_submit,
                                            .cancel = inode_cancel,
                                            .release = inode_release };

// ---- A file system in a piece of memory

static uintptr_t line_up(uintptr_t address)
{
    return (address + CPU_CACHE_LINE_MAX - 1) & ~(uintptr_t)(CPU_CACHE_LINE_MAX - 1);
}

// Cuts the memory into inodes, buckets of names, the table of blocks, its buckets, and blocks.
// Result: false: it is too small.
static bool lay_out(struct ramfs *fs, size_t bytes)
{
    uintptr_t end = (uintptr_t)fs + bytes;
    uintptr_t inodes = line_up((uintptr_t)(fs + 1));
    fs->inode_count = (unsigned)(bytes / RAMFS_BYTES_PER_INODE);
    uintptr_t names = line_up(inodes + fs->inode_count * sizeof(struct ramfs_inode));
    uint32_t name_buckets = ramfs_bucket_count(fs->inode_count);
    uintptr_t table = line_up(names + name_buckets * sizeof(struct ramfs_inode *));
    size_t each = RAMFS_BLOCK_BYTES + sizeof(struct ramfs_block) + sizeof(struct ramfs_block *);
    if (fs->inode_count < INODES_LEAST || table + each + 2 * CPU_CACHE_LINE_MAX > end)
        return false;
    unsigned count = (unsigned)((end - table - 2 * CPU_CACHE_LINE_MAX) / each);
    uintptr_t buckets = line_up(table + count * sizeof(struct ramfs_block));
    uintptr_t data = line_up(buckets + ramfs_bucket_count(count) * sizeof(struct ramfs_block *));
    assert(data + (size_t)count * RAMFS_BLOCK_BYTES <= end);
    fs->inodes = fs->inodes_unused = (struct ramfs_inode *)inodes;
    fs->inode_free_count = fs->inode_count;
    ramfs_names_init(fs, (struct ramfs_inode **)names, name_buckets);
    ramfs_pool_init(&fs->pool, (struct ramfs_block *)table, count, (struct ramfs_block **)buckets,
                    data);
    return true;
}

struct device *ramfs_init(void *memory, size_t bytes)
{
    uintptr_t start = line_up((uintptr_t)memory);
    size_t lost = start - (uintptr_t)memory;
    struct ramfs *fs = (struct ramfs *)start;
    const struct ramfs_place nowhere = { .directory = NULL };
    if (bytes < lost + sizeof *fs)
        return NULL;
    ramfs_clear(fs, sizeof *fs);
    fs->engine = dma_engine_find(NULL);
    if (!fs->engine || !lay_out(fs, bytes - lost))
        return NULL;
    fs->device.name = "ramfs";
    fs->device.ops = &fs_ops;
    fs->device.kind = DEVICE_DIRECTORY;
    fs->device.block_bytes = RAMFS_BLOCK_BYTES;
    fs->device.calls = true;
    fs->device.lanes[0].depth = RAMFS_IN_FLIGHT;
    ramfs_io_init(fs);
    int error = ramfs_create(fs, &nowhere, S_IFDIR | ROOT_MODE, &fs->root);
    assert(error == 0);
    return &fs->device;
}

struct ramfs_space ramfs_space(const struct device *device)
{
    const struct ramfs *fs = (const struct ramfs *)device;
    uint32_t flags = irq_save();
    struct ramfs_space space = {
        .blocks = fs->pool.count,
        .blocks_free = fs->pool.free_count,
        .inodes = fs->inode_count,
        .inodes_free = fs->inode_free_count,
    };
    irq_restore(flags);
    return space;
}
