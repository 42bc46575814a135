// Pairs of sockets as a program sees them: streams and datagrams, send buffers, shutdown, closed
// peers, options, and the refusal of everything that needs an address.
// Under instruction counting: how long main has the CPU to itself does not depend on the host then.
// qemu: -icount shift=0,sleep=off
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "fs/socket.h"
#include "tests/tap.h"
#include "tests/target/stream_requests.h"

enum { BIG = 100000 };

static int fds[2];
static char data[BIG], got[BIG];

static void open_pair(int type)
{
    if (socketpair(AF_UNIX, type, 0, fds) != 0)
        printf("Bail out! no sockets\n");
    memset(got, 0, sizeof got);
}

static void close_pair(void)
{
    close(fds[0]);
    close(fds[1]);
}

static int option(int fd, int name)
{
    int value = -1;
    socklen_t length = sizeof value;
    return getsockopt(fd, SOL_SOCKET, name, &value, &length) == 0 ? value : -1;
}

static int set_option(int fd, int name, int value)
{
    return setsockopt(fd, SOL_SOCKET, name, &value, sizeof value);
}

static void test_stream(void)
{
    open_pair(SOCK_STREAM);
    tap_ok(write(fds[0], "there", 5) == 5 && write(fds[1], "back", 4) == 4 &&
               read(fds[1], got, 99) == 5 && memcmp(got, "there", 5) == 0 &&
               read(fds[0], got, 99) == 4 && memcmp(got, "back", 4) == 0,
           "test_a_stream_socket_goes_both_ways");
    send(fds[0], "one", 3, 0);
    send(fds[0], "two", 3, MSG_NOSIGNAL);
    tap_ok(recv(fds[1], got, 99, 0) == 6 && memcmp(got, "onetwo", 6) == 0,
           "test_a_stream_keeps_no_boundaries");
    tap_equal(errno_of(recv(fds[1], got, 9, MSG_DONTWAIT)), EAGAIN,
              "test_msg_dontwait_does_not_wait");
    struct aiocb writing = aio_block(fds[0], data, BIG);
    aio_write(&writing);
    tap_equal(recv(fds[1], got, BIG, MSG_WAITALL), BIG, "test_msg_waitall_waits_for_all");
    tap_equal(aio_finish(&writing), BIG, "test_aio_writes_to_a_socket");
    tap_ok(memcmp(got, data, BIG) == 0, "test_a_stream_keeps_the_order_of_bytes");
    close_pair();
    open_pair(SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC);
    tap_equal(errno_of(read(fds[1], got, 9)), EAGAIN, "test_sock_nonblock_does_not_wait");
    close_pair();
}

static void test_datagrams(void)
{
    open_pair(SOCK_DGRAM);
    send(fds[0], "first", 5, 0);
    send(fds[0], "", 0, 0);
    send(fds[0], "second", 6, 0);
    tap_equal(recv(fds[1], got, 2, 0), 2, "test_a_datagram_is_cut_to_the_buffer");
    tap_equal(recv(fds[1], got, 99, 0), 0, "test_a_datagram_may_be_empty");
    tap_ok(recv(fds[1], got, 99, 0) == 6 && memcmp(got, "second", 6) == 0,
           "test_a_datagram_has_boundaries");
    tap_equal(set_option(fds[0], SO_SNDBUF, 2000), 0, "test_the_send_buffer_has_a_size");
    tap_equal(option(fds[0], SO_SNDBUF), 2000, "test_which_can_be_asked");
    tap_equal(errno_of(send(fds[0], data, 2001, 0)), EMSGSIZE,
              "test_a_message_larger_than_the_send_buffer_is_emsgsize");
    send(fds[0], data, 1500, 0);
    tap_equal(errno_of(send(fds[0], data, 501, MSG_DONTWAIT)), EAGAIN,
              "test_a_full_send_buffer_is_eagain");
    tap_equal(send(fds[1], data, 2001, 0), 2001, "test_the_other_end_has_its_own");
    struct aiocb writing = aio_block(fds[0], data, 501);
    aio_write(&writing);
    tap_equal(aio_error(&writing), EINPROGRESS, "test_or_waits");
    tap_ok(read(fds[1], got, BIG) == 1500 && aio_finish(&writing) == 501 &&
               read(fds[1], got, BIG) == 501,
           "test_until_the_peer_has_read");
    close_pair();
}

