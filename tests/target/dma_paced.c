// Transfers that stop after each chunk: pace, terminate with residue, and on a PL330 an abort in
// the middle.
// Under instruction counting, so that what has had its time has had its instructions too.
// qemu: -icount shift=0,sleep=off
#include <errno.h>

#include "arch/mmio.h"
#include "dma/engine.h"
#include "dma/pl330.h"
#include "irq/clock.h"
#include "tests/target/dma_engines.h"

enum { TESTS = 12, SIZE = 40000, CHUNK = 1500, QUIET_NS = 200000 };

static unsigned char source[SIZE + 64], destination[SIZE + 192];
static struct dma_segment segments[2];
static struct dma_transfer transfer;

static void quiet_over(struct timer *timer)
{
    (void)timer;
}

// Gives the transfer time to get as far as its pace lets it. Longer than enough on QEMU, and what
// has not stopped by then fails the test, never passes it.
static void settle(void)
{
    static struct timer timer = { .expired = quiet_over };
    timer_arm(&timer, clock_now_ns() + QUIET_NS);
    uint32_t flags = irq_save();
    while (timer_armed(&timer))
        level_sleep_locked();
    irq_restore(flags);
}

// Two segments, the first of which ends within a chunk.
static int start(size_t offset)
{
    for (size_t i = 0; i < sizeof source; i++)
        source[i] = (unsigned char)(i % 0xe0 + i / 1000 % 8);
    memset(destination, 0xee, sizeof destination);
    size_t first = CHUNK * 2 + 77;
    segments[0] = (struct dma_segment){ (uintptr_t)destination + 64 + offset, (uintptr_t)source + 5,
                                        first };
    segments[1] = (struct dma_segment){ (uintptr_t)destination + 64 + offset + first,
                                        (uintptr_t)source + 5 + first, SIZE - first };
    transfer = (struct dma_transfer){ .operation = DMA_COPY,
                                      .pace_bytes = CHUNK,
                                      .segments = segments,
                                      .segment_count = 2,
                                      .done = count_done };
    dones = 0;
    return dma_submit(engine, &transfer);
}

// The first moved bytes are there, and nothing else has changed.
static bool moved_exactly(size_t offset, size_t moved)
{
    for (size_t i = 0; i < sizeof destination; i++) {
        bool inside = i >= 64 + offset && i - 64 - offset < moved;
        unsigned char right = inside ? source[5 + i - 64 - offset] : 0xee;
        if (destination[i] != right) {
            tap_note("offset %lu moved %lu: byte %lu is %02x, not %02x", (unsigned long)offset,
                     (unsigned long)moved, (unsigned long)i, destination[i], right);
            return false;
        }
    }
    return true;
}

static void test_pace(void)
{
    unsigned paces = 0;
    bool accepted = start(3) == 0;
    settle();
    bool stopped = dones == 0;
    while (dones == 0 && paces < SIZE) {
        if (dma_pace(&transfer) == 0)
            paces++;
        settle();
    }
    tap_ok(accepted && stopped && paces == (SIZE - 1) / CHUNK,
           claim("test_dma_paced_transfer_stops_after_each_chunk"));
    tap_ok(transfer.status == 0 && transfer.residue == 0 && moved_exactly(3, SIZE),
           claim("test_dma_paced_transfer_arrives"));
    tap_ok(dma_pace(&transfer) == -EINVAL, claim("test_dma_pace_of_an_idle_transfer_is_refused"));
}

// Terminates after each possible number of chunks, and compares the residue with what memory shows.
static void test_terminate(void)
{
    bool good = true, residue = true;
    bool exact = dma_capabilities(engine)->residue;
    for (unsigned chunks = 1; chunks * CHUNK < SIZE; chunks++) {
        good &= start(chunks % 9) == 0;
        settle();
        for (unsigned i = 1; i < chunks; i++) {
            dma_pace(&transfer);
            settle();
        }
        good &= dma_terminate(&transfer) == 0 && dma_terminate(&transfer) == -EALREADY;
        wait_for_dones(1);
        settle();
        good &= dones == 1 && transfer.status == -ECANCELED &&
                moved_exactly(chunks % 9, chunks * CHUNK);
        residue &= exact ? transfer.residue == SIZE - chunks * CHUNK
                         : transfer.residue >= SIZE - chunks * CHUNK;
    }
    tap_ok(good, claim("test_dma_terminated_mid_copy_moves_no_more"));
    tap_ok(residue, claim("test_dma_residue_equals_the_evidence_in_memory"));
    tap_ok(dma_terminate(&transfer) == -EALREADY,
           claim("test_dma_terminate_of_an_idle_transfer_is_too_late"));
}

