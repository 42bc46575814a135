# Microchip PolarFire SoC Icicle Kit as QEMU's microchip-icicle-kit.
# Data only, one `NAME := value` a line: make and tools/run read it.
TITLE := PolarFire SoC Icicle Kit: RV64IMAC, SiFive PDMA, PLIC, SD card (QEMU: microchip-icicle-kit)

# Everything runs on hart 0, an E51 without floating point, in machine mode. It has no data cache,
# and LR/SC wants one: on silicon these two trap, and so does an unaligned access.
ARCH := riscv
CROSS := riscv64-unknown-elf-
ELF_CLASS := ELF64
ELF_MACHINE := RISC-V
CPU_FLAGS := -march=rv64imac -mabi=lp64 -mcmodel=medany -misa-spec=2.2 -mstrict-align
KERNEL_CPU_FLAGS := -DHART_WITHOUT_LR_SC
PROGRAM_CPU_FLAGS :=

# Debian's RISC-V compiler comes without a C library: it is built from this package's source.
LIBC := newlib-source

# Where the image is linked: the first GiB of DDR, where 32-bit bus masters reach it. All harts
# come out of reset at the start of the eNVM.
RAM_START := 0x80000000
RAM_SIZE := 0x40000000
RESET_START := 0x20220000

# Sources that only boards with this chip link; a file that no board names is linked everywhere.
CHIPS := boot/riscv/reset.S irq/plic.c dma/sifive_pdma*.c drivers/uart/uart_16550.c drivers/sd/cadence_sd4hc.c drivers/timer/clint.c

# How QEMU runs it; a disk image is an SD card, whose size must be a power of two. There is nothing
# to share a folder by. Instructions are counted exactly at this -icount shift.
QEMU := qemu-system-riscv64
QEMU_FLAGS := -M microchip-icicle-kit
QEMU_KERNEL := -bios
QEMU_DISK := -drive if=sd
QEMU_DISK_SIZE := power-of-two
QEMU_DISK_AIO := aio=io_uring
QEMU_SHARE :=
EXACT_ICOUNT := 0
