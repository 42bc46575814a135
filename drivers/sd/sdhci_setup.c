// SD Host Controller, setting up: reset, power, clock, bus width.
// SD Host Controller Simplified Specification 3.00, chapters 3.2 (clock), 3.3 (power) and 3.4 (bus
// width). 3.3 V only, default speed: no voltage switch, no tuning.

#include <errno.h>

#include "drivers/sd/sdhci_internal.h"

enum {
    IDENTIFICATION_HZ = 400000, // The fastest an uninitialised card must understand (Physical
                                // Layer 4.4).
    POWER_UP_NS = 1000000, // Physical Layer 6.4.1: 1 ms of stable power, longer than 74 clocks at
                           // 400 kHz.
    POLL_NS = 10000,
    POLLS_MOST = 15000, // 150 ms, what a clock may take to become stable (2.2.14).
    HZ_PER_MHZ = 1000000,
    VERSION_MASK = 0xff,
    VERSION_3 = 2,     // Specification Version Number of 3.00.
    DIVIDER_SHIFT = 8, // Where Clock Control keeps the divider's low eight bits,
    DIVIDER_LOW = 0xff,
    DIVIDER_HIGH_SHIFT = 6, // and the two above them.
    DIVIDER_MOST_V2 = 0x80,
    DIVIDER_MOST_V3 = 0x3ff,
};

int sdhci_read_capabilities(struct sdhci *host, const struct hardware *hardware)
{
    uint32_t capabilities = read32(host->base + SDHCI_CAPABILITIES);
    uint32_t version = read16(host->base + SDHCI_HOST_CONTROLLER_VERSION) & VERSION_MASK;
    uint32_t mhz = capabilities >> SDHCI_CAPABILITY_BASE_CLOCK_SHIFT;

    host->long_divider = version >= VERSION_3;
    mhz &= host->long_divider ? SDHCI_CAPABILITY_BASE_CLOCK_V3 : SDHCI_CAPABILITY_BASE_CLOCK_V2;
    host->base_clock_hz = mhz ? mhz * HZ_PER_MHZ : hardware->clock_hz;
    // Nothing there reads as zeros, or as ones.
    if (!(capabilities & SDHCI_CAPABILITY_ADMA2) || capabilities == SDHCI_INTERRUPT_EVERY ||
        !host->base_clock_hz)
        return -ENODEV;
    return 0;
}

uint32_t sdhci_divider(uint32_t base_hz, uint32_t hz, bool long_divider)
{
    if (base_hz <= hz)
        return 0;
    uint32_t half = (base_hz - 1) / hz / 2 + 1; // The field n divides by 2n.
    if (!long_divider) {
        uint32_t power = 1;
        while (power < half && power < DIVIDER_MOST_V2)
            power *= 2;
        half = power;
    } else if (half > DIVIDER_MOST_V3) {
        half = DIVIDER_MOST_V3;
    }
    return (half & DIVIDER_LOW) << DIVIDER_SHIFT | (half >> 8) << DIVIDER_HIGH_SHIFT;
}

static void sdhci_poll_clock(struct sdhci *host)
{
    uintptr_t clock_control = host->base + SDHCI_CLOCK_CONTROL;
    uint16_t clock = read16(clock_control);

    if (clock & SDHCI_CLOCK_INTERNAL_STABLE) {
        write16(clock_control, (uint16_t)(clock | SDHCI_CLOCK_SD_ENABLE));
        sdhci_end(host, 0);
    } else if (++host->polls < POLLS_MOST) {
        sdhci_poll_after(host, sdhci_poll_clock, POLL_NS);
    } else {
        sdhci_end(host, -EIO);
    }
}

// 3.2.3: the card's clock must stand still while its frequency changes.
static void sdhci_change_clock(struct sdhci *host, uint32_t hz)
{
    uint32_t divider = sdhci_divider(host->base_clock_hz, hz, host->long_divider);

    host->polls = 0;
    write16(host->base + SDHCI_CLOCK_CONTROL, 0);
    write16(host->base + SDHCI_CLOCK_CONTROL, (uint16_t)(divider | SDHCI_CLOCK_INTERNAL_ENABLE));
    sdhci_poll_after(host, sdhci_poll_clock, POLL_NS);
}

void sdhci_set_clock(struct sdhci *host, uint32_t hz, sdhci_done *done)
{
    sdhci_begin(host, done);
    sdhci_change_clock(host, hz);
}

void sdhci_use_four_lines(struct sdhci *host)
{
    write8(host->base + SDHCI_HOST_CONTROL_1, SDHCI_HOST_ADMA2_32 | SDHCI_HOST_FOUR_LINES);
}

static void sdhci_clocked(struct sdhci *host, int status)
{
    if (status < 0)
        host->powered(host, status);
    else
        sdhci_wait(host, POWER_UP_NS, host->powered);
}

static void sdhci_was_reset(struct sdhci *host, int status)
{
    if (status < 0) {
        host->powered(host, status);
        return;
    }
    write32(host->base + SDHCI_INTERRUPT_STATUS_ENABLE, SDHCI_INTERRUPT_COMMAND_COMPLETE |
                                                            SDHCI_INTERRUPT_TRANSFER_COMPLETE |
                                                            SDHCI_INTERRUPT_ERRORS);
    write8(host->base + SDHCI_HOST_CONTROL_1, SDHCI_HOST_ADMA2_32);
    write8(host->base + SDHCI_POWER_CONTROL, SDHCI_POWER_ON_3V3);
    write8(host->base + SDHCI_TIMEOUT_CONTROL, SDHCI_TIMEOUT_LONGEST);
    sdhci_set_clock(host, IDENTIFICATION_HZ, sdhci_clocked);
}

void sdhci_power_up(struct sdhci *host, sdhci_done *done)
{
    host->powered = done;
    sdhci_begin(host, sdhci_was_reset);
    sdhci_reset(host, SDHCI_RESET_ALL, 0);
}
