// The dispatcher: statistics, interrupts that nobody wants, and spurious ones. Interrupts are made
// pending in the controller, on lines that no device of the board uses.
// Under instruction counting: what gets in between does not depend on the host.
// qemu: -icount shift=0,sleep=off
#include <errno.h>
#include <string.h>

#include "arch/cpu.h"
#include "irq/callback.h"
#include "irq/clock.h"
#include "irq/controller.h"
#include "irq/irq.h"
#include "tests/tap.h"

static unsigned spare, other; // Interrupt numbers without a device.
static volatile unsigned taken, order;

// From the top, since a GIC's lowest numbers are software's; there may be gaps between the numbers.
// Result: 0: there is no such line below `from`.
static unsigned find_spare(unsigned from)
{
    struct irq_statistics statistics;
    for (unsigned irq = from; irq-- > 1;)
        if (irq_controller_has(irq) && irq_statistics(irq, &statistics) == 0 && !statistics.name &&
            irq_controller_set_pending(irq)) {
            irq_controller_clear_pending(irq);
            return irq;
        }
    return 0;
}

static struct irq_statistics statistics_of(unsigned irq)
{
    struct irq_statistics statistics = { 0 };
    irq_statistics(irq, &statistics);
    return statistics;
}

static bool on_spare(void *context)
{
    taken++;
    return context == &taken;
}

// Long enough for any clock.
static bool on_spare_slow(void *context)
{
    uint32_t begun = clock_ticks();
    while (clock_ticks() == begun)
        ;
    return on_spare(context);
}

static bool nobodys(void *context)
{
    (void)context;
    taken++;
    irq_controller_set_pending(spare); // It comes again and again.
    return false;
}

// The line goes up and down again before the dispatcher asks the controller: it asks from inside
// this handler.
static bool withdraw(void *context)
{
    (void)context;
    irq_controller_set_pending(other);
    irq_controller_clear_pending(other);
    taken++;
    irq_dispatch();
    return true;
}

static void raise_spare(void)
{
    irq_controller_set_pending(spare);
    irq_open_once();
    irq_unmask();
}

static void test_install(void)
{
    tap_equal(irq_install(100000, "x", on_spare, NULL), -EINVAL,
              "test_install_refuses_a_number_out_of_range");
    tap_equal(irq_install(spare, "x", NULL, NULL), -EINVAL, "test_install_refuses_no_handler");
    tap_equal(irq_install(spare, "spare", on_spare_slow, (void *)&taken), 0,
              "test_install_takes_a_free_number");
    tap_equal(irq_install(spare, "again", on_spare, NULL), -EBUSY,
              "test_install_refuses_a_taken_number");
    raise_spare();
    tap_equal(taken, 0, "test_an_installed_interrupt_is_masked_until_enabled");
    irq_enable(spare);
    irq_open_once();
    irq_unmask();
    tap_equal(taken, 1, "test_a_pending_interrupt_is_taken_when_enabled");
}

static void test_statistics(void)
{
    struct irq_statistics before = statistics_of(spare);
    uint32_t total = irq_totals().taken;
    for (int i = 0; i < 10; i++)
        raise_spare();
    struct irq_statistics after = statistics_of(spare);
    tap_equal(after.count - before.count, 10, "test_each_interrupt_is_counted");
    tap_ok(irq_totals().taken - total >= 10, "test_the_total_counts_all_lines");
    tap_ok(after.longest_ticks > 0, "test_the_longest_handler_is_measured");
    tap_ok(strcmp(after.name, "spare") == 0, "test_statistics_bear_the_installed_name");
    tap_equal(irq_statistics(IRQ_LIMIT, &after), -EINVAL,
              "test_statistics_refuse_a_number_out_of_range");
}

static void test_spurious(void)
{
    irq_remove(spare);
    irq_install(spare, "withdraw", withdraw, NULL);
    irq_enable(spare);
    irq_enable(other);
    uint32_t before = irq_totals().spurious;
    uint32_t others = statistics_of(other).count;
    taken = 0;
    raise_spare();
    irq_disable(other);
    tap_ok(taken == 1 && irq_totals().spurious - before == 1,
           "test_a_withdrawn_interrupt_is_counted_as_spurious");
    tap_equal(statistics_of(other).count, others, "test_a_spurious_interrupt_is_nobodys");
}

static void test_unhandled(void)
{
    irq_remove(spare);
    irq_enable(spare);
    uint32_t before = statistics_of(spare).unhandled;
    raise_spare();
    raise_spare();
    tap_equal(statistics_of(spare).unhandled - before, 1,
              "test_an_interrupt_without_handler_is_masked_at_once");
    irq_controller_clear_pending(spare);

    taken = 0;
    irq_install(spare, "nobody's", nobodys, NULL);
    irq_enable(spare);
    raise_spare();
    for (int i = 0; i < 1000; i++)
        irq_open_once();
    irq_unmask();
    tap_equal(taken, IRQ_UNCLAIMED_LIMIT, "test_a_storm_that_nobody_claims_is_masked");
    irq_controller_clear_pending(spare);
    irq_remove(spare);
}

static struct irq_work work[100];
static unsigned run_order[100];

static void run_work(struct irq_work *done)
{
    run_order[order++] = (unsigned)(done - work);
    if (!cpu_in_isr())
        order = 1000;
}

// Each piece once, in order, at isr level.
static void test_deferred(void)
{
    irq_mask();
    for (unsigned i = 0; i < 100; i++) {
        work[i].run = run_work;
        irq_defer(&work[i]);
    }
    bool early = order != 0;
    irq_unmask();
    for (volatile unsigned i = 0; i < 1000; i++)
        ;
    bool in_order = order == 100;
    for (unsigned i = 0; i < 100; i++)
        in_order &= run_order[i] == i;
    tap_ok(!early && in_order, "test_deferred_work_runs_once_in_order_at_isr_level");
}

static volatile unsigned rounds_left;

static void run_again(struct irq_work *done)
{
    if (--rounds_left > 0)
        irq_defer(done);
}

static volatile unsigned callbacks_run;

static void run_callback(struct callback *callback)
{
    (void)callback;
    callbacks_run++;
}

// Work that defers itself a hundred times must not keep everything else out for as long: main and
// callbacks go on in between.
static void test_deferring_itself(void)
{
    static struct callback callback = { .run = run_callback };
    volatile unsigned progress = 0;
    unsigned left_at_callback = 0;
    rounds_left = 100;
    work[0].run = run_again;
    irq_defer(&work[0]);
    callback_post(&callback);
    while (rounds_left > 0 && progress < 100000000) {
        progress++;
        if (callbacks_run == 1 && left_at_callback == 0)
            left_at_callback = rounds_left;
    }
    tap_ok(rounds_left == 0 && progress > 50 && left_at_callback > 50,
           "test_work_that_defers_itself_lets_others_in_between");
}

int main(void)
{
    tap_plan(17);
    irq_mask();
    spare = find_spare(IRQ_LIMIT);
    other = find_spare(spare);
    if (!other) {
        for (int i = 0; i < 17; i++)
            tap_skip("test_irq", "this interrupt controller cannot make an interrupt pending");
        return tap_done();
    }
    irq_unmask();
    test_install();
    test_statistics();
    test_spurious();
    test_unhandled();
    test_deferred();
    test_deferring_itself();
    return tap_done();
}