static void test_terminate_at_once(void)
{
    // Interrupts masked: it may have begun, it cannot have ended.
    uint32_t flags = irq_save();
    bool good = start(1) == 0 && dma_terminate(&transfer) == 0 && dones == 0;
    irq_restore(flags);
    wait_for_dones(1);
    tap_ok(good && transfer.status == -ECANCELED && moved_exactly(1, SIZE - transfer.residue),
           claim("test_dma_terminate_right_after_submit"));
}

static void test_usable_again(const char *name)
{
    bool good = true;
    for (unsigned i = 0; i < 2 * DMA_CHANNELS; i++) {
        start(i);
        dma_terminate(&transfer);
        wait_for_dones(1);
        transfer.pace_bytes = 0;
        dones = 0;
        good &= dma_submit(engine, &transfer) == 0;
        wait_for_dones(1);
        good &= transfer.status == 0 && moved_exactly(i, SIZE);
    }
    tap_ok(good, claim(name));
}

// All channels wait at the same time; every second one is given up, the others are paced to their
// ends.
static void test_every_channel(void)
{
    enum { EACH = 3 * CHUNK };
    static struct dma_transfer all[DMA_CHANNELS];
    static struct dma_segment places[DMA_CHANNELS];
    unsigned channels = dma_capabilities(engine)->channels;
    bool good = start(0) == 0 && dma_terminate(&transfer) == 0; // Only for the patterns.
    wait_for_dones(1);
    memset(destination, 0xee, sizeof destination);
    dones = 0;
    for (unsigned i = 0; i < channels; i++) {
        places[i] = (struct dma_segment){ (uintptr_t)destination + i * (EACH + 1),
                                          (uintptr_t)source + i, EACH };
        all[i] = (struct dma_transfer){ .operation = DMA_COPY,
                                        .pace_bytes = CHUNK,
                                        .segments = &places[i],
                                        .segment_count = 1,
                                        .done = count_done };
        good &= dma_submit(engine, &all[i]) == 0;
    }
    settle();
    good &= dones == 0;
    for (unsigned i = 1; i < channels; i += 2)
        good &= dma_terminate(&all[i]) == 0;
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < channels; i += 2)
            good &= dma_pace(&all[i]) == 0;
        settle();
    }
    wait_for_dones(channels);
    for (unsigned i = 0; i < channels; i++) {
        const unsigned char *place = destination + i * (EACH + 1);
        size_t moved = i % 2 ? CHUNK : EACH;
        good &= all[i].status == (i % 2 ? -ECANCELED : 0) && all[i].residue == EACH - moved;
        good &= memcmp(place, source + i, moved) == 0 && place[moved] == 0xee;
    }
    tap_ok(good, claim("test_dma_every_channel_is_paced_and_terminated_by_itself"));
}

// Puts an undefined instruction in the way of a channel that waits in the middle of its program.
// Only the controller's own registers and the program in RAM are touched; the driver knows nothing
// of it.
static void program_break(void)
{
    uintptr_t counter = engine->hardware->base + PL330_CPC0 + transfer.channel * PL330_CSR_STRIDE;
    uintptr_t behind_wait = read32(counter) + 2;
    *(volatile unsigned char *)behind_wait = 0xff;
    cache_clean(behind_wait, 1);
    barrier_publish();
}

static void test_abort(void)
{
    const char *error = "test_dma_abort_ends_the_transfer_with_eio";
    const char *partial = "test_dma_abort_reports_what_was_moved";
    const char *again = "test_dma_channel_is_usable_after_an_abort";
    if (strcmp(dma_capabilities(engine)->name, "PL330") != 0) {
        tap_skip(claim(error), "only a PL330 has programs that can be broken");
        tap_skip(claim(partial), "only a PL330 has programs that can be broken");
        tap_skip(claim(again), "only a PL330 has programs that can be broken");
        return;
    }
    uint32_t failed = dma_statistics(engine).failed;
    start(3);
    settle();
    program_break();
    dma_pace(&transfer);
    wait_for_dones(1);
    settle();
    tap_ok(dones == 1 && transfer.status == -EIO && dma_statistics(engine).failed == failed + 1,
           claim(error));
    tap_ok(transfer.residue == SIZE - CHUNK && moved_exactly(3, CHUNK), claim(partial));
    test_usable_again(again);
}

static void tests(void)
{
    if (!dma_capabilities(engine)->paced) {
        for (unsigned i = 0; i < TESTS; i++)
            tap_skip(claim("test_dma_paced"), "this engine knows no pace");
        return;
    }
    test_pace();
    test_terminate();
    test_terminate_at_once();
    test_usable_again("test_dma_channel_is_usable_after_terminate");
    test_every_channel();
    test_abort();
}

int main(void)
{
    return on_every_engine(tests, TESTS);
}
