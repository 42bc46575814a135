// Thousands of random rounds between a driver and a device that lies now and then; the same ones
// every time. tests/fuzz/virtqueue.c lets libFuzzer look for more.
// sources: drivers/virtio/virtqueue.c
#include "tests/host/virtqueue_fuzz.h"
#include "tests/tap.h"

enum { ROUNDS = 4000, BYTES = 1000 };

static uint32_t seed = 20;

static uint8_t random_byte(void)
{
    seed = seed * UINT32_C(1664525) + UINT32_C(1013904223);
    return (uint8_t)(seed >> 24);
}

int main(void)
{
    static uint8_t input[BYTES];

    tap_plan(4);
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < BYTES; i++)
            input[i] = random_byte();
        fuzz_run(input, sizeof input);
    }
    tap_ok(true, "test_the_queue_never_believes_what_is_not_true"); // It would have bailed out.
    tap_ok(fuzz.taken > 10 * ROUNDS, "test_chains_were_taken_often_enough");
    tap_ok(fuzz.broken > ROUNDS / 2, "test_queues_were_broken_often_enough");
    tap_ok(fuzz.joined > ROUNDS / 4, "test_chains_were_joined_often_enough");
    tap_note("%u chains taken, %u joined, %u queues broken", fuzz.taken, fuzz.joined, fuzz.broken);
    return tap_done();
}
