// Semihosting's operations in terms of the one call that each architecture makes.
#include "arch/semihosting.h"

#include "arch/cpu.h"
#include "arch/fault.h"

// Modes count through fopen's: 4 is "w"; 8, "a", makes the name ":tt" the host's standard error
// (Semihosting 7.11).
enum { OPEN_MODE_WRITE = 4, OPEN_MODE_STDERR = 8, STOPPED_APPLICATION_EXIT = 0x20026 };

static bool semihosting_available;
static void (*power_off)(int status);

void machine_semihosting(bool available)
{
    semihosting_available = available;
}

void machine_power_off_by(void (*off)(int status))
{
    power_off = off;
}

_Noreturn void machine_exit(int status)
{
    const uintptr_t parameters[] = { STOPPED_APPLICATION_EXIT, (uintptr_t)status };
    irq_save();
    bool available = semihosting_available;
    semihosting_available = false; // Without a debugger the call is a fault, which ends here too.
    if (available)
        semihosting_call(SYS_EXIT_EXTENDED, parameters);
    if (power_off)
        power_off(status);
    for (;;)
        cpu_wait_for_interrupt();
}

static intptr_t semihosting_open(const char *path, uintptr_t mode)
{
    size_t length = 0;
    while (path[length])
        length++;
    const uintptr_t parameters[] = { (uintptr_t)path, mode, length };
    return semihosting_call(SYS_OPEN, parameters);
}

void semihosting_touch(const char *path)
{
    intptr_t handle = semihosting_open(path, OPEN_MODE_WRITE);
    const uintptr_t parameters[] = { (uintptr_t)handle };
    if (handle >= 0)
        semihosting_call(SYS_CLOSE, parameters);
}

void semihosting_write(const char *text, size_t size)
{
    static intptr_t handle = -1;
    if (handle < 0)
        handle = semihosting_open(":tt", OPEN_MODE_STDERR);
    const uintptr_t write[] = { (uintptr_t)handle, (uintptr_t)text, size };
    semihosting_call(SYS_WRITE, write);
}

int semihosting_command_line(char *text, size_t size)
{
    uintptr_t parameters[] = { (uintptr_t)text, size };
    if (semihosting_call(SYS_GET_CMDLINE, parameters) != 0)
        return -1;
    return (int)parameters[1];
}
