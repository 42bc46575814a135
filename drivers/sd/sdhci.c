// SD Host Controller, running part: commands, data by ADMA2, interrupts, stopping, the watchdog.
// SD Host Controller Simplified Specification 3.00, chapters 2 and 3. Powering up is in
// sdhci_setup.c.
//
// Quirks. QEMU's model (seen on zynq) moves five more descriptors whenever any register is touched
// during a transfer, so nothing is read between the command and its interrupt, and command
// completion raises no interrupt when data follows. After a failed access to memory the model
// raises the same ADMA error again and again until Software Reset For All; resetting only the CMD
// and DAT lines lets the rest of the transfer land afterwards.

#include "drivers/sd/sdhci.h"

#include <errno.h>

#include "arch/assert.h"
#include "arch/container.h"
#include "arch/cpu.h"
#include "arch/report.h"
#include "drivers/sd/sdhci_internal.h"
#include "irq/irq.h"

enum {
    WATCHDOG_TICK_NS = 500000000,
    PATIENCE_TICKS = 4,        // A command is given up after 1.5 to 2 s,
    PATIENCE_BYTES_SHIFT = 17, // and half a second more for each 128 KiB that it moves.
    LINES_POLL_NS = 10000,
    RESET_POLL_NS = 1000,
    RESET_POLLS_PATIENT = 100, // Afterwards it is polled at leisure,
    RESET_POLL_SLOW_NS = 1000000,
    RESET_POLLS_REPORTED = 200, // and the user is told why nothing goes on.
    BLOCK_COUNT_SHIFT = 16,
    // Of one command: bounds the cache maintenance that is done with interrupts masked, and stays
    // within the 16 bits of Block Count.
    TRANSFER_MOST = 256 * 1024,
};

static inline struct sdhci *host_of_timer(struct timer *timer)
{
    return container_of(timer, struct sdhci, timer);
}

static inline struct sdhci *host_of_watchdog(struct timer *timer)
{
    return container_of(timer, struct sdhci, watchdog);
}

void sdhci_begin(struct sdhci *host, sdhci_done *done)
{
    assert(irq_masked());
    assert(!host->done);
    host->done = done;
    host->patience = 0;
    host->size_count = 0;
}

static inline void sdhci_ended(struct sdhci *host, int status)
{
    sdhci_done *done = host->done;
    host->done = NULL; // Idle before it is told: it may begin the next operation.
    done(host, status);
}

void sdhci_end(struct sdhci *host, int status)
{
    sdhci_ended(host, status);
}

void sdhci_poll_after(struct sdhci *host, void (*poll)(struct sdhci *), uint64_t delay_ns)
{
    host->poll = poll;
    timer_arm(&host->timer, clock_now_ns() + delay_ns);
}

void sdhci_signal(struct sdhci *host, uint32_t signals)
{
    host->signals = signals;
    write32(host->base + SDHCI_INTERRUPT_SIGNAL_ENABLE, signals);
}

static void sdhci_timer_expired(struct timer *timer)
{
    struct sdhci *host = host_of_timer(timer);
    host->poll(host);
}

static void sdhci_wait_over(struct sdhci *host)
{
    sdhci_end(host, 0);
}

void sdhci_wait(struct sdhci *host, uint64_t delay_ns, sdhci_done *done)
{
    sdhci_begin(host, done);
    sdhci_poll_after(host, sdhci_wait_over, delay_ns);
}

// The watchdog ticks twice a second while there is work and is not touched by the commands in
// between: arming a timer for each would cost more than sending it. A standstill of the whole
// machine counts as one tick only.
static void sdhci_watchdog_expired(struct timer *timer)
{
    struct sdhci *host = host_of_watchdog(timer);

    if (!host->done)
        return;
    timer_arm(&host->watchdog, clock_now_ns() + WATCHDOG_TICK_NS);
    if (host->patience != 0 && --host->patience == 0)
        sdhci_stop(host, -EIO);
}

static inline void sdhci_watch(struct sdhci *host, size_t bytes)
{
    host->patience = PATIENCE_TICKS + (unsigned)(bytes >> PATIENCE_BYTES_SHIFT);
    if (!timer_armed(&host->watchdog))
        timer_arm(&host->watchdog, clock_now_ns() + WATCHDOG_TICK_NS);
}

static void sdhci_issue_waiting(struct sdhci *host);

