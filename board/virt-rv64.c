// RISC-V's virtual machine, QEMU's virt (QEMU's documentation, "virt generic virtual platform").
// The addresses are those of its memory map; its device tree at the end of RAM says the same and is
// not read.
#include "board/board.h"

#include "drivers/ram/ram_disk.h"
#include "drivers/uart/uart_16550.h"
#include "drivers/virtio/virtio.h"
#include "irq/plic.h"

extern const struct driver power_sifive_test, irq_plic, timer_clint, dma_cpu_copy, ram_disk,
    semihosting_stderr;

#define MiB 1048576u

static _Alignas(64) char ram0[4 * MiB];

const struct board board = {
    .name = "virt-rv64",
    .ram = { 0x80000000, 256 * MiB },
    .mmio = {
        { 0x00100000, 256 * MiB }, // Exit device, CLINT, PLIC, serial port, virtio.
    },
    .console = "ttyS0",
    .disk = "vda",
    .semihosting = true,
    .hardware = {
        { "power", &power_sifive_test, .base = 0x00100000 },
        { "plic", &irq_plic, .base = 0x0c000000,
          .settings = &(const struct plic_settings){
              .software_interrupt = 0x02000000, .sources = 96, .context = 0 } },
        { "timer", &timer_clint, .base = 0x02000000, .irqs = { PLIC_HART_TIMER },
          .clock_hz = 10000000 },
        { "stderr", &semihosting_stderr },
        { "ttyS0", &uart_16550, .base = 0x10000000, .irqs = { 10 } },
        // There is no DMA controller: only the virtio devices are bus masters. The CPU copies, and
        // the engine's capabilities say so.
        { "dma0", &dma_cpu_copy },
        { "virtio", &virtio_mmio, .base = 0x10001000, .irqs = { 1 }, .coherent = true,
          .settings = &(const struct virtio_mmio_settings){ .stride = 0x1000, .count = 8 } },
        { "ram0", &ram_disk, .settings = &(const struct ram_disk_settings){ ram0, sizeof ram0 } },
    },
};
