// What a request costs in instructions, counted exactly. The ceilings are the project's promises; what is measured is
// printed with each, so that a report shows both.
// qemu: -icount shift=5,sleep=off
// sd: 8M
#include <stdlib.h>
#include <string.h>

#include "aio/core.h"
#include "arch/cpu.h"
#include "dma/coherence.h"
#include "tests/tap.h"
#include "tests/target/instructions.h"

enum { LONG_ENOUGH = 20000, READ_BYTES = 65536, BLOCK = 512 };

static _Alignas(64) unsigned char buffer[READ_BYTES];
static volatile uint32_t done_at, notified_at;

static void on_done(struct io_request *request)
{
    (void)request;
    done_at = clock_ticks();
}

static void on_notify(struct io_request *request)
{
    (void)request;
    notified_at = clock_ticks();
}

static void spin(unsigned iterations)
{
    for (volatile unsigned i = 0; i < iterations; i++)
        ;
}

static uint32_t work_at;

static void work_run(struct irq_work *work)
{
    (void)work;
    work_at = clock_ticks();
}

static struct io_request *read_request(size_t size)
{
    static struct io_request request;
    memset(&request, 0, sizeof request);
    request.op = IO_READ;
    request.buffer = buffer;
    request.size = size;
    request.done = on_done;
    request.notify = on_notify;
    return &request;
}

// Instructions that hand-over of a buffer to the device and back takes: cache maintenance, counted apart.
static uint32_t maintenance(size_t size)
{
    static struct dma_bounce bounce;
    struct dma_map map;
    uint32_t begun = clock_ticks();
    dma_map(&map, (uintptr_t)buffer, size, DMA_FROM_DEVICE, false, &bounce);
    dma_unmap(&map, size);
    return instructions(begun, clock_ticks());
}

// The interrupt is kept pending until the clock has been read: what follows is its way alone.
static void test_interrupt_to_callback(struct device *disk)
{
    struct io_request *request = read_request(BLOCK);
    uint32_t flags = irq_save();
    io_submit(disk, request);
    spin(LONG_ENOUGH);
    uint32_t entered = clock_ticks();
    irq_restore(flags);
    uint32_t maintained = maintenance(BLOCK) / 2;
    tap_note("interrupt entry to done(): %u instructions, of which about %u of cache maintenance",
             (unsigned)instructions(entered, done_at), (unsigned)maintained);
    tap_at_most(instructions(entered, notified_at) - maintained, 180, "test_interrupt_entry_to_callback");
}

static void test_software_interrupt(void)
{
    static struct irq_work work = { .run = work_run };
    uint32_t begun = clock_ticks();
    irq_defer(&work);
    uint32_t ended = clock_ticks();
    tap_at_most(instructions(begun, ended), 120, "test_software_interrupt_without_callback_and_back");
}

// With this count of instructions to the nanosecond the read is over before submit returns: all of it, from the call
// to main going on, lies between two readings.
static void test_whole_read(struct device *disk, size_t size, const char *name)
{
    struct io_request *request = read_request(size);
    uint32_t begun = clock_ticks();
    io_submit(disk, request);
    uint32_t returned = clock_ticks();
    while (*(volatile enum io_state *)&request->state != IO_IDLE)
        ;
    uint32_t resumed = clock_ticks();
    tap_note("%u bytes: submit returned after %u instructions", (unsigned)size,
             (unsigned)instructions(begun, returned));
    tap_note("cache maintenance: %u", (unsigned)maintenance(size));
    tap_at_most((long)instructions(begun, resumed) - (long)maintenance(size), 450, name);
}

// All the CPU does for a MiB, in requests of 64 KiB: what would be copying elsewhere.
static void test_per_mebibyte(struct device *disk)
{
    uint32_t total = 0, maintained = 0;
    for (unsigned i = 0; i < 16; i++) {
        struct io_request *request = read_request(READ_BYTES);
        request->offset = i * READ_BYTES;
        uint32_t begun = clock_ticks();
        io_submit(disk, request);
        while (*(volatile enum io_state *)&request->state != IO_IDLE)
            ;
        total += instructions(begun, clock_ticks());
        maintained += maintenance(READ_BYTES);
    }
    tap_note("CPU instructions per MiB read from SD: %u, and %u of cache maintenance", (unsigned)(total - maintained),
             (unsigned)maintained);
    // A copy loop would take 131,072 even with 8 bytes an instruction.
    tap_at_most(total - maintained, 16384, "test_cpu_never_touches_the_data");
}

int main(void)
{
    struct device *disk = device_find("mmcblk0");
    struct io_request open = { .op = IO_OPEN };
    tap_plan(6);
    io_submit(disk, &open);
    if (!tap_equal(io_wait(&open), 0, "test_card_is_ready"))
        return tap_done();
    // Everything once for the caches' and the first use's sake.
    io_submit(disk, read_request(READ_BYTES));
    spin(LONG_ENOUGH);
    test_interrupt_to_callback(disk);
    test_software_interrupt();
    test_whole_read(disk, BLOCK, "test_whole_read_of_1_block");
    test_whole_read(disk, READ_BYTES, "test_whole_read_of_128_blocks");
    test_per_mebibyte(disk);
    return tap_done();
}
