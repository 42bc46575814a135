// More transfers than channels, transfers that come again from their own end, and transfers given
// up while they wait.
#include <errno.h>

#include "tests/target/dma_engines.h"

enum { TRANSFERS = 40, SIZE = 3000, AGAIN = 500 };

static struct dma_transfer transfers[TRANSFERS];
static struct dma_segment segments[TRANSFERS];
static unsigned char source[TRANSFERS][SIZE], destination[TRANSFERS][SIZE];
static unsigned ends[TRANSFERS];

static void one_done(struct dma_transfer *transfer)
{
    ends[transfer - transfers]++;
    count_done(transfer);
}

static void prepare(void)
{
    dones = 0;
    for (unsigned i = 0; i < TRANSFERS; i++) {
        memset(source[i], (int)(i + 1), SIZE);
        memset(destination[i], 0xee, SIZE);
        segments[i] = (struct dma_segment){ (uintptr_t)destination[i], (uintptr_t)source[i], SIZE };
        transfers[i] = (struct dma_transfer){
            .operation = DMA_COPY, .segments = &segments[i], .segment_count = 1, .done = one_done
        };
        ends[i] = 0;
    }
}

static bool arrived(unsigned i)
{
    return memcmp(destination[i], source[i], SIZE) == 0;
}

static bool untouched(unsigned i)
{
    return destination[i][0] == 0xee && memcmp(destination[i], destination[i] + 1, SIZE - 1) == 0;
}

static void test_queue(void)
{
    struct dma_statistics before = dma_statistics(engine);
    unsigned accepted = 0;
    prepare();
    // Interrupts stay masked, so that no channel becomes free before all are submitted.
    uint32_t flags = irq_save();
    for (unsigned i = 0; i < TRANSFERS; i++)
        accepted += dma_submit(engine, &transfers[i]) == 0;
    struct dma_statistics full = dma_statistics(engine);
    irq_restore(flags);
    wait_for_dones(TRANSFERS);

    bool once = accepted == TRANSFERS, right = true;
    for (unsigned i = 0; i < TRANSFERS; i++) {
        once &= ends[i] == 1 && transfers[i].status == 0;
        right &= arrived(i);
    }
    unsigned channels = dma_capabilities(engine)->channels;
    struct dma_statistics after = dma_statistics(engine);
    tap_ok(full.running == channels && full.queued == TRANSFERS - channels,
           claim("test_dma_transfers_beyond_the_channels_wait"));
    tap_ok(once, claim("test_dma_each_of_40_transfers_is_done_once"));
    tap_ok(right, claim("test_dma_each_of_40_transfers_has_arrived"));
    tap_ok(after.completed - before.completed == TRANSFERS && after.running == 0 &&
               after.queued == 0 && after.bytes - before.bytes == TRANSFERS * SIZE,
           claim("test_dma_statistics_count_them"));
}

static void test_terminate_queued(void)
{
    unsigned taken = 0, channels = dma_capabilities(engine)->channels;
    prepare();
    uint32_t flags = irq_save();
    for (unsigned i = 0; i < TRANSFERS; i++)
        dma_submit(engine, &transfers[i]);
    for (unsigned i = channels; i < TRANSFERS; i += 2)
        taken += dma_terminate(&transfers[i]) == 0 && dma_terminate(&transfers[i]) == -EALREADY;
    bool not_inside = dones == 0;
    irq_restore(flags);
    wait_for_dones(TRANSFERS);

    bool right = true, once = true;
    for (unsigned i = 0; i < TRANSFERS; i++) {
        bool given_up = i >= channels && (i - channels) % 2 == 0;
        once &= ends[i] == 1;
        right &= given_up ? transfers[i].status == -ECANCELED && transfers[i].residue == SIZE &&
                                untouched(i)
                          : transfers[i].status == 0 && transfers[i].residue == 0 && arrived(i);
    }
    tap_ok(taken == (TRANSFERS - channels + 1) / 2 && not_inside && once,
           claim("test_dma_queued_transfers_are_terminated_once"));
    tap_ok(right, claim("test_dma_terminated_in_the_queue_moves_nothing_and_the_others_go_on"));
}

static struct dma_transfer again;
static volatile unsigned rounds;
static unsigned char *deepest, *shallowest;

// Submits itself again, and looks how deep the stack is.
static void come_again(struct dma_transfer *transfer)
{
    unsigned char here;
    unsigned char *volatile place = &here;
    if (rounds == 0)
        deepest = shallowest = place;
    deepest = place < deepest ? place : deepest;
    shallowest = place > shallowest ? place : shallowest;
    rounds++;
    if (rounds < AGAIN)
        rounds += dma_submit(engine, transfer) == 0 ? 0 : AGAIN;
    else
        count_done(transfer);
}

static void resubmit(size_t size, const char *name)
{
    struct dma_segment segment = { (uintptr_t)destination[0], (uintptr_t)source[0], size };
    again = (struct dma_transfer){
        .operation = DMA_COPY, .segments = &segment, .segment_count = 1, .done = come_again
    };
    dones = rounds = 0;
    int error = dma_submit(engine, &again);
    wait_for_dones(1);
    tap_ok(error == 0 && rounds == AGAIN && shallowest - deepest < 1024, claim(name));
}

static void tests(void)
{
    test_queue();
    test_terminate_queued();
    resubmit(100, "test_dma_done_submits_again_without_recursion");
    resubmit(0, "test_dma_done_submits_0_bytes_again_without_recursion");
    tap_ok(outside_isr == 0, claim("test_dma_done_runs_at_isr_level"));
}

int main(void)
{
    return on_every_engine(tests, 9);
}
