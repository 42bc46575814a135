#!/usr/bin/perl
# tools/install-deps, tools/make-newlib, tools/check-includes, tools/check-symbols, tools/check-text
# and the images that tools make.
use strict;
use warnings;
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use Test::More;

my $folder = tempdir(CLEANUP => 1);
delete $ENV{BOARD};

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
    qr{^To install:  sudo apt-get install -y .*-recommends gcc.* qemu-system-arm perl gdb$}m,
    'test_without_rights_the_exact_command_is_printed_with_the_name_apt_knows');
script('id', 'echo 0');
($output, $status) = command("PATH=$folder/bin tools/install-deps --check run");
ok($status == 1 && $output !~ /^apt-get/m && $output =~ /^To install:  apt-get install/m,
    'test_check_installs_nothing')
    or diag($output);
($output, $status) = command("PATH=$folder/bin tools/install-deps run");
ok($status == 0 && $output =~ /^apt-get .*install .*gcc-arm.* libnewlib.* qemu-system-arm perl$/m,
    'test_root_installs') or diag($output);
unlike($output, qr/^apt-get.* update/m, 'test_known_packages_need_no_update');
script('apt-cache', '[ -e ' . "$folder/updated ]");
script('apt-get', 'echo "apt-get $*"; case "$*" in *update) : >' . "$folder/updated;; esac");
($output, $status) = command("PATH=$folder/bin tools/install-deps run");
ok($status == 0 && $output =~ /apt-get.* update.*apt-get.* install/s,
    'test_unknown_packages_are_looked_up_first')
    or diag($output);

# What each command looks for, by boards: a board without a C library wants its source, and what
# builds it.
my $for_zynq = qr/gcc-arm-none-eabi libnewlib-arm-none-eabi/;
my $for_icicle = qr/gcc-riscv64-unknown-elf/;
sub wanted
{
    my ($environment, $purpose) = @_;
    return (command("env $environment PATH=$folder/bin tools/install-deps --check $purpose"))[0];
}
for my $purpose (qw(run debug build)) {
    unlike(wanted('', $purpose), $for_icicle, "test_${purpose}_asks_for_the_default_board_only");
    my $asked = wanted('BOARD=icicle', $purpose);
    ok($asked =~ $for_icicle && $asked =~ /xz-utils make/ && $asked !~ $for_zynq,
        "test_${purpose}_asks_for_the_given_board_only")
        or diag($asked);
}
for my $purpose (qw(test lint all)) {
    my $asked = wanted('', $purpose);
    ok($asked =~ $for_zynq && $asked =~ $for_icicle, "test_${purpose}_asks_for_every_board")
        or diag($asked);
    unlike(wanted('BOARD=zynq', $purpose), $for_icicle,
        "test_${purpose}_asks_for_the_given_board_only");
}
script('apt-cache', '[ "$2" != qemu-system-riscv ]');    # Debian 12.
like(wanted('BOARD=icicle', 'run'), qr/qemu-system-misc/,
    'test_an_emulator_that_shares_a_package_is_found');

# ---- make-newlib
my ($name) = command('tools/make-newlib --folder riscv64-unknown-elf- -march=rv64imac');
like($name, qr{^build/newlib/[0-9a-f]{16}$}, 'test_newlib_is_in_a_folder_named_after_its_flags');
is((command('tools/make-newlib --folder riscv64-unknown-elf- -march=rv64imac'))[0], $name,
    'test_the_same_flags_give_the_same_newlib');
isnt((command('tools/make-newlib --folder riscv64-unknown-elf- -march=rv64ima'))[0], $name,
    'test_other_flags_give_another_newlib');
isnt((command('tools/make-newlib --folder riscv32-unknown-elf- -march=rv64imac'))[0], $name,
    'test_another_compiler_gives_another_newlib');
SKIP: {
    skip 'newlib-source is not installed', 2 unless glob '/usr/src/newlib/newlib-*.tar.xz';
    my @before = glob 'build/newlib/*/lib/libc.a';
    ($output, $status) = command('tools/make-newlib pdp11-none-aout-');
    ok($status == 1 && $output =~ m{all of its output is in (\S*build/newlib/log)} && -s $1,
        'test_a_build_of_newlib_that_fails_says_where_its_output_is')
        or diag($output);
    ok(!-e 'build/newlib/work' && "@before" eq join(' ', glob 'build/newlib/*/lib/libc.a'),
        'test_a_build_of_newlib_that_fails_leaves_nothing_else');
    unlink 'build/newlib/log';
}

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

# ---- check-symbols
my %symbols = (
    'aio/good.c.o' => "io_submit T 0 0\nirq_save_slow U\n__ram_start U\n__clzdi2 U\n",
    'irq/irq.c.o' => "irq_save_slow T 0 0\n",
    'dma/bad.c.o' => "dma_start T 0 0\nmemcpy U\n",
    'drivers/sd/bad.c.o' => "sd_start T 0 0\nprintf U\n",
    'faces/posix/signal.c.o' => "raise T 0 0\nprintf T 0 0\nmalloc U\n",
);
write_file("$folder/objects/$_", $symbols{$_}) for keys %symbols;
write_file("$folder/nm", qq{#!/bin/sh\nfor file; do :; done\nexec cat "\$file"\n});
chmod 0755, "$folder/nm";
($output, $status) = command("tools/check-symbols $folder/nm $folder/objects");
ok($status == 1 && $output =~ /needs memcpy/ && $output =~ /needs printf/
        && 2 == (() = $output =~ /needs/g),
    'test_the_lower_rooms_may_need_only_the_kernel_and_integer_helpers')
    or diag($output);

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
