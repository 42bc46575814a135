// A pipe's rules, one by one, over the real core.
// sources: fs/pipe.c fs/channel.c fs/ring.c
// sources: aio/*.c drivers/device.c
#include "fs/pipe.h"

#include "fs/channel.h"
#include "tests/host/stream_model.h"

static struct device *reader, *writer;
static char data[5 * RING_SIZE], got[5 * RING_SIZE];

static void fresh(void)
{
    if (pipe_create(&reader, &writer) != 0)
        printf("Bail out! no pipe\n");
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (char)text_at(i);
    memset(got, 0, sizeof got);
}

static void end(void)
{
    io_close(reader);
    io_close(writer);
    fake_run_all();
}

static void test_reads(void)
{
    struct io_request request = { 0 };
    fresh();
    tap_equal(read_now(reader, got, 10), -EAGAIN, "test_nonblocking_read_of_nothing_is_eagain");
    tap_equal(move(reader, &request, IO_READ, got, 100), -EINPROGRESS,
              "test_pipe_read_waits_for_the_first_byte");
    tap_equal(write_now(writer, "abc", 3), 3, "test_pipe_write_takes_all");
    tap_ok(!io_in_flight(&request) && request.result == 3 && memcmp(got, "abc", 3) == 0,
           "test_pipe_read_returns_what_is_there");
    write_now(writer, "defg", 4);
    tap_ok(read_now(reader, got, 3) == 3 && read_now(reader, got, 3) == 1 && got[0] == 'g',
           "test_pipe_keeps_what_a_read_leaves");
    tap_equal(move(reader, &request, IO_READ, got, 0), 0, "test_pipe_read_of_no_bytes_is_0");
    end();
}

static void test_order(void)
{
    struct io_request requests[3] = { 0 };
    fresh();
    for (int i = 0; i < 3; i++)
        start(reader, &requests[i], IO_READ, got + i, 1);
    struct io_request no_wait = { .flags = IO_NONBLOCK };
    tap_equal(start(reader, &no_wait, IO_READ, got, 1), -EAGAIN,
              "test_nonblocking_read_behind_others_is_eagain");
    write_now(writer, "xyz", 3);
    tap_ok(memcmp(got, "xyz", 3) == 0 && requests[2].result == 1,
           "test_pipe_reads_are_served_in_the_order_of_their_calls");
    end();
}

static void test_big(void)
{
    struct io_request writing = { 0 }, reading = { 0 };
    fresh();
    tap_equal(move(writer, &writing, IO_WRITE, data, sizeof data), -EINPROGRESS,
              "test_pipe_write_waits_for_its_reader");
    tap_equal(move(reader, &reading, IO_READ, got, sizeof got), sizeof got,
              "test_pipe_read_goes_on_while_its_writer_does");
    tap_ok(writing.result == sizeof data && memcmp(got, data, sizeof got) == 0,
           "test_pipe_carries_more_than_it_holds");
    start(reader, &reading, IO_READ, got, sizeof got);
    start(writer, &writing, IO_WRITE, data, 2 * CHANNEL_PIECE);
    fake_run_all();
    tap_equal(reading.result, 2 * CHANNEL_PIECE, "test_pipe_read_gets_all_pieces_of_a_write");
    end();
}

// Goal: other work gets its turn after each piece.
static void test_pieces(void)
{
    struct io_request writing = { 0 };
    fresh();
    start(writer, &writing, IO_WRITE, data, RING_SIZE);
    unsigned turns = 0;
    while (io_in_flight(&writing) && fake_run_one())
        turns++;
    tap_ok(turns == RING_SIZE / CHANNEL_PIECE && writing.result == RING_SIZE,
           "test_pipe_moves_one_piece_a_turn");
    end();
}

