#!/usr/bin/perl
# Programs that go wrong on every board, or on BOARD: each ends at once with a status that is not 0,
# and a report that says what happened, where, at which level.
use strict;
use warnings;
use Test::More;

my @boards = $ENV{BOARD} // map { m{([^/]+)\.mk$} } glob 'board/*.mk';
delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES BOARD ELF ARGS ENV DISK SHARE ICOUNT T V)};
$ENV{TIMEOUT} = 100;

sub run
{
    my ($board, $kind) = @_;
    my $make = "make run BOARD=$board APP=tests/tools/fault.c ARGS=$kind";
    my $output = `$make 2>&1 </dev/null`;
    my ($status) = $output =~ /^exit (\d+)$/m;
    return ($output, $status // 'none');
}

# Addresses have as many digits as the board's pointers.
my $address = qr/0x(?:[0-9a-f]{8}){1,2}/;
my $null = qr/0x(?:0{8}){1,2}: null pointer/;

# The registers of a report, in their order, by the board's ARCH.
my %registers = (
    armv7a => qr/^  r0  [0-9a-f]{8} .*pc  [0-9a-f]{8}/ms,
    riscv => qr/^  ra  [0-9a-f]{16}  sp  .*a0  .*mepc [0-9a-f]{16}  mtval .*mcause [0-9a-f]{16}/ms,
);
# What __builtin_trap() is: an undefined instruction or a breakpoint.
my %trap = (
    armv7a => [132, qr/undefined instruction at $address.*at main level/],
    riscv => [133, qr/unexpected breakpoint at $address.*at main level/],
);
sub arch_of
{
    my ($board) = @_;
    open my $file, '<', "board/$board.mk" or die "board/$board.mk: $!\n";
    my ($arch) = map { /^ARCH := *(\S+)/ } <$file>;
    die "no registers of $arch are known here\n" unless $registers{$arch};
    return $arch;
}

# kind, exit status, what the report says, the test's name.
my @faults = (
    ['read-null', 139, qr/cannot read $null.*at main level/, 'reading_at_null'],
    ['write-null', 139, qr/cannot write $null.*at main level/, 'writing_at_null'],
    ['call-null', 139, qr/cannot execute at $null.*at main level/, 'calling_null'],
    ['write-constant', 139, qr/cannot write $address: read-only/, 'writing_a_constant'],
    ['write-text', 139, qr/cannot write $address: read-only/, 'writing_text'],
    ['execute-data', 139, qr/cannot execute at $address: read-only, or data executed/,
        'executing_data'],
    ['execute-constant', 139, qr/cannot execute at $address: read-only, or data executed/,
        'executing_a_constant'],
    ['execute-stack', 139, qr/cannot execute at $address: read-only, or data executed/,
        'executing_mains_stack'],
    ['execute-heap', 139, qr/cannot execute at $address: read-only, or data executed/,
        'executing_the_heap'],
    ['guard-fault', 139, qr/cannot read $address: the fault stack has overflowed/,
        'the_start_of_the_guard_below_the_fault_stack'],
    ['guard-fault-end', 139, qr/cannot read $address: the fault stack has overflowed/,
        'the_end_of_the_guard_below_the_fault_stack'],
    ['guard-isr', 139, qr/cannot read $address: the isr stack has overflowed/,
        'the_start_of_the_guard_below_the_isr_stack'],
    ['guard-isr-end', 139, qr/cannot read $address: the isr stack has overflowed/,
        'the_end_of_the_guard_below_the_isr_stack'],
    ['unmapped', 139, qr/cannot read 0x(?:0{8})?70000000: nothing is mapped there/,
        'an_unmapped_address'],
    ['undefined', 132, qr/undefined instruction at $address.*at main level/,
        'an_undefined_instruction'],
    ['overflow', 139, qr/main's stack has overflowed.*at main level/, 'an_overflow_of_mains_stack'],
    ['callback-write-null', 139, qr/null pointer.*at callback level/, 'a_fault_in_a_callback'],
    ['callback-overflow', 139, qr/the callback stack has overflowed.*at callback level/,
        'an_overflow_of_the_callback_stack'],
    ['bad-stack', 139, qr/nothing is mapped there.*at main level/,
        'a_lost_stack_pointer_of_main'],
    ['callback-bad-stack', 139, qr/nothing is mapped there.*at callback level/,
        'a_lost_stack_pointer_of_a_callback'],
);
for my $board (@boards) {
    my $arch = arch_of($board);
    my $registers = $registers{$arch};
    for my $fault (@faults, ['trap', @{ $trap{$arch} }, 'a_trap']) {
        my ($kind, $expected, $report, $name) = @$fault;
        my ($output, $status) = run($board, $kind);
        ok($status eq $expected && $output =~ $report && $output =~ $registers,
            "test_${name}_is_reported_on_$board")
            or diag($output);
    }
    for (['abort', 134], ['raise', 143]) {
        my ($kind, $expected) = @$_;
        my ($output, $status) = run($board, $kind);
        is($status, $expected, "test_${kind}_ends_with_128_and_the_signal_on_$board")
            or diag($output);
    }
    like((run($board, 'unaligned'))[0], qr/^34333231$/m,
        "test_unaligned_words_can_be_read_on_$board");
    like((run($board, 'no-memory'))[0], qr/^ENOMEM$/m,
        "test_too_large_an_allocation_is_refused_with_enomem_on_$board");
}
done_testing();
