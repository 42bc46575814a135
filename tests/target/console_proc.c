// The texts under /proc, read as a program reads files.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "board/board.h"
#include "dma/dma.h"
#include "tests/tap.h"

static char text[4096];

static bool read_file(const char *path)
{
    int fd = open(path, O_RDONLY);
    ssize_t got, size = 0;
    if (fd < 0)
        return false;
    while ((got = read(fd, text + size, sizeof text - 1 - (size_t)size)) > 0)
        size += got;
    text[size] = '\0';
    close(fd);
    return got == 0 && size > 0;
}

static bool has_line(const char *part)
{
    bool found = strstr(text, part) != NULL;
    if (!found)
        for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
            tap_note("%s", line);
    return found;
}

static void test_interrupts(void)
{
    char line[64];
    snprintf(line, sizeof line, " %s\n", board.console);
    tap_ok(read_file("/proc/interrupts"), "test_proc_interrupts_is_read");
    tap_ok(has_line(line), "test_proc_interrupts_names_the_serial_port");
    tap_ok(has_line("taken: ") && has_line("callbacks: "), "test_proc_interrupts_has_totals");
}

static void test_dma(void)
{
    char line[64];
    const struct dma_engine *engine = dma_engine_find(NULL);
    snprintf(line, sizeof line, "%s %u ", dma_engine_name(engine),
             dma_capabilities(engine)->channels);
    tap_ok(read_file("/proc/dma") && has_line(line), "test_proc_dma_names_the_engine");
}

static void test_limits(void)
{
    int fd = open("/proc/sys/fs/aio-max-nr", O_RDWR);
    tap_ok(read_file("/proc/sys/fs/aio-max-nr") && strcmp(text, "65536\n") == 0 &&
               read_file("/proc/sys/fs/aio-nr") && strcmp(text, "0\n") == 0,
           "test_proc_aio_limits_at_first");
    tap_ok(write(fd, "128\n", 4) == 4 && read_file("/proc/sys/fs/aio-max-nr") &&
               strcmp(text, "128\n") == 0,
           "test_proc_aio_max_nr_is_written");
    tap_ok(write(fd, "many", 4) == -1 && errno == EINVAL &&
               open("/proc/sys/fs/aio-nr", O_WRONLY) == -1 && errno == EACCES,
           "test_proc_aio_limits_refuse");
    close(fd);
}

int main(void)
{
    char line[128];
    tap_plan(12);
    printf("# some output first\n");
    fflush(stdout);
    test_interrupts();
    tap_ok(read_file("/proc/aio") && has_line("console ") && has_line("proc/aio 0 1 "),
           "test_proc_aio_counts_its_own_read");
    test_dma();
    tap_ok(read_file("/proc/uptime") && atof(text) > 0, "test_proc_uptime_is_a_number");
    double before = atof(text);
    read_file("/proc/uptime");
    tap_ok(atof(text) > before, "test_proc_uptime_advances");
    FILE *file = fopen("/proc/interrupts", "r");
    tap_ok(file && fgets(line, sizeof line, file) && strchr(line, ':'),
           "test_proc_is_read_by_stdio");
    if (file)
        fclose(file);
    tap_ok(open("/proc/aio", O_WRONLY) == -1 && errno == EACCES, "test_proc_is_not_written");
    test_limits();
    return tap_done();
}
