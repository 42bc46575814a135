// Switching the machine off by PSCI's SYSTEM_OFF (ARM DEN 0022, 5.9), for an image that runs
// without a debugger. The firmware is told no exit status; QEMU ends with 0.
#include "arch/psci.h"
#include "arch/fault.h"
#include "arch/hardware.h"

static void psci_off(int status)
{
    (void)status;
    psci_call(PSCI_SYSTEM_OFF);
}

static int psci_start(const struct hardware *hardware)
{
    (void)hardware;
    machine_power_off_by(psci_off);
    return 0;
}

const struct driver power_psci = { psci_start };
