// Folders with fixed names. Every call is answered inside submit: a few names are compared.
#include "fs/fixed.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>

static void fixed_submit(struct device *device, struct io_request *request);

static const struct device_ops fixed_ops = { .submit = fixed_submit };

void fixed_folder_init(struct fixed_folder *folder, const char *name,
                       bool (*entry)(unsigned index, struct fixed_entry *entry), int refusal)
{
    folder->device.name = name;
    folder->device.ops = &fixed_ops;
    folder->device.kind = DEVICE_DIRECTORY;
    folder->device.read_only = true;
    folder->device.calls = true;
    folder->device.lanes[0].depth = 1;
    folder->entry = entry;
    folder->refusal = refusal;
}

// Does path begin with this name, as a whole? Result: what follows it, or NULL.
static const char *skip_name(const char *path, const char *name)
{
    while (*name && *path == *name)
        path++, name++;
    if (*name || (*path && *path != '/'))
        return NULL;
    return *path ? path + 1 : path;
}

// Goes down one name. Result: 0, -ENOENT, or -ENOTDIR: it does not start at a folder of ours.
static int step(struct device **at, const char **path)
{
    const struct fixed_folder *folder = (const struct fixed_folder *)*at;
    struct fixed_entry entry;
    if ((*at)->ops != &fixed_ops)
        return -ENOTDIR;
    for (unsigned i = 0; folder->entry(i, &entry); i++) {
        const char *rest = skip_name(*path, entry.name);
        if (rest) {
            *at = entry.device;
            *path = rest;
            return 0;
        }
    }
    return -ENOENT;
}

// Result: 0 and the device that the call's path names, or -ENOENT, -ENOTDIR.
static int find(struct fixed_folder *folder, const struct fs_call *call, struct device **found)
{
    const char *path = call->path;
    int error = 0;
    *found = &folder->device;
    while (*path && !error)
        error = step(found, &path);
    if (!error && call->directory && (*found)->kind != DEVICE_DIRECTORY)
        error = -ENOTDIR;
    return error;
}

static int open_found(struct fs_call *call, struct device *found)
{
    bool writing = (call->flags & O_ACCMODE) != O_RDONLY;
    if ((call->flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
        return -EEXIST;
    if (found->kind == DEVICE_DIRECTORY && (writing || call->flags & O_CREAT))
        return -EISDIR;
    if (found->kind != DEVICE_DIRECTORY && call->flags & O_DIRECTORY)
        return -ENOTDIR;
    if (found->read_only && writing)
        return -EACCES;
    fs_call_give(call, found);
    return 0;
}

// What is refused is refused with the reason that comes first.
static int call_by_path(struct fixed_folder *folder, struct fs_call *call)
{
    struct device *found;
    int error = find(folder, call, &found);
    bool creates = call->operation == FS_MKDIR ||
                   (call->operation == FS_OPEN && call->flags & O_CREAT);
    if (error)
        return error == -ENOENT && creates ? folder->refusal : error;
    bool directory = found->kind == DEVICE_DIRECTORY;
    switch (call->operation) {
    case FS_OPEN:
        return open_found(call, found);
    case FS_STATUS:
        fs_status_of_device(found, &call->status);
        return 0;
    case FS_MKDIR:
        return -EEXIST;
    case FS_UNLINK:
        return directory ? -EISDIR : folder->refusal;
    case FS_RMDIR:
        return directory ? folder->refusal : -ENOTDIR;
    default:
        return folder->refusal;
    }
}

// The cookie of an entry is the number of the next. Result: 1, or 0.
static int next_entry(const struct fixed_folder *folder, struct fs_call *call)
{
    struct fixed_entry found;
    struct fs_status status;
    struct fs_entry *entry = call->entry;
    if (call->cookie > UINT16_MAX || !folder->entry((unsigned)call->cookie, &found))
        return 0;
    fs_status_of_device(found.device, &status);
    entry->cookie = call->cookie + 1;
    entry->inode = status.inode;
    entry->mode = status.mode & S_IFMT;
    unsigned i = 0;
    for (; i < FS_NAME_LIMIT && found.name[i]; i++)
        entry->name[i] = found.name[i];
    entry->name[i] = '\0';
    return 1;
}

static int call_result(struct fixed_folder *folder, struct fs_call *call)
{
    switch (call->operation) {
    case FS_FILE_STATUS:
        fs_status_of_device(&folder->device, &call->status);
        return 0;
    case FS_TRUNCATE:
        return -EISDIR;
    case FS_NEXT_ENTRY:
        return next_entry(folder, call);
    default:
        return call_by_path(folder, call);
    }
}

static void fixed_submit(struct device *device, struct io_request *request)
{
    struct fixed_folder *folder = (struct fixed_folder *)device; // Its first member.
    int result = 0;
    if (request->op <= IO_WRITE)
        result = -EISDIR;
    else if (request->op == IO_CALL)
        result = call_result(folder, fs_call_of(request));
    device_complete(request, result);
}
