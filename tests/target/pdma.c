// A PDMA by its own registers: the error that it can be made to report, odd lengths, and a start
// without a claim. The driver knows nothing of what is written here behind its back.
#include <errno.h>

#include "arch/mmio.h"
#include "dma/engine.h"
#include "dma/sifive_pdma.h"
#include "irq/irq.h"
#include "tests/target/dma_engines.h"

enum { SIZE = 4480, CHUNK = 640, GUARD = 64, POLLS = 1000000 };

static _Alignas(64) unsigned char source[SIZE + GUARD], destination[SIZE + 2 * GUARD];
static struct dma_segment segment;
static struct dma_transfer transfer;

static const char *const claims[] = {
    "test_pdma_sizes_that_differ_raise_one_error_interrupt",
    "test_pdma_channels_work_after_an_error_that_was_nobodys",
    "test_pdma_error_ends_the_transfer_with_eio_and_its_residue",
    "test_pdma_channel_is_usable_after_an_error",
    "test_pdma_odd_lengths_arrive_with_guards_intact",
    "test_pdma_run_without_claim_does_nothing",
    "test_pdma_channel_is_usable_after_run_without_claim",
};
enum { TESTS = sizeof claims / sizeof claims[0] };

// The next test's result.
static void result(bool passed)
{
    tap_ok(passed, claims[tap_count]);
}

// A register of channel 0, which takes the first transfer when all are idle.
static uintptr_t at(uintptr_t offset)
{
    return engine->hardware->base + offset;
}

static void write_wide(uintptr_t offset, uintptr_t value)
{
    write32(at(offset), (uint32_t)value);
    write32(at(offset + 4), (uint32_t)((uint64_t)value >> 32));
}

static uint32_t interrupts(unsigned n)
{
    struct irq_statistics statistics = { .count = 0 };
    irq_statistics(engine->hardware->irqs[n], &statistics);
    return statistics.count;
}

static uint32_t done_interrupts(void)
{
    return interrupts(0);
}

static uint32_t error_interrupts(void)
{
    return interrupts(1);
}

static void fresh(void)
{
    for (size_t i = 0; i < sizeof source; i++)
        source[i] = (unsigned char)(i % 0xe0 + i / 1000);
    memset(destination, 0xee, sizeof destination);
    cache_clean((uintptr_t)source, sizeof source);
    cache_clean_invalidate((uintptr_t)destination, sizeof destination);
}

// The first moved bytes behind the guard are there, and nothing else has changed from `end` on.
static bool moved_exactly(size_t moved, size_t end)
{
    cache_invalidate((uintptr_t)destination, sizeof destination);
    bool good = memcmp(destination + GUARD, source, moved) == 0;
    for (size_t i = 0; i < sizeof destination; i++)
        good &= (i >= GUARD && i < GUARD + end) || destination[i] == 0xee;
    return good;
}

// Sets a copy up in the registers and writes control.
static void raw_start(unsigned wsize, unsigned rsize, size_t size, uint32_t control)
{
    write32(at(PDMA_NEXT_CONFIG), PDMA_CONFIG_WSIZE(wsize) | PDMA_CONFIG_RSIZE(rsize));
    write_wide(PDMA_NEXT_BYTES, size);
    write_wide(PDMA_NEXT_DESTINATION, (uintptr_t)destination + GUARD);
    write_wide(PDMA_NEXT_SOURCE, (uintptr_t)source);
    barrier_publish();
    write32(at(PDMA_CONTROL), control);
}

// Waits for the end of a run whose interrupt cannot come. Result: as the control register says.
static uint32_t raw_wait(void)
{
    uint32_t control = read32(at(PDMA_CONTROL));
    for (unsigned i = 0; i < POLLS && !(control & (PDMA_CONTROL_DONE | PDMA_CONTROL_ERROR)); i++)
        control = read32(at(PDMA_CONTROL));
    barrier_consume();
    return control;
}

// The manual does not say what happens when wsize and rsize differ. QEMU's model calls it an error,
// the only one that it knows, and leaves RUN set.
static void raw_start_bad(void)
{
    raw_start(6, 5, CHUNK,
              PDMA_CONTROL_CLAIM | PDMA_CONTROL_RUN | PDMA_CONTROL_DONE_IE | PDMA_CONTROL_ERROR_IE);
}

