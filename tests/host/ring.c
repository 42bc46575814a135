// The ring of bytes against a model: one long text of which the ring holds a window.
// sources: fs/ring.c
#include "fs/ring.h"

#include <stdbool.h>
#include <string.h>

#include "tests/host/stream_model.h"

static struct ring ring;
static uint8_t bytes[RING_SIZE + 16];

static void put(size_t *end, size_t offset, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes[offset + i] = text_at((*end)++);
    ring_put(&ring, bytes + offset, size);
}

// Takes size bytes. Result: they are the text's, and what is around them is untouched.
static bool take(size_t *first, size_t offset, size_t size)
{
    memset(bytes, 0xee, sizeof bytes);
    ring_take(&ring, bytes + offset, size);
    for (size_t i = 0; i < size; i++)
        if (bytes[offset + i] != text_at((*first)++))
            return false;
    return bytes[offset + size] == 0xee && (offset == 0 || bytes[offset - 1] == 0xee);
}

static void test_random(void)
{
    size_t first = 0, end = 0;
    bool right = true;
    for (unsigned i = 0; right && i < 20000; i++) {
        size_t offset = random_number() % 8, most = i % 3 ? 300 : RING_SIZE;
        if (random_number() % 2) {
            size_t room = ring_room(&ring) < most ? ring_room(&ring) : most;
            put(&end, offset, random_number() % (room + 1));
        } else {
            size_t there = ring.used < most ? ring.used : most;
            right = take(&first, offset, random_number() % (there + 1));
        }
        right &= ring.used == end - first;
    }
    tap_ok(right, "test_ring_gives_back_what_was_put_in_in_order");
}

static void test_edges(void)
{
    size_t first = 0, end = 0;
    memset(&ring, 0, sizeof ring);
    put(&end, 0, RING_SIZE);
    tap_ok(ring_room(&ring) == 0 && take(&first, 0, 5), "test_ring_holds_all_that_it_promises");
    put(&end, 0, 5);
    ring_drop(&ring, RING_SIZE - 3);
    first += RING_SIZE - 3;
    tap_ok(ring.used == 3 && take(&first, 0, 3), "test_ring_drops_the_oldest");
    tap_ok(ring.used == 0 && ring.first == 0, "test_ring_that_is_empty_begins_anew");
}

int main(void)
{
    tap_plan(4);
    test_random();
    test_edges();
    return tap_done();
}
