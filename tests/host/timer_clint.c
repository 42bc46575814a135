// The CLINT timer's driver over a model of its registers: a counter that the test moves, also
// between two reads of its halves, and a comparator whose interrupt is there as soon as it is met.
// sources: drivers/timer/clint.c
#include "arch/hardware.h"
#include "arch/mmio.h"
#include "tests/host/timer_bench.h"

enum { BASE = 0x2000000, IRQ = 311, MTIMECMP = 0x4000, MTIME = 0xbff8 };

static struct {
    uint64_t mtime, mtimecmp;
    unsigned step; // The counter goes on by this after each read.
} clint;
static unsigned nevers; // Times that the comparator was out of all reach.
static const char *complaint;

static bool line_high(void)
{
    return clint.mtime >= clint.mtimecmp;
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

static unsigned run(void)
{
    return fake_settle(IRQ, line_high);
}

// --- Tests ---

static void test_start(void)
{
    extern const struct driver timer_clint;
    const struct hardware hardware = { "timer", &timer_clint, .base = BASE, .irqs = { IRQ },
                                       .clock_hz = 1000000 };
    clint.mtime = 5000; // And a boot loader's alarm at 0 is met.
    fake_line_taken(IRQ);
    tap_equal(timer_clint.start(&hardware), -EBUSY, "test_interrupt_in_use_is_reported");
    tap_ok(clock_hz == 0 && !fake_lines[IRQ].enabled, "test_failed_start_starts_no_clock");
    fake_line_free(IRQ);
    tap_equal(timer_clint.start(&hardware), 0, "test_timer_starts");
    tap_equal(run(), 0, "test_timer_forgets_an_alarm_from_before");
    tap_equal(clock_hz, 1000000, "test_speed_is_the_boards");
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
    tap_ok(good, "test_counter_is_right_across_a_carry");
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
    tap_ok(good, "test_alarm_comes_at_its_64_bit_moment");
}

static void test_never(void)
{
    clint.mtime = UINT64_C(0x1ffffff00);
    clock_counter_set_alarm(clint.mtime + 8);
    nevers = 0;
    clock_counter_set_alarm(clint.mtime + 16);
    clock_counter_clear_alarm();
    tap_equal(nevers, 0, "test_comparator_is_never_sent_to_never");
}

int main(void)
{
    tap_plan(15);
    test_start();
    test_carry();
    test_never();
    test_alarm(&clint.mtime, run);
    test_alarm_anywhere();
    tap_ok(!complaint, "test_only_its_registers_are_touched");
    if (complaint)
        tap_note("%s", complaint);
    return tap_done();
}
