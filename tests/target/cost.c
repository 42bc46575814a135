// What a request of the core costs in instructions, counted exactly: from io_submit() to notify().
// The ceilings are the project's promises, for each CPU its own; what is measured is printed with
// each, so that a report shows both.
//
// Cache maintenance is counted apart: it grows with the buffer and is not there where a bus master
// sees the caches. So every read is done twice, once as the board needs it and once with the host
// told that it is coherent, which QEMU, without caches, allows. The second is the ceiling's figure,
// and maintenance is the difference: nothing is estimated. What the readings themselves cost
// is measured too and left out.
// icount: exact
// sd: 8M
#include <string.h>

#include "aio/core.h"
#include "arch/container.h"
#include "arch/cpu.h"
#include "board/board.h"
#include "drivers/sd/sd_card.h"
#include "tests/tap.h"
#include "tests/target/board_find.h"
#include "tests/target/instructions.h"

enum {
    LONG_ENOUGH = 1000, // Iterations in which the card moves READ_BYTES several times over.
    READ_BYTES = 65536,
    BLOCK = 512,
    READS_PER_MEBIBYTE = 16,
};

// The promises, in instructions.
struct ceilings {
    const char *board;
    uint32_t callback, software_interrupt, read, mebibyte;
};

static const struct ceilings promises[] = {
    { "zynq", .callback = 180, .software_interrupt = 120, .read = 450, .mebibyte = 16384 },
    // RISC-V saves and restores register by register, where ARM has one instruction for many.
    { "icicle", .callback = 250, .software_interrupt = 190, .read = 580, .mebibyte = 16384 },
};

static struct ceilings most; // This board's; 0: nothing is promised.

static _Alignas(64) unsigned char buffer[READ_BYTES];

// What one read of a buffer costs. interrupt: from its entry to main's going on; callback and done:
// from its entry to these. A read has one of the two.
struct cost {
    uint32_t submit, interrupt, callback, done;
};

static volatile uint32_t done_at, callback_at;

static void on_done(struct io_request *request)
{
    (void)request;
    done_at = count_now();
}

static void on_callback(struct callback *callback)
{
    (void)callback;
    callback_at = count_now();
}

// Instructions between two readings, what the readings cost not counted.
static uint32_t spent(uint32_t from, uint32_t to)
{
    uint32_t first = count_now();
    uint32_t second = count_now();
    return instructions(from, to) - instructions(first, second);
}

// The same to a reading inside a function of ours: up to that function's first instruction.
static uint32_t spent_before_callback(uint32_t from)
{
    uint32_t to = callback_at, first = count_now();
    on_callback(NULL);
    return instructions(from, to) - instructions(first, callback_at);
}

static uint32_t spent_before_done(uint32_t from)
{
    uint32_t to = done_at, first = count_now();
    on_done(NULL);
    return instructions(from, to) - instructions(first, done_at);
}

static void empty_callback(struct callback *callback)
{
    (void)callback;
}

static void spin(unsigned iterations)
{
    for (volatile unsigned i = 0; i < iterations; i++)
        ;
}

static struct io_request read_request(size_t size)
{
    return (struct io_request){ .op = IO_READ, .buffer = buffer, .size = size };
}

// Interrupts are masked until the card has done its work: the time that main has for its own
// meanwhile lies between the two spans that are measured, and the second begins with the
// interrupt's being taken.
static struct cost read_cost(struct device *disk, struct io_request *request)
{
    uint32_t flags = irq_save();
    uint32_t begun = count_now();
    io_submit(disk, request);
    uint32_t submitted = count_now();
    spin(LONG_ENOUGH);
    uint32_t entered = count_now();
    irq_restore(flags);
    uint32_t resumed = count_now();

    if (io_in_flight(request))
        tap_note("a read took longer than it may");
    if (io_wait(request) != (ssize_t)request->size)
        tap_note("a read failed: %d", (int)request->result);
    return (struct cost){ .submit = spent(begun, submitted),
                          .interrupt = spent(entered, resumed),
                          .callback = spent_before_callback(entered),
                          .done = spent_before_done(entered) };
}

static struct sd_card *sd_card(struct device *disk)
{
    return container_of(disk, struct sd_card, device);
}

