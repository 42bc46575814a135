#!/usr/bin/perl
# Programs in the style of the conformance suites, compiled and linked with the SDK: each header
# alone and first, under every standard and with any feature macros or none; and small programs that
# use them, which must link and pass on a board.
use strict;
use warnings;
use File::Temp qw(tempdir);
use Test::More;

my $folder = tempdir(CLEANUP => 1);
my $sdk = "$folder/sdk";
delete @ENV{qw(BOARD MAKEFLAGS MFLAGS MAKELEVEL)};
my %compiler = ('virt-arm' => 'arm-none-eabi-gcc', 'virt-rv64' => 'riscv64-unknown-elf-gcc');
my @headers = qw(aio.h signal.h sys/socket.h limits.h sys/uio.h poll.h semaphore.h err.h
    sys/eventfd.h sys/timerfd.h setjmp.h dirent.h sys/mman.h stdio.h sys/un.h sys/poll.h unistd.h);
my @standards = ('-std=c99 -pedantic', '-std=gnu11', '-std=c11 -D_POSIX_C_SOURCE=200809L',
    '-std=c99 -D_XOPEN_SOURCE=600', '-std=gnu17 -D_GNU_SOURCE');

sub command
{
    my ($words) = @_;
    my $output = `{ $words; } 2>&1 </dev/null`;
    return ($output, $? >> 8);
}

sub write_file
{
    my ($text) = @_;
    open my $file, '>', "$folder/a.c" or die "$folder/a.c: $!\n";
    print $file $text;
    close $file or die "$folder/a.c: $!\n";
}

sub succeeds
{
    my ($words, $name) = @_;
    my ($output, $status) = command($words);
    return ok($status == 0, $name) || diag("$words\n$output");
}

my $all = join '', map { "#include <$_>\n" } @headers;
my $uses = <<'END';
static void on_signal(int number, siginfo_t *info, void *context)
{
    (void)number, (void)context, (void)info->si_value.sival_int;
}
static void on_complete(sigval_t value) { (void)value.sival_ptr; }
int main(void)
{
    struct aiocb block = { 0 };
    struct aiocb *list[AIO_LISTIO_MAX > 1 ? 1 : 0] = { &block };
    struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART };
    struct sigevent event = { .sigev_notify = SIGEV_THREAD };
    struct pollfd entry = { .fd = -1, .events = POLLIN };
    struct iovec piece = { 0, 0 };
    sem_t semaphore;
    sigset_t set;
    int ends[2];
    event.sigev_notify_function = on_complete;
    block.aio_fildes = -1;
    block.aio_sigevent = event;
    block.aio_lio_opcode = LIO_NOP;
    if (sigemptyset(&set) || sigaction(SIGRTMIN + 1, &action, 0) || sem_init(&semaphore, 0, 1))
        err(1, "signals");
    if (lio_listio(LIO_WAIT, list, 1, 0) || aio_read(&block) || aio_error(&block) != EBADF)
        errx(1, "aio");
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) || eventfd(0, EFD_NONBLOCK) < 0)
        err(1, "descriptors");
    if (poll(&entry, 1, 0) || readv(-1, &piece, 1) != -1 || IOV_MAX < 16 || PATH_MAX < 256)
        err(1, "the rest");
    return sysconf(_SC_AIO_MAX) == AIO_MAX && _POSIX_ASYNCHRONOUS_IO >= 200112L ? 0 : 1;
}
END

for my $board (sort keys %compiler) {
    my $compile = "$compiler{$board} -B $sdk/$board/ --specs=inflight.specs -Wall -Wextra -Werror";
    succeeds("make install PREFIX=$sdk BOARD=$board", "test_install_for_$board");
    for my $standard (@standards) {
        my @bad = grep {
            write_file("#include <$_>\n#include <$_>\nint main(void) { return 0; }\n");
            (command("$compile $standard -fsyntax-only $folder/a.c"))[1] != 0;
        } @headers;
        ok(!@bad, "test_each_header_alone_for_${board}_with_$standard") or diag("@bad");
        write_file("$all#include <errno.h>\n$uses");
        succeeds("$compile $standard $folder/a.c -o $folder/a.elf",
            "test_program_links_for_${board}_with_$standard");
    }
    my ($output, $status) = command("BOARD=$board TIMEOUT=100 tools/run $folder/a.elf");
    ok($status == 0, "test_program_passes_on_$board") or diag($output);
}
done_testing();
