// A small file system for suites that are about what stands on file systems: a few files in memory,
// each a device that is given out again and again. Reads can be held in flight, and releases are
// counted. Everything happens inside submit, at the level of the caller: a lane takes more than any
// suite submits, so nothing starts from an interrupt.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "drivers/device.h"
#include "fs/call.h"

enum { FAKE_NODES = 8, FAKE_BYTES = 256, FAKE_PATH = 64, FAKE_DEPTH = 64 };

struct fake_node {
    struct device device; // First: submit() gets from it to the node. Its name: the path.
    bool used, linked;    // Open without a name: used, not linked.
    bool open;
    char path[FAKE_PATH];
    char data[FAKE_BYTES];
};

// nodes[0] is the root, and the file system.
static struct {
    struct fake_node nodes[FAKE_NODES];
    unsigned releases;        // How often release() has been called.
    bool hold;                // Reads stay in flight until fake_let_go().
    struct io_request *held;  // The last of them.
    const char *refused_open; // A path whose device says no to IO_OPEN: -ENXIO.
} fake;

static struct fake_node *fake_find(const char *path)
{
    for (int i = 0; i < FAKE_NODES; i++)
        if (fake.nodes[i].linked && strcmp(fake.nodes[i].path, path) == 0)
            return &fake.nodes[i];
    return NULL;
}

static bool fake_is_folder(const struct fake_node *node)
{
    return node->device.kind == DEVICE_DIRECTORY;
}

// Is child an entry of this folder? Result: its name there, or NULL.
static const char *fake_name_in(const struct fake_node *folder, const struct fake_node *child)
{
    size_t length = strlen(folder->path);
    const char *name = child->path + length;
    if (!child->linked || child == folder || strncmp(child->path, folder->path, length) != 0)
        return NULL;
    if (length > 0 && *name++ != '/')
        return NULL;
    return strchr(name, '/') ? NULL : name;
}

static bool fake_has_entries(const struct fake_node *folder)
{
    for (int i = 1; i < FAKE_NODES; i++)
        if (fake_name_in(folder, &fake.nodes[i]))
            return true;
    return false;
}

static void fake_submit(struct device *device, struct io_request *request);

static void fake_release(struct device *device)
{
    struct fake_node *node = (struct fake_node *)device;
    fake.releases++;
    node->open = false;
    node->used = node->linked;
}

static unsigned fake_ready(const struct device *device)
{
    (void)device;
    return fake.hold ? 0 : IO_READY_READ | IO_READY_WRITE;
}

static int fake_cancel(struct device *device, struct io_request *request)
{
    (void)device;
    if (request != fake.held)
        return -EBUSY;
    fake.held = NULL;
    device_complete(request, -ECANCELED);
    return 0;
}

static const struct device_ops fake_ops = {
    .submit = fake_submit, .cancel = fake_cancel, .ready = fake_ready, .release = fake_release
};

// Result: 0, -ENOENT or -ENOTDIR for what should be the folder around it, -ENOSPC.
static int fake_create(const char *path, enum device_kind kind, struct fake_node **created)
{
    char parent[FAKE_PATH] = "";
    const char *slash = strrchr(path, '/');
    if (slash)
        memcpy(parent, path, (size_t)(slash - path));
    const struct fake_node *folder = fake_find(parent);
    if (!folder)
        return -ENOENT;
    if (!fake_is_folder(folder))
        return -ENOTDIR;
    struct fake_node *node = fake.nodes;
    while (node < fake.nodes + FAKE_NODES && node->used)
        node++;
    if (node == fake.nodes + FAKE_NODES)
        return -ENOSPC;
    memset(node, 0, sizeof *node);
    strcpy(node->path, path);
    node->used = node->linked = true;
    node->device = (struct device){ .name = node->path, .ops = &fake_ops, .kind = kind };
    node->device.calls = true;
    node->device.lanes[0].depth = FAKE_DEPTH;
    *created = node;
    return 0;
}

static void fake_remove(struct fake_node *node)
{
    node->linked = false;
    node->used = node->open;
}

