// A 9P2000.L server for host tests: a small tree in memory, strict about fids and tags, that
// answers in any order, and wrongly when told to. It is behind a device that exchanges messages,
// as virtio_9p.c is one; the core is the real one.
#pragma once

#include "tests/host/p9_server.h"

// ---- The device ----

static inline void p9m_submit(struct device *device, struct io_request *request)
{
    (void)device;
    p9m.pending[p9m.pending_count++] = (struct exchange *)request;
}

static inline void p9m_fresh(void)
{
    static const struct device_ops ops = { .submit = p9m_submit };
    memset(&p9m, 0, sizeof p9m);
    p9m.channel = (struct device){ .name = "9p/host", .ops = &ops, .calls = true };
    p9m.channel.lanes[0].depth = P9M_PENDING;
    p9m.msize = P9M_MESSAGE;
    p9m.version = "9P2000.L";
    p9m.fault_errno = EACCES;
    p9m.walk_most = 16;
    p9m.readdir_most = 5;
    p9m_make(NULL, "", S_IFDIR | 0755);
}

static inline unsigned p9m_fids_known(void)
{
    unsigned count = 0;
    for (unsigned i = 0; i < P9M_FIDS; i++)
        count += p9m.fids[i].node != NULL;
    return count;
}

// ---- Serving ----

static inline void p9m_spoil(enum p9m_fault fault)
{
    static const uint32_t large = 0x7fffffff;
    if (fault == P9M_CUT)
        p9m_out.size -= 1;
    if (fault == P9M_LONGER)
        p9m_put(0, 1);
    if (fault == P9M_COUNT && p9m_out.size >= 11)
        memcpy(p9m_out.bytes + 7, &large, 4);
    memcpy(p9m_out.bytes, &p9m_out.size, 4);
    p9m_out.bytes[0] = (uint8_t)(p9m_out.bytes[0] + (fault == P9M_SIZE));
    p9m_out.bytes[4] = (uint8_t)(p9m_out.bytes[4] + 2 * (fault == P9M_TYPE));
    p9m_out.bytes[5] = (uint8_t)(p9m_out.bytes[5] + (fault == P9M_TAG));
}

// A message's bytes from its parts, or to them. Result: false: there is no room.
static inline bool p9m_gather(const struct exchange *exchange)
{
    p9m_in.at = p9m_in.size = 0;
    for (unsigned i = 0; i < exchange->out_count; i++) {
        p9m.wrong += exchange->out[i].size == 0;
        memcpy(p9m_in.bytes + p9m_in.size, exchange->out[i].base, exchange->out[i].size);
        p9m_in.size += exchange->out[i].size;
    }
    return p9m_get(4) == p9m_in.size;
}

static inline bool p9m_scatter(const struct exchange *exchange)
{
    size_t at = 0;
    for (unsigned i = 0; i < exchange->in_count; i++) {
        size_t left = p9m_out.size - at, size = exchange->in[i].size;
        size = size < left ? size : left;
        memcpy(exchange->in[i].base, p9m_out.bytes + at, size);
        at += size;
    }
    return at == p9m_out.size;
}

static inline void p9m_complete(void *exchange)
{
    bool failed = p9m.fault == P9M_TRANSPORT && p9m.messages == p9m.fault_at;
    bool fits = p9m_scatter(exchange);
    // One byte too many may not fit; an honest reply has to.
    p9m.wrong += !fits && p9m.messages != p9m.fault_at;
    device_complete(&((struct exchange *)exchange)->request, failed || !fits ? -EIO
                                                             : p9m.claim     ? (ssize_t)p9m.claim
                                                                         : (ssize_t)p9m_out.size);
}

// Takes one of the messages that wait into p9m_in.
static inline struct exchange *p9m_take(unsigned which, unsigned *type, unsigned *tag)
{
    struct exchange *exchange = p9m.pending[which];
    p9m.pending_count--;
    for (unsigned i = which; i < p9m.pending_count; i++)
        p9m.pending[i] = p9m.pending[i + 1];
    p9m.messages++;
    p9m.wrong += !p9m_gather(exchange);
    *type = (unsigned)p9m_get(1);
    *tag = (unsigned)p9m_get(2);
    for (unsigned i = 0; i < p9m.pending_count; i++) // Of those in flight each has its own tag.
        p9m.wrong += memcmp((uint8_t *)p9m.pending[i]->out[0].base + 5, tag, 2) == 0;
    return exchange;
}

// Does what was taken asks for, unless it is refused; the reply is in p9m_out.
static inline void p9m_answer(unsigned type, unsigned tag, bool refused)
{
    p9m_out.size = P9M_HEADER;
    int error = refused ? (int)p9m.fault_errno : p9m_dispatch(type);
    if (error) {
        p9m_out.size = P9M_HEADER;
        p9m_put((uint32_t)error, 4);
    }
    if (p9m.after)
        p9m.after(type);
    memcpy(p9m_out.bytes, &p9m_out.size, 4);
    p9m_out.bytes[4] = error ? 7 : (uint8_t)(type + 1);
    memcpy(p9m_out.bytes + 5, &tag, 2);
}

static inline void p9m_serve(unsigned which)
{
    enum { TCLUNK = 120 };
    unsigned type, tag;
    struct exchange *exchange = p9m_take(which, &type, &tag);
    enum p9m_fault fault = p9m.messages == p9m.fault_at ? p9m.fault : P9M_NONE;
    if (fault != P9M_NONE)
        p9m.fault_type = type;
    p9m_answer(type, tag, fault == P9M_REFUSED && type != TCLUNK); // That forgets it in any case.
    p9m_spoil(fault);
    if (p9m.claim)
        memcpy(p9m_out.bytes, &p9m.claim, 4);
    fake_isr(p9m_complete, exchange);
}

// Serves everything in the order of arrival, or from the newest on.
static inline void p9m_run(bool backwards)
{
    do {
        while (p9m.pending_count > 0) {
            p9m_serve(backwards ? p9m.pending_count - 1 : 0);
            fake_run_all();
        }
    } while (fake_run_all() || p9m.pending_count > 0);
}
