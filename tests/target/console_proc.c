// The texts under /proc, read as a program reads files.
#include <aio.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
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

enum { QUEUED, IN_FLIGHT, SUBMITTED, COMPLETED, REFUSED, NUMBERS };

// The numbers of a line of /proc/aio; those of several lines of one name are added up.
// Result: how many there are.
static unsigned aio_line(const char *name, unsigned long numbers[NUMBERS])
{
    unsigned lines = 0;
    size_t length = strlen(name);
    memset(numbers, 0, NUMBERS * sizeof *numbers);
    read_file("/proc/aio");
    for (const char *line = text; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, length) != 0 || line[length] != ' ')
            continue;
        lines++;
        char *number = (char *)(uintptr_t)line + length;
        for (unsigned i = 0; i < NUMBERS; i++)
            numbers[i] += strtoul(number, &number, 10);
    }
    return lines;
}

// Have the totals that only grow not fallen since they were `before`? Then they are the new ones.
static bool totals_grow(unsigned long before[NUMBERS])
{
    unsigned long now[NUMBERS];
    bool grow = aio_line("total", now) == 1;
    for (unsigned i = SUBMITTED; i < NUMBERS; i++)
        grow &= now[i] >= before[i];
    memcpy(before, now, sizeof now);
    return grow;
}

static void test_pipes(unsigned long total[NUMBERS])
{
    enum { READS = 20 };
    static struct aiocb reads[READS];
    static char bytes[READS];
    unsigned long now[NUMBERS];
    int fds[2];
    bool begun = pipe(fds) == 0;
    unsigned long waiting = total[QUEUED] + total[IN_FLIGHT];
    for (unsigned i = 0; i < READS; i++) {
        reads[i] = (struct aiocb){ .aio_fildes = fds[0], .aio_buf = &bytes[i], .aio_nbytes = 1 };
        begun &= aio_read(&reads[i]) == 0;
    }
    tap_ok(begun && aio_line("pipe", now) == 2 && now[QUEUED] + now[IN_FLIGHT] == READS &&
               now[SUBMITTED] == READS && now[COMPLETED] == 0,
           "test_proc_aio_has_both_ends_of_a_pipe_and_its_reads");
    tap_ok(totals_grow(total) && total[QUEUED] + total[IN_FLIGHT] == waiting + READS,
           "test_proc_aio_has_them_in_its_total");
    begun = write(fds[1], "twenty bytes of them", READS) == READS;
    for (unsigned i = 0; i < READS; i++) {
        const struct aiocb *const one[] = { &reads[i] };
        while (aio_error(&reads[i]) == EINPROGRESS)
            aio_suspend(one, 1, NULL);
    }
    tap_ok(begun && aio_line("pipe", now) == 2 && now[COMPLETED] == READS + 1,
           "test_proc_aio_counts_what_they_have_done");
    bool grow = totals_grow(total);
    unsigned long completed = total[COMPLETED];
    close(fds[0]);
    close(fds[1]);
    tap_ok(aio_line("pipe", now) == 0, "test_proc_aio_forgets_closed_pipes");
    tap_ok(grow && totals_grow(total) && total[COMPLETED] >= completed,
           "test_proc_aio_keeps_their_counts_in_its_total");
}

// Goal: whatever is opened has a line while it is open, and the totals never fall.
static void test_others(unsigned long total[NUMBERS])
{
    static const char *const names[] = { "socket", "eventfd", "ramfs" };
    static const unsigned lines[] = { 2, 1, 1 };
    unsigned long now[NUMBERS];
    uint64_t one = 1;
    bool right = true, grow = true;
    for (unsigned round = 0; round < 3; round++) {
        int pair[2], event = eventfd(0, 0);
        int file = open("/tmp/counted", O_RDWR | O_CREAT, 0600);
        right &= socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0;
        right &= write(event, &one, sizeof one) == sizeof one && write(pair[0], "x", 1) == 1 &&
                 write(file, "x", 1) == 1;
        for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
            right &= aio_line(names[i], now) == lines[i] && now[COMPLETED] == 1;
        grow &= totals_grow(total);
        for (unsigned i = 0; i < 2; i++)
            close(pair[i]);
        close(event);
        close(file);
        grow &= totals_grow(total);
        for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
            right &= aio_line(names[i], now) == 0;
    }
    tap_ok(right, "test_proc_aio_has_sockets_and_files_while_they_are_open");
    tap_ok(grow, "test_proc_aio_totals_never_fall");
    unlink("/tmp/counted");
}

static void test_mounts(void)
{
    struct stat status;
    bool host = stat("/host", &status) == 0;
    tap_ok(read_file("/proc/mounts") && has_line("/dev devfs\n") && has_line("/proc proc\n") &&
               has_line("/tmp ramfs\n"),
           "test_proc_mounts_has_a_line_per_file_system");
    tap_ok(host == (strstr(text, "/host 9p\n") != NULL), "test_proc_mounts_has_no_others");
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
    tap_plan(21);
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
    unsigned long total[NUMBERS] = { 0 };
    totals_grow(total);
    test_pipes(total);
    test_others(total);
    test_mounts();
    test_limits();
    return tap_done();
}