static int fake_open(struct fs_call *call)
{
    struct fake_node *node = fake_find(call->path);
    int error = 0;
    if (node && (call->flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
        return -EEXIST;
    if (!node)
        error = call->flags & O_CREAT ? fake_create(call->path, DEVICE_FILE, &node) : -ENOENT;
    if (error)
        return error;
    if (!fake_is_folder(node) && (call->directory || call->flags & O_DIRECTORY))
        return -ENOTDIR;
    if (call->flags & O_TRUNC)
        node->device.size_bytes = 0;
    node->open = true;
    if (fake.refused_open && strcmp(fake.refused_open, node->path) == 0)
        node->device.kind = DEVICE_STREAM; // A file is not asked whether it is ready.
    fs_call_give(call, &node->device);
    return 0;
}

static int fake_mkdir(const struct fs_call *call)
{
    struct fake_node *node;
    return fake_find(call->path) ? -EEXIST : fake_create(call->path, DEVICE_DIRECTORY, &node);
}

static int fake_unlink(const struct fs_call *call)
{
    struct fake_node *node = fake_find(call->path);
    bool wants_folder = call->operation == FS_RMDIR;
    if (!node)
        return -ENOENT;
    if (fake_is_folder(node) != wants_folder)
        return wants_folder ? -ENOTDIR : -EISDIR;
    if (fake_has_entries(node))
        return -ENOTEMPTY;
    fake_remove(node);
    return 0;
}

static int fake_rename(const struct fs_call *call)
{
    struct fake_node *node = fake_find(call->path), *before = fake_find(call->to);
    if (!node)
        return -ENOENT;
    if (before && before != node)
        fake_remove(before);
    strcpy(node->path, call->to);
    return 0;
}

static int fake_status(const struct fake_node *node, struct fs_call *call)
{
    if (!node)
        return -ENOENT;
    if (call->directory && !fake_is_folder(node))
        return -ENOTDIR;
    fs_status_of_device(&node->device, &call->status);
    call->status.links = node->linked;
    return 0;
}

static int fake_next_entry(const struct fake_node *folder, struct fs_call *call)
{
    for (uint64_t i = call->cookie + 1; i < FAKE_NODES; i++) {
        const char *name = fake_name_in(folder, &fake.nodes[i]);
        if (!name)
            continue;
        call->entry->cookie = i;
        call->entry->inode = i;
        call->entry->mode = fake_is_folder(&fake.nodes[i]) ? S_IFDIR : S_IFREG;
        strcpy(call->entry->name, name);
        return 1;
    }
    return 0;
}

static int fake_truncate(struct fake_node *node, uint64_t size)
{
    if (size > FAKE_BYTES)
        return -EFBIG;
    if (size > node->device.size_bytes)
        memset(node->data + node->device.size_bytes, 0, size - node->device.size_bytes);
    node->device.size_bytes = size;
    return 0;
}

static int fake_call(struct fake_node *node, struct fs_call *call)
{
    switch (call->operation) {
    case FS_OPEN:
        return fake_open(call);
    case FS_STATUS:
        return fake_status(fake_find(call->path), call);
    case FS_UNLINK:
    case FS_RMDIR:
        return fake_unlink(call);
    case FS_MKDIR:
        return fake_mkdir(call);
    case FS_RENAME:
        return fake_rename(call);
    case FS_FILE_STATUS:
        return fake_status(node, call);
    case FS_TRUNCATE:
        return fake_truncate(node, call->size);
    default:
        return fake_next_entry(node, call);
    }
}

static ssize_t fake_read(struct fake_node *node, struct io_request *request)
{
    ssize_t size = device_clamp(&node->device, request);
    if (size > 0)
        memcpy(request->buffer, node->data + request->offset, (size_t)size);
    return size;
}

static ssize_t fake_write(struct fake_node *node, struct io_request *request)
{
    if (request->flags & IO_APPEND)
        request->offset = node->device.size_bytes;
    uint64_t end = request->offset + request->size;
    if (end > FAKE_BYTES)
        return -ENOSPC;
    if (end > node->device.size_bytes)
        fake_truncate(node, end);
    memcpy(node->data + request->offset, request->buffer, request->size);
    return (ssize_t)request->size;
}

static void fake_submit(struct device *device, struct io_request *request)
{
    struct fake_node *node = (struct fake_node *)device;
    ssize_t result = 0;
    if (request->op == IO_READ && fake.hold) {
        fake.held = request;
        return;
    }
    if (request->op == IO_READ)
        result = fake_read(node, request);
    else if (request->op == IO_WRITE)
        result = fake_write(node, request);
    else if (request->op == IO_OPEN)
        result = -ENXIO; // Only asked where refused_open made a stream of it.
    else if (request->op == IO_CALL)
        result = fake_call(node, fs_call_of(request));
    device_complete(request, result);
}

// Completes the read that is held, and holds no more.
static inline void fake_let_go(void)
{
    struct io_request *request = fake.held;
    fake.hold = false;
    fake.held = NULL;
    device_complete(request, fake_read((struct fake_node *)request->device, request));
}

// Result: the file system, with nothing in it.
static inline struct device *fake_fs(void)
{
    struct fake_node *root = &fake.nodes[0];
    root->used = root->linked = true;
    root->device = (struct device){ .name = "fake", .ops = &fake_ops, .kind = DEVICE_DIRECTORY };
    root->device.calls = true;
    root->device.lanes[0].depth = FAKE_DEPTH;
    return &root->device;
}