static void test_nonblocking_writes(void)
{
    fresh();
    tap_equal(write_now(writer, data, sizeof data), RING_SIZE,
              "test_nonblocking_long_write_puts_in_what_fits");
    tap_equal(write_now(writer, data, 1), -EAGAIN, "test_nonblocking_write_to_a_full_pipe");
    read_now(reader, got, PIPE_ATOMIC - 1);
    tap_equal(write_now(writer, data, PIPE_ATOMIC), -EAGAIN,
              "test_nonblocking_write_of_pipe_buf_is_not_torn");
    tap_equal(write_now(writer, data, PIPE_ATOMIC + 1), PIPE_ATOMIC - 1,
              "test_nonblocking_write_beyond_pipe_buf_may_be");
    tap_equal(write_now(writer, data, 0), 0, "test_pipe_write_of_no_bytes_to_a_full_pipe_is_0");
    end();
}

static void test_atomic_write_waits_as_a_whole(void)
{
    struct io_request writing = { 0 };
    fresh();
    write_now(writer, data, RING_SIZE - 1);
    move(writer, &writing, IO_WRITE, data, 2);
    tap_equal(io_cancel(&writing), 0,
              "test_pipe_write_of_pipe_buf_does_not_begin_in_too_little_room");
    fake_run_all();
    tap_equal(move(writer, &writing, IO_WRITE, data, 2), -EINPROGRESS, "test_but_waits");
    read_now(reader, got, 1);
    fake_run_all();
    tap_equal(writing.result, 2, "test_and_goes_in_as_a_whole");
    end();
}

static void test_closed_writer(void)
{
    struct io_request request = { 0 };
    fresh();
    write_now(writer, "rest", 4);
    io_close(writer);
    fake_run_all();
    tap_equal(read_now(reader, got, 10), 4, "test_pipe_rest_is_read_after_the_close");
    tap_equal(move(reader, &request, IO_READ, got, 10), 0,
              "test_pipe_reader_gets_zero_after_close");
    io_close(reader);
    fake_run_all();
    fresh();
    move(reader, &request, IO_READ, got, 10);
    io_close(writer);
    fake_run_all();
    tap_ok(!io_in_flight(&request) && request.result == 0,
           "test_pipe_waiting_reader_gets_zero_at_the_close");
    io_close(reader);
    fake_run_all();
}

static void test_closed_reader(void)
{
    struct io_request request = { 0 };
    fresh();
    move(writer, &request, IO_WRITE, data, sizeof data);
    io_close(reader);
    fake_run_all();
    tap_ok(!io_in_flight(&request) && request.result == RING_SIZE,
           "test_pipe_write_whose_reader_goes_away_reports_its_count");
    tap_equal(move(writer, &request, IO_WRITE, data, 1), -EPIPE,
              "test_pipe_write_without_reader_is_epipe");
    io_close(writer);
    fake_run_all();
    fresh();
    write_now(writer, data, RING_SIZE);
    move(writer, &request, IO_WRITE, data, 100);
    io_close(reader);
    fake_run_all();
    tap_ok(request.result == -EPIPE && request.moved == 0,
           "test_pipe_waiting_write_that_has_not_begun_is_epipe");
    io_close(writer);
    fake_run_all();
}

static void test_cancel(void)
{
    struct io_request request = { 0 }, other = { 0 };
    fresh();
    move(reader, &request, IO_READ, got, 10);
    tap_equal(io_cancel(&request), 0, "test_blocked_read_can_be_cancelled");
    fake_run_all();
    tap_equal(request.result, -ECANCELED, "test_cancelled_read_says_so");
    write_now(writer, "next", 4);
    tap_equal(read_now(reader, got, 10), 4, "test_cancelled_read_takes_nothing");

    move(writer, &request, IO_WRITE, data, sizeof data);
    tap_equal(io_cancel(&request), -EBUSY, "test_started_write_cannot_be_cancelled");
    move(writer, &other, IO_WRITE, data, 10);
    tap_equal(io_cancel(&other), 0, "test_write_behind_it_can");
    fake_run_all();
    move(reader, &other, IO_READ, got, sizeof got);
    tap_ok(request.result == sizeof data && memcmp(got, data, sizeof data) == 0,
           "test_write_that_could_not_be_cancelled_completes");

    write_now(writer, data, RING_SIZE);
    move(writer, &request, IO_WRITE, data, 10);
    tap_equal(io_cancel(&request), 0, "test_waiting_write_that_has_moved_nothing_can_be_cancelled");
    fake_run_all();
    tap_ok(read_now(reader, got, sizeof got) == RING_SIZE && read_now(reader, got, 1) == -EAGAIN,
           "test_cancelled_write_leaves_nothing");
    end();
}

