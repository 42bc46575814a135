#!/usr/bin/perl
# tools/install-deps, tools/check-includes, tools/check-text and the images that tools make.
use strict;
use warnings;
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use Test::More;

my $folder = tempdir(CLEANUP => 1);

sub command
{
    my ($words) = @_;
    my $output = `$words 2>&1`;
    return ($output, $? >> 8);
}

sub write_file
{
    my ($path, $text) = @_;
    make_path($path =~ s{/[^/]*$}{}r);
    open my $file, '>:raw', $path or die "$path: $!\n";
    print $file $text;
    close $file or die "$path: $!\n";
}

# ---- install-deps
my ($output, $status) = command('tools/install-deps test');
ok($status == 0 && $output eq '', 'test_nothing_missing_does_nothing') or diag($output);

# A system with a package manager and next to nothing else.
make_path("$folder/bin");
for my $tool (qw(sh env tr)) {
    chomp(my $path = `sh -c "command -v $tool"`);
    symlink $path, "$folder/bin/$tool" or die "$tool: $!\n";
}
sub script
{
    my ($name, $text) = @_;
    write_file("$folder/bin/$name", "#!/bin/sh\n$text\n");
    chmod 0755, "$folder/bin/$name";
}
script('apt-get', 'echo "apt-get $*"');
script('apt-cache', '[ "$2" != gdb-multiarch ]');    # A release where it has another name.
script('id', 'echo 1000');
($output, $status) = command("PATH=$folder/bin tools/install-deps debug");
ok($status == 1 && $output =~ /^Missing: .*gdb-multiarch/m, 'test_missing_tools_are_named')
    or diag($output);
like($output,
    qr/^To install:  sudo apt-get install -y --no-install-recommends gcc.* qemu-system-arm gdb$/m,
    'test_without_rights_the_exact_command_is_printed_with_the_name_apt_knows');
script('id', 'echo 0');
($output, $status) = command("PATH=$folder/bin tools/install-deps --check run");
ok($status == 1 && $output !~ /^apt-get/m && $output =~ /^To install:  apt-get install/m,
    'test_check_installs_nothing')
    or diag($output);
($output, $status) = command("PATH=$folder/bin tools/install-deps run");
ok($status == 0 && $output =~ /^apt-get .*install .*gcc-arm.* libnewlib.* perl qemu-system-arm$/m,
    'test_root_installs') or diag($output);
unlike($output, qr/^apt-get.* update/m, 'test_known_packages_need_no_update');
script('apt-cache', '[ -e ' . "$folder/updated ]");
script('apt-get', 'echo "apt-get $*"; case "$*" in *update) : >' . "$folder/updated;; esac");
($output, $status) = command("PATH=$folder/bin tools/install-deps run");
ok($status == 0 && $output =~ /apt-get.* update.*apt-get.* install/s,
    'test_unknown_packages_are_looked_up_first')
    or diag($output);

# ---- check-includes
($output, $status) = command('tools/check-includes');
is($output . $status, '0', 'test_the_tree_keeps_to_its_rooms');
my %bad = (
    'aio/a.c'            => '"fs/file.h"',
    'arch/a.c'           => '"irq/irq.h"',
    'irq/a.c'            => '"drivers/device.h"',
    'dma/a.c'            => '"drivers/device.h"',
    'drivers/sd/a.c'     => '"drivers/uart/uart.h"',
    'drivers/uart/a.c'   => '"aio/core.h"',
    'fs/a.c'             => '"faces/posix/posix.h"',
    'faces/posix/a.c'    => '"drivers/device.h"',
    'faces/epoll/a.c'    => '"faces/uring/uring.h"',
    'boot/a.c'           => '"irq/gic.h"',
    'demos/a.c'          => '"aio/core.h"',
    'drivers/ram/a.c'    => '<stdio.h>',
    'fs/b.c'             => '<aio/core.h>',
    'board/a.c'          => '"aio/core.h"',
);
write_file("$folder/tree/$_", "#include $bad{$_}\n") for keys %bad;
write_file("$folder/tree/aio/good.c",
    "#include <stdint.h>\n#include \"aio/core.h\"\n#include \"drivers/device.h\"\n");
($output, $status) = command("tools/check-includes $folder/tree");
is($status, 1, 'test_a_wrong_include_fails_the_check');
for my $path (sort keys %bad) {
    like($output, qr/^\Q$path\E:1: /m, "test_${path}_may_not_include_$bad{$path}");
}
unlike($output, qr/good/, 'test_right_includes_pass');

# ---- check-text
write_file("$folder/text.c", "int a; \n" . 'x' x 101 . "\n" . "\xc3\xa4" x 100 . "\nint b;");
($output, $status) = command("tools/check-text $folder/text.c");
ok($status == 1 && $output =~ /:1: blanks/ && $output =~ /:2: 101 columns/
        && $output =~ /no newline/
        && $output !~ /:3:/,
    'test_text_is_checked_by_characters') or diag($output);

# ---- images
($output, $status) = command("tools/make-test-image $folder/image 8K");
open my $image, '<:raw', "$folder/image" or die;
read $image, my $bytes, 1 << 20;
is(length $bytes, 8192, 'test_image_has_its_size');
my @words = unpack 'V*', $bytes;
is($words[$_], ($_ * 2654435761 % 2**32) ^ 0x5bd1e995, "test_word_${_}_of_the_image")
    for 0, 1, 2047;

done_testing();
