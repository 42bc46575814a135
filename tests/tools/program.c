// A program for the tools' tests: shows its arguments and environment, or a file, copies its input,
// ends as it is told. Its functions are called like some of the kernel's, which must not matter.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int calls;

void report(void)
{
    calls++;
}

void timer_arm(void)
{
    calls++;
}

static int copy(int from)
{
    char piece[100];
    ssize_t size;
    while ((size = read(from, piece, sizeof piece)) > 0)
        fwrite(piece, 1, (size_t)size, stdout);
    return size < 0;
}

int main(int argc, char **argv)
{
    report();
    timer_arm();
    if (argc > 1 && strcmp(argv[1], "hang") == 0)
        for (volatile int round = 0;; round++)
            continue;
    if (argc > 1 && strcmp(argv[1], "copy") == 0)
        return copy(STDIN_FILENO);
    if (argc > 2 && strcmp(argv[1], "show") == 0)
        return copy(open(argv[2], O_RDONLY));
    if (argc > 2 && strcmp(argv[1], "exit") == 0) {
        fprintf(stderr, "to standard error\n");
        return atoi(argv[2]);
    }
    for (int i = 1; i < argc; i++)
        printf("[%s]\n", argv[i]);
    const char *value = getenv("VALUE");
    printf("VALUE=[%s] calls=%d\n", value ? value : "none", calls);
    return 0;
}
