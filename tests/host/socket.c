// The rules of a pair of sockets, one by one, over the real core.
// sources: fs/socket.c fs/channel.c fs/ring.c
// sources: aio/*.c drivers/device.c
#include "fs/socket.h"

#include "tests/host/stream_model.h"

static struct device *left, *right;
static char data[2 * RING_SIZE], got[2 * RING_SIZE];

static void fresh(bool datagrams)
{
    struct device *ends[2];
    if (socket_pair_create(datagrams, ends) != 0)
        printf("Bail out! no sockets\n");
    left = ends[0];
    right = ends[1];
    memset(got, 0, sizeof got);
}

static void end(void)
{
    io_close(left);
    io_close(right);
    fake_run_all();
}

static void test_both_ways(void)
{
    fresh(false);
    write_now(left, "to the right", 12);
    write_now(right, "to the left", 11);
    tap_ok(read_now(right, got, 99) == 12 && memcmp(got, "to the right", 12) == 0,
           "test_socket_carries_bytes_one_way");
    tap_ok(read_now(left, got, 99) == 11 && memcmp(got, "to the left", 11) == 0,
           "test_and_others_the_other_way");
    struct io_request reading = { 0 };
    move(left, &reading, IO_READ, got, 10);
    tap_equal(write_now(left, "full", 4), 4, "test_socket_is_written_while_it_is_read");
    tap_ok(io_in_flight(&reading), "test_socket_does_not_read_what_it_writes");
    io_cancel(&reading);
    end();
}

static void test_stream_limit(void)
{
    struct io_request writing = { 0 };
    fresh(false);
    tap_equal((long long)socket_send_limit_locked(socket_of(left)), SOCKET_SEND_LIMIT,
              "test_send_buffer_at_first");
    socket_set_send_limit_locked(socket_of(left), 1000);
    tap_equal(write_now(left, data, 5000), 1000, "test_stream_takes_what_fits_the_send_buffer");
    tap_equal(write_now(left, data, 1), -EAGAIN, "test_full_send_buffer_is_eagain");
    move(left, &writing, IO_WRITE, data, 600);
    tap_ok(io_in_flight(&writing), "test_full_send_buffer_waits");
    socket_set_send_limit_locked(socket_of(left), 2000);
    fake_run_all();
    tap_equal(writing.result, 600, "test_larger_send_buffer_lets_a_writer_go_on");
    tap_equal(write_now(right, data, 5000), 5000, "test_send_buffer_is_each_ends_own");
    socket_set_send_limit_locked(socket_of(left), 0);
    tap_equal((long long)socket_send_limit_locked(socket_of(left)), SOCKET_SEND_LEAST,
              "test_send_buffer_has_a_least_size");
    socket_set_send_limit_locked(socket_of(left), (size_t)-1);
    tap_equal((long long)socket_send_limit_locked(socket_of(left)), SOCKET_SEND_LIMIT,
              "test_and_a_largest");
    end();
}

static void test_datagrams(void)
{
    struct io_request request = { 0 };
    fresh(true);
    write_now(left, "one", 3);
    write_now(left, "", 0);
    write_now(left, "three", 5);
    write_now(left, "four", 4);
    tap_equal(read_now(right, got, 99), 3, "test_datagram_is_read_alone");
    tap_equal(read_now(right, got, 99), 0, "test_datagram_of_no_bytes_is_one");
    tap_ok(read_now(right, got, 2) == 2 && memcmp(got, "th", 2) == 0,
           "test_datagram_is_cut_to_the_buffer");
    tap_ok(read_now(right, got, 99) == 4 && memcmp(got, "four", 4) == 0,
           "test_rest_of_a_cut_datagram_is_lost");
    tap_equal(read_now(right, got, 99), -EAGAIN, "test_no_datagram_is_eagain");
    move(right, &request, IO_READ, got, 99);
    write_now(left, "x", 1);
    tap_equal(request.result, 1, "test_waiting_read_gets_the_next_datagram");
    end();
}

static void test_datagram_limit(void)
{
    struct io_request writing = { 0 };
    fresh(true);
    socket_set_send_limit_locked(socket_of(left), 1000);
    tap_equal(move(left, &writing, IO_WRITE, data, 1001), -EMSGSIZE,
              "test_datagram_larger_than_the_send_buffer_is_emsgsize");
    tap_equal(write_now(left, data, 1000), 1000, "test_datagram_as_large_as_that_is_not");
    tap_equal(write_now(left, data, 1), -EAGAIN, "test_datagram_to_a_full_buffer_is_eagain");
    tap_equal(move(left, &writing, IO_WRITE, data, 1), -EINPROGRESS, "test_or_waits");
    tap_equal(io_cancel(&writing), 0, "test_and_can_be_cancelled");
    fake_run_all();
    move(left, &writing, IO_WRITE, data, 2);
    tap_ok(read_now(right, got, 2000) == 1000 && writing.result == 2 &&
               read_now(right, got, 2000) == 2,
           "test_or_follows_when_there_is_room");
    socket_set_send_limit_locked(socket_of(left), SOCKET_SEND_LIMIT);
    for (size_t i = 0; i < SOCKET_SEND_LIMIT; i++)
        data[i] = (char)text_at(i);
    tap_ok(write_now(left, data, SOCKET_SEND_LIMIT) == SOCKET_SEND_LIMIT &&
               read_now(right, got, sizeof got) == SOCKET_SEND_LIMIT &&
               memcmp(got, data, SOCKET_SEND_LIMIT) == 0,
           "test_largest_datagram_of_all");
    end();
}