// The same read where the controller sees the caches.
static struct cost coherent_read_cost(struct device *disk, struct io_request *request)
{
    bool *coherent = &sd_card(disk)->host.coherent;
    bool as_it_is = *coherent;
    *coherent = true;
    struct cost cost = read_cost(disk, request);
    *coherent = as_it_is;
    return cost;
}

// Holds a figure to its promise. Without one it is only said.
static void hold(uint32_t figure, uint32_t promise, const char *name)
{
    if (promise != 0) {
        tap_at_most(figure, promise, name);
    } else {
        tap_skip(name, "nothing is promised for this board");
        tap_note("figure: %s: %u", name, (unsigned)figure);
    }
}

static void test_interrupt(struct device *disk)
{
    struct io_request request = read_request(BLOCK);
    request.notify.run = on_callback;
    struct cost all = read_cost(disk, &request), cost = coherent_read_cost(disk, &request);
    hold(cost.callback, most.callback, "test_interrupt_entry_to_callback");
    tap_note("figure: and %u of cache maintenance for one block",
             (unsigned)(all.callback - cost.callback));
    request.notify.run = NULL;
    request.done = on_done;
    cost = coherent_read_cost(disk, &request);
    tap_note("figure: interrupt entry to done(): %u", (unsigned)cost.done);
}

static uint32_t work_at;

static void work_run(struct irq_work *work)
{
    (void)work;
    work_at = count_now();
}

static void test_software_interrupt(void)
{
    static struct irq_work work = { .run = work_run };
    uint32_t begun = count_now();
    irq_defer(&work);
    uint32_t ended = count_now();
    hold(spent(begun, ended), most.software_interrupt,
         "test_software_interrupt_without_callback_and_back");
    tap_note("figure: to the work itself: %u", (unsigned)spent(begun, work_at));
}

static void test_whole_read(struct device *disk, size_t size, const char *name)
{
    struct io_request request = read_request(size);
    request.notify.run = empty_callback;
    struct cost all = read_cost(disk, &request), cost = coherent_read_cost(disk, &request);
    uint32_t sum = cost.submit + cost.interrupt;
    hold(sum, most.read, name);
    tap_note(
        "figure: %u to submit, %u for the interrupt and the callback, and %u of cache maintenance",
        (unsigned)cost.submit, (unsigned)cost.interrupt,
        (unsigned)(all.submit + all.interrupt - sum));
}

// All the CPU does for a MiB, in requests of 64 KiB: what would be copying elsewhere.
static void test_per_mebibyte(struct device *disk)
{
    uint32_t total = 0, maintained = 0;
    for (unsigned i = 0; i < READS_PER_MEBIBYTE; i++) {
        struct io_request request = read_request(READ_BYTES);
        request.offset = i * READ_BYTES;
        struct cost all = read_cost(disk, &request), cost = coherent_read_cost(disk, &request);
        total += cost.submit + cost.interrupt;
        maintained += all.submit + all.interrupt - cost.submit - cost.interrupt;
    }
    // A copy loop would take 131,072 even with 8 bytes an instruction.
    hold(total, most.mebibyte, "test_cpu_never_touches_the_data");
    tap_note("figure: and %u of cache maintenance", (unsigned)maintained);
}

int main(void)
{
    struct device *disk = device_find("mmcblk0");
    struct io_request open = { .op = IO_OPEN };
    for (unsigned i = 0; i < sizeof promises / sizeof promises[0]; i++)
        if (strcmp(promises[i].board, board.name) == 0)
            most = promises[i];
    tap_plan(6);
    if (!board_find("mmcblk0"))
        return tap_skip_rest("this board has no SD card");
    io_submit(disk, &open);
    if (!tap_equal(io_wait(&open), 0, "test_card_is_ready"))
        return tap_done();
    // The first read arms the watchdog, which then ticks by itself.
    struct io_request first = read_request(READ_BYTES);
    read_cost(disk, &first);
    test_interrupt(disk);
    test_software_interrupt();
    test_whole_read(disk, BLOCK, "test_whole_read_of_1_block");
    test_whole_read(disk, READ_BYTES, "test_whole_read_of_128_blocks");
    test_per_mebibyte(disk);
    return tap_done();
}
