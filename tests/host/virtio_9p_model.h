// A 9P transport for host tests whose answers are easily foretold, and exchanges with it made as
// the core would make them.
#pragma once

#include <errno.h>

#include "drivers/virtio/virtio_9p.h"
#include "tests/host/fake/requests.h"
#include "tests/host/virtio_model.h"
#include "tests/tap.h"

enum { SLOT = 2, DEPTH = 32, PART = 48, GUARD = 16, GUARD_BYTE = 0xc7, HEADER = 3 };
#define VERSION_1 (UINT64_C(1) << 32)

const struct virtio_class *const virtio_classes[] = { NULL }; // Nobody scans slots.

// An exchange with memory of its own. A message is the length that is wanted for the answer, and a
// byte that the answer is made from.
struct job {
    struct exchange exchange;
    uint8_t out[2][PART], in[2][PART + GUARD];
    unsigned completions;
};

static struct {
    struct virtio_9p share;
    struct model_slot *slot;
    struct model_device device;
    struct job jobs[DEPTH];
    unsigned wrong_chains;
    struct device *registered;
    bool name_taken;
} p9;

// ---- The core ----

int device_register(struct device *device)
{
    p9.registered = device;
    return p9.name_taken ? -EEXIST : 0;
}

static inline void job_done(struct io_request *request)
{
    ((struct job *)request)->completions++;
}

static inline void start(struct job *job, void (*by)(struct device *, struct io_request *))
{
    job->completions = 0;
    job->exchange.request.done = job_done;
    fake_start(&p9.share.device, &job->exchange.request, by);
}

static inline void submit(struct job *job)
{
    start(job, p9.share.device.ops->submit);
}

static inline void put(struct job *job)
{
    start(job, p9.share.device.ops->put);
}

static inline long submit_op(enum io_op op)
{
    struct job job = { .exchange.request.op = op };
    submit(&job);
    return job.completions == 1 ? (long)job.exchange.request.result : FAKE_WAITS;
}

// ---- The device ----

// A byte of a chain's readable or writable parts; NULL: it has no more.
static inline uint8_t *chain_byte(unsigned head, bool writable, unsigned at)
{
    const struct virtq_desc *table = (const void *)(uintptr_t)p9.slot->desc;
    for (const struct virtq_desc *desc = &table[head];; desc = &table[desc->next]) {
        if (!(desc->flags & VIRTQ_DESC_F_WRITE) == !writable) {
            if (at < desc->len)
                return (uint8_t *)(uintptr_t)desc->addr + at;
            at -= desc->len;
        }
        if (!(desc->flags & VIRTQ_DESC_F_NEXT))
            return NULL;
    }
}

static inline unsigned chain_room(unsigned head, bool writable)
{
    unsigned room = 0;
    while (chain_byte(head, writable, room))
        room++;
    return room;
}

static inline uint8_t answer_byte(uint8_t from, unsigned at)
{
    return (uint8_t)(from + 31 * at);
}

// Answers a chain. Result: the length for the used ring.
static inline uint32_t answer(unsigned head)
{
    if (chain_room(head, false) < HEADER) {
        p9.wrong_chains++;
        return 0;
    }
    unsigned wanted = *chain_byte(head, false, 0) + 256u * *chain_byte(head, false, 1);
    uint8_t from = *chain_byte(head, false, 2);
    for (unsigned i = 0; i < wanted; i++) {
        uint8_t *to = chain_byte(head, true, i);
        if (to)
            *to = answer_byte(from, i);
        p9.wrong_chains += !to;
    }
    return wanted;
}

static inline void take_interrupt(void)
{
    p9.slot->interrupt_status |= 1;
    model_interrupt(p9.slot);
}

static inline void serve_all(void)
{
    for (int head; (head = model_pop(&p9.device)) >= 0;)
        model_push(&p9.device, (uint32_t)head, answer((unsigned)head));
    take_interrupt();
}

// ---- Machines ----

// A fresh device with this mount tag. Result: what attaching says.
static inline int attach(const char *tag, unsigned length, uint64_t features, unsigned descriptors)
{
    model_fresh();
    memset(&p9.share, 0, sizeof p9.share);
    p9.slot = model_plug(SLOT, 9, VERSION_1 | features);
    p9.slot->queue_num_max = descriptors;
    p9.slot->config[0] = (uint8_t)length;
    p9.slot->config[1] = (uint8_t)(length >> 8);
    memcpy(p9.slot->config + 2, tag, strlen(tag));
    const struct virtio_device device = { .base = MODEL_BASE + SLOT * MODEL_STRIDE,
                                          .irq = MODEL_IRQ + SLOT };
    p9.registered = NULL;
    p9.wrong_chains = 0;
    int error = virtio_9p_attach(&p9.share, &device);
    p9.device = (struct model_device){ .queue = &p9.share.service.queue };
    return error;
}

static inline void ready(void)
{
    if (attach("host", 4, 1, 128) != 0)
        abort();
}

// A job whose message is in out_count parts and whose answer, of so many bytes, is spread over
// parts of these sizes.
static inline struct job *job_set(unsigned number, unsigned out_count, const size_t *in,
                                  unsigned in_count, unsigned wanted)
{
    struct job *job = &p9.jobs[number];
    const uint8_t message[HEADER] = { (uint8_t)wanted, (uint8_t)(wanted >> 8), (uint8_t)number };
    *job = (struct job){ .exchange.request.op = IO_CALL,
                         .exchange.out_count = out_count,
                         .exchange.in_count = in_count };
    memset(job->in, GUARD_BYTE, sizeof job->in);
    size_t first = out_count == 1 ? HEADER : 1; // With two, cut behind the first byte.
    memcpy(job->out[0], message, first);
    memcpy(job->out[1], message + first, HEADER - first);
    job->exchange.out[0] = (struct exchange_part){ job->out[0], first };
    job->exchange.out[1] = (struct exchange_part){ job->out[1], HEADER - first };
    for (unsigned i = 0; i < in_count; i++)
        job->exchange.in[i] = (struct exchange_part){ job->in[i], in[i] };
    return job;
}

// The answer's bytes, in order, over the parts; not one elsewhere.
static inline bool job_is_answered(const struct job *job, unsigned number, unsigned wanted)
{
    unsigned at = 0;
    bool right = job->completions == 1 && job->exchange.request.result == (ssize_t)wanted;
    for (unsigned part = 0; part < 2; part++) {
        size_t size = part < job->exchange.in_count ? job->exchange.in[part].size : 0;
        for (unsigned i = 0; i < PART + GUARD; i++) {
            bool inside = i < size && at < wanted;
            right &= job->in[part][i] == (inside ? answer_byte((uint8_t)number, at) : GUARD_BYTE);
            at += inside;
        }
    }
    return right;
}
