// Slots of memory-mapped virtio devices for host tests: registers as section 4.2 has them, with
// knobs that break things. What a device does with its queue is the test's.
#pragma once

#include <stdlib.h>
#include <string.h>

#include "drivers/device.h"
#include "drivers/virtio/virtio.h"
#include "tests/host/fake/clock.h"
#include "tests/host/fake/irq_lines.h"
#include "tests/host/fake/report.h"
#include "tests/host/virtqueue_model.h"

enum { MODEL_BASE = 0x100000, MODEL_STRIDE = 0x200, MODEL_SLOTS = 8, MODEL_IRQ = 48 };
enum { MODEL_MAGIC = 0x74726976, MODEL_WRITES = 256, MODEL_QUEUES = 24 };

// Registers, offsets in bytes.
enum {
    R_MAGIC = 0x00,
    R_VERSION = 0x04,
    R_DEVICE_ID = 0x08,
    R_FEATURES = 0x10,
    R_FEATURES_SEL = 0x14,
    R_DRIVER_FEATURES = 0x20,
    R_DRIVER_FEATURES_SEL = 0x24,
    R_QUEUE_SEL = 0x30,
    R_QUEUE_NUM_MAX = 0x34,
    R_QUEUE_NUM = 0x38,
    R_QUEUE_READY = 0x44,
    R_QUEUE_NOTIFY = 0x50,
    R_INTERRUPT_STATUS = 0x60,
    R_INTERRUPT_ACK = 0x64,
    R_STATUS = 0x70,
    R_QUEUE_DESC = 0x80,
    R_QUEUE_DRIVER = 0x90,
    R_QUEUE_DEVICE = 0xa0,
    R_GENERATION = 0xfc,
    R_CONFIG = 0x100,
};

enum { S_ACKNOWLEDGE = 1, S_DRIVER = 2, S_DRIVER_OK = 4, S_FEATURES_OK = 8, S_FAILED = 128 };

struct model_queue {
    uint32_t num, ready;
    uint64_t areas[3]; // Addresses.
    unsigned notified;
};

struct model_slot {
    uint32_t magic, version, id;
    uint64_t offered, accepted;
    uint32_t status, interrupt_status, queue_num_max;
    union {
        struct model_queue queues[MODEL_QUEUES];
        struct { // The first one's.
            uint32_t queue_num, queue_ready;
            uint64_t desc, driver, device;
        };
    };
    unsigned queue_count; // Queues that it has, 1 unless the suite says more.
    uint32_t features_sel, driver_features_sel, queue_sel;
    uint8_t config[256];
    uint32_t generation;
    unsigned notified, statuses_seen;
    uint32_t statuses[16]; // Written, in order.

    // Knobs.
    bool refuses_features; // FEATURES_OK does not stay set.
    bool refuses_queue;    // QueueReady does not stay set.
    unsigned moving;       // Reads of the configuration during which it still changes.
    unsigned reset_polls;  // Reads of Status until a reset is over.
};

static struct {
    struct model_slot slots[MODEL_SLOTS];
    bool ready_after_barrier; // Before the last QueueReady was a barrier.
    bool barrier;
} model;

static struct model_slot *model_slot(uintptr_t address)
{
    unsigned slot = (unsigned)(address - MODEL_BASE) / MODEL_STRIDE;
    if (slot >= MODEL_SLOTS)
        abort();
    return &model.slots[slot];
}

// The queue that QueueSel names; the last one's fields for those that are not there.
static struct model_queue *model_queue(struct model_slot *slot)
{
    return &slot->queues[slot->queue_sel < MODEL_QUEUES ? slot->queue_sel : MODEL_QUEUES - 1];
}

static uint32_t model_config(struct model_slot *slot, unsigned offset, unsigned bytes)
{
    uint32_t value = 0;
    memcpy(&value, slot->config + offset, bytes);
    if (slot->moving > 0) {
        slot->moving--;
        slot->generation++;
        value ^= 0x5a5a5a5a;
    }
    return value;
}

static uint32_t model_status(struct model_slot *slot)
{
    if (slot->status == 0 && slot->reset_polls > 0) {
        slot->reset_polls--;
        return S_DRIVER_OK;
    }
    return slot->status;
}

uint32_t fake_read(uintptr_t address, unsigned bytes)
{
    struct model_slot *slot = model_slot(address);
    unsigned offset = (unsigned)(address - MODEL_BASE) % MODEL_STRIDE;
    if (offset >= R_CONFIG)
        return model_config(slot, offset - R_CONFIG, bytes);
    if (bytes != 4)
        abort(); // 4.2.2.2.
    switch (offset) {
    case R_MAGIC:
        return slot->magic;
    case R_VERSION:
        return slot->version;
    case R_DEVICE_ID:
        return slot->id;
    case R_FEATURES:
        return (uint32_t)(slot->offered >> 32 * slot->features_sel);
    case R_QUEUE_NUM_MAX:
        return slot->queue_sel < slot->queue_count ? slot->queue_num_max : 0;
    case R_QUEUE_READY:
        return model_queue(slot)->ready;
    case R_INTERRUPT_STATUS:
        return slot->interrupt_status;
    case R_STATUS:
        return model_status(slot);
    case R_GENERATION:
        return slot->generation;
    default:
        abort(); // Write-only, or not there.
    }
}

