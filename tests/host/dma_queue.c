// What dma.c does for every engine, over an engine that ends its transfers when the test says so.
// sources: dma/dma.c
#include "dma/dma.h"

#include <errno.h>
#include <string.h>

#include "arch/memory.h"
#include "dma/engine.h"
#include "tests/host/fake/work.h"
#include "tests/tap.h"

enum { CHANNELS = 3, TRANSFERS = 40 };

// RAM is one array; its first page is the kernel's data, its second one text.
static _Alignas(4096) uint8_t ram[65536];
enum { PAGE = 4096 };

int memory_check(uintptr_t address, size_t size, enum memory_access access)
{
    uintptr_t offset = address - (uintptr_t)ram;
    bool kernel = access == MEMORY_KERNEL_SOURCE || access == MEMORY_KERNEL_DESTINATION;
    bool written = access == MEMORY_DESTINATION || access == MEMORY_KERNEL_DESTINATION;
    if (size == 0)
        return 0;
    if (offset >= sizeof ram || size > sizeof ram - offset)
        return -EFAULT;
    if (offset < PAGE && !kernel)
        return -EFAULT;
    return offset < 2 * PAGE && offset + size > PAGE && written ? -EFAULT : 0;
}

static unsigned starts, terminates, paces;
static int terminate_answer;
static bool masked_always = true;

static void fake_start(struct dma_engine *engine, unsigned channel, struct dma_transfer *transfer)
{
    masked_always &= irq_masked();
    starts += engine->running[channel] == transfer && transfer->state == DMA_RUNNING;
}

static int fake_terminate(struct dma_engine *engine, unsigned channel)
{
    (void)engine, (void)channel;
    masked_always &= irq_masked();
    terminates++;
    return terminate_answer;
}

static void fake_pace(struct dma_engine *engine, unsigned channel)
{
    (void)engine, (void)channel;
    paces++;
}

static const struct dma_engine_ops ops = { fake_start, fake_terminate, fake_pace };
static struct dma_capabilities able = {
    .name = "fake", .channels = CHANNELS, .address_mask = UINTPTR_MAX, .fill = true, .paced = true
};
static const struct dma_capabilities unable = { .name = "none",
                                                .channels = 1,
                                                .address_mask = UINTPTR_MAX };
static const struct hardware hardware = { .name = "dma0" }, other_hardware = { .name = "dma1" };
static struct dma_engine engine = { .ops = &ops, .capabilities = &able, .hardware = &hardware };
static struct dma_engine other = { .ops = &ops,
                                   .capabilities = &unable,
                                   .hardware = &other_hardware };

static void engine_ends(unsigned channel, int status, size_t residue)
{
    fake_enter_isr();
    dma_transfer_done(&engine, channel, status, residue);
    fake_leave_isr();
}

static struct dma_transfer transfers[TRANSFERS];
static struct dma_segment segments[TRANSFERS];
static unsigned dones[TRANSFERS], order[TRANSFERS * 2], done_count;
static bool done_in_isr = true;

static void count_done(struct dma_transfer *transfer)
{
    unsigned i = (unsigned)(transfer - transfers);
    done_in_isr &= fake_in_isr;
    dones[i]++;
    order[done_count++ % (TRANSFERS * 2)] = i;
}

static struct dma_transfer *copy_of(unsigned i, size_t size)
{
    segments[i] = (struct dma_segment){ (uintptr_t)ram + 8192, (uintptr_t)ram + 32768, size };
    transfers[i] = (struct dma_transfer){ .segments = &segments[i],
                                          .segment_count = 1,
                                          .done = count_done };
    dones[i] = 0;
    return &transfers[i];
}

static void reset(void)
{
    done_count = starts = terminates = paces = 0;
    engine.statistics = (struct dma_statistics){ 0 };
}

static void test_registry(void)
{
    bool none = dma_engine_find(NULL) == NULL && dma_engine_next(NULL) == NULL;
    dma_engine_register(&engine);
    dma_engine_register(&other);
    tap_ok(none && dma_engine_find(NULL) == &engine && dma_engine_next(NULL) == &engine &&
               dma_engine_next(&engine) == &other && dma_engine_next(&other) == NULL,
           "test_engines_are_listed_in_order_of_registration");
    tap_ok(dma_engine_find("dma1") == &other && dma_engine_find("dma") == NULL &&
               dma_engine_find("dma10") == NULL,
           "test_engine_is_found_by_its_whole_name");
}

// Tries a transfer that must be refused, and looks for traces.
static bool refused(struct dma_engine *by, struct dma_transfer *transfer, int error)
{
    struct dma_transfer before = *transfer;
    reset();
    int result = dma_submit(by, transfer);
    bool untouched = memcmp(&before, transfer, sizeof before) == 0 && starts == 0 &&
                     !fake_work.head && by->statistics.submitted == 0 && by->head == NULL;
    if (result != error)
        tap_note("got %d, expected %d", result, error);
    return result == error && untouched;
}

