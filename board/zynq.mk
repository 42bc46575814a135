# Xilinx Zynq-7000 as QEMU's xilinx-zynq-a9.
# Data only, one `NAME := value` a line: make and tools/run read it.
TITLE := Xilinx Zynq-7000: Cortex-A9, PL330 DMA, GIC, SD card (QEMU: xilinx-zynq-a9)

# The kernel is ARM code without floating point; programs are Thumb code with NEON, as Debian's
# newlib is built.
ARCH := armv7a
CROSS := arm-none-eabi-
ELF_CLASS := ELF32
ELF_MACHINE := ARM
CPU_FLAGS := -mcpu=cortex-a9 -mfpu=neon -mfloat-abi=hard
KERNEL_CPU_FLAGS := -marm -mgeneral-regs-only -mno-unaligned-access
PROGRAM_CPU_FLAGS := -mthumb

# The C library that comes with the compiler; its printf and scanf made of this package's source.
LIBC := newlib-stdio

# Where the image is linked: DDR from 1 MiB up, clear of page zero.
RAM_START := 0x00100000
RAM_SIZE := 0x07f00000
RESET_START :=

# Sources that only boards with this chip link; a file that no board names is linked everywhere.
CHIPS := irq/gic.c drivers/timer/a9_global.c dma/pl330*.c drivers/uart/cadence.c

# How QEMU runs it; a disk image is an SD card, whose size must be a power of two; io_uring makes it
# several times as fast where it is allowed. There is nothing to share a folder by. Instructions are
# counted exactly at this -icount shift: 32 ns each, where the timer resolves 10.
QEMU := qemu-system-arm
QEMU_FLAGS := -M xilinx-zynq-a9
QEMU_KERNEL := -kernel
QEMU_DISK := -drive if=sd
QEMU_DISK_SIZE := power-of-two
QEMU_DISK_AIO := aio=io_uring
QEMU_SHARE :=
EXACT_ICOUNT := 5
