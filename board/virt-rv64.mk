# RISC-V's virtual machine as QEMU's virt.
# Data only, one `NAME := value` a line: make and tools/run read it.
TITLE := QEMU virt, 64-bit RISC-V: RV64, PLIC, virtio, exit device (QEMU: virt)

# Everything runs on hart 0 in machine mode, and nothing uses floating point.
ARCH := riscv
CROSS := riscv64-unknown-elf-
ELF_CLASS := ELF64
ELF_MACHINE := RISC-V
CPU_FLAGS := -march=rv64imac -mabi=lp64 -mcmodel=medany -misa-spec=2.2 -mstrict-align
KERNEL_CPU_FLAGS :=
PROGRAM_CPU_FLAGS :=

# Debian's RISC-V compiler comes without a C library: it is built from this package's source.
LIBC := newlib-source

# Where the image is linked: the start of RAM, where QEMU's own reset code jumps to.
RAM_START := 0x80000000
RAM_SIZE := 0x10000000
RESET_START :=

# Sources that only boards with this chip link; a file that no board names is linked everywhere.
CHIPS := irq/plic.c drivers/timer/clint.c drivers/uart/uart_16550.c drivers/power/sifive_test.c drivers/virtio/*.c

# How QEMU runs it; a disk image is a virtio block device of any number of sectors, past the host's
# page cache where its file system allows: what has to wait for the disk then really does. A folder
# is shared as it is, and the folder's path ends QEMU_SHARE; files in it may lie on several of the
# host's file systems. There is no option ROM for a network card. Instructions are counted exactly
# at this -icount shift.
QEMU := qemu-system-riscv64
QEMU_FLAGS := -M virt -bios none -m 256M -nic none -global virtio-mmio.force-legacy=false
QEMU_KERNEL := -kernel
QEMU_DISK := -device virtio-blk-device,drive=vda -drive if=none,id=vda
QEMU_DISK_SIZE := sectors
QEMU_DISK_AIO := aio=native,cache.direct=on
QEMU_SHARE := -device virtio-9p-device,fsdev=host,mount_tag=host -fsdev local,id=host,security_model=none,multidevs=remap,path=
EXACT_ICOUNT := 0