// Sends a command. All that an interrupt handler needs is in place before the last write: the
// interrupt may be taken inside it.
static inline void sdhci_issue(struct sdhci *host, uint32_t command, uint32_t argument,
                               uint32_t awaited)
{
    uintptr_t base = host->base;
    uint32_t signals = awaited | SDHCI_INTERRUPT_ERRORS;
    // The bit of either line has the place of the event that frees it.
    uint32_t inhibit = awaited | SDHCI_PRESENT_COMMAND_INHIBIT_CMD;
    uint32_t size_count = host->size_count;

    // The lines are free after every ending but one: the host may still be sending an Auto CMD12
    // (3.7.2.2).
    if (read32(base + SDHCI_PRESENT_STATE) & inhibit) {
        host->command = command;
        host->argument = argument;
        host->awaited = awaited;
        sdhci_poll_after(host, sdhci_issue_waiting, LINES_POLL_NS);
        return;
    }
    if (host->signals != signals)
        sdhci_signal(host, signals);
    if (size_count != 0) {
        write32(base + SDHCI_BLOCK_SIZE_COUNT, size_count);
        write32(base + SDHCI_ADMA_SYSTEM_ADDRESS, (uint32_t)(uintptr_t)host->table.entries);
    }
    write32(base + SDHCI_ARGUMENT, argument);
    write32(base + SDHCI_TRANSFER_COMMAND, command);
}

static void sdhci_issue_waiting(struct sdhci *host)
{
    sdhci_issue(host, host->command, host->argument, host->awaited);
}

void sdhci_send(struct sdhci *host, uint32_t command, uint32_t argument, sdhci_done *done)
{
    uint32_t response = command & SDHCI_COMMAND_RESPONSE_MASK;

    sdhci_begin(host, done);
    sdhci_watch(host, 0);
    // A card that answers with R1b holds DAT0 low while it is busy; its release is a Transfer
    // Complete (2.2.18).
    sdhci_issue(host, command, argument,
                response == SDHCI_COMMAND_RESPONSE_48_BUSY ? SDHCI_INTERRUPT_TRANSFER_COMPLETE
                                                           : SDHCI_INTERRUPT_COMMAND_COMPLETE);
}

static int sdhci_write_table(struct sdhci *host)
{
    struct adma2_table *table = &host->table;
    int entries = adma2_build(table, host->map.pieces, host->map.count);

    if (entries < 0)
        return entries;
    // The NOPs before the first piece never change.
    uintptr_t start = (uintptr_t)&table->entries[table->lead];
    if (!host->coherent)
        cache_clean(start, (uintptr_t)&table->entries[entries] - start);
    return 0;
}

int sdhci_transfer(struct sdhci *host, uint32_t command, uint32_t argument, sdhci_done *done)
{
    const struct dma_map *map = &host->map;

    assert(!host->done);
    int error = sdhci_write_table(host);
    if (error)
        return error;
    barrier_publish(); // The controller must see the table and the data before the command.
    host->done = done;
    host->size_count = (uint32_t)(map->size / SD_SECTOR_BYTES) << BLOCK_COUNT_SHIFT |
                       SD_SECTOR_BYTES;
    sdhci_watch(host, map->size);
    sdhci_issue(host, command, argument, SDHCI_INTERRUPT_TRANSFER_COMPLETE);
    return 0;
}

bool sdhci_card_present(const struct sdhci *host)
{
    if (host->settings && host->settings->no_card_detect)
        return true;
    return (read32(host->base + SDHCI_PRESENT_STATE) & SDHCI_PRESENT_CARD_INSERTED) != 0;
}

bool sdhci_has_finished(const struct sdhci *host)
{
    // A stop under way or a wait has silenced or never awaited anything.
    if (host->signals == 0 || host->patience == 0)
        return false;
    uint32_t status = read32(host->base + SDHCI_INTERRUPT_STATUS);
    return (status & host->signals) != 0 && (status & SDHCI_INTERRUPT_ERRORS) == 0;
}

// What a broken-off data phase has moved for certain. Block Count may be ahead of memory (data
// still in the controller's buffer), ADMA System Address ahead by the descriptor at work or fetched
// early (2.2.32): the smaller of the two, one descriptor back, is a lower bound on any controller.
// Software Reset clears both: read them before.
static size_t sdhci_residue_moved(const struct sdhci *host)
{
    uint32_t total = host->size_count >> BLOCK_COUNT_SHIFT;
    uint32_t left = read32(host->base + SDHCI_BLOCK_SIZE_COUNT) >> BLOCK_COUNT_SHIFT;
    size_t counted = left <= total ? (size_t)(total - left) * SD_SECTOR_BYTES : 0;
    uint32_t address = read32(host->base + SDHCI_ADMA_SYSTEM_ADDRESS);
    size_t listed = adma2_bytes_before(&host->table,
                                       address - (uint32_t)sizeof(struct adma2_descriptor));
    size_t moved = counted < listed ? counted : listed;

    return moved - moved % SD_SECTOR_BYTES;
}

static bool sdhci_reset_is_stuck(struct sdhci *host)
{
    if (++host->polls == RESET_POLLS_REPORTED)
        report("sdhci at %p does not come out of reset\n", (void *)host->base);
    return host->polls >= RESET_POLLS_REPORTED;
}

