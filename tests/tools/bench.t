#!/usr/bin/perl
# What a request costs, on every board or on BOARD, is what tests/bench/recorded says: the core on a
# null device, a single read by the core and by the POSIX face, the way to a callback. A change that
# makes it dearer by more than 5 % is to be noticed; one that makes it as much cheaper too: then
# `make bench RECORD=1` writes the new figures. Another compiler than the recorded ones is no
# failure: its figures are printed.
use strict;
use warnings;
use Test::More;

my $percent = 5;
my @boards = $ENV{BOARD} // map { m{([^/]+)\.mk$} } glob 'board/*.mk';
my $recorded = 'tests/bench/recorded';

my %expected; # "board compiler name" => figure
open my $file, '<', $recorded or die "$recorded: $!\n";
while (<$file>) {
    my ($key, $figure) = /^([^#]\S* \S+ \S+) (\S+)$/ or next;
    $expected{$key} = $figure;
}

sub hold
{
    my ($board, $compiler, $name, $figure) = @_;
    my $test = "test_${name}_costs_what_is_recorded_on_$board" =~ tr/-/_/r;
    my $as_recorded = $expected{"$board $compiler $name"};
  SKIP: {
        diag("figure: $board $name: $figure") unless defined $as_recorded;
        skip "$test: nothing is recorded for $compiler", 1 unless defined $as_recorded;
        ok(abs($figure / $as_recorded - 1) * 100 <= $percent, $test)
            or diag("$figure instructions; $as_recorded are recorded");
    }
}

for my $board (@boards) {
    my @figures = split /\n/, `tools/bench --figures $board`;
    is($?, 0, "test_bench_counts_on_$board");
    hold(split / /) for @figures;
}
done_testing();
