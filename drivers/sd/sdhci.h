// An SD Host Controller: one operation at a time, each ended by calling its continuation at isr
// level.
//
// An operation is a command, a command with data, a wait, powering up or a change of clock. Every
// one of them is begun with interrupts masked while the host is idle, and runs to its end by
// interrupts and timer polls only. An operation that fails in its data phase, is stopped or
// outlives the watchdog ends with the whole host reset: the card behind it must then be brought up
// again.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/hardware.h"
#include "dma/coherence.h"
#include "drivers/sd/adma2.h"
#include "drivers/sd/sd.h"
#include "drivers/sd/sdhci_registers.h"
#include "irq/clock.h"

enum { SD_SECTOR_BYTES = 512, SD_SECTOR_SHIFT = 9 };

struct sdhci;

// How an operation ended: 0, -ETIMEDOUT (no answer to a command), -EIO (an error that the hardware
// reported, or none of its interrupts came), or what sdhci_stop() was given. The host is idle again
// when it is called.
// Context: isr.
typedef void sdhci_done(struct sdhci *host, int status);

struct sdhci {
    uintptr_t base;
    sdhci_done *done;      // Of the operation that runs; NULL while the host is idle.
    uint32_t signals;      // What Interrupt Signal Enable holds: what ends the command, and errors.
    unsigned patience;     // Watchdog ticks left to the running command; 0: it is not watched.
    uint32_t size_count;   // SDHCI_BLOCK_SIZE_COUNT of the running command, 0 without data.
    uint32_t command;      // SDHCI_TRANSFER_COMMAND of a command that waits for the lines,
    uint32_t argument;     // its argument,
    uint32_t awaited;      // and the interrupt status that will end it.
    struct dma_map map;    // The buffer of a data phase.
    size_t moved;          // Of a data phase that failed: bytes known to have been moved.
    uint32_t errors;       // Interrupt status of the last failure.
    bool coherent;         // The controller sees the CPU's caches.
    struct timer watchdog; // Ticks while the host is busy.
    struct timer timer;    // The next poll of a register, or the end of a wait.
    void (*poll)(struct sdhci *host);
    unsigned polls;      // Done in vain so far.
    int status;          // What to end with once a reset is through.
    bool holds_memory;   // The reset is to stop a data phase: until then memory is not ours.
    sdhci_done *powered; // Of sdhci_power_up().
    uint32_t base_clock_hz;
    bool long_divider; // Version 3.00: a divider of ten bits.
    const struct sdhci_settings *settings;
    size_t transfer_most; // Bytes that one command can move.
    struct adma2_table table;
};

// Takes a host into use and leaves it quiet. Result: 0, -ENODEV (no ADMA2), -EINVAL (settings),
// -EFAULT (the host itself lies beyond 32 bits), or irq_install()'s.
// Context: boot.
int sdhci_init(struct sdhci *host, const struct hardware *hardware, uintptr_t registers);

// Resets the host, switches the card's power on and clocks it at 400 kHz or less for a millisecond.
// Context: any, interrupts masked, the host idle; so for all operations below.
void sdhci_power_up(struct sdhci *host, sdhci_done *done);

// Changes the card's clock to the fastest not above hz.
void sdhci_set_clock(struct sdhci *host, uint32_t hz, sdhci_done *done);

// Moves data over four lines from the next command on; the card must have been told. Not an
// operation.
void sdhci_use_four_lines(struct sdhci *host);

// Sends a command without data. command: a word of drivers/sd/sd_protocol.h.
void sdhci_send(struct sdhci *host, uint32_t command, uint32_t argument, sdhci_done *done);

// Sends a command that moves what host->map maps, whole sectors and at most host->transfer_most
// bytes, by ADMA2. The command is out when this returns, or will be as soon as the lines to the
// card are free.
// Result: 0, or -EFAULT (a piece out of ADMA2's reach): nothing has happened, done is not called.
int sdhci_transfer(struct sdhci *host, uint32_t command, uint32_t argument, sdhci_done *done);

// Lets time pass. delay_ns: nanoseconds.
void sdhci_wait(struct sdhci *host, uint64_t delay_ns, sdhci_done *done);

// Gives up the running operation, whatever it is: it ends with status once a reset of the whole
// host has proved that the controller has let go of memory.
// Context: any, interrupts masked, the host busy.
void sdhci_stop(struct sdhci *host, int status);

// True when the running command has ended well and only its interrupt has not been taken yet.
// Context: any, interrupts masked, the host busy.
bool sdhci_has_finished(const struct sdhci *host);

// True when there is a card in the socket, as far as its switch says.
// Context: any.
bool sdhci_card_present(const struct sdhci *host);

// Word n (0 to 3) of the response: the R1 of a command in word 0, that of an Auto CMD12 in word 3.
// Context: any, after done.
static inline uint32_t sdhci_response(const struct sdhci *host, unsigned n)
{
    return read32(host->base + SDHCI_RESPONSE + n * sizeof(uint32_t));
}

// The Clock Control divider field for the fastest clock not above hz. A pure function.
// long_divider: ten bits and every even divisor (3.00), otherwise eight bits and powers of two
// (2.00).
uint32_t sdhci_divider(uint32_t base_hz, uint32_t hz, bool long_divider);
