// The composition root: everything is put together here, in this order, one line a step.
#include <inflight/version.h>

#include "arch/cpu.h"
#include "arch/fault.h"
#include "arch/protection.h"
#include "arch/report.h"
#include "arch/semihosting.h"
#include "board/board.h"
#include "drivers/device.h"
#include "drivers/uart/uart.h"
#include "faces/posix/posix.h"
#include "fs/devfs.h"
#include "fs/mount.h"
#include "fs/p9fs.h"
#include "fs/procfs.h"
#include "fs/ramfs.h"
#include "fs/tty.h"

enum { COMMAND_LINE_BYTES = 8192, EXIT_USAGE = 2 };

// The program's to keep and to change, so not among the kernel's data.
__attribute__((section(".user.bss"))) static char command_line[COMMAND_LINE_BYTES];

// Hardware that does not start is left out; the board goes on without it.
static void start_hardware(void)
{
    for (const struct hardware *hardware = board.hardware; hardware->name; hardware++) {
        int error = hardware->driver->start(hardware);
        if (error)
            report("boot: %s does not start: errno %d\n", hardware->name, -error);
    }
}

// Under QEMU to its standard error, apart from the program's output; on hardware to the console.
static void (*messages(void))(const char *, size_t)
{
    return board.semihosting ? semihosting_write : uart_console_sink;
}

static int start_console(void)
{
    uart_console_select(board.console);
    return tty_init(device_find(board.console));
}

static char *read_command_line(void)
{
    if (board.semihosting && semihosting_command_line(command_line, sizeof command_line) < 0) {
        report("boot: the command line is longer than %d bytes\n", COMMAND_LINE_BYTES - 1);
        machine_exit(EXIT_USAGE);
    }
    return command_line;
}

static void must(int error, const char *step)
{
    if (error) {
        report("boot: %s: errno %d\n", step, -error);
        machine_exit(EXIT_FAULT);
    }
}

static void mount(const char *name, struct device *fs)
{
    must(mount_add(name, fs), name);
}

// A program so large that nothing is left for it goes without.
static void mount_tmp(void)
{
    extern char __tmp_start[], __tmp_end[]; // linker.ld
    struct device *tmp = ramfs_init(__tmp_start, (size_t)(__tmp_end - __tmp_start));
    if (tmp)
        mount("tmp", tmp);
    else
        report("boot: no memory is left for /tmp\n");
}

// Only where the board was started with a folder to share.
static void mount_host(void)
{
    struct device *channel = device_find("9p/host");
    if (channel)
        mount("host", p9fs_init(channel));
}

// The steps, each on a line of its own, so clang-format keeps its hands off.
// clang-format off

// Called by start.S on main's stack, memory zeroed, interrupts masked.
_Noreturn void __boot(void);
_Noreturn void __boot(void)
{
    machine_semihosting(board.semihosting);   // A way to end,
    report_to(messages());                    // and a way to complain.
    memory_init(&board.ram);                  // What may be moved where.
    protection_init(&board.ram, board.mmio);  // The memory map; caches on.
    start_hardware();                         // In the board's order: interrupt controller first.
    must(start_console(), "no console");      // Line editing on the serial port.
    mount("dev", devfs_init(board.disk));     // Devices by name; null, zero, tty, disk.
    mount("proc", procfs_init());             // Counters as text.
    mount_tmp();                              // Files in RAM.
    mount_host();                             // The folder that the host shares.
    posix_streams_init();                     // errno and streams per level.
    posix_signals_init();                     // ^C is SIGINT.
    report("Inflight " INFLIGHT_VERSION " on %s\n", board.name);
    irq_unmask();                             // From here on things happen by themselves.
    program_start(read_command_line());       // Constructors, main, exit.
}
