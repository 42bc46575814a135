// A driver and a device at the two ends of a virtqueue, led by a string of bytes: what the device
// does is not always true. After each step the queue must agree with what was really given to it.
#pragma once

#include "tests/host/fuzz.h"
#include "tests/host/virtqueue_model.h"

enum { FUZZ_MOST = 16, FUZZ_GUARD = 64, FUZZ_GUARD_BYTE = 0xc7 };

enum fuzz_state { FUZZ_NONE, FUZZ_IDLE, FUZZ_JOINED, FUZZ_ADDED, FUZZ_WITH_DEVICE };

struct fuzz_chain {
    enum fuzz_state state;
    unsigned parts;
    uint32_t writable;
    unsigned own;             // With another one behind it: parts before that. Else 0.
    struct fuzz_chain *other; // That one, which is joined.
};

static struct {
    _Alignas(VIRTQUEUE_ALIGNMENT) uint8_t before[FUZZ_GUARD];
    uint8_t memory[VIRTQUEUE_BYTES(FUZZ_MOST)];
    uint8_t after[FUZZ_GUARD];
    struct virtqueue queue;
    struct model_device device;
    struct fuzz_chain chains[FUZZ_MOST]; // By head; the owner of one is its struct here.
    unsigned size;
    unsigned broken, taken, joined; // So that a test can see that something happened.
} fuzz;

static unsigned fuzz_count(enum fuzz_state state)
{
    unsigned count = 0;
    for (unsigned i = 0; i < fuzz.size; i++)
        count += fuzz.chains[i].state == state;
    return count;
}

// A chain in this state, looked for from a random place on; -1: there is none.
static int fuzz_find(enum fuzz_state state)
{
    unsigned from = fuzz_byte();
    for (unsigned i = 0; i < fuzz.size; i++)
        if (fuzz.chains[(from + i) % fuzz.size].state == state)
            return (int)((from + i) % fuzz.size);
    return -1;
}

static void fuzz_fresh(void)
{
    fuzz.size = 1u << fuzz_byte() % 5;
    memset(fuzz.before, FUZZ_GUARD_BYTE, FUZZ_GUARD);
    memset(fuzz.memory, 0xa5, sizeof fuzz.memory);
    memset(fuzz.after, FUZZ_GUARD_BYTE, FUZZ_GUARD);
    memset(fuzz.chains, 0, sizeof fuzz.chains);
    virtqueue_init(&fuzz.queue, fuzz.memory, fuzz.size);
    uint16_t start = (uint16_t)(fuzz_byte() << 8 | fuzz_byte()); // As after long work.
    fuzz.queue.added = fuzz.queue.taken = start;
    fuzz.queue.avail->idx = fuzz.queue.used->idx = start;
    fuzz.device = (struct model_device){ .queue = &fuzz.queue, .seen = start, .used = start };
}

// ---- The driver's steps ----

static void fuzz_build(void)
{
    struct virtqueue_part parts[6];
    unsigned readable = fuzz_byte() % 4, writable = fuzz_byte() % 4;
    unsigned free = fuzz.queue.free_count, head = fuzz.queue.first_free;
    for (unsigned i = 0; i < 6; i++)
        parts[i] = (struct virtqueue_part){ 0x1000 * i, 8 * i };
    int got = virtqueue_chain(&fuzz.queue, parts, readable, writable,
                              &fuzz.chains[head % FUZZ_MOST]);
    if (readable + writable == 0 || readable + writable > free) {
        assert(got < 0 && fuzz.queue.free_count == free);
        return;
    }
    assert(got == (int)head && fuzz.chains[got].state == FUZZ_NONE);
    fuzz.chains[got] = (struct fuzz_chain){ .state = FUZZ_IDLE, .parts = readable + writable };
}

static void fuzz_release(void)
{
    int head = fuzz_find(FUZZ_IDLE);
    if (head < 0 || fuzz.chains[head].own)
        return;
    virtqueue_release(&fuzz.queue, (unsigned)head);
    fuzz.chains[head].state = FUZZ_NONE;
}

