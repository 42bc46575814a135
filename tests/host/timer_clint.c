// The CLINT timer's driver over a model of its registers: a counter that the test moves, also
// between two reads of its halves, and a comparator whose interrupt is there as soon as it is met.
// sources: drivers/timer/clint.c
#include <errno.h>

#include "arch/hardware.h"
#include "arch/mmio.h"
#include "irq/clock.h"
#include "irq/irq.h"
#include "tests/tap.h"

enum { BASE = 0x2000000, IRQ = 311, MTIMECMP = 0x4000, MTIME = 0xbff8 };

static struct {
    uint64_t mtime, mtimecmp;
    unsigned step; // The counter goes on by this after each read.
} clint;
static unsigned nevers; // Times that the comparator was out of all reach.
static const char *complaint;

static bool irq_on;

static bool interrupted(void)
{
    return irq_on && clint.mtime >= clint.mtimecmp;
}

uint32_t fake_read(uintptr_t address, unsigned bytes)
{
    uint64_t value = clint.mtime;
    uintptr_t offset = address - BASE;
    if (bytes != 4 || (offset != MTIME && offset != MTIME + 4))
        complaint = "a read of no register";
    clint.mtime += clint.step;
    return (uint32_t)(offset == MTIME ? value : value >> 32);
}

void fake_write(uintptr_t address, unsigned bytes, uint32_t value)
{
    uintptr_t offset = address - BASE;
    if (bytes != 4 || (offset != MTIMECMP && offset != MTIMECMP + 4))
        complaint = "a write of no register";
    unsigned shift = offset == MTIMECMP ? 0 : 32;
    clint.mtimecmp &= ~(UINT64_C(0xffffffff) << shift);
    clint.mtimecmp |= (uint64_t)value << shift;
    nevers += clint.mtimecmp > clint.mtime + UINT32_MAX;
}

// --- The kernel around it ---

static irq_handler *handler;
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
    irq_on |= irq == IRQ;
}
void irq_disable(unsigned irq)
{
    irq_on &= irq != IRQ;
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
    else
        clock_counter_clear_alarm();
    next_alarm = 0;
}

// Takes interrupts as long as there are any. Result: how many.
static unsigned run(void)
{
    unsigned taken = 0;
    while (interrupted() && taken < 100)
        taken += handler(NULL);
    return taken;
}

// --- Tests ---

static void test_start(void)
{
    extern const struct driver timer_clint;
    const struct hardware hardware = { "timer", &timer_clint, .base = BASE, .irqs = { IRQ },
                                       .clock_hz = 1000000 };
    clint.mtime = 5000; // And a boot loader's alarm at 0 is met.
    install_result = -EBUSY;
    tap_equal(timer_clint.start(&hardware), -EBUSY, "test_clint_interrupt_in_use_is_reported");
    tap_ok(clock_hz == 0 && !irq_on, "test_clint_failed_start_starts_no_clock");
    install_result = 0;
    tap_equal(timer_clint.start(&hardware), 0, "test_clint_starts");
    tap_equal(run(), 0, "test_clint_forgets_an_alarm_from_before");
    tap_equal(clock_hz, 1000000, "test_clint_speed_is_the_boards");
}

// A counter that moves on at each read, over the carry into the high half: never back, never ahead.
static void test_carry(void)
{
    bool good = true;
    for (unsigned before = 0; before < 40; before++) {
        clint.mtime = UINT64_C(0x300000000) - before;
        clint.step = 3;
        uint64_t from = clint.mtime, count = clock_counter();
        good &= count >= from && count < clint.mtime;
        clint.step = 0;
    }
    tap_ok(good, "test_clint_counter_is_right_across_a_carry");
}

static void test_count(void)
{
    clint.mtime = UINT64_C(0x123456789abcdef0);
    tap_ok(clock_counter() == clint.mtime, "test_clint_counts_in_64_bits");
    tap_equal(clock_counter_low(), 0x9abcdef0, "test_clint_low_half_is_the_counters");
    test_carry();
}

// Alarms around the carry, from one to any other: in time.
static void test_alarm_anywhere(void)
{
    static const uint64_t moments[] = { UINT64_C(0x0fffffff0), UINT64_C(0x0ffffffff),
                                        UINT64_C(0x100000000), UINT64_C(0x100000001),
                                        UINT64_C(0x1fffffff0), UINT64_C(0x7fffffff00000000) };
    enum { MOMENTS = sizeof moments / sizeof moments[0] };
    bool good = true;
    for (unsigned i = 0; i < MOMENTS; i++) {
        for (unsigned n = 0; n < MOMENTS; n++) {
            clint.mtime = 0xffffff00;
            clock_counter_set_alarm(moments[i]);
            clock_counter_set_alarm(moments[n]);
            clint.mtime = moments[n] - 1;
            good &= run() == 0;
            clint.mtime = moments[n];
            good &= run() == 1;
        }
    }
    tap_ok(good, "test_clint_alarm_comes_at_its_64_bit_moment");
}

static void test_alarm(void)
{
    clint.mtime = UINT64_C(0x1ffffff00);
    clock_counter_set_alarm(clint.mtime + 8);
    nevers = 0;
    clock_counter_set_alarm(clint.mtime + 16);
    clock_counter_clear_alarm();
    tap_equal(nevers, 0, "test_clint_comparator_is_never_sent_to_never");
    clint.mtime = UINT64_C(0x1fffffff0);
    clock_counter_set_alarm(clint.mtime + 32);
    alarms = 0;
    clint.mtime += 31;
    tap_equal(run(), 0, "test_clint_alarm_is_not_early");
    clint.mtime++;
    tap_ok(run() == 1 && alarms == 1, "test_clint_alarm_comes_once");
    clock_counter_set_alarm(clint.mtime - 1);
    tap_equal(run(), 1, "test_clint_alarm_in_the_past_comes_at_once");
    next_alarm = clint.mtime + 10;
    clock_counter_set_alarm(clint.mtime);
    run();
    clint.mtime += 10;
    tap_equal(run(), 1, "test_clint_alarm_set_by_an_alarm_comes");
    clock_counter_set_alarm(clint.mtime + 5);
    clock_counter_clear_alarm();
    clint.mtime = UINT64_C(0xfffffffffffffffe);
    tap_equal(run(), 0, "test_clint_cleared_alarm_does_not_come");
}

int main(void)
{
    tap_plan(16);
    test_start();
    test_count();
    test_alarm();
    test_alarm_anywhere();
    tap_ok(!complaint, "test_clint_only_its_registers_are_touched");
    if (complaint)
        tap_note("%s", complaint);
    return tap_done();
}
