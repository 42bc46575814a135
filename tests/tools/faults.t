#!/usr/bin/perl
# Programs that go wrong on the board: each ends at once with a status that is not 0, and a report
# that says what happened, where, at which level.
use strict;
use warnings;
use Test::More;

delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES BOARD ELF ARGS ENV DISK SHARE ICOUNT T V)};
$ENV{TIMEOUT} = 30;

sub run
{
    my ($kind) = @_;
    my $output = `make run APP=tests/tools/fault.c ARGS=$kind 2>&1 </dev/null`;
    my ($status) = $output =~ /^exit (\d+)$/m;
    return ($output, $status // 'none');
}

# kind, exit status, what the report says, the test's name.
my @faults = (
    ['read-null', 139, qr/cannot read 0x00000000: null pointer.*at main level/, 'reading_at_null'],
    ['write-null', 139, qr/cannot write 0x00000000: null pointer.*at main level/,
        'writing_at_null'],
    ['call-null', 139, qr/cannot execute at 0x00000000: null pointer.*at main level/,
        'calling_null'],
    ['write-constant', 139, qr/cannot write 0x[0-9a-f]+: read-only/, 'writing_a_constant'],
    ['write-text', 139, qr/cannot write 0x[0-9a-f]+: read-only/, 'writing_text'],
    ['execute-data', 139, qr/cannot execute at 0x[0-9a-f]+: read-only, or data executed/,
        'executing_data'],
    ['unmapped', 139, qr/cannot read 0x70000000: nothing is mapped there/, 'an_unmapped_address'],
    ['undefined', 132, qr/undefined instruction at 0x[0-9a-f]+.*at main level/,
        'an_undefined_instruction'],
    ['overflow', 139, qr/main's stack has overflowed.*at main level/, 'an_overflow_of_mains_stack'],
    ['callback-write-null', 139, qr/null pointer.*at callback level/, 'a_fault_in_a_callback'],
    ['callback-overflow', 139, qr/the callback stack has overflowed.*at callback level/,
        'an_overflow_of_the_callback_stack'],
);
for my $fault (@faults) {
    my ($kind, $expected, $report, $name) = @$fault;
    my ($output, $status) = run($kind);
    my $registers = qr/  r0  [0-9a-f]{8}.*pc  [0-9a-f]{8}/s;
    ok($status eq $expected && $output =~ $report && $output =~ $registers,
        "test_${name}_is_reported") or diag($output);
}
for (['abort', 134], ['raise', 143]) {
    my ($output, $status) = run($_->[0]);
    is($status, $_->[1], "test_$_->[0]_ends_with_128_and_the_signal") or diag($output);
}
like((run('unaligned'))[0], qr/^34333231$/m, 'test_unaligned_words_can_be_read');
like((run('no-memory'))[0], qr/^ENOMEM$/m, 'test_too_large_an_allocation_is_refused_with_enomem');
done_testing();
