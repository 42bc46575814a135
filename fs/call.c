// What all that deal with file systems share.
#include "fs/call.h"

#include <sys/stat.h>

enum { DEVICE_BLOCK_BYTES = 4096 }; // Moved at best at a time, where nothing else is known.

void fs_status_of_device(const struct device *device, struct fs_status *status)
{
    static const uint32_t kinds[] = {
        [DEVICE_BLOCK] = S_IFBLK,
        [DEVICE_STREAM] = S_IFCHR,
        [DEVICE_FILE] = S_IFREG,
        [DEVICE_DIRECTORY] = S_IFDIR | S_IXUSR | S_IXGRP | S_IXOTH,
    };
    const uint32_t readable = S_IRUSR | S_IRGRP | S_IROTH;
    const uint32_t writable = S_IWUSR | S_IWGRP | S_IWOTH;
    uint32_t kind = device->type ? device->type : kinds[device->kind];
    status->mode = kind | readable | (device->read_only ? 0 : writable);
    status->read_only = device->read_only;
    status->links = 1;
    status->size = device->size_bytes;
    status->inode = (uintptr_t)device;
    status->modified_ns = 0;
    status->block_bytes = DEVICE_BLOCK_BYTES;
    status->blocks = (status->size + FS_STATUS_BLOCK_BYTES - 1) / FS_STATUS_BLOCK_BYTES;
}
