// The calls around <aio.h> that a program written for Linux uses, where no other suite tests them:
// reading and writing at offsets and with pieces, temporary files, a wait with another signal mask,
// pointers that lead nowhere, the environment, the heap's end.
// env: COLOUR=blue
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "tests/tap.h"

enum { HALF = 5 };

static char text[] = "0123456789", back[64];
static volatile int handled;

static void on_signal(int number)
{
    (void)number;
    handled++;
}

static void test_offsets(void)
{
    char name[] = "/tmp/callsXXXXXX", other[] = "/tmp/callsXXXXXX";
    int fd = mkstemp(name), second = mkstemp(other);
    tap_ok(fd >= 0 && second >= 0 && strcmp(name, other) != 0 && access(name, R_OK | W_OK) == 0,
           "test_mkstemp_makes_a_file_of_its_own");
    close(second);
    unlink(other);
    lseek(fd, 3, SEEK_SET);
    tap_ok(pwrite(fd, text, 10, 100) == 10 && pread(fd, back, 20, 105) == 5 &&
               memcmp(back, text + HALF, HALF) == 0 && lseek(fd, 0, SEEK_CUR) == 3,
           "test_pread_and_pwrite_leave_the_position");
    tap_ok(pread(fd, back, 1, -1) == -1 && errno == EINVAL && pwrite(fd, back, 1, -1) == -1 &&
               errno == EINVAL,
           "test_a_negative_offset_is_EINVAL");
    int append = open(name, O_WRONLY | O_APPEND);
    tap_ok(pwrite(append, "x", 1, 100) == 1 && pread(fd, back, 1, 100) == 1 && back[0] == 'x' &&
               lseek(append, 0, SEEK_END) == 110,
           "test_pwrite_goes_to_its_offset_also_with_O_APPEND");
    tap_ok(pread(append, back, 1, 0) == -1 && errno == EBADF, "test_pread_minds_the_mode");
    close(append);
    tap_ok(fdatasync(fd) == 0 && fdatasync(63) == -1 && errno == EBADF, "test_fdatasync");
    close(fd);
    unlink(name);
    int ends[2];
    pipe(ends);
    tap_ok(pread(ends[0], back, 1, 0) == -1 && errno == ESPIPE &&
               pwrite(ends[1], back, 1, 0) == -1 && errno == ESPIPE,
           "test_a_pipe_has_no_offsets");
    close(ends[0]);
    close(ends[1]);
}

static bool pieces_round(int from, int to, const char *what)
{
    char first[4], second[32];
    struct iovec out[3] = { { text, 3 }, { NULL, 0 }, { text + 3, 7 } };
    struct iovec in[2] = { { first, 4 }, { second, sizeof second } };
    bool good = writev(to, out, 3) == 10;
    if (to == from)
        lseek(from, 0, SEEK_SET);
    good = good && readv(from, in, 2) == 10 && memcmp(first, text, 4) == 0 &&
           memcmp(second, text + 4, 6) == 0;
    return tap_ok(good, what);
}

static void test_pieces(void)
{
    int ends[2], file = open("/tmp/pieces", O_RDWR | O_CREAT, 0600);
    pieces_round(file, file, "test_pieces_of_a_file");
    struct iovec pieces[2] = { { text, 5 }, { text + 5, 5 } };
    tap_ok(pwritev(file, pieces, 2, 50) == 10 && pread(file, back, 10, 50) == 10 &&
               memcmp(back, text, 10) == 0,
           "test_pwritev_at_an_offset");
    struct iovec in[2] = { { back, 2 }, { back + 10, 20 } };
    tap_ok(preadv(file, in, 2, 55) == 5 && back[1] == '6' && back[12] == '9',
           "test_preadv_is_short_at_the_end");
    pipe(ends);
    pieces_round(ends[0], ends[1], "test_pieces_through_a_pipe");
    close(ends[0]);
    close(ends[1]);
    socketpair(AF_UNIX, SOCK_DGRAM, 0, ends);
    pieces_round(ends[0], ends[1], "test_pieces_are_one_message");
    close(ends[0]);
    close(ends[1]);
    tap_ok(writev(file, pieces, 0) == -1 && errno == EINVAL &&
               writev(file, pieces, IOV_MAX + 1) == -1 && errno == EINVAL &&
               writev(63, pieces, 2) == -1 && errno == EBADF,
           "test_counts_out_of_range_are_EINVAL");
    pieces[1].iov_len = SIZE_MAX - 2;
    bool refused = writev(file, pieces, 2) == -1 && errno == EINVAL;
    pieces[1].iov_len = SSIZE_MAX;
    tap_ok(refused && writev(file, pieces, 2) == -1 && errno == EINVAL,
           "test_too_many_bytes_are_EINVAL");
    pieces[0] = (struct iovec){ (void *)1, 5 };
    tap_ok(readv(file, pieces, 1) == -1 && errno == EFAULT && readv(file, (void *)4, 1) == -1 &&
               errno == EFAULT,
           "test_a_piece_that_is_nowhere_is_EFAULT");
    close(file);
    unlink("/tmp/pieces");
}