// Two chains become one, which is put, taken and given other parts like any other.
static void fuzz_join(void)
{
    int head = fuzz_find(FUZZ_IDLE), other = fuzz_find(FUZZ_IDLE);
    if (head < 0 || other == head || fuzz.chains[head].own || fuzz.chains[other].own)
        return;
    struct fuzz_chain *chain = &fuzz.chains[head];
    virtqueue_join(&fuzz.queue, (unsigned)head, (unsigned)other);
    chain->own = chain->parts;
    chain->other = &fuzz.chains[other];
    chain->parts += chain->other->parts;
    chain->other->state = FUZZ_JOINED;
    fuzz.joined++;
}

static void fuzz_split(void)
{
    int head = fuzz_find(FUZZ_IDLE);
    if (head < 0 || !fuzz.chains[head].own)
        return;
    struct fuzz_chain *chain = &fuzz.chains[head];
    virtqueue_split(&fuzz.queue, (unsigned)head, chain->own);
    chain->parts = chain->own;
    chain->own = 0;
    chain->other->state = FUZZ_IDLE;
}

// Other parts for a chain, perhaps fewer. What the device would find is looked at here, since the
// next step may scribble over it.
static void fuzz_set_parts(void)
{
    struct virtqueue_part parts[12];
    int head = fuzz_find(FUZZ_IDLE);
    if (head < 0)
        return;
    unsigned count = 1 + fuzz_byte() % fuzz.chains[head].parts,
             readable = fuzz_byte() % (count + 1);
    uint32_t room = 0;
    for (unsigned i = 0; i < count; i++) {
        parts[i] = (struct virtqueue_part){ 0x2000 * i, fuzz_byte() };
        room += i < readable ? 0 : parts[i].size;
    }
    assert(virtqueue_set_parts(&fuzz.queue, (unsigned)head, parts, readable, count - readable) ==
           room);
    const struct virtq_desc *desc = &fuzz.queue.desc[head];
    for (unsigned i = 0; i < count; i++, desc = &fuzz.queue.desc[desc->next % fuzz.size]) {
        assert(desc->addr == parts[i].address && desc->len == parts[i].size);
        assert(!(desc->flags & VIRTQ_DESC_F_WRITE) == (i < readable));
        assert(!(desc->flags & VIRTQ_DESC_F_NEXT) == (i == count - 1));
    }
}

static void fuzz_put(void)
{
    int head = fuzz_find(FUZZ_IDLE);
    if (head < 0)
        return;
    fuzz.chains[head].state = FUZZ_ADDED;
    fuzz.chains[head].writable = fuzz_byte();
    virtqueue_put(&fuzz.queue, (unsigned)head, fuzz.chains[head].writable);
}

static void fuzz_kick(void)
{
    bool wanted = virtqueue_kick(&fuzz.queue);
    assert(wanted == !(fuzz.queue.used->flags & VIRTQ_USED_F_NO_NOTIFY));
    for (unsigned i = 0; i < fuzz.size; i++)
        if (fuzz.chains[i].state == FUZZ_ADDED)
            fuzz.chains[i].state = FUZZ_WITH_DEVICE;
}

static void fuzz_take(void)
{
    fuzz_kick(); // The contract of virtqueue_used().
    unsigned with_device = fuzz_count(FUZZ_WITH_DEVICE);
    unsigned count = virtqueue_used(&fuzz.queue);
    assert(count <= with_device);
    for (; count > 0; count--) {
        uint32_t written;
        struct fuzz_chain *chain = virtqueue_take(&fuzz.queue, &written);
        if (!chain) {
            assert(fuzz.queue.broken);
            return;
        }
        assert(chain >= fuzz.chains && chain < fuzz.chains + fuzz.size);
        assert(chain->state == FUZZ_WITH_DEVICE && written <= chain->writable);
        chain->state = FUZZ_IDLE;
        fuzz.taken++;
    }
}

// ---- The device's steps ----

