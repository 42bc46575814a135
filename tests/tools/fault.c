// A program that goes wrong in the way its argument says, for tests/tools/faults.t.
#include <aio.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char __fault_stack_guard[], __fault_stack_bottom[];
extern char __isr_stack_guard[], __isr_stack_bottom[];

static volatile uintptr_t hidden; // The compiler must not see what a pointer is.
static const int constant = 5;
static char buffer[64] __attribute__((aligned(64)));

static unsigned overflow(unsigned depth)
{
    volatile char frame[512];
    memset((char *)frame, 1, sizeof frame);
    return overflow(depth + 1) + (unsigned)frame[depth % sizeof frame];
}

static void write_null(union sigval value)
{
    (void)value;
    *(volatile int *)hidden = 1;
}

static void overflow_here(union sigval value)
{
    (void)value;
    overflow(0);
}

// Leaves the stack pointer far below every stack, where nothing is mapped on any board.
static void lose_stack(union sigval value)
{
    (void)value;
    hidden = 0x30000000;
    volatile char frame[hidden];
    frame[0] = 1;
}

static void call(const void *address)
{
    hidden = (uintptr_t)address;
    ((void (*)(void))hidden)();
}

static void read_byte(const char *address)
{
    hidden = (uintptr_t)address;
    (void)*(volatile char *)hidden;
}

static void in_callback(void (*function)(union sigval))
{
    struct aiocb block = { .aio_fildes = open("/dev/ram0", O_RDWR),
                           .aio_buf = buffer,
                           .aio_nbytes = sizeof buffer };
    block.aio_sigevent.sigev_notify = SIGEV_THREAD;
    block.aio_sigevent.sigev_notify_function = function;
    aio_read(&block);
    for (;;)
        continue;
}

int main(int argc, char **argv)
{
    const char *kind = argc > 1 ? argv[1] : "";
    if (strcmp(kind, "read-null") == 0)
        return *(volatile int *)hidden;
    if (strcmp(kind, "write-null") == 0)
        *(volatile int *)hidden = 1;
    if (strcmp(kind, "call-null") == 0)
        ((void (*)(void))hidden)();
    if (strcmp(kind, "write-constant") == 0) {
        hidden = (uintptr_t)&constant;
        *(volatile int *)hidden = 1;
    }
    if (strcmp(kind, "write-text") == 0) {
        hidden = (uintptr_t)main & ~(uintptr_t)3;
        *(volatile int *)hidden = 1;
    }
    if (strcmp(kind, "execute-data") == 0) {
        hidden = (uintptr_t)buffer;
        ((void (*)(void))hidden)();
    }
    if (strcmp(kind, "execute-constant") == 0)
        call(&constant);
    if (strcmp(kind, "execute-stack") == 0) {
        int word = 0;
        call(&word);
    }
    if (strcmp(kind, "execute-heap") == 0)
        call(calloc(1, 64));
    if (strcmp(kind, "guard-fault") == 0)
        read_byte(__fault_stack_guard);
    if (strcmp(kind, "guard-fault-end") == 0)
        read_byte(__fault_stack_bottom - 1);
    if (strcmp(kind, "guard-isr") == 0)
        read_byte(__isr_stack_guard);
    if (strcmp(kind, "guard-isr-end") == 0)
        read_byte(__isr_stack_bottom - 1);
    if (strcmp(kind, "unmapped") == 0) {
        hidden = 0x70000000;
        return *(volatile int *)hidden;
    }
    if (strcmp(kind, "undefined") == 0)
        __asm__ volatile(".4byte 0xffffffff"); // No instruction anywhere.
    if (strcmp(kind, "trap") == 0)
        __builtin_trap();
    if (strcmp(kind, "bad-stack") == 0)
        lose_stack((union sigval){ 0 });
    if (strcmp(kind, "overflow") == 0)
        return (int)overflow(0);
    if (strcmp(kind, "callback-write-null") == 0)
        in_callback(write_null);
    if (strcmp(kind, "callback-overflow") == 0)
        in_callback(overflow_here);
    if (strcmp(kind, "callback-bad-stack") == 0)
        in_callback(lose_stack);
    if (strcmp(kind, "abort") == 0)
        abort();
    if (strcmp(kind, "raise") == 0)
        raise(SIGTERM);
    if (strcmp(kind, "unaligned") == 0) {
        // Plain accesses to unaligned addresses are no fault. (On icicle that is QEMU's doing.)
        memcpy(buffer, "0123456789", 10);
        hidden = (uintptr_t)buffer + 1;
        printf("%08lx\n", (unsigned long)*(volatile uint32_t *)hidden);
    }
    if (strcmp(kind, "no-memory") == 0) {
        void *memory = malloc(1u << 30);
        printf("%s\n", memory == NULL && errno == ENOMEM ? "ENOMEM" : "memory");
    }
    return 0;
}
