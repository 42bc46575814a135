// A program as one writes it for Linux: it writes a line by aio_write(), and waits for it.
#include <aio.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(void)
{
    static char line[] = "written while main went on\n";
    struct aiocb block;
    memset(&block, 0, sizeof block);
    block.aio_fildes = STDOUT_FILENO;
    block.aio_buf = line;
    block.aio_nbytes = strlen(line);
    if (aio_write(&block) != 0) {
        perror("aio_write");
        return 1;
    }
    const struct aiocb *const list[] = { &block };
    while (aio_error(&block) == EINPROGRESS)
        aio_suspend(list, 1, NULL);
    return aio_return(&block) == (ssize_t)strlen(line) ? 0 : 1;
}
