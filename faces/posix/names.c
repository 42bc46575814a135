// What is done by name: status, access, removing, renaming, folders, the working directory.
//
// Symbolic links are on /host only, and come from there. There is one user, who may do what a file
// system lets him: permissions are not looked at here.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "faces/posix/pointers.h"
#include "faces/posix/posix.h"
#include "fs/file.h"
#include "fs/mount.h"

enum { NS_PER_S = 1000000000, PERMISSIONS = 0777 };

int _fstat(int fd, struct stat *status);
int _stat(const char *path, struct stat *status);
int _link(const char *from, const char *to);
int _unlink(const char *path);

static mode_t creation_mask = S_IWGRP | S_IWOTH; // As a shell leaves it.

int64_t posix_result(int64_t result)
{
    if (result >= 0)
        return result;
    errno = -(int)result;
    return -1;
}

mode_t posix_creation_mode(mode_t mode)
{
    return mode & PERMISSIONS & ~creation_mask;
}

mode_t umask(mode_t mask)
{
    mode_t before = creation_mask;
    creation_mask = mask & PERMISSIONS;
    return before;
}

// Tells what fs_status says in newlib's terms, unless there is an error already.
static int tell_status(int error, const struct fs_status *from, struct stat *to)
{
    if (!error && !posix_can_write(to, 1))
        error = -EFAULT;
    if (!error && from->size > LONG_MAX)
        error = -EOVERFLOW;
    if (error)
        return (int)posix_result(error);
    *to = (struct stat){ 0 };
    to->st_mode = from->mode;
    to->st_nlink = (nlink_t)from->links;
    to->st_ino = (ino_t)from->inode;
    to->st_size = (off_t)from->size;
    to->st_blksize = (blksize_t)from->block_bytes;
    to->st_blocks = (blkcnt_t)from->blocks;
    to->st_mtim.tv_sec = (time_t)(from->modified_ns / NS_PER_S);
    to->st_mtim.tv_nsec = (long)(from->modified_ns % NS_PER_S);
    to->st_atim = to->st_ctim = to->st_mtim;
    return 0;
}

int _fstat(int fd, struct stat *status)
{
    struct fs_status found;
    int error = file_status(fd, &found);
    return tell_status(error, &found, status);
}

int _stat(const char *path, struct stat *status)
{
    struct fs_status found;
    int error = file_status_of(path, true, &found);
    return tell_status(error, &found, status);
}

int lstat(const char *path, struct stat *status)
{
    struct fs_status found;
    int error = file_status_of(path, false, &found);
    return tell_status(error, &found, status);
}

ssize_t readlink(const char *path, char *text, size_t size)
{
    return (ssize_t)posix_result(size == 0 ? -EINVAL : file_read_link(path, text, size));
}

// Does a file open for reading, writing, or both, as R_OK and W_OK say?
static int opens(const char *path, int mode)
{
    int flags = !(mode & W_OK) ? O_RDONLY : mode & R_OK ? O_RDWR : O_WRONLY;
    return file_try_open(path, flags);
}

static int may_access(const char *path, int mode)
{
    struct fs_status status;
    if (mode & ~(R_OK | W_OK | X_OK))
        return -EINVAL;
    int error = file_status_of(path, true, &status);
    if (!error && mode & (R_OK | W_OK) && S_ISREG(status.mode))
        error = opens(path, mode);
    if (error)
        return error;
    bool executable = S_ISDIR(status.mode) || status.mode & (S_IXUSR | S_IXGRP | S_IXOTH);
    bool refused = (mode & W_OK && status.read_only) || (mode & X_OK && !executable);
    return refused ? -EACCES : 0;
}

int access(const char *path, int mode)
{
    return (int)posix_result(may_access(path, mode));
}

// A name is a file's only one.
int _link(const char *from, const char *to)
{
    (void)from;
    (void)to;
    return (int)posix_result(-EPERM);
}

int _unlink(const char *path)
{
    return (int)posix_result(file_unlink(path));
}

// newlib's rename() is a link and an unlink, its remove() knows no folders; the latter shares its
// object file with something that others need, so it is replaced by the linker.
int rename(const char *from, const char *to)
{
    return (int)posix_result(file_rename(from, to));
}

int __wrap_remove(const char *path);
int __wrap_remove(const char *path)
{
    int error = file_unlink(path);
    return (int)posix_result(error == -EISDIR ? file_remove_directory(path) : error);
}

int mkdir(const char *path, mode_t mode)
{
    return (int)posix_result(file_make_directory(path, posix_creation_mode(mode)));
}

int rmdir(const char *path)
{
    return (int)posix_result(file_remove_directory(path));
}

int chdir(const char *path)
{
    return (int)posix_result(file_change_directory(path));
}

// Without a buffer, the text is malloc's, as programs written for Linux expect.
char *getcwd(char *buffer, size_t size)
{
    char text[FS_PATH_LIMIT];
    size_t length = path_working_directory(text);
    bool fits = length < size || (!buffer && size == 0);
    if (!fits) {
        errno = size == 0 ? EINVAL : ERANGE;
        return NULL;
    }
    if (buffer && !posix_can_write(buffer, length + 1)) {
        errno = EFAULT;
        return NULL;
    }
    return buffer ? memcpy(buffer, text, length + 1) : strdup(text);
}