static void test_refusals(void)
{
    struct dma_transfer *t = copy_of(0, 100);
    t->done = NULL;
    bool good = refused(&engine, t, -EINVAL);
    t = copy_of(0, 100);
    t->segments = NULL;
    good &= refused(&engine, t, -EINVAL);
    t = copy_of(0, 100);
    t->segment_count = 0;
    good &= refused(&engine, t, -EINVAL);
    t = copy_of(0, 100);
    t->operation = (enum dma_operation)7;
    good &= refused(&engine, t, -EINVAL);
    tap_ok(good, "test_malformed_transfers_are_refused_without_trace");

    t = copy_of(0, 100);
    t->operation = DMA_FILL;
    good = refused(&other, t, -ENOTSUP);
    t = copy_of(0, 100);
    t->pace_bytes = 10;
    good &= refused(&other, t, -ENOTSUP);
    tap_ok(good, "test_what_the_engine_cannot_do_is_refused_without_trace");
}

static bool faults(uintptr_t destination, uintptr_t source, size_t size)
{
    struct dma_transfer *t = copy_of(0, size);
    segments[0].destination = destination;
    segments[0].source = source;
    return refused(&engine, t, -EFAULT);
}

static void test_bad_addresses(void)
{
    uintptr_t base = (uintptr_t)ram, good = base + 32768;
    tap_ok(faults(base - 1, good, 2) && faults(good, base - 1, 2) &&
               faults(base + sizeof ram - 1, good, 2) && faults(0, good, 1) &&
               faults(good, good, SIZE_MAX),
           "test_segments_outside_ram_are_refused");
    tap_ok(faults(base, good, 16) && faults(good, base, 16),
           "test_the_kernels_own_data_is_refused");
    tap_ok(faults(base + PAGE, good, 16), "test_text_as_a_destination_is_refused");
    struct dma_segment two[2] = { { good, base + 8192, 10 }, { good, base - 64, 10 } };
    struct dma_transfer *t = copy_of(0, 1);
    t->segments = two;
    t->segment_count = 2;
    tap_ok(refused(&engine, t, -EFAULT), "test_one_bad_segment_refuses_the_whole_list");

    able.address_mask = (good & ~(uintptr_t)4095) + 4095;
    bool within = faults(good, good, 4097);
    able.address_mask = UINTPTR_MAX;
    tap_ok(within, "test_segments_beyond_the_engines_addresses_are_refused");

    t = copy_of(0, 16);
    t->kernel_buffers = true;
    segments[0].destination = base;
    reset();
    bool taken = dma_submit(&engine, t) == 0;
    engine_ends(0, 0, 0);
    tap_ok(taken && dones[0] == 1, "test_the_kernel_may_move_its_own_data");
}

static void test_queue(void)
{
    reset();
    for (unsigned i = 0; i < TRANSFERS; i++)
        dma_submit(&engine, copy_of(i, 64));
    struct dma_statistics busy = dma_statistics(&engine);
    tap_ok(busy.running == CHANNELS && busy.queued == TRANSFERS - CHANNELS && starts == CHANNELS,
           "test_transfers_beyond_the_channels_wait");
    for (unsigned i = 0; i < TRANSFERS; i++)
        engine_ends(i % CHANNELS, 0, 0);
    bool once = true, in_order = true;
    for (unsigned i = 0; i < TRANSFERS; i++) {
        once &= dones[i] == 1 && transfers[i].state == DMA_IDLE && transfers[i].status == 0;
        in_order &= order[i] == i;
    }
    tap_ok(once, "test_each_transfer_is_done_once");
    tap_ok(in_order, "test_the_queue_is_first_in_first_out");
    struct dma_statistics idle = dma_statistics(&engine);
    tap_ok(idle.submitted == TRANSFERS && idle.completed == TRANSFERS && idle.running == 0 &&
               idle.queued == 0 && idle.queued_most == TRANSFERS - CHANNELS &&
               idle.bytes == TRANSFERS * 64,
           "test_statistics_count_transfers_and_bytes");
}

static void test_errors(void)
{
    reset();
    dma_submit(&engine, copy_of(0, 64));
    dma_submit(&engine, copy_of(1, 64));
    engine_ends(0, -EIO, 40);
    engine_ends(1, -ECANCELED, 64);
    struct dma_statistics counted = dma_statistics(&engine);
    tap_ok(transfers[0].status == -EIO && transfers[0].residue == 40 &&
               transfers[1].status == -ECANCELED && counted.failed == 1 &&
               counted.terminated == 1 && counted.completed == 0 && counted.bytes == 24,
           "test_errors_and_residue_reach_the_owner_and_the_statistics");
}

