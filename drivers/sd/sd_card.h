// One SD card on its host: bringing it up (sd_card.c) and serving requests (sd_block.c).
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/container.h"
#include "dma/coherence.h"
#include "drivers/device.h"
#include "drivers/sd/sdhci.h"

enum { SD_BOUNCE_BYTES = 4096 };

struct sd_card;

// Context: isr.
typedef void sd_card_done(struct sd_card *card, int status);

struct sd_card {
    struct device device;
    struct io_request *request; // The one that is served, or was last.
    size_t left;                // Bytes of it still to be moved.
    bool ready;                 // Identified and in transfer state; false after every failure.
    bool version_2;             // Answered CMD8.
    uint8_t address_shift;      // From a sector's number to its address: SDSC cards count in bytes,
                                // others in sectors.
    uint32_t address;           // The card's own (RCA), where arguments have it.
    size_t skip;                // Through the bounce buffer: where in it the request's bytes begin,
    size_t part;                // and how many they are.
    unsigned step;              // Of bringing up.
    unsigned tries;             // Of what is being waited for.
    sd_card_done *brought_up;
    struct dma_bounce lines;
    struct sdhci host;
    _Alignas(CPU_CACHE_LINE_MAX) uint8_t bounce[SD_BOUNCE_BYTES];
};

static inline struct sd_card *sd_card_of_host(struct sdhci *host)
{
    return container_of(host, struct sd_card, host);
}

// Brings the card up from whatever state it is in: to transfer state, its capacity known, its bus
// as wide and fast as can be. Status: 0, -ENXIO: there is no card (or nothing that speaks SD),
// -EIO: it does not behave, -ETIMEDOUT: it does not get ready; or what sdhci_stop() was given.
// Context: any, interrupts masked, the host idle.
void sd_card_bring_up(struct sd_card *card, sd_card_done *done);

// Makes a host and the card in it a device by hardware->name. For hosts with registers of a
// vendor's own around a standard SDHCI too: their driver does what is special, then attaches a card
// of its own. card: zeroed, for good. registers: address of the SDHCI's first register.
// Result: 0, -ENODEV (no ADMA2 there), -EINVAL (settings), -EFAULT (the card's own memory lies
// beyond 32 bits), -EEXIST (the name), or irq_install()'s.
// Context: boot, interrupts masked.
int sd_card_attach(struct sd_card *card, const struct hardware *hardware, uintptr_t registers);
