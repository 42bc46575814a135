#!/usr/bin/perl
# The same number of loop iterations in flight in two runs: under instruction counting nothing
# depends on the host.
use strict;
use warnings;
use Test::More tests => 2;

my $suite = 'build/zynq/tests/in_flight.elf';
sub figure
{
    my ($figure) = `tools/run-test $suite 2>/dev/null` =~ /figure: (\d+)/;
    return $figure;
}
my @figures = (figure(), figure());
ok(defined $figures[0] && defined $figures[1], 'test_in_flight_suite_gives_a_figure');
is($figures[0], $figures[1], 'test_two_runs_give_the_same_figure');
