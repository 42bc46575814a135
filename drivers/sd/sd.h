// SD cards behind an SD Host Controller (SDHCI): what a board file says about one.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arch/hardware.h"

// How a host is wired and how its descriptor tables are laid out. A board without settings gets
// real silicon's: no NOPs, pieces of 64 KiB, four data lines, a card-detect switch.
//
// QEMU's model runs the first five descriptors of a table inside the register write that starts the
// command, and five more every 100 ns after it. Five leading NOPs therefore make submit return
// before the first byte moves, and four NOPs after each piece make the model move one piece per
// turn.
struct sdhci_settings {
    uint8_t lead_nops;    // NOP descriptors before the first piece.
    uint8_t nops_between; // NOP descriptors after each piece.
    uint32_t piece_bytes; // Bytes a descriptor moves, a multiple of 512 up to 65536; 0 means 65536.
    bool one_line;        // Only DAT0 is wired to the socket.
    bool no_card_detect; // The socket has no switch: only an unanswered command tells that there is
                         // no card.
};

// An SDHCI with its registers at .base, its interrupt in .irqs[0], its base clock in .clock_hz
// (used where the Capabilities register leaves it out) and .settings pointing to a struct
// sdhci_settings or NULL. The device bears .name; the card is brought up by the first request. At
// most SD_CARDS of them: -ENOMEM.
enum { SD_CARDS = 2 };
extern const struct driver sdhci_card;

// The same for a Cadence SD4HC with its host registers (HRS) at .base. At most one: -ENOMEM.
extern const struct driver sd_cadence_sd4hc;