// Waits for Software Reset to clear itself. Where it is to stop a data phase and does not end, the
// request stays in quarantine: to complete it would give its buffer back to a program while the
// controller may still write to it.
static void sdhci_poll_reset(struct sdhci *host)
{
    if (read8(host->base + SDHCI_SOFTWARE_RESET) == 0) {
        host->holds_memory = false;
        sdhci_end(host, host->status);
    } else if (sdhci_reset_is_stuck(host) && !host->holds_memory) {
        sdhci_end(host, host->status ? host->status : -EIO);
    } else {
        sdhci_poll_after(host, sdhci_poll_reset,
                         host->polls < RESET_POLLS_PATIENT ? RESET_POLL_NS : RESET_POLL_SLOW_NS);
    }
}

void sdhci_reset(struct sdhci *host, uint32_t what, int status)
{
    sdhci_signal(host, 0);
    host->patience = 0;
    host->polls = 0;
    host->status = status;
    write8(host->base + SDHCI_SOFTWARE_RESET, (uint8_t)what);
    sdhci_poll_after(host, sdhci_poll_reset, RESET_POLL_NS);
}

void sdhci_stop(struct sdhci *host, int status)
{
    assert(irq_masked());
    assert(host->done);
    // While it waits for the lines to be free, the registers still speak of the transfer before.
    if (host->size_count != 0 && !timer_armed(&host->timer)) {
        host->moved = sdhci_residue_moved(host);
        host->holds_memory = true;
    } else if (!host->holds_memory) {
        host->moved = 0;
    }
    host->size_count = 0; // Stopped once more during the reset, there is no residue left to read.
    sdhci_reset(host, SDHCI_RESET_ALL, status);
}

// Ends the operation that an error interrupt has broken off.
static __attribute__((noinline)) void sdhci_failed(struct sdhci *host, uint32_t interrupt)
{
    int status = (interrupt & SDHCI_INTERRUPT_COMMAND_TIMEOUT) ? -ETIMEDOUT : -EIO;
    uint32_t errors = interrupt & SDHCI_INTERRUPT_ERRORS;

    host->errors = interrupt;
    // A transfer that is complete beats its own time-out (2.2.18, table 2-25).
    if (errors == SDHCI_INTERRUPT_DATA_TIMEOUT && (interrupt & SDHCI_INTERRUPT_TRANSFER_COMPLETE))
        sdhci_ended(host, 0);
    // With data under way only the reset of everything stops the bus master; a command alone needs
    // just its line.
    else if (host->size_count != 0)
        sdhci_stop(host, -EIO);
    else if (host->signals & SDHCI_INTERRUPT_TRANSFER_COMPLETE)
        sdhci_reset(host, SDHCI_RESET_ALL, status);
    else
        sdhci_reset(host, SDHCI_RESET_CMD, status);
}

static bool sdhci_interrupt(void *context)
{
    struct sdhci *host = context;
    uint32_t status = read32(host->base + SDHCI_INTERRUPT_STATUS);
    uint32_t raised = status & host->signals;

    if (raised == 0)
        return false;
    write32(host->base + SDHCI_INTERRUPT_STATUS, status);
    if (!host->done)
        return true; // An error while nothing runs; the next command meets its cause.
    if (raised >> SDHCI_INTERRUPT_ERROR_SHIFT)
        sdhci_failed(host, status);
    else
        sdhci_ended(host, 0); // Besides errors only what is awaited raises the interrupt.
    return true;
}

// The controller takes 32 bits of the table's address: beyond, it would read its descriptors from
// somewhere else.
static bool sdhci_reaches_table(const struct sdhci *host)
{
    return (uint64_t)(uintptr_t)host->table.entries + sizeof host->table.entries <=
           (uint64_t)UINT32_MAX + 1;
}

int sdhci_init(struct sdhci *host, const struct hardware *hardware, uintptr_t registers)
{
    host->base = registers;
    host->coherent = hardware->coherent;
    host->settings = hardware->settings;
    host->timer.expired = sdhci_timer_expired;
    host->watchdog.expired = sdhci_watchdog_expired;
    sdhci_signal(host, 0);
    int status = sdhci_read_capabilities(host, hardware);
    if (status == 0)
        status = adma2_init(&host->table, host->settings);
    if (status == 0 && !sdhci_reaches_table(host))
        status = -EFAULT;
    if (status != 0)
        return status;
    size_t capacity = adma2_capacity(&host->table);
    host->transfer_most = capacity < TRANSFER_MOST ? capacity : TRANSFER_MOST;
    if (!host->coherent) // The NOPs reach memory once for all.
        cache_clean((uintptr_t)host->table.entries, sizeof host->table.entries);
    status = irq_install(hardware->irqs[0], hardware->name, sdhci_interrupt, host);
    if (status == 0)
        irq_enable(hardware->irqs[0]);
    return status;
}