// A read that has begun waits for nobody: it is done before the cancel is of use.
static void test_cancel_under_way(void)
{
    struct io_request request = { 0 };
    fresh();
    write_now(writer, data, RING_SIZE);
    start(reader, &request, IO_READ, got, RING_SIZE);
    fake_run_one();
    tap_equal(io_cancel(&request), -EALREADY, "test_read_that_has_begun_is_not_cancelled");
    fake_run_all();
    tap_equal(request.result, RING_SIZE, "test_and_completes");
    end();
}

static void test_deadline(void)
{
    struct io_request request = { .flags = IO_DEADLINE, .deadline_ns = fake_clock.now_ns + 500 };
    fresh();
    move(reader, &request, IO_READ, got, 10);
    let_pass(500);
    tap_equal(request.result, -ETIMEDOUT, "test_pipe_read_is_late");
    end();
}

static void test_wrong_end(void)
{
    struct io_request request = { 0 };
    fresh();
    tap_equal(move(reader, &request, IO_WRITE, data, 1), -EBADF, "test_write_to_the_reading_end");
    tap_equal(move(writer, &request, IO_READ, data, 1), -EBADF, "test_read_from_the_writing_end");
    tap_equal(move(writer, &request, IO_FLUSH, NULL, 0), -EINVAL, "test_pipe_cannot_be_flushed");
    end();
}

static unsigned polled(struct device *device, struct io_request *poll)
{
    (void)device;
    fake_run_all();
    return io_in_flight(poll) ? 0 : (unsigned)poll->result;
}

static void test_readiness(void)
{
    struct io_request to_read = { 0 }, to_write = { 0 };
    fresh();
    tap_ok(io_ready_now(reader) == 0 && io_ready_now(writer) == IO_READY_WRITE,
           "test_empty_pipe_is_ready_to_be_written");
    io_poll(reader, &to_read, IO_READY_READ);
    tap_equal(polled(reader, &to_read), 0, "test_poll_of_an_empty_pipe_waits");
    write_now(writer, data, RING_SIZE - PIPE_ATOMIC);
    tap_equal(polled(reader, &to_read), IO_READY_READ, "test_poll_ends_with_the_first_bytes");
    tap_equal(io_ready_now(writer), IO_READY_WRITE, "test_room_for_pipe_buf_is_ready");
    write_now(writer, data, 1);
    tap_equal(io_ready_now(writer), 0, "test_less_room_is_not");
    io_poll(writer, &to_write, IO_READY_WRITE);
    tap_equal(polled(writer, &to_write), 0, "test_poll_of_a_full_pipe_waits");
    read_now(reader, got, 1);
    tap_equal(polled(writer, &to_write), IO_READY_WRITE, "test_poll_ends_with_room");
    read_now(reader, got, sizeof got);
    io_poll(reader, &to_read, IO_READY_READ);
    io_close(writer);
    tap_equal(polled(reader, &to_read), IO_READY_READ | IO_READY_HANGUP,
              "test_poll_of_the_reader_ends_with_hangup");
    io_close(reader);
    fake_run_all();
    fresh();
    write_now(writer, data, RING_SIZE);
    io_poll(writer, &to_write, IO_READY_WRITE);
    io_close(reader);
    tap_equal(polled(writer, &to_write), IO_READY_WRITE | IO_READY_ERROR,
              "test_poll_of_the_writer_ends_with_error");
    io_close(writer);
    fake_run_all();
}

