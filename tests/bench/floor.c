// The floor: what the reads of reads.h cost where there is no kernel at all. One disk, one ring,
// one interrupt, and a main that sleeps; every read starts the next one in the interrupt handler,
// where everything is known when it is compiled. No queue, no errors but one flag, no second
// device, no callback that may be interrupted: what a request costs above this is the price of
// these.
//
// The same machine as the boards virt-arm and virt-rv64 describe, from reset on: boot's start.S
// calls __boot() below. The ring is as long as the kernel's.
#include <stddef.h>

#include "arch/cpu.h"
#include "arch/fault.h"
#include "arch/mmio.h"
#include "arch/report.h"
#include "arch/semihosting.h"
#include "drivers/virtio/virtqueue.h"

#include "floor_cpu.h"

// The rare call saves all registers by itself: a handler that calls a function would save them each
// time.
#define READS_TURN() FLOOR_CALL(floor_turn_saved)
#include "tests/bench/reads.h"

// Virtual I/O Device 1.2, 4.2.2, table 4.1.
enum {
    VIRTIO_DEVICE_ID = 0x008,
    VIRTIO_DRIVER_FEATURES = 0x020,
    VIRTIO_DRIVER_FEATURES_SEL = 0x024,
    VIRTIO_QUEUE_SEL = 0x030,
    VIRTIO_QUEUE_NUM = 0x038,
    VIRTIO_QUEUE_READY = 0x044,
    VIRTIO_QUEUE_NOTIFY = 0x050,
    VIRTIO_INTERRUPT_ACK = 0x064,
    VIRTIO_STATUS = 0x070,
    VIRTIO_QUEUE_DESC_LOW = 0x080,
    VIRTIO_QUEUE_DRIVER_LOW = 0x090,
    VIRTIO_QUEUE_DEVICE_LOW = 0x0a0,
};

// QEMU fills the slots from the last one down.
#define DISK (FLOOR_SLOT_BASE + (FLOOR_SLOTS - 1) * FLOOR_SLOT_STRIDE)

enum {
    ID_BLOCK = 2,
    STATUS_FOUND = 1 | 2,             // ACKNOWLEDGE, DRIVER,
    STATUS_AGREED = STATUS_FOUND | 8, // FEATURES_OK,
    STATUS_READY = STATUS_AGREED | 4, // DRIVER_OK.
    FEATURES_HIGH_VERSION_1 = 1,      // Bit 32: a modern driver. Nothing else is asked for.
    USED_BUFFER = 1,                  // The only interrupt that such a device raises.
    DESCRIPTORS = 1024,
    MASK = DESCRIPTORS - 1,
    CHAIN = DESCRIPTORS / READ_DEPTH_MOST, // Descriptors from one slot's chain to the next one's.
    SECTORS_SHIFT = 9,
};
_Static_assert(CHAIN >= 3, "header, data, status");

// One read: its chain stays as it is, only the sector changes.
static struct slot {
    uint32_t type, reserved; // 0: read (5.2.6).
    uint64_t sector;
    uint32_t status;     // Its first byte is the device's; 0: done.
    uint32_t padding[3]; // A slot is found by shifting.
} slots[READ_DEPTH_MOST];

static _Alignas(READ_BYTES) uint8_t buffers[READ_DEPTH_MOST][READ_BYTES];

static _Alignas(4096) struct virtq_desc descriptors[DESCRIPTORS];
static _Alignas(4096) struct {
    struct virtq_used used;
    struct virtq_used_elem ring[DESCRIPTORS];
} used;
static _Alignas(4096) struct {
    struct virtq_avail avail;
    uint16_t ring[DESCRIPTORS];
} avail;

static struct {
    unsigned long added, taken;
    uint32_t failed, interrupts;
} disk;

static struct read_mark read_mark(void)
{
    return (struct read_mark){ .instructions = cpu_instructions(),
                               .interrupts = disk.interrupts,
                               .ns = floor_now_ns() };
}

void floor_turn(void);
void floor_turn(void)
{
    reads_turn();
}

static inline unsigned long put(unsigned long added, uint32_t head)
{
    slots[head / CHAIN].sector = reads_next_offset() >> SECTORS_SHIFT;
    avail.ring[added & MASK] = (uint16_t)head;
    return added + 1;
}

