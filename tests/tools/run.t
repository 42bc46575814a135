#!/usr/bin/perl
# make run, make demo, make debug and tools/run: what they pass on, what they answer to bad input,
# and that they leave nothing behind, on every board or on BOARD. Each test runs make as a user
# would and looks at its two outputs and its status.
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use File::Temp qw(tempdir);
use Test::More;
use Time::HiRes qw(sleep);

my @boards = $ENV{BOARD} // map { m{([^/]+)\.mk$} } glob 'board/*.mk';

# This may run under a make of its own, whose flags are not ours.
delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES)};
delete @ENV{qw(BOARD APP ELF ARGS ENV DISK SHARE ICOUNT TIMEOUT T V)};
my $folder = tempdir(CLEANUP => 1);
my $app = 'APP=tests/tools/program.c';

# Whatever goes wrong must not take for ever.
$ENV{TIMEOUT} = 100;

# Runs a command. Result: standard output, standard error, exit status.
sub command
{
    my ($input, @words) = @_;
    my @files = map { "$folder/$_" } qw(input output errors);
    write_file($files[0], $input);
    my $child = fork // die "fork: $!\n";
    if ($child == 0) {
        open STDIN, '<', $files[0] or die;
        open STDOUT, '>', $files[1] or die;
        open STDERR, '>', $files[2] or die;
        exec @words or exit 127;
    }
    waitpid $child, 0;
    return (read_file($files[1]), read_file($files[2]), $? >> 8);
}

sub write_file
{
    my ($path, $text) = @_;
    open my $file, '>:raw', $path or die "$path: $!\n";
    print $file $text;
    close $file or die "$path: $!\n";
}

sub read_file
{
    my ($path) = @_;
    open my $file, '<:raw', $path or die "$path: $!\n";
    local $/;
    return scalar(<$file>) // '';
}

# Refused: nothing on standard output, a line that says why, a status that says so, no `exit N`.
sub refused
{
    my ($name, $why, @words) = @_;
    my ($output, $errors, $status) = command('', 'make', @words);
    ok($status == 2 && $output eq '' && $errors =~ $why && $errors !~ /^exit/m, $name)
    or diag($output, $errors);
}

# ---- What every board does
my $text = join '', map { "line $_ of the input\n" } 1 .. 300;

# A program of two files.
mkdir "$folder/app";
write_file("$folder/app/one.c", <<'END');
#include <stdio.h>
#include "two.h"
int main(void)
{
    int unused;
    puts(two());
    return 0;
}
END
write_file("$folder/app/two.c", <<'END');
#include "two.h"
const char *two(void)
{
    return "two files";
}
END
write_file("$folder/app/two.h", qq{const char *two(void);\n});

# A file of an odd size, with a comma in its name, which QEMU's options would take for an end.
my $disk = "$folder/odd,size";
my $bytes = join '', map { pack 'N', $_ * 2654435761 } 1 .. 250_000;
write_file($disk, $bytes . 'x');
my $sum = sha256_hex($bytes . 'x');