static void model_write_status(struct model_slot *slot, uint32_t value)
{
    if (slot->statuses_seen < 16)
        slot->statuses[slot->statuses_seen++] = value;
    slot->status = value;
    if (slot->refuses_features)
        slot->status &= ~(uint32_t)S_FEATURES_OK;
    if (value == 0)
        for (unsigned i = 0; i < MODEL_QUEUES; i++)
            slot->queues[i].ready = slot->interrupt_status = 0;
}

static void model_write_features(struct model_slot *slot, uint32_t value)
{
    unsigned shift = 32 * slot->driver_features_sel;
    slot->accepted &= ~((uint64_t)UINT32_MAX << shift);
    slot->accepted |= (uint64_t)value << shift;
}

static void model_write_address(struct model_slot *slot, unsigned offset, uint32_t value)
{
    uint64_t *to = &model_queue(slot)->areas[(offset - R_QUEUE_DESC) / 16];
    unsigned shift = offset % 8 * 8;
    *to &= ~((uint64_t)UINT32_MAX << shift);
    *to |= (uint64_t)value << shift;
}

void fake_write(uintptr_t address, unsigned bytes, uint32_t value)
{
    struct model_slot *slot = model_slot(address);
    unsigned offset = (unsigned)(address - MODEL_BASE) % MODEL_STRIDE;
    if (bytes != 4)
        abort();
    if (offset >= R_QUEUE_DESC && offset < R_QUEUE_DEVICE + 8) {
        model_write_address(slot, offset, value);
        return;
    }
    switch (offset) {
    case R_FEATURES_SEL:
        slot->features_sel = value;
        break;
    case R_DRIVER_FEATURES_SEL:
        slot->driver_features_sel = value;
        break;
    case R_DRIVER_FEATURES:
        model_write_features(slot, value);
        break;
    case R_QUEUE_SEL:
        slot->queue_sel = value;
        break;
    case R_QUEUE_NUM:
        model_queue(slot)->num = value;
        break;
    case R_QUEUE_READY:
        model_queue(slot)->ready = slot->refuses_queue ? 0 : value;
        model.ready_after_barrier = model.barrier;
        break;
    case R_QUEUE_NOTIFY:
        slot->notified++;
        if (value < MODEL_QUEUES)
            slot->queues[value].notified++;
        break;
    case R_INTERRUPT_ACK:
        slot->interrupt_status &= ~value;
        break;
    case R_STATUS:
        model_write_status(slot, value);
        break;
    default:
        abort();
    }
}

void fake_event(enum fake_event event, uintptr_t address, uint64_t value)
{
    (void)address, (void)value;
    model.barrier = event == FAKE_PUBLISH || (model.barrier && event != FAKE_WRITE) ||
                    (model.barrier && address % MODEL_STRIDE == R_QUEUE_READY);
}

static inline unsigned model_irq(const struct model_slot *slot)
{
    return MODEL_IRQ + (unsigned)(slot - model.slots);
}

// Takes the interrupt of a slot. Result: what the top half said.
static inline bool model_interrupt(const struct model_slot *slot)
{
    return fake_interrupt(model_irq(slot));
}

// Nobody listens to the slot.
static inline bool model_is_silenced(const struct model_slot *slot)
{
    return !fake_lines[model_irq(slot)].enabled;
}

static inline bool model_is_installed(const struct model_slot *slot)
{
    return fake_lines[model_irq(slot)].handler != NULL;
}

// A device in a slot as it is after reset.
static inline struct model_slot *model_plug(unsigned slot, uint32_t id, uint64_t features)
{
    model.slots[slot] = (struct model_slot){ .magic = MODEL_MAGIC, .version = 2, .id = id };
    model.slots[slot].offered = features;
    model.slots[slot].queue_num_max = 1024;
    model.slots[slot].queue_count = 1;
    return &model.slots[slot];
}

// All slots empty, as QEMU has them; nothing waits to happen.
static inline void model_fresh(void)
{
    memset(&model, 0, sizeof model);
    memset(fake_lines, 0, sizeof fake_lines);
    fake_work.head = NULL;
    fake_clock_reset();
    fake_reports.count = 0;
    for (unsigned i = 0; i < MODEL_SLOTS; i++)
        model_plug(i, 0, 0);
}
