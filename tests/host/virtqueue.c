// The split virtqueue against a device that keeps the rules, and against each way of breaking them.
// sources: drivers/virtio/virtqueue.c
#include <errno.h>

#include "tests/host/virtqueue_model.h"
#include "tests/tap.h"

enum { SIZE = 8, MEMORY = VIRTQUEUE_BYTES(VIRTQUEUE_MOST) };

static _Alignas(VIRTQUEUE_ALIGNMENT) uint8_t memory[MEMORY];
static struct virtqueue queue;
static struct model_device device;
static int owners[VIRTQUEUE_MOST];

static void fresh(unsigned size)
{
    memset(memory, 0xa5, sizeof memory);
    virtqueue_init(&queue, memory, size);
    device = (struct model_device){ .queue = &queue };
}

// A chain of so many parts of 16 bytes; its owner is found by its head.
static int chain(unsigned readable, unsigned writable)
{
    struct virtqueue_part parts[SIZE];
    for (unsigned i = 0; i < SIZE; i++)
        parts[i] = (struct virtqueue_part){ 0x1000 * (i + 1), 16 };
    return virtqueue_chain(&queue, parts, readable, writable,
                           &owners[queue.first_free % VIRTQUEUE_MOST]);
}

// ---- Layout and chains ----

static void test_layout(void)
{
    bool aligned = true, inside = true, apart = true;
    for (unsigned size = 1; size <= VIRTQUEUE_MOST; size *= 2) {
        fresh(size);
        aligned &= (uintptr_t)queue.desc % 16 == 0 && (uintptr_t)queue.avail % 2 == 0 &&
                   (uintptr_t)queue.used % 4 == 0 &&
                   (uintptr_t)queue.heads % _Alignof(struct virtqueue_head) == 0;
        uint8_t *used_end = (uint8_t *)&queue.used->ring[size] + 2;   // avail_event.
        uint8_t *avail_end = (uint8_t *)&queue.avail->ring[size] + 2; // used_event.
        apart &= (uint8_t *)&queue.desc[size] <= (uint8_t *)queue.heads &&
                 (uint8_t *)&queue.heads[size] <= (uint8_t *)queue.used &&
                 used_end <= (uint8_t *)queue.avail && avail_end <= (uint8_t *)queue.next;
        inside &= (uint8_t *)&queue.next[size] <= memory + VIRTQUEUE_BYTES(size);
        inside &= size == VIRTQUEUE_MOST || memory[VIRTQUEUE_BYTES(size)] == 0xa5;
    }
    tap_ok(aligned, "test_areas_are_aligned_as_2_7_wants");
    tap_ok(apart, "test_areas_with_their_events_do_not_overlap");
    tap_ok(inside, "test_a_queue_needs_no_more_memory_than_it_says");
    tap_ok(queue.avail->idx == 0 && queue.used->idx == 0 && queue.avail->flags == 0,
           "test_a_new_queue_is_empty");
}

static void test_chains(void)
{
    fresh(SIZE);
    int head = chain(2, 1);
    struct virtq_desc *first = virtqueue_part(&queue, (unsigned)head, 0),
                      *second = virtqueue_part(&queue, (unsigned)head, 1),
                      *third = virtqueue_part(&queue, (unsigned)head, 2);
    tap_ok(first->flags == VIRTQ_DESC_F_NEXT && second->flags == VIRTQ_DESC_F_NEXT &&
               third->flags == VIRTQ_DESC_F_WRITE,
           "test_readable_parts_come_before_writable_ones");
    tap_ok(&queue.desc[head] == first && &queue.desc[first->next] == second &&
               &queue.desc[second->next] == third,
           "test_descriptors_are_linked");
    tap_ok(first->addr == 0x1000 && second->addr == 0x2000 && third->addr == 0x3000 &&
               third->len == 16,
           "test_descriptors_tell_address_and_length");
    tap_equal(chain(0, 0), -EINVAL, "test_a_chain_without_parts_is_refused");
    int other = chain(1, 2);
    tap_ok(other >= 0 && queue.free_count == 2, "test_chains_take_from_the_free_ones");
    tap_equal(chain(1, 2), -EAGAIN, "test_no_chain_without_enough_descriptors");
    tap_ok(queue.free_count == 2 && chain(1, 1) >= 0 && queue.free_count == 0,
           "test_a_refused_chain_takes_nothing");
    tap_equal(chain(0, 1), -EAGAIN, "test_all_descriptors_in_use");
    virtqueue_release(&queue, (unsigned)head);
    tap_equal(queue.free_count, 3, "test_release_gives_all_descriptors_back");
    tap_ok(chain(0, 3) >= 0 && queue.free_count == 0, "test_released_descriptors_serve_again");
}

