// Asks the disk for its first 64 KiB and counts until they are there: nobody waits, nobody polls.
//     make run APP=demos/hello.c DISK=README.md
#include <aio.h>
#include <fcntl.h>
#include <stdio.h>

static char data[65536];
static struct aiocb request;
static volatile ssize_t arrived; // 0 while the request is on its way.

// Runs when the data is in memory: an interrupt brought it here, out of the middle of main's loop.
static void on_arrival(union sigval value)
{
    arrived = aio_return(value.sival_ptr);
}

int main(void)
{
    unsigned long count = 0;

    request.aio_fildes = open("/dev/disk", O_RDONLY);
    request.aio_buf = data;
    request.aio_nbytes = sizeof data;
    request.aio_sigevent.sigev_notify = SIGEV_THREAD;
    request.aio_sigevent.sigev_notify_function = on_arrival;
    request.aio_sigevent.sigev_value.sival_ptr = &request;
    if (request.aio_fildes < 0 || aio_read(&request) != 0) {
        perror("/dev/disk");
        return 1;
    }
    while (arrived == 0)
        count++;
    printf("%ld bytes arrived while main counted to %lu.\n", (long)arrived, count);
    printf("They begin with \"%.10s\".\n", data);
    return arrived < 0;
}
