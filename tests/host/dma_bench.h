// The bench on which drivers of DMA engines are tested: transfers between two arrays, and what
// dma.c is to a driver. pl330_bench.h and pdma_bench.h put a chip on it. Included by one suite at a
// time.
#pragma once

#include <string.h>

#include "dma/engine.h"
#include "drivers/device.h"
#include "tests/host/fake/event_log.h"
#include "tests/host/fake/irq_lines.h"
#include "tests/host/fake/report.h"
#include "tests/tap.h"

enum { SIZE = 40000, BIG_SIZE = 768 * 1024, CHANNELS_MAX = 8, UNTOUCHED = 0xee };

static uint8_t source[SIZE], expected[SIZE];
static _Alignas(64) uint8_t destination[SIZE];
static _Alignas(64) uint8_t big_source[BIG_SIZE + 64], big_destination[BIG_SIZE + 64];

static bool slow;           // The chip moves when the test lets it only.
static uint64_t chip_moved; // Bytes since prepare(), by a chip that counts them.

static const char *complaint; // The first rule that was broken.

static inline void rule(bool kept, const char *broken)
{
    if (!kept && !complaint)
        complaint = broken;
}

// The suite's last test.
static inline void test_rules(void)
{
    tap_ok(!complaint, "test_no_rule_of_the_chip_is_broken");
    if (complaint)
        tap_note("%s", complaint);
}

void fake_event(enum fake_event event, uintptr_t address, uint64_t value)
{
    fake_log_add(event, address, value);
}

// --- What a driver asks of dma.c ---

static struct dma_engine *engine;
static unsigned registered;
static int done_status[CHANNELS_MAX];
static size_t done_residue[CHANNELS_MAX];
static unsigned dones[CHANNELS_MAX];
static struct dma_transfer *waiting; // Started on the channel that becomes free.
static bool inside_call;             // Of start() or terminate().

void dma_engine_register(struct dma_engine *e)
{
    engine = e;
    registered++;
}

const char *dma_engine_name(const struct dma_engine *e)
{
    return e->hardware->name;
}

void dma_transfer_done(struct dma_engine *e, unsigned channel, int status, size_t residue)
{
    rule(e == engine && fake_in_isr && !inside_call, "the end is told at a wrong moment");
    done_status[channel] = status;
    done_residue[channel] = residue;
    dones[channel]++;
    struct dma_transfer *next = waiting;
    waiting = NULL;
    if (next)
        engine->ops->start(engine, channel, next);
}

// --- What dma.c asks of the driver ---

static struct dma_transfer transfer;
static struct dma_segment segments[12];

// A copy of size bytes; nothing has happened yet.
static inline void prepare(size_t to, size_t from, size_t size)
{
    memset(destination, UNTOUCHED, SIZE);
    memset(expected, UNTOUCHED, SIZE);
    memcpy(expected + to, source + from, size);
    segments[0] = (struct dma_segment){ (uintptr_t)destination + to, (uintptr_t)source + from,
                                        size };
    transfer = (struct dma_transfer){ .segments = segments, .segment_count = 1, .size = size };
    memset(dones, 0, sizeof dones);
    fake_log.count = 0;
    chip_moved = 0;
    slow = false;
}

static inline void prepare_fill(size_t to, uint8_t byte, size_t size)
{
    prepare(to, 0, size);
    transfer.operation = DMA_FILL;
    transfer.fill = byte;
    segments[0].source = 1; // Ignored.
    memset(expected + to, byte, size);
}

// One of up to BIG_SIZE bytes, between other arrays.
static inline void prepare_big(size_t to, size_t from, size_t size)
{
    prepare(0, 0, 0);
    for (size_t i = 0; i < sizeof big_source; i++)
        big_source[i] = (uint8_t)(i * 13 + i / 251);
    memset(big_destination, UNTOUCHED, sizeof big_destination);
    segments[0] = (struct dma_segment){ (uintptr_t)big_destination + to,
                                        (uintptr_t)big_source + from, size };
    transfer.size = size;
}

// A list of scattered segments, some of them empty.
static inline void prepare_segments(void)
{
    prepare(0, 0, 0);
    transfer.segment_count = 12;
    for (unsigned i = 0; i < 12; i++) {
        size_t to = 13 + i * 1001, from = (11 - i) * 777, size = i % 4 == 3 ? 0 : 200 + i * 50;
        segments[i] = (struct dma_segment){ (uintptr_t)destination + to, (uintptr_t)source + from,
                                            size };
        memcpy(expected + to, source + from, size);
        transfer.size += size;
    }
}

static inline void start(unsigned channel)
{
    uint32_t flags = irq_save();
    inside_call = true;
    engine->ops->start(engine, channel, &transfer);
    inside_call = false;
    irq_restore(flags);
}

static inline int terminate(unsigned channel)
{
    uint32_t flags = irq_save();
    inside_call = true;
    int result = engine->ops->terminate(engine, channel);
    inside_call = false;
    irq_restore(flags);
    return result;
}

static inline void pace(unsigned channel)
{
    uint32_t flags = irq_save();
    engine->ops->pace(engine, channel);
    irq_restore(flags);
}

// --- What has come of it ---

static inline bool done_once(unsigned channel, int status, size_t residue)
{
    return dones[channel] == 1 && done_status[channel] == status &&
           done_residue[channel] == residue;
}

static inline bool done_well(unsigned channel)
{
    return done_once(channel, 0, 0) && memcmp(destination, expected, SIZE) == 0;
}

// The first moved bytes have arrived and no more; the residue says so.
static inline bool given_up(unsigned channel, int status, size_t to, size_t moved)
{
    memset(expected + to + moved, UNTOUCHED, SIZE - to - moved);
    return done_once(channel, status, transfer.size - moved) &&
           memcmp(destination, expected, SIZE) == 0;
}

// Result: true when the first size bytes have arrived and no more.
static inline bool big_arrived(size_t to, size_t from, size_t size)
{
    return memcmp(big_destination + to, big_source + from, size) == 0 &&
           big_destination[to + size] == UNTOUCHED &&
           (to == 0 || big_destination[to - 1] == UNTOUCHED);
}

static inline bool any_maintenance(void)
{
    bool any = false;
    for (unsigned i = 0; i < fake_log.count; i++)
        any |= fake_is_maintenance(fake_log.entries[i].event);
    return any;
}

// Fills the sources and takes the chip into use. Result: as the driver's start().
static inline int bench_start(const struct driver *driver, const struct hardware *hardware)
{
    for (size_t i = 0; i < SIZE; i++)
        source[i] = (uint8_t)(i * 7 + i / 256 + 1);
    return driver->start(hardware);
}
