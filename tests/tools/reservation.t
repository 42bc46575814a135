#!/usr/bin/perl
# The interrupted code's reservation must not survive an interrupt, on every board or on BOARD:
# tests/target/registers.c tries it out where that shows. QEMU's RISC-V harts drop it by themselves
# at every trap; silicon need not, so the kernel's way back is looked at here. A board that says
# -DHART_WITHOUT_LR_SC has a hart on which these instructions trap: its kernel has none at all.
use strict;
use warnings;
use Test::More;

my @boards = $ENV{BOARD} // map { m{([^/]+)\.mk$} } glob 'board/*.mk';
delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES BOARD ELF ARGS ENV DISK SHARE ICOUNT T V)};

# What ends a reservation, by the board's ARCH.
my %ends = (armv7a => qr/\tclrex\b/, riscv => qr/\tsc\.[wd]\t/);

for my $board (@boards) {
    open my $file, '<', "board/$board.mk" or die "board/$board.mk: $!\n";
    my %of = map { /^(\w+) :=\s*(.*)/ } <$file>;
    my ($kernel, $entry) = map { "build/$board/$_" } 'kernel.o', "obj/arch/$of{ARCH}/entry.S.o";
    system("make --silent BOARD=$board $kernel >&2") == 0 or die "$kernel: cannot be made\n";
    my $disassemble = "$of{CROSS}objdump --disassemble --no-show-raw-insn";
    if ($of{KERNEL_CPU_FLAGS} =~ /-DHART_WITHOUT_LR_SC/) {
        unlike(`$disassemble $kernel`, qr/\t(?:lr|sc)\.[wd]/,
            "test_kernel_does_without_lr_and_sc_on_$board");
        next;
    }
    my ($leave) = `$disassemble $entry` =~ /<irq_leave>:\n(.*?)\t(?:mret|rfe)/s;
    like($leave // '', $ends{ $of{ARCH} }, "test_an_interrupt_ends_a_reservation_on_$board");
}
done_testing();
