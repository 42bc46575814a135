// What the reads of reads.h cost by the core: io_submit(), and a notify() that submits the next
// one. And how many instructions an interrupt takes from its entry to notify()'s first.
#include <stdio.h>

#include "aio/core.h"
#include "arch/cpu.h"
#include "board/board.h"
#include "irq/callback.h"
#include "tests/bench/reads.h"

enum { ENTRIES = 16, ALL_BYTES = READ_BYTES * READ_BLOCKS };

static _Alignas(READ_BYTES) uint8_t buffers[READ_DEPTH_MOST][READ_BYTES];
static struct io_request requests[READ_DEPTH_MOST];
static struct device *disk;
static unsigned failed;

static struct read_mark read_mark(void)
{
    return (struct read_mark){ .instructions = cpu_instructions(),
                               .interrupts = irq_totals().taken,
                               .ns = clock_now_ns() };
}

static void next(struct io_request *request)
{
    request->offset = reads_next_offset();
    failed += io_submit(disk, request) != 0;
}

static void on_read(struct callback *notify)
{
    struct io_request *request = request_of(notify);
    failed += request->result != READ_BYTES;
    if (reads_another())
        next(request);
}

static void round_run(unsigned round)
{
    reads_begin(round);
    uint32_t flags = irq_save();
    for (unsigned i = 0; i < reads.result->depth; i++) {
        requests[i] = (struct io_request){
            .op = IO_READ, .buffer = buffers[i], .size = READ_BYTES, .notify.run = on_read
        };
        next(&requests[i]);
    }
    while (!reads_over())
        level_sleep_locked();
    irq_restore(flags);
}

static volatile uint32_t callback_at;

static void on_callback(struct callback *callback)
{
    (void)callback;
    callback_at = cpu_instructions();
}

// The interrupt is taken where it is let through: the CPU has slept until it was there. What the
// readings cost is taken off.
static uint32_t entry_to_callback(void)
{
    struct io_request request = {
        .op = IO_READ, .buffer = buffers, .size = READ_BYTES, .notify.run = on_callback
    };
    uint32_t flags = irq_save();
    io_submit(disk, &request);
    cpu_wait_for_interrupt();
    uint32_t entered = cpu_instructions();
    irq_restore(flags);
    failed += io_wait(&request) != READ_BYTES;
    uint32_t spent = callback_at - entered;
    uint32_t begun = cpu_instructions();
    on_callback(NULL);
    return spent - (callback_at - begun);
}

int main(void)
{
    static uint32_t entries[ENTRIES];
    struct io_request open = { .op = IO_OPEN };
    disk = device_find(board.disk);
    if (!disk || io_submit(disk, &open) != 0 || io_wait(&open) != 0 ||
        disk->size_bytes < ALL_BYTES) {
        printf("core: no disk of %d bytes\n", (int)ALL_BYTES);
        return 1;
    }
    for (unsigned round = 0; round < READ_RESULTS; round++)
        round_run(round);
    for (unsigned i = 0; i < ENTRIES; i++)
        entries[i] = entry_to_callback();
    for (unsigned round = 0; round < READ_RESULTS; round++)
        printf(READ_RESULT_FORMAT, READ_RESULT_FIELDS(&read_results[round]));
    for (unsigned i = 0; i < ENTRIES; i++)
        printf("entry instructions=%u\n", (unsigned)entries[i]);
    if (failed)
        printf("core: %u reads failed\n", failed);
    return failed != 0;
}
