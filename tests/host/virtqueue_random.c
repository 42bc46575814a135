// Thousands of random rounds between a driver and a device that lies now and then; the same ones
// every time. tests/fuzz/virtqueue.c lets libFuzzer look for more.
// sources: drivers/virtio/virtqueue.c
#include "tests/host/virtqueue_fuzz.h"
#include "tests/tap.h"

enum { ROUNDS = 4000, BYTES = 1000 };

int main(void)
{
    tap_plan(4);
    fuzz_random(fuzz_run, 20, ROUNDS, BYTES);
    tap_ok(true, "test_the_queue_never_believes_what_is_not_true"); // It would have bailed out.
    tap_ok(fuzz.taken > 10 * ROUNDS, "test_chains_were_taken_often_enough");
    tap_ok(fuzz.broken > ROUNDS / 2, "test_queues_were_broken_often_enough");
    tap_ok(fuzz.joined > ROUNDS / 4, "test_chains_were_joined_often_enough");
    tap_note("%u chains taken, %u joined, %u queues broken", fuzz.taken, fuzz.joined, fuzz.broken);
    return tap_done();
}