// The signal waits behind the mask: only the wait lets it through.
static void test_masks(void)
{
    struct sigaction action = { .sa_handler = on_signal };
    sigset_t blocked, none;
    struct timespec second = { .tv_sec = 1 };
    sigaction(SIGUSR1, &action, NULL);
    sigemptyset(&none);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    raise(SIGUSR1);
    int before = handled;
    tap_ok(ppoll(NULL, 0, &second, &none) == -1 && errno == EINTR && handled == before + 1,
           "test_ppoll_waits_with_its_mask");
    raise(SIGUSR1);
    tap_ok(handled == before + 1, "test_ppoll_brings_the_mask_back");
    tap_ok(pselect(0, NULL, NULL, NULL, &second, &none) == -1 && errno == EINTR &&
               handled == before + 2,
           "test_pselect_waits_with_its_mask");
    sigprocmask(SIG_UNBLOCK, &blocked, NULL);
}

static void test_nowhere(void)
{
    char kept = 1;
    void *volatile bad = (void *)1; // The compiler would warn.
    bool good = clock_gettime(CLOCK_MONOTONIC, bad) == -1 && errno == EFAULT;
    good = good && nanosleep(bad, NULL) == -1 && errno == EFAULT;
    good = good && sigprocmask(SIG_BLOCK, bad, NULL) == -1 && errno == EFAULT;
    good = good && sigaction(SIGUSR1, NULL, bad) == -1 && errno == EFAULT;
    good = good && pipe(bad) == -1 && errno == EFAULT && fstat(0, bad) == -1 && errno == EFAULT;
    good = good && poll(bad, 1, 0) == -1 && errno == EFAULT && sem_post(bad) == -1 &&
           errno == EINVAL;
    tap_ok(good && kept == 1, "test_pointers_to_nowhere_are_EFAULT");
    tap_ok(open((char *)bad, O_RDONLY) == -1 && errno == EFAULT, "test_a_path_nowhere_is_EFAULT");
}

static void test_program(void)
{
    struct timespec step;
    tap_ok(getenv("COLOUR") && strcmp(getenv("COLOUR"), "blue") == 0 && !getenv("NOTHING"),
           "test_getenv");
    tap_ok(sbrk((ptrdiff_t)1 << (sizeof(ptrdiff_t) * 8 - 2)) == (void *)-1 && errno == ENOMEM,
           "test_the_heap_ends_with_ENOMEM");
    errno = 0;
    tap_ok(!malloc(SIZE_MAX / 4) && errno == ENOMEM, "test_malloc_of_too_much_is_ENOMEM");
    tap_ok(clock_getres(CLOCK_MONOTONIC, &step) == 0 && step.tv_sec == 0 && step.tv_nsec > 0,
           "test_clock_getres");
}

static void test_aligned_memory(void)
{
    void *memory = NULL;
    enum { SECTOR = 512, PAGE = 4096 };
    bool good = posix_memalign(&memory, PAGE, SECTOR) == 0 && (uintptr_t)memory % PAGE == 0;
    free(memory);
    tap_ok(good && posix_memalign(&memory, 3, 1) == EINVAL &&
               posix_memalign(&memory, sizeof(void *) / 2, 1) == EINVAL,
           "test_posix_memalign_takes_powers_of_two_from_a_pointers_size_on");
    errno = 0;
    tap_ok(posix_memalign(&memory, PAGE, SIZE_MAX / 4) == ENOMEM && errno == 0,
           "test_posix_memalign_says_ENOMEM_and_leaves_errno");
    memory = aligned_alloc(SECTOR, SECTOR);
    tap_ok(memory && (uintptr_t)memory % SECTOR == 0, "test_aligned_alloc");
    free(memory);
}

static void test_what_is_known(void)
{
    errno = 0;
    tap_ok(sysconf(_SC_THREADS) == -1 && sysconf(_SC_ARG_MAX) == -1 && errno == 0,
           "test_sysconf_of_what_is_not_there_leaves_errno");
    tap_ok(sysconf(_SC_ATEXIT_MAX) >= 32, "test_sysconf_of_ATEXIT_MAX");
    tap_ok(sysconf(-1) == -1 && errno == EINVAL, "test_sysconf_of_no_name_is_EINVAL");
    tap_ok(strlen(strerror(ESTALE)) > 0 && strlen(strerror(EDQUOT)) > 0 &&
               strcmp(strerror(ENOENT), strerror(EIO)) != 0,
           "test_errors_that_newlib_has_no_words_for_have_some");
}

int main(void)
{
    tap_plan(31);
    test_offsets();
    test_pieces();
    test_masks();
    test_nowhere();
    test_program();
    test_aligned_memory();
    test_what_is_known();
    return tap_done();
}