// Goal: one chain serves messages of any shape it has room for. Method: one of four descriptors is
// rewritten shorter, longer and the other way round, and walked as the device walks it.
static void test_parts(void)
{
    static const struct {
        unsigned readable, writable;
        uint32_t room;
    } shapes[] = { { 1, 1, 20 }, { 2, 2, 70 }, { 0, 1, 10 }, { 3, 1, 40 }, { 2, 0, 0 } };
    const struct virtqueue_part parts[] = {
        { 0x10, 10 }, { 0x20, 20 }, { 0x30, 30 }, { 0x40, 40 }
    };
    bool right = true;

    fresh(SIZE);
    int other = chain(1, 1), head = chain(2, 2);
    for (unsigned s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
        unsigned readable = shapes[s].readable, count = readable + shapes[s].writable;
        right &= virtqueue_set_parts(&queue, (unsigned)head, parts, readable, shapes[s].writable) ==
                 shapes[s].room;
        const struct virtq_desc *desc = &queue.desc[head];
        for (unsigned i = 0; i < count; i++) {
            unsigned flags = (i < count - 1 ? VIRTQ_DESC_F_NEXT : 0) |
                             (i < readable ? 0 : VIRTQ_DESC_F_WRITE);
            right &= desc->addr == parts[i].address && desc->len == parts[i].size &&
                     desc->flags == flags;
            desc = i < count - 1 ? &queue.desc[desc->next] : desc;
        }
    }
    tap_ok(right, "test_a_chain_takes_parts_of_another_number_and_direction");
    tap_equal(virtqueue_part(&queue, (unsigned)other, 0)->addr, 0x1000,
              "test_other_chains_keep_theirs");
    virtqueue_release(&queue, (unsigned)head);
    tap_equal(queue.free_count, SIZE - 2, "test_release_gives_the_unused_ones_back_too");
}

// ---- Putting in and taking out ----

static void test_batch(void)
{
    fresh(SIZE);
    unsigned a = (unsigned)chain(1, 1), b = (unsigned)chain(1, 1), c = (unsigned)chain(1, 1);
    virtqueue_put(&queue, a, 16);
    virtqueue_put(&queue, b, 16);
    tap_ok(model_pop(&device) == -1, "test_nothing_is_seen_before_the_kick");
    tap_ok(virtqueue_kick(&queue), "test_the_doorbell_is_wanted");
    tap_ok(model_pop(&device) == (int)a && model_pop(&device) == (int)b && model_pop(&device) == -1,
           "test_one_kick_shows_all");
    queue.used->flags = VIRTQ_USED_F_NO_NOTIFY;
    virtqueue_put(&queue, c, 16);
    tap_ok(!virtqueue_kick(&queue), "test_no_doorbell_where_the_device_does_not_want_it");
    tap_equal(model_pop(&device), (int)c, "test_the_chain_is_shown_all_the_same");

    uint32_t written = 9;
    tap_equal(virtqueue_used(&queue), 0, "test_nothing_is_used_before_the_device_says_so");
    model_push(&device, b, 7);
    model_push(&device, c, 0);
    tap_equal(virtqueue_used(&queue), 2, "test_used_chains_are_counted");
    tap_ok(virtqueue_take(&queue, &written) == &owners[b] && written == 7,
           "test_the_owner_of_the_first_used_chain");
    tap_ok(virtqueue_take(&queue, &written) == &owners[c] && written == 0,
           "test_the_owner_of_the_second");
    tap_ok(virtqueue_holds(&queue, a) && !virtqueue_holds(&queue, b) && !virtqueue_holds(&queue, c),
           "test_only_what_was_not_given_back_is_with_the_device");
    tap_equal(virtqueue_used(&queue), 0, "test_each_is_taken_once");
}

