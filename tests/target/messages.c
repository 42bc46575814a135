// Many parts: of messages (sendmsg, recvmsg) on both kinds of socket pairs, and of vectors (readv,
// writev) up to IOV_MAX, on files and streams. And what comes with a message: flags, no address, no
// control data.
#include <aio.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/tap.h"

enum { EACH = 7, ALL = IOV_MAX * EACH, LARGE = 40000 };

static char text[LARGE], back[LARGE];
static struct iovec many[IOV_MAX], into[IOV_MAX];
static volatile int pipes_broken;

static void on_pipe(int number)
{
    (void)number;
    pipes_broken++;
}

// Pieces of EACH bytes; those to be read into lie backwards.
static void cut(void)
{
    memset(back, 0, sizeof back);
    for (int i = 0; i < IOV_MAX; i++) {
        many[i] = (struct iovec){ text + (ptrdiff_t)i * EACH, EACH };
        into[i] = (struct iovec){ back + (ptrdiff_t)(IOV_MAX - 1 - i) * EACH, EACH };
    }
}

static bool all_came(void)
{
    bool same = true;
    for (int i = 0; i < IOV_MAX; i++)
        same &= memcmp(into[i].iov_base, many[i].iov_base, EACH) == 0;
    return same;
}

static void test_vectors(int from, int to, bool file, const char *name)
{
    cut();
    bool right = writev(to, many, IOV_MAX) == ALL;
    if (file)
        lseek(from, 0, SEEK_SET);
    right = right && readv(from, into, IOV_MAX) == ALL && all_came();
    tap_ok(right, name);
}

static int error_of(ssize_t result)
{
    return result == -1 ? errno : 0;
}

static void test_datagrams(int from, int to)
{
    struct iovec three[] = { { text, 3 }, { NULL, 0 }, { text + 3, 4 } };
    struct iovec two[] = { { back, 2 }, { back + 10, 3 } };
    struct msghdr out = { .msg_iov = three, .msg_iovlen = 3 };
    struct msghdr in = { .msg_name = back,
                         .msg_namelen = 9,
                         .msg_iov = two,
                         .msg_iovlen = 2,
                         .msg_control = back,
                         .msg_controllen = 99,
                         .msg_flags = -1 };
    memset(back, 0, sizeof back);
    bool right = sendmsg(to, &out, 0) == 7 && send(to, "next", 4, 0) == 4;
    right = right && recvmsg(from, &in, 0) == 5 && memcmp(back, text, 2) == 0 &&
            memcmp(back + 10, text + 2, 3) == 0;
    tap_ok(right && in.msg_flags == MSG_TRUNC, "test_parts_are_one_datagram_which_may_be_cut");
    tap_ok(in.msg_namelen == 0 && in.msg_controllen == 0, "test_neither_name_nor_control_comes");
    tap_ok(recvmsg(from, &in, 0) == 4 && in.msg_flags == 0 && memcmp(back + 10, "xt", 2) == 0,
           "test_the_next_one_is_whole");
    tap_equal(error_of(recvmsg(from, &in, MSG_DONTWAIT)), EAGAIN, "test_dontwait_is_EAGAIN");
    out.msg_iovlen = in.msg_iovlen = 0;
    right = sendmsg(to, &out, 0) == 0 && send(to, "cut", 3, 0) == 3 && recvmsg(from, &in, 0) == 0;
    tap_ok(right && in.msg_flags == 0 && recvmsg(from, &in, 0) == 0 && in.msg_flags == MSG_TRUNC,
           "test_no_parts_are_an_empty_datagram");
    struct iovec large[] = { { text, 10000 }, { text, 10000 } };
    out = (struct msghdr){ .msg_iov = large, .msg_iovlen = 2 };
    tap_equal(error_of(sendmsg(to, &out, 0)), EMSGSIZE, "test_a_datagram_too_large_is_EMSGSIZE");
    tap_equal(error_of(recv(from, back, 1, MSG_DONTWAIT)), EAGAIN, "test_and_nothing_of_it_came");
}

static void test_refusals(int from, int to)
{
    struct iovec parts[] = { { text, 3 }, { (void *)8, 4 } };
    struct msghdr out = { .msg_iov = parts, .msg_iovlen = IOV_MAX + 1 };
    struct cmsghdr control = { .cmsg_len = sizeof control };
    tap_equal(error_of(sendmsg(to, &out, 0)), EMSGSIZE, "test_too_many_parts_are_EMSGSIZE");
    out.msg_iovlen = 2;
    tap_ok(error_of(sendmsg(to, &out, 0)) == EFAULT && error_of(recvmsg(from, &out, 0)) == EFAULT,
           "test_a_part_that_is_nowhere_is_EFAULT");
    out.msg_iovlen = 1;
    out.msg_control = &control;
    out.msg_controllen = sizeof control;
    tap_equal(error_of(sendmsg(to, &out, 0)), EOPNOTSUPP, "test_nothing_is_passed_beside");
    out.msg_controllen = 0;
    out.msg_name = text;
    out.msg_namelen = 5;
    tap_equal(error_of(sendmsg(to, &out, 0)), EISCONN, "test_no_address_is_taken");
    tap_equal(error_of(sendmsg(1, &(struct msghdr){ .msg_iov = parts, .msg_iovlen = 1 }, 0)),
              ENOTSOCK, "test_a_file_is_no_socket");
}

