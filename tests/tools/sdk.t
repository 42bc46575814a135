#!/usr/bin/perl
# `make install`: programs are compiled and linked outside this tree, by the compiler's driver, by
# pkg-config and by CMake, with the full and with the small C library, and boot.
use strict;
use warnings;
use File::Temp qw(tempdir);
use Test::More;

my $folder = tempdir(CLEANUP => 1);
my $sdk = "$folder/sdk";
delete @ENV{qw(BOARD MAKEFLAGS MFLAGS MAKELEVEL)};

sub command
{
    my ($words) = @_;
    my $output = `{ $words; } 2>&1 </dev/null`;
    return ($output, $? >> 8);
}

sub succeeds
{
    my ($words, $name) = @_;
    my ($output, $status) = command($words);
    ok($status == 0, $name) or diag("$words\n$output");
}

sub boots
{
    my ($board, $elf, $name) = @_;
    my ($output, $status) = command("BOARD=$board TIMEOUT=100 tools/run $elf");
    ok($status == 0 && $output =~ /^written while main went on$/m, $name) or diag($output);
}

my %compiler = (zynq => 'arm-none-eabi-gcc', icicle => 'riscv64-unknown-elf-gcc');
for my $board (sort keys %compiler) {
    my $compile = "$compiler{$board} -B $sdk/$board/ --specs=inflight.specs -Wall -Werror";
    my $example = "sdk/example/example.c -o $folder/$board.elf";
    succeeds("make install PREFIX=$sdk BOARD=$board", "test_install_for_$board");
    succeeds("$compile -O2 $example", "test_program_links_for_$board");
    boots($board, "$folder/$board.elf", "test_program_of_the_sdk_boots_on_$board");
    succeeds("$compile --specs=nano.specs -Os $example",
        "test_program_links_for_${board}_with_the_small_C_library");
    boots($board, "$folder/$board.elf", "test_small_program_boots_on_$board");
    my $libraries = '-pthread -lpthread -lrt -lm -lc';
    succeeds("$compile $example $libraries && $compile --specs=nano.specs $example $libraries",
        "test_libraries_that_programs_name_change_nothing_for_$board");
    boots($board, "$folder/$board.elf", "test_program_with_named_libraries_boots_on_$board");
    succeeds("$compiler{$board} --specs=nano.specs -B $sdk/$board/ --specs=inflight.specs "
        . "$example -lc", "test_order_of_specs_is_free_for_$board");
    boots($board, "$folder/$board.elf", "test_program_of_specs_in_any_order_boots_on_$board");
}

# The compiler's own printf() on ARM does not know them.
for my $board (sort keys %compiler) {
    open my $file, '>', "$folder/formats.c" or die "$folder/formats.c: $!\n";
    print $file "#include <inttypes.h>\n#include <stdio.h>\nint main(void) { int8_t i; uint64_t u;"
        . ' if (sscanf("-8 1099511627776", "%" SCNd8 "%" SCNu64, &i, &u) == 2)'
        . ' printf("%zu %d %" PRIu64 "\n", sizeof i, i, u); }';
    close $file or die "$folder/formats.c: $!\n";
    my $compile = "$compiler{$board} -B $sdk/$board/ --specs=inflight.specs -Wall -Werror";
    my ($output, $status) = command("$compile $folder/formats.c -o $folder/formats.elf && "
        . "BOARD=$board TIMEOUT=20 tools/run $folder/formats.elf");
    ok($status == 0 && $output =~ /^1 -8 1099511627776$/m, "test_formats_of_C99_on_$board")
        or diag($output);
}

my $specs = "-B $sdk/zynq/ --specs=inflight.specs";
sub write_file
{
    my ($name, $text) = @_;
    open my $file, '>', "$folder/$name" or die "$folder/$name: $!\n";
    print $file $text;
    close $file or die "$folder/$name: $!\n";
}