static void test_full_ring(void)
{
    fresh(SIZE);
    unsigned heads[SIZE];
    bool right = true;
    for (unsigned i = 0; i < SIZE; i++) {
        heads[i] = (unsigned)chain(0, 1);
        virtqueue_put(&queue, heads[i], 16);
    }
    virtqueue_kick(&queue);
    for (unsigned i = 0; i < SIZE; i++)
        right &= model_pop(&device) == (int)heads[i];
    tap_ok(right, "test_a_full_ring_is_seen_whole");
    for (unsigned i = SIZE; i-- > 0;)
        model_push(&device, heads[i], 16);
    right = virtqueue_used(&queue) == SIZE;
    for (unsigned i = SIZE; i-- > 0;) {
        uint32_t written;
        right &= virtqueue_take(&queue, &written) == &owners[heads[i]] && written == 16;
    }
    tap_ok(right && !queue.broken, "test_a_full_ring_comes_back_in_the_devices_order");
}

// Rounds of several chains, from counters shortly before `start` wraps on.
static bool rounds(uint32_t start, unsigned count)
{
    fresh(SIZE);
    queue.added = queue.taken = start;
    queue.avail->idx = queue.used->idx = device.seen = device.used = (uint16_t)start;
    unsigned heads[3] = { (unsigned)chain(1, 1), (unsigned)chain(1, 1), (unsigned)chain(1, 1) };
    bool right = true;
    for (unsigned round = 0; right && round < count; round++) {
        for (unsigned i = 0; i < 3; i++)
            virtqueue_put(&queue, heads[i], 16);
        virtqueue_kick(&queue);
        for (unsigned i = 0; i < 3; i++)
            model_push(&device, (uint32_t)model_pop(&device), i);
        right &= virtqueue_used(&queue) == 3;
        for (unsigned i = 0; i < 3; i++) {
            uint32_t written;
            right &= virtqueue_take(&queue, &written) == &owners[heads[i]] && written == i;
        }
    }
    return right && !queue.broken;
}

static void test_wrap(void)
{
    tap_ok(rounds(0, 70000), "test_indices_wrap_at_16_bits_again_and_again");
    tap_ok(rounds(UINT32_MAX - 100, 100), "test_our_counters_wrap_at_32_bits");
}

// ---- Order ----

static struct {
    bool watch;
    unsigned head;
    uint16_t idx_before;
    bool entry_before_index, index_before_flags, entry_after_index;
    unsigned stores, fulls, consumes;
} order;

// What the device could see at each barrier.
void fake_event(enum fake_event event, uintptr_t address, uint64_t value)
{
    (void)address, (void)value;
    if (!order.watch)
        return;
    uint16_t slot = order.idx_before & (uint16_t)queue.mask;
    if (event == FAKE_STORE) {
        order.stores++;
        order.entry_before_index = queue.avail->ring[slot] == order.head &&
                                   queue.avail->idx == order.idx_before;
    } else if (event == FAKE_FULL) {
        order.fulls++;
        order.index_before_flags = queue.avail->idx == (uint16_t)(order.idx_before + 1);
        queue.used->flags = VIRTQ_USED_F_NO_NOTIFY; // Seen only by a load after the barrier.
    } else if (event == FAKE_CONSUME) {
        order.consumes++;
        // What a CPU that loads early would miss: the entry is there only now.
        model_entry(&device, order.head, 3);
    }
}

static void test_order(void)
{
    fresh(SIZE);
    order.head = (unsigned)chain(1, 1);
    order.idx_before = queue.avail->idx;
    order.watch = true;
    virtqueue_put(&queue, order.head, 16);
    bool wanted = virtqueue_kick(&queue);
    tap_ok(order.stores == 1 && order.entry_before_index,
           "test_the_entry_is_ordered_before_the_index");
    tap_ok(order.fulls == 1 && order.index_before_flags && !wanted,
           "test_the_index_is_ordered_before_the_flags_and_the_doorbell");
    queue.used->idx = 1;
    uint32_t written = 0;
    unsigned count = virtqueue_used(&queue);
    void *owner = virtqueue_take(&queue, &written);
    tap_ok(order.consumes == 1 && count == 1 && owner == &owners[order.head] && written == 3,
           "test_the_used_index_is_ordered_before_the_entries");
    order.watch = false;
}