// Result: how many empty datagrams a socket takes before one would have to wait.
static long long empty_datagrams(void)
{
    long long count = 0;
    while (count <= RING_SIZE && write_now(left, "", 0) == 0)
        count++;
    return count;
}

// Goal: what a message needs beside its bytes counts, in the ring and against the send buffer.
static void test_headers_count(void)
{
    struct io_request writing = { 0 };
    fresh(true);
    tap_equal(empty_datagrams(), RING_SIZE / CHANNEL_HEADER,
              "test_empty_datagrams_are_bounded_by_the_ring");
    tap_equal(write_now(left, "", 0), -EAGAIN, "test_one_more_is_eagain");
    tap_equal(io_ready_now(left), 0, "test_and_not_ready_either");
    tap_equal(move(left, &writing, IO_WRITE, data, 0), -EINPROGRESS, "test_or_waits");
    tap_ok(read_now(right, got, 9) == 0 && !io_in_flight(&writing) && writing.result == 0,
           "test_for_the_next_read");
    end();
    fresh(true);
    socket_set_send_limit_locked(socket_of(left), 1000);
    tap_equal(empty_datagrams(), 1000 / CHANNEL_HEADER + 1,
              "test_empty_datagrams_are_bounded_by_the_send_buffer");
    end();
    fresh(true);
    write_now(left, data, RING_SIZE / 2);
    size_t left_over = RING_SIZE / 2 - 2 * CHANNEL_HEADER;
    tap_equal(write_now(left, data, left_over + 1), -EAGAIN,
              "test_two_datagrams_need_room_for_two_headers");
    tap_equal(write_now(left, data, left_over), (long long)left_over, "test_which_may_just_fit");
    tap_ok(read_now(right, got, sizeof got) == RING_SIZE / 2 &&
               read_now(right, got, sizeof got) == (ssize_t)left_over,
           "test_and_both_are_read");
    end();
}

// Goal: a reader can tell that its datagram has been cut.
static void test_whole_size(void)
{
    struct io_request reading = { 0 };
    fresh(true);
    write_now(left, "whole", 5);
    write_now(left, "part", 4);
    move(right, &reading, IO_READ, got, 5);
    tap_equal((long long)reading.offset, 5, "test_whole_datagram_says_its_size");
    move(right, &reading, IO_READ, got, 2);
    tap_ok(reading.result == 2 && reading.offset == 4, "test_so_does_one_that_is_cut");
    end();
}

// A message is not torn: once it has begun it is on its way to its end, whatever happens.
static void test_datagram_under_way(void)
{
    struct io_request writing = { 0 };
    fresh(true);
    start(left, &writing, IO_WRITE, data, 10000);
    fake_run_one();
    tap_equal(io_cancel(&writing), -EALREADY, "test_datagram_that_has_begun_is_not_cancelled");
    tap_equal(read_now(right, got, 0), 0, "test_read_of_no_bytes_takes_no_datagram");
    socket_shutdown_locked(socket_of(left), false, true);
    fake_run_all();
    tap_equal(writing.result, 10000, "test_datagram_that_has_begun_survives_a_shutdown");
    tap_equal(read_now(right, got, sizeof got), 10000, "test_and_is_read");
    tap_equal(read_now(right, got, sizeof got), 0, "test_before_the_end");
    end();
}

static void test_closed_peer(void)
{
    fresh(false);
    write_now(right, "rest", 4);
    io_close(right);
    fake_run_all();
    tap_equal(write_now(left, data, 1), -EPIPE, "test_stream_write_to_a_closed_peer_is_epipe");
    tap_ok(read_now(left, got, 9) == 4 && read_now(left, got, 9) == 0,
           "test_stream_reads_the_rest_of_a_closed_peer_then_0");
    io_close(left);
    fresh(true);
    io_close(right);
    fake_run_all();
    tap_equal(write_now(left, data, 1), -ECONNREFUSED,
              "test_datagram_to_a_closed_peer_is_econnrefused");
    tap_equal(read_now(left, got, 9), 0, "test_datagram_read_from_a_closed_peer_is_0");
    io_close(left);
    fake_run_all();
}

