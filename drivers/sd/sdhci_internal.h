// Between the files of the SDHCI host: sdhci.c (commands) and sdhci_setup.c (power, clock, bus).
#pragma once

#include "drivers/sd/sdhci.h"
#include "drivers/sd/sdhci_registers.h"

// Begins an operation on an idle host.
void sdhci_begin(struct sdhci *host, sdhci_done *done);

// Ends the running operation. Context: isr.
void sdhci_end(struct sdhci *host, int status);

// Calls poll(host) at isr level after delay_ns; replaces a poll that is still to come.
void sdhci_poll_after(struct sdhci *host, void (*poll)(struct sdhci *), uint64_t delay_ns);

// Sets which interrupt status raises the interrupt.
void sdhci_signal(struct sdhci *host, uint32_t signals);

// Silences the host, resets `what` of it (SDHCI_RESET_…) and ends the operation with status when
// that is through.
void sdhci_reset(struct sdhci *host, uint32_t what, int status);

// Learns what the host can do. Result: 0 or -ENODEV.
int sdhci_read_capabilities(struct sdhci *host, const struct hardware *hardware);