// ---- A device that lies ----

static unsigned with_device, idle_chain;

// Two chains with the device, one that it does not have.
static void lie_ready(void)
{
    fresh(SIZE);
    with_device = (unsigned)chain(1, 1);
    unsigned other = (unsigned)chain(1, 1);
    idle_chain = (unsigned)chain(1, 1);
    virtqueue_put(&queue, with_device, 16);
    virtqueue_put(&queue, other, 16);
    virtqueue_kick(&queue);
    model_pop(&device), model_pop(&device);
}

// One entry that is not true: nothing is taken, the queue is broken for good.
static void check_lie(uint32_t id, uint32_t length, const char *why, const char *name)
{
    uint32_t written;
    model_push(&device, id, length);
    bool right = virtqueue_used(&queue) == 1 && !virtqueue_take(&queue, &written);
    right &= queue.broken && strstr(queue.broken, why) && virtqueue_holds(&queue, with_device);
    model_push(&device, with_device, 0);
    right &= virtqueue_used(&queue) == 0;
    queue.used->idx = (uint16_t)queue.taken;
    right &= virtqueue_used(&queue) == 0;
    if (!tap_ok(right, name))
        tap_note("%s", queue.broken ? queue.broken : "not broken");
}

static void test_lies(void)
{
    uint32_t written;
    lie_ready();
    check_lie(SIZE, 0, "no descriptor", "test_an_id_past_the_table_breaks_the_queue");
    lie_ready();
    check_lie(UINT32_MAX, 0, "no descriptor", "test_the_largest_id_breaks_the_queue");
    lie_ready();
    check_lie(with_device + 0x10000, 0, "no descriptor", "test_an_id_is_32_bits_wide");
    lie_ready();
    check_lie(idle_chain, 0, "does not have", "test_a_chain_that_was_not_given_breaks_the_queue");
    lie_ready();
    check_lie(with_device + 1, 0, "does not have",
              "test_a_descriptor_that_is_no_head_breaks_the_queue");
    lie_ready();
    check_lie(with_device, 17, "room", "test_one_byte_too_many_breaks_the_queue");
    lie_ready();
    check_lie(with_device, UINT32_MAX, "room", "test_the_largest_length_breaks_the_queue");

    lie_ready();
    model_push(&device, with_device, 16);
    tap_ok(virtqueue_used(&queue) == 1 && virtqueue_take(&queue, &written) && written == 16 &&
               !queue.broken,
           "test_all_that_was_offered_may_be_written");
    model_push(&device, with_device, 0);
    tap_ok(virtqueue_used(&queue) == 1 && !virtqueue_take(&queue, &written) && queue.broken,
           "test_giving_back_twice_breaks_the_queue");
}

static void check_jump(uint16_t to, const char *name)
{
    queue.used->idx = to;
    bool right = virtqueue_used(&queue) == 0 && queue.broken && strstr(queue.broken, "jumps");
    queue.used->idx = 1; // Honest again, but too late.
    right &= virtqueue_used(&queue) == 0;
    tap_ok(right && virtqueue_holds(&queue, with_device), name);
}

static void test_jumps(void)
{
    lie_ready();
    check_jump(3, "test_an_index_past_what_is_in_flight_breaks_the_queue");
    lie_ready();
    check_jump(UINT16_MAX, "test_an_index_that_goes_back_breaks_the_queue");
    lie_ready();
    check_jump(0x8000, "test_an_index_far_away_breaks_the_queue");

    lie_ready();
    virtqueue_break(&queue, "first");
    virtqueue_break(&queue, "second");
    tap_ok(strcmp(queue.broken, "first") == 0, "test_the_first_reason_is_kept");
}

int main(void)
{
    tap_plan(48);
    test_layout();
    test_chains();
    test_parts();
    test_batch();
    test_full_ring();
    test_wrap();
    test_order();
    test_lies();
    test_jumps();
    return tap_done();
}