for my $board (@boards) {
    my @run = ('make', 'run', "BOARD=$board");
    my ($output, $errors, $status) = command('', @run, $app, q{ARGS=a 'b c' "d\"e,f" '' %41=ä},
        q{ENV=VALUE='x=y, z'});
    is($output, "[a]\n[b c]\n[d\"e,f]\n[]\n[%41=ä]\nVALUE=[x=y, z] calls=2\n",
        "test_arguments_and_environment_arrive_as_a_shell_would_split_them_on_$board");
    is($status, 0, "test_status_is_0_when_main_returns_0_on_$board");
    like($errors, qr/\nexit 0\n\z|\Aexit 0\n\z/,
        "test_last_line_of_standard_error_is_exit_0_on_$board");

    ($output, $errors, $status) = command('', @run, $app, 'ARGS=exit 7');
    isnt($status, 0, "test_status_is_not_0_when_main_returns_7_on_$board");
    like($errors, qr/^exit 7\n\z/m, "test_last_line_of_standard_error_is_exit_7_on_$board");
    like($errors, qr/^to standard error$/m,
        "test_standard_error_of_the_program_is_standard_error_on_$board");
    is($output, '', "test_standard_output_holds_the_program_s_output_only_on_$board");

    ($output) = command($text . 'unfinished', @run, $app, 'ARGS=copy');
    ok($output eq $text . 'unfinished', "test_piped_input_arrives_whole_without_echo_on_$board")
        or diag($output);
    ($output) = command('', @run, $app, 'ARGS=copy');
    is($output, '', "test_empty_input_ends_at_once_on_$board");

    ($output, $errors, $status) = command('', @run, $app, 'ARGS=hang', 'TIMEOUT=1');
    ok($status && $errors =~ /timed out after 1 s/ && $errors =~ /^exit 124\n\z/m,
        "test_timeout_ends_the_run_and_says_so_on_$board")
        or diag($errors);

    ($output, $errors, $status)
        = command('', @run, "ELF=build/$board/apps/program/program.elf", 'ARGS=again');
    like($output, qr/^\[again\]$/m, "test_elf_boots_a_linked_program_on_$board");

    ($output, $errors) = command('', @run, "APP=$folder/app", 'APP_CFLAGS=-Wall');
    is($output, "two files\n",
        "test_folder_of_files_is_one_program_and_a_warning_is_no_error_on_$board")
        or diag($errors);

    ($output, $errors, $status) = command('', 'make', 'demo', "BOARD=$board", "DISK=$disk");
    ok($status == 0 && $output =~ /$sum/ && $errors =~ /has 1000001 bytes: padded/,
        "test_demo_prints_the_digest_of_a_file_of_any_size_on_$board")
        or diag($output, $errors);
    is(sha256_hex(read_file($disk)), $sum, "test_padding_leaves_the_file_alone_on_$board");

    # A virtio disk has any number of sectors, an SD card does not.
    write_file("$folder/sectors", substr $bytes, 0, 3 * 512);
    ($output, $errors, $status) = command('', @run, $app, "DISK=$folder/sectors");
    my $padded = $errors =~ /padded/;
    ok($status == 0 && $padded == (`cat board/$board.mk` !~ /^QEMU_DISK_SIZE := sectors$/m),
        "test_only_an_sd_card_is_padded_to_a_power_of_two_on_$board")
        or diag($output, $errors);

    # The folder is there as a device, whatever its path; a board without virtio says so.
    if (`cat board/$board.mk` =~ /^QEMU_SHARE := *\S/m) {
        mkdir "$folder/a share,with=signs";
        ($output, $errors, $status) = command('', @run, $app, "SHARE=$folder/a share,with=signs",
            'ARGS=show /proc/interrupts');
        ok($status == 0 && $output =~ m{\b9p/host$}m && $errors !~ /warning/i,
            "test_a_folder_is_shared_whatever_it_is_called_on_$board")
            or diag($output, $errors);
        ($output, $errors, $status) = command('', @run, $app, 'ARGS=show /proc/interrupts');
        ok($status == 0 && $output !~ /9p/, "test_nothing_is_shared_unasked_on_$board")
            or diag($output, $errors);
        refused("test_missing_share_is_named_on_$board", qr/SHARE=nowhere: no such folder/,
            @run[1 .. 2], $app, 'SHARE=nowhere');
        refused("test_a_file_is_no_share_on_$board", qr/SHARE=README\.md: not a folder/,
            @run[1 .. 2], $app, 'SHARE=README.md');
    } else {
        refused("test_share_needs_virtio_on_$board",
            qr/SHARE needs a board with virtio-9p; $board has none/, @run[1 .. 2], $app,
            "SHARE=$folder");
    }

SKIP: {
        skip 'gdb-multiarch is not installed', 1 if !grep { -x "$_/gdb-multiarch" } split /:/,
            $ENV{PATH};
        ($output, $errors) = command('', 'make', 'debug', "BOARD=$board", $app);
        ok($output =~ /^Breakpoint 1, main \(argc=1/m && $output =~ /^pc +0x/m
                && $output =~ /^VALUE=/m,
            "test_debug_stops_in_main_on_$board")
            or diag($output, $errors);
    }
}

# ---- What is refused, on any board
$ENV{BOARD} = $boards[0];
refused('test_a_program_that_is_no_c_file_is_refused', qr{APP=README.md: no such .c file}, 'run',
    'APP=README.md');
refused('test_unknown_board_is_named_with_the_known',
    qr/there is no board "pdp11"; boards: .*zynq/, 'run', $app, 'BOARD=pdp11');
refused('test_missing_program_is_named', qr/APP=nowhere\.c: no such/, 'run', 'APP=nowhere.c');
refused('test_missing_elf_is_named', qr/no such program: nowhere\.elf/, 'run', 'ELF=nowhere.elf');
SKIP: {
    skip 'only one board is tested', 1 if @boards < 2;
    refused('test_a_program_for_another_board_is_refused', qr/not a program for $boards[0]/, 'run',
        "ELF=build/$boards[1]/apps/program/program.elf");
}
refused('test_missing_disk_is_named', qr/DISK=nowhere: no such file/, 'demo', 'DISK=nowhere');
refused('test_folder_is_no_disk', qr/not a regular file/, 'demo', "DISK=$folder");
write_file("$folder/empty", '');
refused('test_empty_file_is_no_disk', qr/is empty/, 'demo', "DISK=$folder/empty");
refused('test_open_quote_is_refused', qr/ARGS: a quote is not closed/, 'run', $app, q{ARGS='a});
refused('test_environment_without_value_is_refused',
    qr/expected NAME=VALUE, not VALUE/, 'run', $app, 'ENV=VALUE');
refused('test_bad_icount_is_refused', qr/ICOUNT=fast: expected/, 'run', $app, 'ICOUNT=fast');
refused('test_bad_timeout_is_refused', qr/TIMEOUT=soon: expected/, 'run', $app, 'TIMEOUT=soon');

# ---- A slow start
# However long it takes until the kernel is there, input waits for it, and it is waited for.
{
    my ($machine) = map { /^QEMU := (\S+)/ } split /^/, read_file("board/$boards[0].mk");
    chomp(my $real = `sh -c "command -v $machine"`);
    mkdir "$folder/slow";
    write_file("$folder/slow/$machine", qq{#!/bin/sh\nsleep 6\nexec $real "\$@"\n});
    chmod 0755, "$folder/slow/$machine";
    local $ENV{PATH} = "$folder/slow:$ENV{PATH}";
    my ($output, $errors) = command("typed\n", 'make', 'run', $app, 'ARGS=copy', 'TIMEOUT=100');
    is($output, "typed\n", 'test_input_waits_for_a_machine_that_starts_slowly') or diag($errors);
}

# ---- What is left behind
# Killed with no chance to clean up, make takes QEMU with it.
sub machines
{
    my ($mark) = @_;
    my @found;
    for my $file (glob '/proc/[0-9]*/cmdline') {
        open my $text, '<', $file or next;
        local $/;
        my $line = <$text> // '';
        push @found, $file if $line =~ /^[^\0]*qemu/ && $line =~ /\Q$mark\E/;
    }
    return @found;
}
sub wait_for
{
    my ($condition) = @_;
    for (1 .. 2000) {
        return 1 if $condition->();
        sleep 0.05;
    }
    return 0;
}
my $mark = "stray.$$";
my $child = fork // die "fork: $!\n";
if ($child == 0) {
    open STDIN, '<', '/dev/null';
    open STDOUT, '>', '/dev/null';
    open STDERR, '>', '/dev/null';
    exec 'make', 'run', $app, "ARGS=hang $mark" or exit 127;
}
my $started = wait_for(sub { machines($mark) });
kill KILL => $child;
waitpid $child, 0;
ok($started && wait_for(sub { !machines($mark) }), 'test_no_machine_outlives_a_killed_make');

# Far more output than a pipe holds, and a reader that goes away after the first line.
write_file("$folder/long", "line\n" x 200_000);
my $first = `make run $app ARGS=copy <$folder/long 2>$folder/errors | head -n 1`;
ok($first eq "line\n" && read_file("$folder/errors") =~ /nobody reads standard output/,
    'test_a_run_whose_reader_has_gone_ends');

done_testing();