static void test_cancel(void)
{
    struct io_request request = { 0 };
    open_pair(SOCK_DGRAM);
    start(fds[0], &request, IO_READ, got, 10);
    tap_ok(io_cancel(&request) == 0 && io_wait(&request) == -ECANCELED,
           "test_a_blocked_read_can_be_cancelled");
    send(fds[0], data, SOCKET_SEND_LIMIT, 0);
    start(fds[0], &request, IO_WRITE, data, 10);
    tap_ok(io_cancel(&request) == 0 && io_wait(&request) == -ECANCELED,
           "test_a_waiting_datagram_can_be_cancelled");
    tap_equal(read(fds[1], got, BIG), SOCKET_SEND_LIMIT, "test_the_one_before_it_stays");
    close_pair();
    open_pair(SOCK_STREAM);
    start(fds[0], &request, IO_WRITE, data, BIG);
    recv(fds[1], got, 1, 0);
    tap_equal(io_cancel(&request), -EBUSY, "test_a_started_write_cannot_be_cancelled");
    while (ready(fds[0]) & IO_READY_WRITE)
        usleep(10);
    close(fds[1]);
    ssize_t result = io_wait(&request);
    tap_ok(result > 0 && result < BIG, "test_a_partly_done_write_reports_its_count");
    close(fds[0]);
}

static void test_closed_peer(void)
{
    open_pair(SOCK_STREAM);
    send(fds[1], "rest", 4, 0);
    close(fds[1]);
    tap_ok(read(fds[0], got, 99) == 4 && read(fds[0], got, 99) == 0,
           "test_a_stream_ends_with_its_peer");
    tap_equal(errno_of(send(fds[0], "x", 1, 0)), EPIPE, "test_a_closed_peer_is_epipe");
    close(fds[0]);
    open_pair(SOCK_DGRAM);
    close(fds[1]);
    tap_equal(errno_of(send(fds[0], "x", 1, 0)), ECONNREFUSED,
              "test_a_datagram_to_a_closed_peer_is_econnrefused");
    close(fds[0]);
}

static void test_shutdown(void)
{
    struct io_request request = { 0 };
    open_pair(SOCK_STREAM);
    send(fds[0], "last", 4, 0);
    tap_equal(shutdown(fds[0], SHUT_WR), 0, "test_writing_is_shut_down");
    tap_equal(errno_of(send(fds[0], "x", 1, 0)), EPIPE, "test_no_more_is_written");
    tap_ok(read(fds[1], got, 99) == 4 && read(fds[1], got, 99) == 0, "test_the_peer_gets_the_end");
    tap_equal(send(fds[1], "answer", 6, 0), 6, "test_and_may_still_answer");
    tap_equal(read(fds[0], got, 99), 6, "test_which_is_read");
    start(fds[0], &request, IO_READ, got, 99);
    shutdown(fds[0], SHUT_RD);
    tap_equal(io_wait(&request), 0, "test_shutting_down_reading_ends_a_read");
    tap_equal(errno_of(send(fds[1], "x", 1, 0)), EPIPE, "test_and_the_peers_writes");
    tap_equal(errno_of(shutdown(fds[0], 3)), EINVAL, "test_shutdown_knows_three_ways");
    close_pair();
}

static void test_readiness(void)
{
    open_pair(SOCK_STREAM);
    tap_equal(ready(fds[0]), IO_READY_WRITE, "test_a_new_socket_is_writable");
    struct aiocb block = aio_block(fds[0], data, SOCKET_SEND_LIMIT);
    aio_write(&block);
    tap_equal(ready_after_poll(fds[1], IO_READY_READ), IO_READY_READ,
              "test_a_poll_ends_when_bytes_come");
    aio_finish(&block);
    tap_equal(ready(fds[0]), 0, "test_a_full_socket_is_not_writable");
    block = aio_block(fds[1], got, BIG);
    aio_read(&block);
    tap_equal(ready_after_poll(fds[0], IO_READY_WRITE), IO_READY_WRITE,
              "test_a_poll_ends_when_there_is_room");
    aio_finish(&block);
    close(fds[1]);
    tap_ok(ready_after_poll(fds[0], 0) & IO_READY_HANGUP, "test_a_poll_ends_with_hangup");
    close(fds[0]);
}

