// Xilinx Zynq-7000 as QEMU's xilinx-zynq-a9 has it (UG585, appendix B for the addresses, chapter 7
// for the interrupts).
#include "board/board.h"

#include "drivers/ram/ram_disk.h"
#include "drivers/sd/sd.h"
#include "drivers/uart/uart.h"
#include "irq/gic.h"

extern const struct driver irq_gic, timer_a9_global, uart_cadence, dma_pl330, sdhci_card, ram_disk,
    semihosting_stderr;

#define MiB 1048576u

static _Alignas(64) char ram0[4 * MiB];

const struct board board = {
    .name = "zynq",
    .ram = { 0x00100000, 127 * MiB },
    .mmio = {
        { 0xe0000000, 3 * MiB },  // Peripherals: UART, SD.
        { 0xf8000000, 16 * MiB }, // System registers, DMA; the core's timers and interrupts.
    },
    .console = "ttyPS0",
    .disk = "mmcblk0",
    .semihosting = true,
    .hardware = {
        { "gic", &irq_gic, .base = 0xf8f01000,
          .settings = &(const struct gic_settings){ .cpu_interface = 0xf8f00100 } },
        { "timer", &timer_a9_global, .base = 0xf8f00200, .irqs = { 27 }, .clock_hz = 100000000 },
        { "stderr", &semihosting_stderr },
        { "ttyPS0", &uart_cadence, .base = 0xe0000000, .irqs = { 59 }, .clock_hz = 50000000 },
        { "ttyPS1", &uart_cadence, .base = 0xe0001000, .irqs = { 82 }, .clock_hz = 50000000 },
        { "dma0", &dma_pl330, .base = 0xf8003000, .irqs = { 45, 46, 47, 48, 49, 72, 73, 74, 75 } },
        { "ram0", &ram_disk, .settings = &(const struct ram_disk_settings){ ram0, sizeof ram0 } },
        // QEMU works through five descriptors inside the command's write and five more each 100 ns:
        // with NOPs in front, nothing is moved before the command has been written for a
        // microsecond. A real controller skips them.
        { "mmcblk0", &sdhci_card, .base = 0xe0100000, .irqs = { 56 }, .clock_hz = 50000000,
          .settings = &(const struct sdhci_settings){
              .lead_nops = 55, .piece_bytes = 65536, .nops_between = 4 } },
    },
};