static void test_nothing_to_move(void)
{
    reset();
    dma_submit(&engine, copy_of(0, 0));
    bool not_yet = dones[0] == 0 && transfers[0].state == DMA_ENDING && starts == 0;
    bool too_late = dma_terminate(&transfers[0]) == -EALREADY;
    fake_run_round();
    tap_ok(not_yet && dones[0] == 1 && transfers[0].status == 0 && transfers[0].residue == 0,
           "test_0_bytes_are_done_by_a_software_interrupt");
    tap_ok(too_late, "test_0_bytes_cannot_be_terminated");
}

static void test_terminate_queued(void)
{
    reset();
    for (unsigned i = 0; i < CHANNELS + 3; i++)
        dma_submit(&engine, copy_of(i, 64));
    int middle = dma_terminate(&transfers[CHANNELS + 1]),
        again = dma_terminate(&transfers[CHANNELS + 1]);
    int last = dma_terminate(&transfers[CHANNELS + 2]), first = dma_terminate(&transfers[CHANNELS]);
    bool not_yet = done_count == 0 && engine.head == NULL && engine.tail == NULL;
    fake_run_round();
    tap_ok(middle == 0 && last == 0 && first == 0 && not_yet && done_count == 3 &&
               terminates == 0 && transfers[CHANNELS + 1].status == -ECANCELED &&
               transfers[CHANNELS + 1].residue == 64,
           "test_queued_transfers_are_terminated_without_the_engine");
    tap_ok(again == -EALREADY && dma_terminate(&transfers[CHANNELS]) == -EALREADY,
           "test_a_transfer_is_terminated_once");
    for (unsigned i = 0; i < CHANNELS; i++)
        engine_ends(i, 0, 0);
    tap_equal(starts, CHANNELS, "test_a_terminated_transfer_never_starts");
}

static void test_terminate_running(void)
{
    reset();
    dma_submit(&engine, copy_of(0, 64));
    terminate_answer = -EALREADY;
    int late = dma_terminate(&transfers[0]);
    terminate_answer = 0;
    int taken = dma_terminate(&transfers[0]), again = dma_terminate(&transfers[0]);
    bool not_yet = dones[0] == 0;
    engine_ends(0, -ECANCELED, 10);
    tap_ok(late == -EALREADY && taken == 0 && again == -EALREADY && terminates == 2 && not_yet &&
               dones[0] == 1,
           "test_a_running_transfer_is_terminated_by_its_engine");
}

static void test_pace(void)
{
    reset();
    struct dma_transfer *t = copy_of(0, 64);
    bool idle = dma_pace(t) == -EINVAL;
    t->pace_bytes = 16;
    dma_submit(&engine, t);
    dma_submit(&engine, copy_of(1, 64));
    bool paced = dma_pace(t) == 0 && paces == 1,
         unpaced = dma_pace(&transfers[1]) == -EINVAL && paces == 1;
    engine_ends(0, 0, 0);
    engine_ends(1, 0, 0);
    tap_ok(idle && paced && unpaced, "test_only_running_paced_transfers_are_paced");
}

static unsigned resubmissions;

static void resubmit(struct dma_transfer *transfer)
{
    done_in_isr &= fake_in_isr;
    if (++resubmissions < 1000)
        dma_submit(&engine, transfer);
}

static void test_resubmission(void)
{
    reset();
    struct dma_transfer *t = copy_of(0, 0);
    t->done = resubmit;
    dma_submit(&engine, t);
    unsigned rounds = 0;
    while (fake_run_round())
        rounds++;
    tap_ok(resubmissions == 1000 && rounds == 1000,
           "test_done_that_submits_again_does_not_recurse");

    // With others waiting, the one that comes again goes to the end of the queue.
    reset();
    resubmissions = 998;
    t = copy_of(0, 64);
    t->done = resubmit;
    dma_submit(&engine, t);
    for (unsigned i = 1; i < CHANNELS + 2; i++)
        dma_submit(&engine, copy_of(i, 64));
    engine_ends(0, 0, 0);
    bool fair = engine.running[0] == &transfers[CHANNELS] && engine.tail == t;
    for (unsigned i = 0; i < CHANNELS + 2; i++)
        engine_ends(i % CHANNELS, 0, 0);
    tap_ok(fair && resubmissions == 1000, "test_done_that_submits_again_does_not_jump_the_queue");
}

int main(void)
{
    tap_plan(26);
    test_registry();
    test_refusals();
    test_bad_addresses();
    test_queue();
    test_errors();
    test_nothing_to_move();
    test_terminate_queued();
    test_terminate_running();
    test_pace();
    test_resubmission();
    tap_ok(done_in_isr, "test_done_always_runs_at_isr_level");
    tap_ok(masked_always, "test_engines_are_called_with_interrupts_masked");
    return tap_done();
}