sub compiles
{
    my ($text, $flags, $name) = @_;
    write_file('a.c', $text);
    succeeds("$compiler{zynq} $specs -Wall -Werror $flags $folder/a.c -o $folder/a.elf", $name);
}
# Names that the kernel has too.
compiles('void boot(void) {} void report(void) {} int vectors, timer_arm, pool;'
    . ' int sem_post(int a, int b) { return a + b; }'
    . ' int main(void) { boot(); report(); return vectors + timer_arm + pool + sem_post(0, 0); }',
    '-O1', 'test_kernel_takes_no_name_from_the_program');
compiles("#define _GNU_SOURCE\n#include <aio.h>\nint main(void) { struct sigevent event ="
    . ' { .sigev_notify = SIGEV_THREAD, .sigev_notify_function = NULL };'
    . ' return event.sigev_notify - SIGEV_THREAD; }',
    '-std=c99 -pedantic', 'test_feature_macros_of_a_program_do_not_collide');
compiles("#include <time.h>\nint main(void) { struct timespec t;"
    . ' return clock_gettime(CLOCK_MONOTONIC, &t); }',
    '-std=c11 -march=armv6-m -mfloat-abi=soft', 'test_flags_of_another_CPU_are_replaced');

succeeds("flags=\$(PKG_CONFIG_PATH=$sdk/lib/pkgconfig pkg-config --cflags --libs inflight-zynq) && "
    . "$compiler{zynq} \$flags sdk/example/example.c -o $folder/pc.elf",
    'test_program_links_by_pkg_config');
boots('zynq', "$folder/pc.elf", 'test_program_built_by_pkg_config_boots');
succeeds("cmake -S sdk/example -B $folder/cmake "
    . "-DCMAKE_TOOLCHAIN_FILE=$sdk/zynq/inflight.cmake && cmake --build $folder/cmake",
    'test_program_links_by_cmake');
boots('zynq', "$folder/cmake/example.elf", 'test_program_built_by_cmake_boots');

# A project that names no language asks for C++ too; one file is in assembler.
mkdir "$folder/mixed" or die "$folder/mixed: $!\n";
write_file('mixed/CMakeLists.txt', "cmake_minimum_required(VERSION 3.16)\nproject(mixed)\n"
    . "enable_language(ASM)\nadd_executable(mixed mixed.c five.S)\n");
write_file('mixed/mixed.c', 'int five(void); int main(void) { return five() - 5; }');
write_file('mixed/five.S', ".syntax unified\n.global five\n.type five, %function\n"
    . "five: mov r0, #5\n bx lr\n");
my $mixed = "'$folder/mixed with blanks'";
succeeds("cmake -S $folder/mixed -B $mixed -DCMAKE_TOOLCHAIN_FILE=$sdk/zynq/inflight.cmake "
    . "&& cmake --build $mixed",
    'test_cmake_knows_the_flags_of_other_languages');
succeeds("make run ELF='$folder/mixed with blanks/mixed.elf' TIMEOUT=20",
    'test_path_of_a_program_may_have_blanks');

# What goes wrong is said in one line.
my ($output, $status) = command('make install BOARD=zynq');
ok($status != 0 && $output =~ /^install: say where to: make install PREFIX=dir$/m,
    'test_install_without_PREFIX_says_what_is_missing') or diag($output);
($output, $status) = command('make install BOARD=zynq PREFIX=/proc/nowhere');
ok($status != 0 && $output =~ m{^install: cannot write to /proc/nowhere$}m,
    'test_install_where_one_may_not_write_says_so') or diag($output);

mkdir "$folder/own" and mkdir "$folder/own/zynq" or die "$folder/own: $!\n";
write_file('own/zynq/thesis', "years of work\n");
($output, $status) = command("make install BOARD=zynq PREFIX=$folder/own");
ok($status != 0 && -s "$folder/own/zynq/thesis"
    && $output =~ m{^install: \S+/own/zynq is there and is no installation of ours$}m,
    'test_install_deletes_nothing_of_others') or diag($output);
succeeds("make install BOARD=zynq PREFIX=$sdk", 'test_install_replaces_an_earlier_one');

# The folder may be moved.
rename $sdk, "$folder/moved" or die "$sdk: $!\n";
succeeds("$compiler{zynq} -B $folder/moved/zynq/ --specs=inflight.specs sdk/example/example.c "
    . "-o $folder/moved.elf", 'test_sdk_may_be_moved');

done_testing();
