// The program's life: standard streams, arguments, constructors, main, the end.
//
// Arguments come from boot as one line of words, each percent-encoded; leading words NAME=VALUE are
// the environment, the next one is argv[0]: "HOME=/ prog first%20argument second".
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aio/core.h"
#include "arch/cpu.h"
#include "arch/fault.h"
#include "arch/report.h"
#include "arch/semihosting.h"
#include "faces/posix/posix.h"
#include "fs/file.h"
#include "fs/tty.h"
#include "irq/callback.h"

enum { WORDS = 256, EXIT_USAGE = 2, END_WAITS_S = 10 };

int main(int argc, char **argv, char **environment);
void __libc_init_array(void);
void _init(void);
void _fini(void);

// The program's to keep and to change, so not among the kernel's data.
__attribute__((section(".user.bss"))) static char *words[WORDS + 1];
__attribute__((section(".user.bss"))) static char *arguments[WORDS + 1];

// newlib's __libc_init_array() calls these around the constructors; nothing of ours is in them.
void _init(void)
{
}

void _fini(void)
{
}

static int hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

// Undoes percent-encoding in place.
static void decode(char *word)
{
    char *to = word;
    for (const char *from = word; *from; from++) {
        if (from[0] == '%' && hex_digit(from[1]) >= 0 && hex_digit(from[2]) >= 0) {
            *to++ = (char)(hex_digit(from[1]) * 16 + hex_digit(from[2]));
            from += 2;
        } else {
            *to++ = *from;
        }
    }
    *to = '\0';
}

// Splits the command line into the environment, in words, and the arguments. Result: argc.
static int split(char *line)
{
    int variables = 0, count = 0;
    for (char *word = strtok(line, " "); word; word = strtok(NULL, " ")) {
        bool variable = count == 0 && strchr(word, '=') && word[0] != '=';
        decode(word);
        if (variables + count == WORDS) {
            report("boot: more than %d arguments and variables\n", WORDS);
            machine_exit(EXIT_USAGE);
        }
        if (variable)
            words[variables++] = word;
        else
            arguments[count++] = word;
    }
    if (count == 0)
        arguments[count++] = (char *)"program";
    environ = words;
    return count;
}

// Without a debugger that has a standard error, the console serves for it.
static void open_streams(void)
{
    static const char *const paths[] = { "/dev/console", "/dev/console", "/dev/stderr" };
    for (int fd = 0; fd < 3; fd++) {
        int error = file_open(paths[fd], fd == 0 ? O_RDONLY : O_WRONLY, 0);
        if (error == -ENOENT && fd == STDERR_FILENO)
            error = file_open("/dev/console", O_WRONLY, 0);
        if (error < 0)
            report("boot: cannot open %s: errno %d\n", paths[fd], -error);
    }
}

const char *posix_program_name(void)
{
    const char *slash = strrchr(arguments[0], '/');
    return slash ? slash + 1 : arguments[0];
}

// Two variables are for us, not for the program: CONSOLE=pipe says that nobody types, CONSOLE_READY
// names a pipe by which the other end wants to know that the serial port is on and will lose
// nothing.
static void set_up_console(void)
{
    const char *console = getenv("CONSOLE"), *ready = getenv("CONSOLE_READY");
    if (console && strcmp(console, "pipe") == 0)
        tty_set_echo(false);
    if (ready)
        semihosting_touch(ready);
    unsetenv("CONSOLE");
    unsetenv("CONSOLE_READY");
}

_Noreturn void program_start(char *command_line)
{
    int count = split(command_line);
    set_up_console();
    open_streams();
    __libc_init_array();
    atexit(posix_streams_flush); // Registered first, so it runs when the program's own are through.
    exit(main(count, arguments, environ));
}

static bool (*end_waits)(void);

void posix_end_waits_while(bool (*busy)(void))
{
    end_waits = busy;
}

static bool is_disk_busy(void)
{
    for (const struct device *device = device_first(); device; device = device->next)
        if (device->kind == DEVICE_BLOCK && device->lanes[0].in_flight > 0)
            return true;
    return false;
}

// Half a sector on a card helps nobody. Callbacks, which might ask for more, are held.
static void come_to_rest(void)
{
    const struct timespec most = { .tv_sec = END_WAITS_S };
    struct posix_wait wait;
    callbacks_hold();
    posix_wait_begin(&wait, &most);
    uint32_t flags = irq_save();
    while ((is_disk_busy() || (end_waits && end_waits())) && posix_wait_over(&wait) != ETIMEDOUT)
        level_sleep_locked(); // No handler runs any more, in a callback either.
    irq_restore(flags);
    posix_wait_end(&wait);
}

_Noreturn void posix_end(int status)
{
    come_to_rest();
    file_flush(STDOUT_FILENO); // What has been written is on the wire before the machine stops.
    machine_exit(status & 0xff);
}