// Copies by the driver, on every channel at the same time.
static bool every_channel_works(void)
{
    static struct dma_transfer all[DMA_CHANNELS];
    static struct dma_segment places[DMA_CHANNELS];
    unsigned channels = dma_capabilities(engine)->channels;
    bool good = true;
    fresh();
    dones = 0;
    uint32_t flags = irq_save();
    for (unsigned i = 0; i < channels; i++) {
        places[i] = (struct dma_segment){ (uintptr_t)destination + GUARD + i * CHUNK,
                                          (uintptr_t)source + i * CHUNK, CHUNK };
        all[i] = (struct dma_transfer){
            .operation = DMA_COPY, .segments = &places[i], .segment_count = 1, .done = count_done
        };
        good &= dma_submit(engine, &all[i]) == 0;
    }
    good &= dma_statistics(engine).running == channels;
    irq_restore(flags);
    wait_for_dones(channels);
    for (unsigned i = 0; i < channels; i++)
        good &= all[i].status == 0;
    return good && moved_exactly(channels * CHUNK, channels * CHUNK);
}

static void test_error_of_an_idle_channel(void)
{
    uint32_t before = error_interrupts();
    fresh();
    write32(at(PDMA_CONTROL), PDMA_CONTROL_CLAIM);
    raw_start_bad();
    uint32_t control = read32(at(PDMA_CONTROL));
    bool usable = every_channel_works();
    result(error_interrupts() == before + 1 &&
           (control & (PDMA_CONTROL_RUN | PDMA_CONTROL_ERROR)) == 0);
    result(usable);
}

static void start_paced(void)
{
    fresh();
    segment = (struct dma_segment){ (uintptr_t)destination + GUARD, (uintptr_t)source, 4 * CHUNK };
    transfer = (struct dma_transfer){ .operation = DMA_COPY,
                                      .pace_bytes = CHUNK,
                                      .segments = &segment,
                                      .segment_count = 1,
                                      .done = count_done };
    dones = 0;
    uint32_t flags = irq_save();
    uint32_t before = done_interrupts();
    dma_submit(engine, &transfer);
    while (done_interrupts() == before) // A chunk of whole lines is one run.
        level_sleep_locked();
    irq_restore(flags);
}

static void test_error_of_a_transfer(void)
{
    uint32_t failed = dma_statistics(engine).failed;
    start_paced();
    bool parked = dones == 0 && transfer.channel == 0;
    uint32_t flags = irq_save();
    dma_pace(&transfer);
    raw_wait();
    raw_start_bad(); // In the place of what the driver had started.
    irq_restore(flags);
    wait_for_dones(1);
    result(parked && transfer.status == -EIO && transfer.residue == 3 * CHUNK &&
           dma_statistics(engine).failed == failed + 1 && moved_exactly(CHUNK, 2 * CHUNK));
    uint32_t before = error_interrupts();
    result(every_channel_works() && error_interrupts() == before);
}

static void test_odd_lengths(void)
{
    static const size_t lengths[] = { 1, 2, 3, 5, 7, 31, 63, 64, 65, 100, 127, 1001, 4097 };
    bool good = true;
    for (unsigned i = 0; i < sizeof lengths / sizeof lengths[0] && good; i++) {
        for (unsigned log2 = 0; log2 <= 6 && good; log2++) {
            fresh();
            write32(at(PDMA_CONTROL), PDMA_CONTROL_CLAIM);
            raw_start(log2, log2, lengths[i], PDMA_CONTROL_CLAIM | PDMA_CONTROL_RUN);
            uint32_t control = raw_wait();
            good = (control & (PDMA_CONTROL_DONE | PDMA_CONTROL_ERROR)) == PDMA_CONTROL_DONE &&
                   read32(at(PDMA_EXEC_BYTES)) == 0 && moved_exactly(lengths[i], lengths[i]);
            if (!good)
                tap_note("%lu bytes in transactions of %u: control %08lx",
                         (unsigned long)lengths[i], 1u << log2, (unsigned long)control);
            write32(at(PDMA_CONTROL), PDMA_CONTROL_CLAIM);
        }
    }
    result(good);
}

static void test_run_without_claim(void)
{
    fresh();
    uint32_t done = done_interrupts(), error = error_interrupts();
    write32(at(PDMA_CONTROL), 0);
    raw_start(6, 6, CHUNK, PDMA_CONTROL_RUN | PDMA_CONTROL_DONE_IE | PDMA_CONTROL_ERROR_IE);
    uint32_t control = read32(at(PDMA_CONTROL));
    bool nothing = moved_exactly(0, 0) && done_interrupts() == done && error_interrupts() == error;
    result((control & (PDMA_CONTROL_RUN | PDMA_CONTROL_DONE | PDMA_CONTROL_ERROR)) == 0 && nothing);
    result(every_channel_works());
}

int main(void)
{
    engine = dma_engine_next(NULL);
    while (engine && strcmp(dma_capabilities(engine)->name, "PDMA") != 0)
        engine = dma_engine_next(engine);
    tap_plan(TESTS);
    if (!engine) {
        for (unsigned i = 0; i < TESTS; i++)
            tap_skip(claims[i], "this board has no PDMA");
        return tap_done();
    }
    test_error_of_an_idle_channel();
    test_error_of_a_transfer();
    test_odd_lengths();
    test_run_without_claim();
    return tap_done();
}