static void test_options(void)
{
    int value = 0;
    socklen_t length = sizeof value;
    open_pair(SOCK_DGRAM);
    tap_equal(option(fds[0], SO_TYPE), SOCK_DGRAM, "test_so_type");
    tap_equal(option(fds[0], SO_ERROR), 0, "test_so_error");
    tap_equal(option(fds[0], SO_SNDBUF), SOCKET_SEND_LIMIT, "test_so_sndbuf_at_first");
    set_option(fds[0], SO_SNDBUF, 1);
    tap_equal(option(fds[0], SO_SNDBUF), SOCKET_SEND_LEAST, "test_so_sndbuf_has_a_least");
    set_option(fds[0], SO_SNDBUF, 1 << 30);
    tap_equal(option(fds[0], SO_SNDBUF), SOCKET_SEND_LIMIT, "test_so_sndbuf_has_a_most");
    set_option(fds[0], SO_RCVBUF, 5000);
    tap_equal(option(fds[0], SO_RCVBUF), 5000, "test_so_rcvbuf_is_remembered");
    tap_equal(errno_of(set_option(fds[0], SO_TYPE, SOCK_STREAM)), ENOPROTOOPT,
              "test_so_type_is_not_set");
    tap_equal(errno_of(getsockopt(fds[0], 6, SO_TYPE, &value, &length)), ENOPROTOOPT,
              "test_options_of_other_levels");
    length = 1;
    tap_equal(errno_of(getsockopt(fds[0], SOL_SOCKET, SO_TYPE, &value, &length)), EINVAL,
              "test_options_need_room");
    tap_equal(errno_of(getsockopt(0, SOL_SOCKET, SO_TYPE, &value, &length)), ENOTSOCK,
              "test_the_console_is_no_socket");
    tap_equal(errno_of(setsockopt(99, SOL_SOCKET, SO_SNDBUF, &value, sizeof value)), EBADF,
              "test_options_of_no_descriptor");
    close_pair();
}

static void test_refusals(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "/tmp/socket" };
    struct iovec parts[2] = { { data, 3 }, { data, 4 } };
    struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
    int more[2];
    tap_equal(errno_of(socket(AF_INET, SOCK_STREAM, 0)), EAFNOSUPPORT, "test_there_is_no_network");
    tap_equal(errno_of(socketpair(AF_INET, SOCK_STREAM, 0, more)), EAFNOSUPPORT,
              "test_pairs_are_af_unix");
    tap_equal(errno_of(socketpair(AF_UNIX, SOCK_RAW, 0, more)), EPROTOTYPE,
              "test_pairs_are_streams_or_datagrams");
    tap_equal(errno_of(socketpair(AF_UNIX, SOCK_STREAM, 17, more)), EPROTONOSUPPORT,
              "test_pairs_have_no_protocol");
    open_pair(SOCK_DGRAM);
    tap_equal(errno_of(bind(fds[0], (struct sockaddr *)&address, sizeof address)), EOPNOTSUPP,
              "test_a_pair_is_not_bound");
    tap_equal(errno_of(send(fds[0], data, 1, MSG_OOB)), EOPNOTSUPP, "test_send_knows_its_flags");
    tap_equal(errno_of(recv(fds[0], data, 1, MSG_PEEK)), EOPNOTSUPP, "test_recv_knows_its_flags");
    tap_equal(errno_of(sendto(fds[0], data, 1, 0, (struct sockaddr *)&address, sizeof address)),
              EISCONN, "test_sendto_needs_no_address");
    message.msg_iovlen = 1;
    tap_ok(sendmsg(fds[0], &message, 0) == 3 && recvmsg(fds[1], &message, 0) == 3,
           "test_a_message_is_sent_and_received");
    tap_equal(errno_of(send(0, data, 1, 0)), ENOTSOCK, "test_send_to_the_console_is_enotsock");
    tap_equal(errno_of(send(99, data, 1, 0)), EBADF, "test_send_to_nobody_is_ebadf");
    close_pair();
}

static void test_cut_datagrams(void)
{
    struct iovec part = { got, 2 };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
    open_pair(SOCK_DGRAM);
    send(fds[0], "long", 4, 0);
    send(fds[0], "ok", 2, 0);
    tap_ok(recvmsg(fds[1], &message, 0) == 2 && message.msg_flags == MSG_TRUNC,
           "test_recvmsg_says_that_a_datagram_has_been_cut");
    tap_ok(recvmsg(fds[1], &message, 0) == 2 && message.msg_flags == 0,
           "test_and_that_one_is_whole");
    send(fds[0], "taken", 5, 0);
    send(fds[0], "", 0, 0);
    send(fds[0], "next", 4, 0);
    got[0] = 'x';
    tap_ok(recv(fds[1], got, 0, 0) == 0 && got[0] == 'x', "test_recv_of_no_bytes_is_0");
    part.iov_len = 0;
    tap_ok(recvmsg(fds[1], &message, 0) == 0 && message.msg_flags == 0,
           "test_an_empty_datagram_is_not_cut");
    tap_equal(recv(fds[1], got, 9, 0), 4, "test_recv_of_no_bytes_takes_its_datagram");
    tap_equal(errno_of(recv(fds[1], got, 0, MSG_DONTWAIT)), EAGAIN,
              "test_without_one_it_waits_like_any_other");
    close_pair();
}

// What happens while main sleeps in recv(fds[1]): a callback runs, again and again, until it finds
// main there.
static struct {
    struct timer timer;
    struct callback callback;
    void (*action)(void);
} meanwhile;

enum { MEANWHILE_NS = 1000000 };

