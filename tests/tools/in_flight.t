#!/usr/bin/perl
# The same number of loop iterations in flight in two runs, on every board or on BOARD: under
# instruction counting nothing depends on the host, where the disk goes by the machine's clock, as
# QEMU's SD cards do.
use strict;
use warnings;
use Test::More;

my @boards = $ENV{BOARD} // map { m{([^/]+)\.mk$} } glob 'board/*.mk';

sub figure
{
    my ($suite) = @_;
    my ($figure) = `tools/run-test $suite 2>/dev/null` =~ /figure: (\d+)/;
    return $figure;
}

for my $board (@boards) {
    my $suite = "build/$board/tests/in_flight.elf";
    my @figures = (figure($suite), figure($suite));
    ok(defined $figures[0] && defined $figures[1],
        "test_in_flight_suite_gives_a_figure_on_$board");
SKIP: {
        skip "a virtio disk on $board goes by the host's clock", 1
            if `cat board/$board.mk` =~ /^QEMU_DISK := .*virtio/m;
        is($figures[0], $figures[1], "test_two_runs_give_the_same_figure_on_$board");
    }
}
done_testing();
