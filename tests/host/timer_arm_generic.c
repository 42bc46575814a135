// The generic timer's driver over a model of its registers: a counter that the test moves, and a
// condition that is met as long as the counter has reached the comparator.
// sources: drivers/timer/arm_generic.c
#include "arch/generic_timer.h"
#include "arch/hardware.h"
#include "tests/host/timer_bench.h"

enum { IRQ = 27 };

static struct {
    uint64_t count, comparator;
    uint32_t control, frequency;
} timer;

static bool line_high(void)
{
    return timer.control == CNTV_CTL_ENABLE && timer.count >= timer.comparator;
}

uint32_t generic_timer_frequency(void)
{
    return timer.frequency;
}
uint64_t generic_timer_count(void)
{
    return timer.count;
}
void generic_timer_set_comparator(uint64_t count)
{
    timer.comparator = count;
}
uint32_t generic_timer_control(void)
{
    bool met = timer.control & CNTV_CTL_ENABLE && timer.count >= timer.comparator;
    return timer.control | (met ? CNTV_CTL_ISTATUS : 0);
}
void generic_timer_set_control(uint32_t control)
{
    timer.control = control & (CNTV_CTL_ENABLE | CNTV_CTL_IMASK);
}

static unsigned run(void)
{
    return fake_settle(IRQ, line_high);
}

// --- Tests ---

static void test_start(void)
{
    extern const struct driver timer_arm_generic;
    struct hardware hardware = { "timer", &timer_arm_generic, .irqs = { IRQ } };
    tap_equal(timer_arm_generic.start(&hardware), -EINVAL, "test_timer_of_unknown_speed_is_einval");
    timer.frequency = 62500000;
    fake_line_taken(IRQ);
    tap_equal(timer_arm_generic.start(&hardware), -EBUSY, "test_interrupt_in_use_is_reported");
    tap_ok(clock_hz == 0 && !fake_lines[IRQ].enabled, "test_failed_start_starts_no_clock");
    fake_line_free(IRQ);
    timer.control = CNTV_CTL_ENABLE; // A boot loader's alarm.
    tap_equal(timer_arm_generic.start(&hardware), 0, "test_timer_starts");
    tap_ok(fake_lines[IRQ].enabled && !line_high(), "test_timer_forgets_an_alarm_from_before");
    tap_equal(clock_hz, 62500000, "test_speed_is_the_firmwares");
    fake_line_free(IRQ);
    hardware.clock_hz = 1000000;
    timer_arm_generic.start(&hardware);
    tap_equal(clock_hz, 1000000, "test_speed_of_the_board_goes_first");
}

int main(void)
{
    tap_plan(14);
    test_start();
    test_alarm(&timer.count, run);
    tap_ok(!fake_interrupt(IRQ), "test_a_foreign_interrupt_is_not_claimed");
    return tap_done();
}