static void meanwhile_again(void)
{
    timer_arm(&meanwhile.timer, clock_now_ns() + MEANWHILE_NS);
}

static void meanwhile_expired(struct timer *timer)
{
    (void)timer;
    callback_post_isr(&meanwhile.callback);
}

static void meanwhile_run(struct callback *callback)
{
    (void)callback;
    if (file_snapshot(fds[1]).device->lanes[0].in_flight > 0)
        meanwhile.action();
    else
        meanwhile_again();
}

static void do_meanwhile(void (*action)(void))
{
    meanwhile.timer.expired = meanwhile_expired;
    meanwhile.callback.run = meanwhile_run;
    meanwhile.action = action;
    meanwhile_again();
}

static int others[2], sender;

// The number of the socket that main reads from is given to another one.
static void exchange_sockets(void)
{
    send(fds[0], "AA", 2, 0);
    sender = dup(fds[0]);
    close(fds[1]);
    if (dup(others[1]) != fds[1])
        printf("Bail out! the number is not free\n");
    send(others[0], "CC", 2, 0);
    send(sender, "BB", 2, 0);
}

static void test_waitall_keeps_to_its_socket(void)
{
    open_pair(SOCK_STREAM);
    socketpair(AF_UNIX, SOCK_STREAM, 0, others);
    do_meanwhile(exchange_sockets);
    ssize_t size = recv(fds[1], got, 4, MSG_WAITALL);
    if (!tap_ok(size == 4 && memcmp(got, "AABB", 4) == 0,
                "test_msg_waitall_reads_from_one_socket_only"))
        tap_note("%d bytes: %.4s", (int)size, got);
    tap_equal(errno_of(send(sender, "x", 1, 0)), EPIPE, "test_which_is_closed_after_it");
    close(sender);
    close(others[0]);
    close(others[1]);
    close_pair();
}

static void on_signal(int number)
{
    (void)number;
}

static void raise_signal(void)
{
    raise(SIGUSR1);
}

static void send_part_and_raise(void)
{
    send(fds[0], "AA", 2, 0);
    do_meanwhile(raise_signal);
}

static void test_interruption(void)
{
    struct sigaction action = { .sa_handler = on_signal };
    sigaction(SIGUSR1, &action, NULL);
    open_pair(SOCK_STREAM);
    do_meanwhile(raise_signal);
    tap_equal(errno_of(recv(fds[1], got, 4, 0)), EINTR, "test_a_handler_ends_recv_with_eintr");
    do_meanwhile(send_part_and_raise);
    tap_equal(recv(fds[1], got, 4, MSG_WAITALL), 2, "test_or_with_what_has_come");
    close_pair();
}

static void test_limit(void)
{
    int all[SOCKET_PAIR_LIMIT][2], more[2];
    int error = 0;
    for (int i = 0; i < SOCKET_PAIR_LIMIT; i++)
        error |= socketpair(AF_UNIX, SOCK_STREAM, 0, all[i]);
    tap_equal(error, 0, "test_pairs_up_to_their_limit");
    tap_equal(errno_of(socketpair(AF_UNIX, SOCK_STREAM, 0, more)), ENFILE,
              "test_pairs_beyond_are_enfile");
    for (int i = 0; i < SOCKET_PAIR_LIMIT; i++) {
        close(all[i][0]);
        close(all[i][1]);
    }
}

// Two ends in two callbacks, each of which sends on what it has received, while main computes.
static struct aiocb ends[2];
static char balls[2];
static volatile unsigned passes;

static void pass_on(union sigval value)
{
    struct aiocb *block = value.sival_ptr;
    int which = block == &ends[1];
    if (aio_return(block) == 1 && ++passes < 1000) {
        balls[which]++;
        write(fds[which], &balls[which], 1);
        aio_read(block);
    }
}

static void test_ping_pong(void)
{
    open_pair(SOCK_STREAM);
    for (int i = 0; i < 2; i++) {
        ends[i] = aio_block(fds[i], &balls[i], 1);
        aio_notify(&ends[i], pass_on);
        aio_read(&ends[i]);
    }
    volatile unsigned computed = 0;
    write(fds[0], "", 1); // A zero.
    while (passes < 1000)
        computed++;
    tap_ok(balls[0] == (char)999 || balls[1] == (char)999, "test_callbacks_talk_to_each_other");
    tap_ok(computed > 0, "test_while_main_computes");
    close_pair();
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    tap_plan(74);
    test_stream();
    test_datagrams();
    test_cancel();
    test_closed_peer();
    test_shutdown();
    test_readiness();
    test_options();
    test_refusals();
    test_cut_datagrams();
    test_waitall_keeps_to_its_socket();
    test_interruption();
    test_limit();
    test_ping_pong();
    return tap_done();
}
