// The generic timer's driver over a model of its registers: a counter that the test moves, and a
// condition that is met as long as the counter has reached the comparator.
// sources: drivers/timer/arm_generic.c
#include <errno.h>

#include "arch/generic_timer.h"
#include "arch/hardware.h"
#include "irq/clock.h"
#include "irq/irq.h"
#include "tests/tap.h"

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

// --- The kernel around it ---

static irq_handler *handler;
static bool irq_on;
static int install_result;
static uint32_t clock_hz;
static unsigned alarms;
static uint64_t next_alarm; // Set by what expires; 0: nothing more.

int irq_install(unsigned irq, const char *name, irq_handler *function, void *context)
{
    (void)name, (void)context;
    handler = irq == IRQ ? function : NULL;
    return install_result;
}
void irq_enable(unsigned irq)
{
    irq_on = irq == IRQ;
}
void clock_init(uint32_t hz)
{
    clock_hz = hz;
}
void clock_alarm(void)
{
    alarms++;
    if (next_alarm != 0)
        clock_counter_set_alarm(next_alarm);
    next_alarm = 0;
}

static unsigned run(void)
{
    unsigned taken = 0;
    while (line_high() && taken < 100)
        taken += handler(NULL);
    return taken;
}

// --- Tests ---

static void test_start(void)
{
    extern const struct driver timer_arm_generic;
    struct hardware hardware = { "timer", &timer_arm_generic, .irqs = { IRQ } };
    tap_equal(timer_arm_generic.start(&hardware), -EINVAL,
              "test_generic_timer_of_unknown_speed_is_einval");
    timer.frequency = 62500000;
    install_result = -EBUSY;
    tap_equal(timer_arm_generic.start(&hardware), -EBUSY,
              "test_generic_timer_interrupt_in_use_is_reported");
    tap_ok(clock_hz == 0 && !irq_on, "test_generic_timer_failed_start_starts_no_clock");
    install_result = 0;
    timer.control = CNTV_CTL_ENABLE; // A boot loader's alarm.
    tap_equal(timer_arm_generic.start(&hardware), 0, "test_generic_timer_starts");
    tap_ok(irq_on && !line_high(), "test_generic_timer_forgets_an_alarm_from_before");
    tap_equal(clock_hz, 62500000, "test_generic_timer_speed_is_the_firmwares");
    hardware.clock_hz = 1000000;
    timer_arm_generic.start(&hardware);
    tap_equal(clock_hz, 1000000, "test_generic_timer_speed_of_the_board_goes_first");
}

static void test_alarm(void)
{
    timer.count = UINT64_C(0x1fffffff0);
    tap_ok(clock_counter() == timer.count && clock_counter_low() == 0xfffffff0,
           "test_generic_timer_counts_in_64_bits");
    clock_counter_set_alarm(timer.count + 32);
    timer.count += 31;
    tap_equal(run(), 0, "test_generic_timer_alarm_is_not_early");
    timer.count++;
    tap_ok(run() == 1 && alarms == 1, "test_generic_timer_alarm_comes_once");
    clock_counter_set_alarm(timer.count - 1);
    tap_equal(run(), 1, "test_generic_timer_alarm_in_the_past_comes_at_once");
    next_alarm = timer.count + 10;
    clock_counter_set_alarm(timer.count);
    run();
    timer.count += 10;
    tap_equal(run(), 1, "test_generic_timer_alarm_set_by_an_alarm_comes");
    clock_counter_set_alarm(timer.count + 5);
    clock_counter_clear_alarm();
    timer.count += 5;
    tap_equal(run(), 0, "test_generic_timer_cleared_alarm_does_not_come");
    tap_ok(!handler(NULL), "test_generic_timer_does_not_claim_a_foreign_interrupt");
}

int main(void)
{
    tap_plan(14);
    test_start();
    test_alarm();
    return tap_done();
}
