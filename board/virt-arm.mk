# ARM's virtual machine as QEMU's virt.
# Data only, one `NAME := value` a line: make and tools/run read it.
TITLE := QEMU virt, 32-bit ARM: Cortex-A15, GICv2, virtio, PSCI power-off (QEMU: virt)

# The kernel is ARM code without floating point; programs are Thumb code with NEON, as Debian's
# newlib is built for ARMv7-A with virtualization extensions. Tuned for a Cortex-A15, gcc saves
# registers in pairs, one instruction each; as for a Cortex-A9, all of them with one push. Addresses
# are loaded from a word behind the function, not put together from two halves.
ARCH := armv7a
CROSS := arm-none-eabi-
ELF_CLASS := ELF32
ELF_MACHINE := ARM
CPU_FLAGS := -mcpu=cortex-a15 -mfpu=neon-vfpv4 -mfloat-abi=hard
KERNEL_CPU_FLAGS := -marm -mgeneral-regs-only -mno-unaligned-access -mtune=cortex-a9 -mword-relocations
PROGRAM_CPU_FLAGS := -mthumb

# The C library that comes with the compiler; its printf and scanf made of this package's source.
LIBC := newlib-stdio

# Where the image is linked: RAM begins at 1 GiB; QEMU puts its device tree into the first 2 MiB.
RAM_START := 0x40200000
RAM_SIZE := 0x0fe00000
RESET_START :=

# Sources that only boards with this chip link; a file that no board names is linked everywhere.
CHIPS := irq/gic.c drivers/timer/arm_generic.c drivers/uart/pl011.c drivers/power/psci.c drivers/virtio/*.c

# How QEMU runs it; a disk image is a virtio block device of any number of sectors, past the host's
# page cache where its file system allows: what has to wait for the disk then really does. A folder
# is shared as it is, and the folder's path ends QEMU_SHARE; files in it may lie on several of the
# host's file systems. There is no option ROM for a network card. Instructions are counted exactly
# at this -icount shift.
QEMU := qemu-system-arm
QEMU_FLAGS := -M virt -cpu cortex-a15 -m 256M -nic none -global virtio-mmio.force-legacy=false
QEMU_KERNEL := -kernel
QEMU_DISK := -device virtio-blk-device,drive=vda -drive if=none,id=vda
QEMU_DISK_SIZE := sectors
QEMU_DISK_AIO := aio=native,cache.direct=on
QEMU_SHARE := -device virtio-9p-device,fsdev=host,mount_tag=host -fsdev local,id=host,security_model=none,multidevs=remap,path=
EXACT_ICOUNT := 0