static void test_stream(int from, int to)
{
    struct msghdr out = { .msg_iov = many, .msg_iovlen = IOV_MAX };
    struct msghdr in = { .msg_iov = into, .msg_iovlen = IOV_MAX };
    cut();
    tap_ok(sendmsg(to, &out, MSG_DONTWAIT) == ALL && recvmsg(from, &in, MSG_WAITALL) == ALL &&
               all_came() && in.msg_flags == 0,
           "test_1024_parts_of_a_stream");
    struct iovec large[] = { { text, LARGE / 2 }, { text + LARGE / 2, LARGE / 2 } };
    out = (struct msghdr){ .msg_iov = large, .msg_iovlen = 2 };
    ssize_t sent = sendmsg(to, &out, MSG_DONTWAIT);
    tap_ok(sent > 0 && sent < LARGE && recv(from, back, LARGE, 0) == sent &&
               memcmp(back, text, (size_t)sent) == 0,
           "test_what_does_not_fit_without_waiting_is_a_short_count");
    in = (struct msghdr){ .msg_iov = large, .msg_iovlen = 2 }; // Larger than any buffer here.
    sent = sendmsg(to, &out, MSG_DONTWAIT);
    tap_ok(sent > 0 && recvmsg(from, &in, 0) == sent, "test_without_waitall_what_is_there_will_do");
    close(from);
    signal(SIGPIPE, on_pipe);
    bool right = error_of(sendmsg(to, &out, MSG_NOSIGNAL)) == EPIPE && pipes_broken == 0;
    right &= error_of(sendmsg(to, &out, 0)) == EPIPE && pipes_broken == 1;
    tap_ok(right, "test_nosignal_is_for_messages_too");
}

// A callback that appends on and on.
static struct aiocb other;
static volatile bool appending;

static void append_again(union sigval value)
{
    (void)value;
    aio_return(&other);
    if (appending)
        aio_write(&other);
}

// Result: how many records of either kind there are; -1: one is torn.
static int records_in(int fd)
{
    int count = 0;
    char record[9];
    for (off_t at = 0; pread(fd, record, 3, at) == 3; count++) {
        bool mine = record[0] == 'a';
        if (mine && pread(fd, record, 9, at) != 9)
            return -1;
        if (memcmp(record, mine ? "aaabbbccc" : "xxx", mine ? 9 : 3) != 0)
            return -1;
        at += mine ? 9 : 3;
    }
    return count;
}

static void test_appending(void)
{
    struct iovec parts[] = { { "aaa", 3 }, { "bbb", 3 }, { "ccc", 3 } };
    int fd = open("/tmp/appended", O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0600);
    int good = 0, rounds = 200;
    other = (struct aiocb){ .aio_fildes = fd, .aio_buf = "xxx", .aio_nbytes = 3 };
    other.aio_sigevent.sigev_notify = SIGEV_THREAD;
    other.aio_sigevent.sigev_notify_function = append_again;
    appending = true;
    aio_write(&other);
    for (int i = 0; i < rounds; i++)
        good += writev(fd, parts, 3) == 9;
    appending = false;
    while (aio_error(&other) == EINPROGRESS)
        ;
    tap_ok(good == rounds && records_in(fd) > rounds, "test_an_appended_vector_stays_together");
    close(fd);
    unlink("/tmp/appended");
}

static void test_a_long_append(void)
{
    struct iovec parts[] = { { text, 15000 },
                             { text + 15000, 5000 },
                             { text + 20000, LARGE - 20000 } };
    int fd = open("/tmp/appended", O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0600);
    memset(back, 0, sizeof back);
    tap_ok(writev(fd, parts, 3) == LARGE && pread(fd, back, LARGE, 0) == LARGE &&
               memcmp(back, text, LARGE) == 0,
           "test_an_appended_vector_may_be_longer_than_any_buffer");
    close(fd);
    unlink("/tmp/appended");
}

static void test_nothing_is_lost(void)
{
    int ends[2];
    struct iovec parts[] = { { back, 2 }, { (void *)8, 4 } };
    pipe(ends);
    write(ends[1], "kept", 4);
    tap_ok(error_of(readv(ends[0], parts, 2)) == EFAULT && read(ends[0], back, 9) == 4 &&
               memcmp(back, "kept", 4) == 0,
           "test_what_could_not_be_stored_stays_in_the_pipe");
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    int ends[2], file = open("/tmp/parts", O_RDWR | O_CREAT | O_TRUNC, 0600);
    tap_plan(22);
    for (int i = 0; i < LARGE; i++)
        text[i] = (char)(i * 13 + i / 256);
    test_vectors(file, file, true, "test_1024_pieces_of_a_file");
    pipe(ends);
    test_vectors(ends[0], ends[1], false, "test_1024_pieces_through_a_pipe");
    socketpair(AF_UNIX, SOCK_DGRAM, 0, ends);
    test_vectors(ends[0], ends[1], false, "test_1024_pieces_are_one_message");
    test_datagrams(ends[0], ends[1]);
    test_refusals(ends[0], ends[1]);
    socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    test_stream(ends[0], ends[1]);
    test_appending();
    test_a_long_append();
    test_nothing_is_lost();
    return tap_done();
}
