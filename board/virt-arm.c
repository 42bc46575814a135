// ARM's virtual machine, QEMU's virt with a Cortex-A15 (QEMU's documentation, "virt generic virtual
// platform"). The addresses are those of its memory map; its device tree at the start of RAM says
// the same and is not read.
#include "board/board.h"

#include "drivers/ram/ram_disk.h"
#include "drivers/uart/uart.h"
#include "drivers/virtio/virtio.h"
#include "irq/gic.h"

extern const struct driver power_psci, irq_gic, timer_arm_generic, uart_pl011, dma_cpu_copy,
    ram_disk, semihosting_stderr;

#define MiB 1048576u

static _Alignas(64) char ram0[4 * MiB];

const struct board board = {
    .name = "virt-arm",
    .ram = { 0x40200000, 254 * MiB },
    .mmio = {
        { 0x08000000, 1 * MiB }, // Interrupt controller.
        { 0x09000000, 1 * MiB }, // Serial port.
        { 0x0a000000, 1 * MiB }, // virtio.
    },
    .console = "ttyAMA0",
    .disk = "vda",
    .semihosting = true,
    .hardware = {
        { "power", &power_psci },
        { "gic", &irq_gic, .base = 0x08000000,
          .settings = &(const struct gic_settings){ .cpu_interface = 0x08010000 } },
        { "timer", &timer_arm_generic, .irqs = { 27 } },
        { "stderr", &semihosting_stderr },
        { "ttyAMA0", &uart_pl011, .base = 0x09000000, .irqs = { 33 }, .clock_hz = 24000000 },
        // There is no DMA controller: only the virtio devices are bus masters. The CPU copies, and
        // the engine's capabilities say so.
        { "dma0", &dma_cpu_copy },
        { "virtio", &virtio_mmio, .base = 0x0a000000, .irqs = { 48 }, .coherent = true,
          .settings = &(const struct virtio_mmio_settings){ .stride = 0x200, .count = 32 } },
        { "ram0", &ram_disk, .settings = &(const struct ram_disk_settings){ ram0, sizeof ram0 } },
    },
};
