// The CPU's own count of instructions, exact under `-icount`: the same code costs the same, and a
// loop costs so much an iteration. A CPU that does not count says 0 at all times.
// qemu: -icount shift=0,sleep=off
#include "arch/cpu.h"
#include "tests/tap.h"

enum { ITERATIONS = 1000 };

static __attribute__((noinline)) uint32_t loop_cost(unsigned iterations)
{
    uint32_t begun = cpu_instructions();
    for (volatile unsigned i = 0; i < iterations; i++)
        ;
    return cpu_instructions() - begun;
}

int main(void)
{
    tap_plan(3);
    uint32_t flags = irq_save();
    uint32_t none = loop_cost(0), once = loop_cost(ITERATIONS), again = loop_cost(ITERATIONS),
             twice = loop_cost(2 * ITERATIONS);
    irq_restore(flags);
    if (cpu_instructions() == 0 && loop_cost(1) == 0)
        return tap_skip_rest("this CPU does not count instructions");
    tap_equal(once, again, "test_the_same_code_counts_the_same");
    tap_equal(twice - once, once - none, "test_twice_the_iterations_count_twice_as_much");
    tap_ok(once - none >= 2 * ITERATIONS, "test_each_instruction_counts");
    tap_note("figure: %u instructions for %d iterations of an empty loop", (unsigned)(once - none),
             (int)ITERATIONS);
    return tap_done();
}
