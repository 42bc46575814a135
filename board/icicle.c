// Microchip PolarFire SoC Icicle Kit as QEMU's microchip-icicle-kit has it (PolarFire SoC MSS
// Technical Reference Manual: addresses in its memory map, interrupts in "PLIC Interrupt Sources").
#include "board/board.h"

#include "drivers/ram/ram_disk.h"
#include "drivers/sd/sd.h"
#include "drivers/uart/uart_16550.h"
#include "irq/plic.h"

extern const struct driver irq_plic, timer_clint, dma_sifive_pdma, ram_disk, semihosting_stderr;

#define MiB 1048576u

static _Alignas(64) char ram0[4 * MiB];

// All bus masters reach this window of DDR through the level-2 cache and see what the hart sees.
// QEMU's PLIC lacks the chip's last source, 186, and logs so at boot.
const struct board board = {
    .name = "icicle",
    .ram = { 0x80000000, 1024 * MiB },
    .mmio = {
        { 0x02000000, 32 * MiB }, // CLINT, DMA.
        { 0x0c000000, 64 * MiB }, // PLIC.
        { 0x20000000, 2 * MiB },  // Peripherals: UARTs, SD.
    },
    .console = "ttyS0",
    .disk = "mmcblk0",
    .semihosting = true,
    .hardware = {
        { "plic", &irq_plic, .base = 0x0c000000,
          .settings = &(const struct plic_settings){
              .software_interrupt = 0x02000000, .sources = 187, .context = 0 } },
        { "timer", &timer_clint, .base = 0x02000000, .irqs = { PLIC_HART_TIMER },
          .clock_hz = 1000000 },
        { "stderr", &semihosting_stderr },
        { "ttyS0", &uart_16550, .base = 0x20000000, .irqs = { 90 },
          .settings = &(const struct uart_16550_settings){ .register_shift = 2 } },
        { "ttyS1", &uart_16550, .base = 0x20100000, .irqs = { 91 },
          .settings = &(const struct uart_16550_settings){ .register_shift = 2 } },
        { "dma0", &dma_sifive_pdma, .base = 0x03000000,
          .irqs = { 5, 6, 7, 8, 9, 10, 11, 12 }, .coherent = true },
        { "ram0", &ram_disk, .settings = &(const struct ram_disk_settings){ ram0, sizeof ram0 } },
        // As on Zynq, QEMU's controller works through five descriptors inside the command's write:
        // with NOPs in front, nothing is moved before the command has been written for a
        // microsecond. A real controller skips them.
        { "mmcblk0", &sd_cadence_sd4hc, .base = 0x20008000, .irqs = { 88 }, .clock_hz = 200000000,
          .coherent = true,
          .settings = &(const struct sdhci_settings){
              .lead_nops = 55, .piece_bytes = 65536, .nops_between = 4 } },
    },
};