// Makes what was put in known to the device; see virtqueue_kick().
static inline void kick(unsigned long added)
{
    disk.added = added;
    barrier_store();
    avail.avail.idx = (uint16_t)added;
    barrier_full();
    if ((used.used.flags & VIRTQ_USED_F_NO_NOTIFY) == 0)
        write32(DISK + VIRTIO_QUEUE_NOTIFY, 0);
}

FLOOR_INTERRUPT void floor_interrupt(void)
{
    uint32_t irq = floor_irq_claim();
    write32(DISK + VIRTIO_INTERRUPT_ACK, USED_BUFFER);
    unsigned long taken = disk.taken, added = disk.added;
    disk.interrupts++;
    while ((uint16_t)taken != used.used.idx) {
        barrier_consume();
        uint32_t head = used.ring[taken++ & MASK].id;
        if (slots[head / CHAIN].status)
            disk.failed = 1;
        if (reads_another())
            added = put(added, head);
    }
    disk.taken = taken;
    if (added != disk.added)
        kick(added);
    floor_irq_complete(irq);
}

static void describe(unsigned index, const void *address, uint32_t size, uint16_t flags)
{
    descriptors[index] = (struct virtq_desc){
        .addr = (uintptr_t)address, .len = size, .flags = flags, .next = (uint16_t)(index + 1)
    };
}

static void describe_slots(void)
{
    for (unsigned i = 0; i < READ_DEPTH_MOST; i++) {
        describe(CHAIN * i, &slots[i], offsetof(struct slot, status), VIRTQ_DESC_F_NEXT);
        describe(CHAIN * i + 1, buffers[i], READ_BYTES, VIRTQ_DESC_F_NEXT | VIRTQ_DESC_F_WRITE);
        describe(CHAIN * i + 2, &slots[i].status, 1, VIRTQ_DESC_F_WRITE);
    }
}

static void write_address(unsigned low, const volatile void *at)
{
    write32(DISK + low, (uint32_t)(uintptr_t)at);
    write32(DISK + low + 4, (uint32_t)((uint64_t)(uintptr_t)at >> 32));
}

// Virtual I/O Device 1.2, 3.1.1 and 4.2.3.2.
static void disk_start(void)
{
    write32(DISK + VIRTIO_STATUS, 0);
    write32(DISK + VIRTIO_STATUS, STATUS_FOUND);
    write32(DISK + VIRTIO_DRIVER_FEATURES_SEL, 1);
    write32(DISK + VIRTIO_DRIVER_FEATURES, FEATURES_HIGH_VERSION_1);
    write32(DISK + VIRTIO_DRIVER_FEATURES_SEL, 0);
    write32(DISK + VIRTIO_DRIVER_FEATURES, 0);
    write32(DISK + VIRTIO_STATUS, STATUS_AGREED);
    write32(DISK + VIRTIO_QUEUE_SEL, 0);
    write32(DISK + VIRTIO_QUEUE_NUM, DESCRIPTORS);
    write_address(VIRTIO_QUEUE_DESC_LOW, descriptors);
    write_address(VIRTIO_QUEUE_DRIVER_LOW, &avail);
    write_address(VIRTIO_QUEUE_DEVICE_LOW, &used);
    write32(DISK + VIRTIO_QUEUE_READY, 1);
    write32(DISK + VIRTIO_STATUS, STATUS_READY);
}

static void round_run(unsigned round)
{
    reads_begin(round);
    unsigned long added = disk.added;
    irq_mask();
    for (unsigned i = 0; i < reads.result->depth; i++)
        added = put(added, CHAIN * i);
    kick(added);
    while (!reads_over()) {
        cpu_wait_for_interrupt();
        irq_open_once();
    }
}

_Noreturn void __boot(void);
_Noreturn void __boot(void)
{
    machine_semihosting(true);
    report_to(semihosting_write);
    if (read32(DISK + VIRTIO_DEVICE_ID) != ID_BLOCK) {
        report("floor: there is no disk in the last slot\n");
        machine_exit(1);
    }
    describe_slots();
    disk_start();
    floor_irq_start(FLOOR_SLOT_IRQ + FLOOR_SLOTS - 1);
    for (unsigned round = 0; round < READ_RESULTS; round++)
        round_run(round);
    for (unsigned round = 0; round < READ_RESULTS; round++)
        report(READ_RESULT_FORMAT, READ_RESULT_FIELDS(&read_results[round]));
    if (disk.failed)
        report("floor: a read failed\n");
    machine_exit(disk.failed != 0);
}
