// Timers that are read, on a clock that the test moves.
// sources: fs/timerfd.c aio/*.c drivers/device.c
#include "fs/timerfd.h"

#include "tests/host/stream_model.h"

static struct device *timer;
static uint64_t count;

static void fresh(uint64_t value_ns, uint64_t interval_ns)
{
    if (timerfd_make(&timer) != 0)
        printf("Bail out! no timer\n");
    timerfd_set(timer, false, (struct timerfd_setting){ value_ns, interval_ns }, NULL);
    fake_clock.expirations = 0;
}

static void end(void)
{
    io_close(timer);
    fake_run_all();
}

// Result: the expirations read; 0: none, EAGAIN.
static uint64_t read_count(void)
{
    ssize_t result = read_now(timer, &count, sizeof count);
    return result == sizeof count ? count : result == -EAGAIN ? 0 : UINT64_MAX;
}

static void test_once(void)
{
    fresh(500, 0);
    tap_ok(read_count() == 0, "test_timer_has_not_expired_at_once");
    let_pass(499);
    tap_ok(read_count() == 0, "test_timer_does_not_expire_early");
    let_pass(1);
    tap_ok(read_count() == 1, "test_timer_expires_once");
    let_pass(5000);
    tap_ok(read_count() == 0, "test_and_only_once");
    end();
}

static void test_interval(void)
{
    fresh(100, 10);
    let_pass(100);
    tap_ok(read_count() == 1, "test_timer_with_an_interval_expires_first");
    let_pass(9);
    tap_ok(read_count() == 0, "test_then_not_before_its_interval");
    let_pass(1);
    tap_ok(read_count() == 1, "test_then_after_each");
    let_pass(35);
    tap_ok(read_count() == 3, "test_missed_expirations_are_counted");
    let_pass(5);
    tap_ok(read_count() == 1, "test_and_do_not_shift_those_to_come");
    end();
}

static void test_no_flood(void)
{
    fresh(1, 1);
    for (int i = 0; i < 100; i++)
        let_pass(1000000);
    tap_equal(fake_clock.expirations, 1,
              "test_unread_timer_asks_the_clock_once_however_short_its_interval");
    tap_ok(read_count() == 100000000, "test_and_counts_all_the_same");
    end();
}

static void test_blocked_read(void)
{
    struct io_request reading = { 0 };
    fresh(100, 0);
    tap_equal(move(timer, &reading, IO_READ, &count, 8), -EINPROGRESS,
              "test_timer_read_waits_for_the_expiry");
    let_pass(100);
    tap_ok(reading.result == 8 && count == 1, "test_and_gets_it");
    move(timer, &reading, IO_READ, &count, 8);
    tap_equal(io_cancel(&reading), 0, "test_waiting_timer_read_can_be_cancelled");
    fake_run_all();
    tap_equal(reading.result, -ECANCELED, "test_and_says_so");
    move(timer, &reading, IO_READ, &count, 8);
    timerfd_set(timer, true, (struct timerfd_setting){ fake_clock.now_ns + 50, 0 }, NULL);
    let_pass(50);
    tap_ok(reading.result == 8 && count == 1, "test_waiting_read_gets_what_is_set_meanwhile");
    end();
}

static void test_settings(void)
{
    struct timerfd_setting old = { 1, 1 };
    fresh(1000, 300);
    let_pass(400);
    tap_ok(timerfd_get(timer).value_ns == 600 && timerfd_get(timer).interval_ns == 300,
           "test_timer_tells_what_is_left");
    let_pass(1000);
    tap_ok(timerfd_get(timer).value_ns == 200, "test_and_of_its_interval_when_nobody_reads");
    timerfd_set(timer, false, (struct timerfd_setting){ 0, 0 }, &old);
    tap_ok(old.value_ns == 200 && old.interval_ns == 300, "test_old_setting_is_given_back");
    tap_ok(read_count() == 0 && timerfd_get(timer).value_ns == 0,
           "test_timer_that_is_stopped_forgets_what_it_counted");
    let_pass(100000);
    tap_ok(read_count() == 0, "test_and_does_not_expire");
    timerfd_set(timer, true, (struct timerfd_setting){ fake_clock.now_ns - 95, 10 }, NULL);
    let_pass(0);
    tap_ok(read_count() == 10, "test_absolute_time_that_is_past_counts_from_there");
    timerfd_set(timer, false, (struct timerfd_setting){ UINT64_MAX, UINT64_MAX }, NULL);
    let_pass(1000000);
    tap_ok(read_count() == 0, "test_time_beyond_the_clock_never_comes");
    end();
}

static void test_refusals(void)
{
    fresh(0, 0);
    tap_equal(read_now(timer, &count, 7), -EINVAL, "test_timer_read_of_less_than_eight_bytes");
    tap_equal(write_now(timer, &count, 8), -EINVAL, "test_timer_is_not_written");
    end();
}

static void test_readiness(void)
{
    struct io_request poll = { 0 };
    fresh(100, 0);
    tap_equal(io_ready_now(timer), 0, "test_timer_is_not_ready");
    io_poll(timer, &poll, IO_READY_READ);
    let_pass(100);
    tap_equal(poll.result, IO_READY_READ, "test_timer_poll_ends_with_the_expiry");
    tap_ok(read_count() == 1 && io_ready_now(timer) == 0, "test_read_timer_is_not_ready_any_more");
    end();
}

static void test_pool(void)
{
    struct device *all[TIMERFD_LIMIT], *more;
    int error = 0;
    for (int i = 0; i < TIMERFD_LIMIT; i++)
        error |= timerfd_make(&all[i]);
    tap_equal(error, 0, "test_timers_up_to_their_limit");
    tap_equal(timerfd_make(&more), -ENFILE, "test_timers_beyond_are_enfile");
    timerfd_set(all[0], false, (struct timerfd_setting){ 10, 10 }, NULL);
    fake_clock.expirations = 0;
    io_close(all[0]);
    fake_run_all();
    let_pass(100);
    tap_equal(fake_clock.expirations, 0, "test_closed_timer_does_not_expire");
    tap_ok(timerfd_make(&more) == 0 && timerfd_get(more).value_ns == 0 && timerfd_is(more),
           "test_new_timer_in_old_memory_is_not_set");
}

int main(void)
{
    tap_plan(32);
    test_once();
    test_interval();
    test_no_flood();
    test_blocked_read();
    test_settings();
    test_refusals();
    test_readiness();
    test_pool();
    return tap_done();
}
