// Cadence SD4HC: a standard SD host controller (slot registers, SRS) behind host registers of
// Cadence's own (HRS). PolarFire SoC MSS technical reference manual, "eMMC/SD/SDIO controller".
//
// hardware->settings is a struct sdhci_settings, or NULL. SD cards only: the mode for eMMC, in
// which a boot loader may have left the controller, is switched off, and that is all that is
// special.
//
// The software reset in HRS00 is not used. It takes its time, it is not needed, since bringing a
// card up begins with the standard's Software Reset For All, which covers the SRS; and it would
// throw away the delays of the PHY that the boot loader has set for the board's wiring.

#include <errno.h>

#include "arch/mmio.h"
#include "drivers/sd/sd.h"
#include "drivers/sd/sd_card.h"

enum {
    SD4HC_HRS06 = 0x018, // eMMC control.
    SD4HC_SRS = 0x200,   // The first register of the standard's.
};

#define SD4HC_HRS06_EMM UINT32_C(7) // eMMC mode select: 0 is SD.

static int sd_cadence_sd4hc_start(const struct hardware *hardware)
{
    static struct sd_card card;
    static bool used; // The PolarFire SoC has one.

    if (used)
        return -ENOMEM;
    used = true;
    uintptr_t control = hardware->base + SD4HC_HRS06;
    write32(control, read32(control) & ~SD4HC_HRS06_EMM);
    return sd_card_attach(&card, hardware, hardware->base + SD4HC_SRS);
}

const struct driver sd_cadence_sd4hc = { .start = sd_cadence_sd4hc_start };