static void test_pool(void)
{
    struct device *ends[PIPE_LIMIT][2], *more[2];
    int error = 0;
    for (int i = 0; i < PIPE_LIMIT; i++)
        error |= pipe_create(&ends[i][0], &ends[i][1]);
    tap_equal(error, 0, "test_pipes_up_to_their_limit");
    tap_equal(pipe_create(&more[0], &more[1]), -ENFILE, "test_pipes_beyond_are_enfile");
    io_close(ends[3][0]);
    fake_run_all();
    tap_equal(pipe_create(&more[0], &more[1]), -ENFILE, "test_half_a_pipe_is_still_one");
    write_now(ends[3][1], "x", 1);
    io_close(ends[3][1]);
    tap_equal(pipe_create(&ends[3][0], &ends[3][1]), 0, "test_closed_pipe_is_free_at_once");
    tap_equal(read_now(ends[3][0], got, 1), -EAGAIN, "test_new_pipe_in_old_memory_is_empty");
    write_now(ends[3][1], "new", 3);
    tap_equal(read_now(ends[3][0], got, 9), 3, "test_and_works_like_any_other");
    for (int i = 0; i < PIPE_LIMIT; i++) {
        io_close(ends[i][0]);
        io_close(ends[i][1]);
    }
    fake_run_all();
}

// Plays an interrupt's tail: what was deferred before it runs, then what that has deferred.
static void tail(void)
{
    fake_run_round();
    fake_run_round();
}

static unsigned completed;

static void count_completed(struct io_request *request)
{
    (void)request;
    completed++;
}

// Goal: what is copied with interrupts masked does not grow with the number of pipes, each of them
// gets its turn, and a short transfer does not wait for the end of the long ones.
static void test_many_pipes_share_a_tail(void)
{
    static struct io_request reads[PIPE_LIMIT], writes[PIPE_LIMIT];
    struct device *all[PIPE_LIMIT][2];
    unsigned most = 0, last = 0;
    for (int i = 0; i < PIPE_LIMIT; i++) {
        pipe_create(&all[i][0], &all[i][1]);
        reads[i].done = writes[i].done = count_completed;
        start(all[i][0], &reads[i], IO_READ, got, CHANNEL_PIECE);
        start(all[i][1], &writes[i], IO_WRITE, data, CHANNEL_PIECE);
    }
    for (completed = 0; fake_work.head; last = completed) {
        tail();
        most = completed - last > most ? completed - last : most;
    }
    tap_ok(most <= 6, "test_a_tail_copies_little_however_many_pipes_there_are");
    tap_equal(completed, 2 * PIPE_LIMIT, "test_each_of_them_gets_its_turn");
    for (int i = 0; i < PIPE_LIMIT; i++) {
        start(all[i][0], &reads[i], IO_READ, got, i == 9 ? 10 : RING_SIZE);
        start(all[i][1], &writes[i], IO_WRITE, data, i == 9 ? 10 : RING_SIZE);
    }
    completed = 0;
    while (io_in_flight(&reads[9]))
        tail();
    tap_equal(completed, 2, "test_a_short_transfer_is_done_before_the_long_ones");
    fake_run_all();
    for (int i = 0; i < PIPE_LIMIT; i++) {
        io_close(all[i][0]);
        io_close(all[i][1]);
    }
    fake_run_all();
}

static struct io_request closing_read;

static void close_both(struct io_request *request)
{
    (void)request;
    io_close(reader);
    io_close(writer);
}

// Goal: a done() that closes everything, in the middle of a turn.
static void test_close_from_done(void)
{
    fresh();
    closing_read.done = close_both;
    start(reader, &closing_read, IO_READ, got, 4);
    write_now(writer, "last", 4);
    struct device *all[PIPE_LIMIT][2];
    int error = 0;
    for (int i = 0; i < PIPE_LIMIT; i++)
        error |= pipe_create(&all[i][0], &all[i][1]);
    tap_ok(closing_read.result == 4 && error == 0, "test_done_may_close_the_pipe");
}

int main(void)
{
    tap_plan(60);
    test_reads();
    test_order();
    test_big();
    test_pieces();
    test_nonblocking_writes();
    test_atomic_write_waits_as_a_whole();
    test_closed_writer();
    test_closed_reader();
    test_cancel();
    test_cancel_under_way();
    test_deadline();
    test_wrong_end();
    test_readiness();
    test_pool();
    test_many_pipes_share_a_tail();
    test_close_from_done();
    return tap_done();
}