static void test_shutdown(void)
{
    struct io_request reading = { 0 }, writing = { 0 };
    fresh(false);
    move(left, &writing, IO_WRITE, data, 2 * RING_SIZE);
    read_now(right, got, 9);
    socket_shutdown_locked(socket_of(left), false, true);
    fake_run_all();
    tap_equal(writing.result, SOCKET_SEND_LIMIT + 9,
              "test_write_under_way_at_a_shutdown_reports_its_count");
    tap_equal(write_now(left, "x", 1), -EPIPE, "test_write_after_shut_wr_is_epipe");
    tap_equal(read_now(right, got, sizeof got), SOCKET_SEND_LIMIT,
              "test_peer_reads_the_rest_after_shut_wr");
    tap_equal(read_now(right, got, 9), 0, "test_peer_then_reads_0");
    tap_equal(write_now(right, "back", 4), 4, "test_other_way_is_open_after_shut_wr");
    move(left, &reading, IO_READ, got, 9);
    move(left, &reading, IO_READ, got, 9);
    socket_shutdown_locked(socket_of(left), true, false);
    fake_run_all();
    tap_equal(reading.result, 0, "test_waiting_read_is_0_at_shut_rd");
    tap_equal(write_now(right, "x", 1), -EPIPE, "test_peers_write_after_shut_rd_is_epipe");
    tap_equal(io_ready_now(left) & IO_READY_HANGUP, IO_READY_HANGUP,
              "test_both_ways_shut_down_is_hangup");
    end();
}

static void test_readiness(void)
{
    struct io_request poll = { 0 };
    fresh(false);
    tap_equal(io_ready_now(left), IO_READY_WRITE, "test_new_socket_is_ready_to_be_written");
    io_poll(right, &poll, IO_READY_READ);
    write_now(left, data, SOCKET_SEND_LIMIT);
    tap_equal(poll.result, IO_READY_READ, "test_poll_ends_when_bytes_come");
    tap_equal(io_ready_now(left), 0, "test_full_socket_is_not_ready");
    io_poll(left, &poll, IO_READY_WRITE);
    read_now(right, got, SOCKET_SEND_LIMIT / 2);
    tap_ok(io_in_flight(&poll), "test_half_a_buffer_is_not_ready_either");
    read_now(right, got, SOCKET_SEND_LIMIT / 3);
    tap_equal(poll.result, IO_READY_WRITE, "test_poll_ends_with_most_of_the_room");
    io_poll(left, &poll, IO_READY_READ);
    socket_shutdown_locked(socket_of(right), false, true);
    fake_run_all();
    tap_equal(poll.result, IO_READY_READ, "test_poll_ends_when_the_peer_stops_writing");
    io_close(right);
    fake_run_all();
    tap_equal(io_ready_now(left), IO_READY_READ | IO_READY_WRITE | IO_READY_HANGUP,
              "test_closed_peer_is_hangup");
    io_close(left);
    fake_run_all();
}

static void shut_left(struct io_request *request)
{
    (void)request;
    socket_shutdown_locked(socket_of(left), false, true);
}

// Goal: what changes while pollers are being told is told as well.
static void test_readiness_that_changes_inside(void)
{
    struct io_request to_read = { .done = shut_left }, to_hang_up = { 0 };
    fresh(false);
    socket_shutdown_locked(socket_of(right), false, true);
    fake_run_all();
    io_poll(left, &to_hang_up, 0);
    io_poll(right, &to_read, IO_READY_READ);
    fake_run_all();
    tap_ok(io_in_flight(&to_hang_up), "test_one_way_shut_down_is_no_hangup");
    write_now(left, "x", 1);
    tap_equal(to_hang_up.result, IO_READY_HANGUP, "test_shutdown_from_a_polls_done_is_told");
    end();
}

static void test_pool(void)
{
    struct device *all[SOCKET_PAIR_LIMIT][2], *more[2];
    int error = 0;
    for (int i = 0; i < SOCKET_PAIR_LIMIT; i++)
        error |= socket_pair_create(false, all[i]);
    tap_equal(error, 0, "test_pairs_up_to_their_limit");
    tap_equal(socket_pair_create(true, more), -ENFILE, "test_pairs_beyond_are_enfile");
    io_close(all[0][1]);
    fake_run_all();
    tap_equal(socket_pair_create(true, more), -ENFILE, "test_half_a_pair_is_still_one");
    io_close(all[0][0]);
    tap_equal(socket_pair_create(true, more), 0, "test_closed_pair_is_free_at_once");
    tap_ok(write_now(more[0], "x", 1) == 1 && read_now(more[1], got, 9) == 1,
           "test_and_works_like_any_other");
    tap_ok(socket_of(more[0]) && socket_of(more[0])->datagrams && !socket_of(NULL),
           "test_sockets_are_known_by_their_device");
}

int main(void)
{
    tap_plan(68);
    test_both_ways();
    test_stream_limit();
    test_datagrams();
    test_datagram_limit();
    test_headers_count();
    test_whole_size();
    test_datagram_under_way();
    test_closed_peer();
    test_shutdown();
    test_readiness();
    test_readiness_that_changes_inside();
    test_pool();
    return tap_done();
}