static void fuzz_complete(void)
{
    int head = fuzz_find(FUZZ_WITH_DEVICE);
    if (head >= 0)
        model_push(&fuzz.device, (uint32_t)head, fuzz_byte() % (fuzz.chains[head].writable + 1));
}

static void fuzz_lie(void)
{
    uint32_t id = fuzz_byte() % (2 * FUZZ_MOST), length = fuzz_byte();
    if (fuzz_byte() % 8 == 0)
        id = ~id;
    if (fuzz_byte() % 8 == 0)
        length = ~length;
    model_push(&fuzz.device, id, length);
}

static void fuzz_jump(void)
{
    fuzz.device.used = (uint16_t)(fuzz.device.used + fuzz_byte() - 128);
    fuzz.queue.used->idx = fuzz.device.used;
}

// Any byte of what a device can reach through the three areas.
static void fuzz_scribble(void)
{
    struct virtqueue *queue = &fuzz.queue;
    unsigned at = fuzz_byte(), value = fuzz_byte(), area = fuzz_byte() % 3;
    uint8_t *bytes = area == 0   ? (uint8_t *)queue->desc
                     : area == 1 ? (uint8_t *)queue->avail
                                 : (uint8_t *)queue->used;
    size_t size = area == 0   ? sizeof(struct virtq_desc) * fuzz.size
                  : area == 1 ? 6 + 2 * fuzz.size
                              : 6 + 8 * fuzz.size;
    bytes[at % size] = (uint8_t)value;
}

// ---- What holds after each ----

static void fuzz_check(void)
{
    unsigned in_chains = 0, in_flight = fuzz_count(FUZZ_WITH_DEVICE);
    for (unsigned i = 0; i < fuzz.size; i++) {
        const struct fuzz_chain *chain = &fuzz.chains[i];
        in_chains += chain->state != FUZZ_NONE && chain->state != FUZZ_JOINED ? chain->parts : 0;
        assert(virtqueue_holds(&fuzz.queue, i) == (chain->state >= FUZZ_ADDED));
    }
    assert(in_chains + fuzz.queue.free_count == fuzz.size);
    if (!fuzz.queue.broken)
        assert(fuzz.queue.added - fuzz.queue.taken == in_flight + fuzz_count(FUZZ_ADDED));
    else
        assert(virtqueue_used(&fuzz.queue) == 0);
    for (unsigned i = 0; i < FUZZ_GUARD; i++)
        assert(fuzz.before[i] == FUZZ_GUARD_BYTE && fuzz.after[i] == FUZZ_GUARD_BYTE);
    for (size_t i = VIRTQUEUE_BYTES(fuzz.size); i < sizeof fuzz.memory; i++)
        assert(fuzz.memory[i] == 0xa5);
}

static void fuzz_step(void)
{
    // The device is honest most of the time, or hardly anything would ever be taken.
    static void (*const steps[])(void) = {
        fuzz_build, fuzz_build, fuzz_release,  fuzz_put,  fuzz_set_parts, fuzz_put,
        fuzz_put,   fuzz_kick,  fuzz_kick,     fuzz_take, fuzz_take,      fuzz_complete,
        fuzz_take,  fuzz_kick,  fuzz_complete, fuzz_put,  fuzz_join,      fuzz_split,
    };
    unsigned choice = fuzz_byte();
    static void (*const lies[])(void) = { fuzz_lie, fuzz_jump, fuzz_scribble };
    if (choice == 0xff)
        lies[fuzz_byte() % (sizeof lies / sizeof lies[0])]();
    else
        steps[choice % (sizeof steps / sizeof steps[0])]();
}

// Runs all that the bytes say. Aborts when something does not hold.
static void fuzz_run(const uint8_t *input, size_t size)
{
    fuzz_begin(input, size);
    fuzz_fresh();
    while (fuzz_goes_on()) {
        fuzz_step();
        fuzz_check();
        if (!fuzz.queue.broken)
            continue;
        fuzz.broken++;
        fuzz_fresh(); // A broken queue stays out of use; the next one begins.
    }
}
