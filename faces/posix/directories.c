// Reading directories: a stream is a descriptor and the place that the last entry has told.
#include <dirent.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "faces/posix/posix.h"
#include "fs/file.h"

struct __directory {
    int fd;
    struct fs_entry found; // Its cookie: where the next one is.
    struct dirent entry;
};

_Static_assert(sizeof((struct dirent *)0)->d_name == FS_NAME_LIMIT + 1, "a name fits exactly");

static DIR *stream_on(int fd)
{
    DIR *stream = malloc(sizeof *stream);
    if (!stream) {
        errno = ENOMEM;
        return NULL;
    }
    stream->fd = fd;
    stream->found.cookie = 0;
    return stream;
}

DIR *opendir(const char *path)
{
    int fd = (int)posix_result(file_open(path, O_RDONLY | O_DIRECTORY, 0));
    DIR *stream = fd < 0 ? NULL : stream_on(fd);
    if (fd >= 0 && !stream)
        file_close(fd);
    return stream;
}

DIR *fdopendir(int fd)
{
    const struct device *device = file_snapshot(fd).device;
    if (device && device->kind == DEVICE_DIRECTORY)
        return stream_on(fd);
    errno = device ? ENOTDIR : EBADF;
    return NULL;
}

struct dirent *readdir(DIR *stream)
{
    struct dirent *entry = &stream->entry;
    int result = file_next_entry(stream->fd, &stream->found);
    if (result < 0)
        errno = -result;
    if (result <= 0)
        return NULL;
    entry->d_ino = (ino_t)stream->found.inode;
    entry->d_type = (unsigned char)((stream->found.mode & S_IFMT) >> 12);
    memcpy(entry->d_name, stream->found.name, sizeof entry->d_name);
    return entry;
}

void rewinddir(DIR *stream)
{
    stream->found.cookie = 0;
}

int closedir(DIR *stream)
{
    int error = file_close(stream->fd);
    free(stream);
    return (int)posix_result(error);
}

int dirfd(DIR *stream)
{
    return stream->fd;
}
