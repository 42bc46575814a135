// The engine that has no hardware: the same contract, by the CPU, in slices.
// sources: dma/cpu_copy.c dma/dma.c
#include <errno.h>
#include <string.h>

#include "arch/memory.h"
#include "dma/dma.h"
#include "tests/host/fake/work.h"
#include "tests/tap.h"

extern const struct driver dma_cpu_copy;

int memory_check(uintptr_t address, size_t size, enum memory_access access)
{
    (void)size, (void)access;
    return address == 0 ? -EFAULT : 0;
}

static const struct hardware hardware = { .name = "copy0", .driver = &dma_cpu_copy };
static struct dma_engine *engine;
static struct dma_transfer transfer;
static struct dma_segment segments[3];
static unsigned dones;

enum { SIZE = 20000 };
static uint8_t source[SIZE], destination[SIZE], expected[SIZE];

static void done(struct dma_transfer *t)
{
    (void)t;
    dones++;
}

static void prepare(size_t to, size_t from, size_t size)
{
    memset(destination, 0xee, SIZE);
    memset(expected, 0xee, SIZE);
    segments[0] = (struct dma_segment){ (uintptr_t)destination + to, (uintptr_t)source + from,
                                        size };
    transfer = (struct dma_transfer){ .segments = segments, .segment_count = 1, .done = done };
    dones = 0;
}

static unsigned run_to_end(void)
{
    unsigned rounds = 0;
    while (fake_run_one())
        rounds++;
    return rounds;
}

static void test_start(void)
{
    tap_ok(dma_cpu_copy.start(&hardware) == 0 && dma_engine_find("copy0"),
           "test_cpu_copy_registers");
    tap_ok(dma_cpu_copy.start(&hardware) == -EBUSY, "test_cpu_copy_is_there_once");
    engine = dma_engine_find(NULL);
    tap_ok(!dma_capabilities(engine)->asynchronous,
           "test_cpu_copy_does_not_claim_to_be_asynchronous");
}

static void test_all_alignments(void)
{
    bool copies = true, fills = true;
    for (size_t to = 0; to < 8; to++) {
        for (size_t from = 0; from < 8; from++) {
            for (size_t size = 0; size <= 257; size++) {
                prepare(64 + to, 64 + from, size);
                memcpy(expected + 64 + to, source + 64 + from, size);
                dma_submit(engine, &transfer);
                run_to_end();
                copies &= dones == 1 && transfer.residue == 0 &&
                          memcmp(destination, expected, 512) == 0;
            }
        }
        for (size_t size = 0; size <= 257; size++) {
            prepare(64 + to, 0, size);
            transfer.operation = DMA_FILL;
            transfer.fill = 0xa5;
            memset(expected + 64 + to, 0xa5, size);
            dma_submit(engine, &transfer);
            run_to_end();
            fills &= dones == 1 && memcmp(destination, expected, 512) == 0;
        }
    }
    tap_ok(copies, "test_copies_of_all_alignments_and_lengths_to_257_are_exact");
    tap_ok(fills, "test_fills_of_all_alignments_and_lengths_to_257_are_exact");
}

static void test_slices(void)
{
    prepare(0, 0, SIZE);
    dma_submit(engine, &transfer);
    bool nothing_yet = destination[0] == 0xee;
    fake_run_one();
    bool bounded = destination[4095] == source[4095] && destination[4096] == 0xee && dones == 0;
    unsigned rounds = 1 + run_to_end();
    tap_ok(nothing_yet && bounded && rounds == 5 && dones == 1 &&
               memcmp(destination, source, SIZE) == 0,
           "test_a_slice_is_4_kib_at_most");
}

static void test_scatter_gather(void)
{
    prepare(100, 0, 5000);
    segments[1] = (struct dma_segment){ 1, 1, 0 }; // Nothing: its addresses do not matter.
    segments[2] = (struct dma_segment){ (uintptr_t)destination + 9001, (uintptr_t)source + 3,
                                        4097 };
    transfer.segment_count = 3;
    memcpy(expected + 100, source, 5000);
    memcpy(expected + 9001, source + 3, 4097);
    dma_submit(engine, &transfer);
    run_to_end();
    tap_ok(dones == 1 && memcmp(destination, expected, SIZE) == 0,
           "test_segments_are_done_in_order");
}

static void test_paced(void)
{
    prepare(0, 0, 10000);
    transfer.pace_bytes = 3000;
    dma_submit(engine, &transfer);
    run_to_end();
    bool stopped = destination[2999] == source[2999] && destination[3000] == 0xee && dones == 0;
    dma_pace(&transfer);
    run_to_end();
    stopped &= destination[5999] == source[5999] && destination[6000] == 0xee && dones == 0;
    dma_pace(&transfer);
    dma_pace(&transfer); // It is still moving: remembered.
    run_to_end();
    tap_ok(stopped, "test_paced_transfer_stops_after_each_chunk");
    tap_ok(dones == 1 && memcmp(destination, source, 10000) == 0 && destination[10000] == 0xee,
           "test_pace_while_moving_is_remembered_once");
}

static void test_terminate(void)
{
    prepare(0, 0, 10000);
    transfer.pace_bytes = 3001;
    dma_submit(engine, &transfer);
    run_to_end();
    int paused = dma_terminate(&transfer);
    bool later = dones == 0;
    run_to_end();
    tap_ok(paused == 0 && later && dones == 1 && transfer.status == -ECANCELED &&
               transfer.residue == 10000 - 3001,
           "test_a_paused_transfer_is_terminated_with_its_residue");

    prepare(0, 0, 10000);
    dma_submit(engine, &transfer);
    fake_run_one();
    int moving = dma_terminate(&transfer);
    unsigned rounds = run_to_end();
    tap_ok(moving == 0 && rounds == 1 && dones == 1 && transfer.residue == 10000 - 4096 &&
               destination[4096] == 0xee,
           "test_a_moving_transfer_is_terminated_after_its_slice");
}

int main(void)
{
    for (size_t i = 0; i < SIZE; i++)
        source[i] = (uint8_t)(i * 7 + i / 256 + 1);
    tap_plan(11);
    test_start();
    test_all_alignments();
    test_slices();
    test_scatter_gather();
    test_paced();
    test_terminate();
    return tap_done();
}
