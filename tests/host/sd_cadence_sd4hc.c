// The Cadence wrapper over its own host registers: what it does to them, and what it hands to the
// standard host, which other suites test.
// sources: drivers/sd/cadence_sd4hc.c
#include <errno.h>

#include "drivers/sd/sd_card.h"
#include "tests/tap.h"

enum { BASE = 0x20008000, HRS = 0x200, HRS00 = 0x00, HRS06 = 0x18 };

static uint32_t registers[HRS / 4];
static unsigned others; // Accesses to anything but HRS06, or not of 32 bits.

uint32_t fake_read(uintptr_t address, unsigned bytes)
{
    others += address != BASE + HRS06 || bytes != 4;
    return registers[(address - BASE) % HRS / 4];
}

void fake_write(uintptr_t address, unsigned bytes, uint32_t value)
{
    others += address != BASE + HRS06 || bytes != 4;
    registers[(address - BASE) % HRS / 4] = value;
}

// --- The standard host ---

static struct sd_card *attached;
static const struct hardware *attached_hardware;
static uintptr_t attached_registers;
static unsigned attachments;

int sd_card_attach(struct sd_card *card, const struct hardware *hardware, uintptr_t address)
{
    attached = card;
    attached_hardware = hardware;
    attached_registers = address;
    attachments++;
    return -ENODEV;
}

int main(void)
{
    static const struct hardware hardware = { "mmcblk0", &sd_cadence_sd4hc, .base = BASE,
                                              .irqs = { 88 }, .coherent = true };
    tap_plan(7);
    registers[HRS00 / 4] = 0x00010000;
    registers[HRS06 / 4] = 0x00003f04; // HS200, and tuning bits.
    tap_equal(sd_cadence_sd4hc.start(&hardware), -ENODEV, "test_sd4hc_start_says_what_attach_said");
    tap_equal(registers[HRS06 / 4], 0x00003f00, "test_sd4hc_leaves_the_mode_for_emmc");
    tap_equal(others, 0, "test_sd4hc_touches_no_other_host_register");
    tap_ok(attached != NULL && attached_hardware == &hardware,
           "test_sd4hc_attaches_a_card_of_its_own");
    tap_equal((long long)attached_registers, BASE + HRS, "test_sd4hc_standard_registers_follow");
    tap_equal(sd_cadence_sd4hc.start(&hardware), -ENOMEM, "test_sd4hc_second_one_is_enomem");
    tap_equal(attachments, 1, "test_sd4hc_second_one_attaches_nothing");
    return tap_done();
}
