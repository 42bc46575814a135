// What an interrupt and a callback leave of the code that they interrupt: every register. They are
// filled with numbers, an interrupt is waited for with nothing but the instruction for that, and
// what they hold is compared. The timer's interrupts, and callbacks, overwrite all they may.
// <architecture>/registers.h knows the registers.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "arch/cpu.h"
#include "irq/callback.h"
#include "irq/clock.h"
#include "registers.h"
#include "tests/tap.h"
#include "tests/target/board_find.h"

enum { ROUNDS = 500, PERIOD_NS = 20000, TRIES = 100 };

static struct timer timer;
static struct callback callback;
static volatile bool ticking, posting, waiting;
static volatile unsigned ticks, callbacks;

static void tick(struct timer *expired)
{
    ticks++;
    if (posting && !waiting) {
        waiting = true;
        callback_post_isr(&callback);
    }
    if (ticking)
        timer_arm(expired, clock_now_ns() + PERIOD_NS);
    registers_spoil_isr();
}

static void spoil(struct callback *posted)
{
    (void)posted;
    waiting = false;
    callbacks++;
    registers_spoil_callback();
}

static void start_ticking(bool with_callbacks)
{
    ticks = callbacks = 0;
    ticking = true;
    posting = with_callbacks;
    callback.run = spoil;
    timer.expired = tick;
    timer_arm(&timer, clock_now_ns() + PERIOD_NS);
}

static void stop_ticking(void)
{
    ticking = posting = false;
    while (timer_armed(&timer) || waiting)
        clock_now_ns(); // The compiler must look again.
}

// Other numbers each time: what is left of an earlier round is wrong.
static bool one_round(void)
{
    static unsigned long state = 1;
    unsigned long values[REGISTERS], seen[REGISTERS];
    bool good = true;
    for (unsigned i = 0; i < REGISTERS; i++) {
        state = state * 1103515245 + 12345;
        values[i] = (state ^ state << (sizeof state * 4)) & register_bits(i);
    }
    registers_wait(values, seen);
    for (unsigned i = 0; i < REGISTERS; i++) {
        if (((seen[i] ^ values[i]) & register_bits(i)) != 0) {
            tap_note("register %u (%s): %lx, not %lx", i, register_name(i), seen[i], values[i]);
            good = false;
        }
    }
    return good;
}

static bool rounds(void)
{
    bool good = true;
    for (unsigned i = 0; i < ROUNDS && good; i++)
        good = one_round();
    return good;
}

static void test_interrupts(void)
{
    start_ticking(false);
    bool good = rounds();
    stop_ticking();
    tap_ok(good && ticks >= ROUNDS / 2, "test_registers_of_main_survive_interrupts");
}

static void test_callbacks(void)
{
    start_ticking(true);
    bool good = rounds();
    // A round may have had an interrupt without a callback: the level was entered already.
    while (good && callbacks < ROUNDS / 2 && ticks < 100 * ROUNDS)
        good = one_round();
    stop_ticking();
    tap_ok(good && callbacks >= ROUNDS / 2, "test_registers_of_main_survive_callbacks");
}

static volatile bool in_callback_done, in_callback_good;

static void rounds_in_callback(struct callback *posted)
{
    (void)posted;
    in_callback_good = rounds();
    in_callback_done = true;
}

// Its interrupts' frames lie beside main's.
static void test_interrupts_of_a_callback(void)
{
    static struct callback other = { .run = rounds_in_callback };
    start_ticking(false);
    callback_post(&other);
    bool good = one_round(); // It is over before main goes on.
    while (!in_callback_done && ticks < 100 * ROUNDS)
        good &= one_round();
    stop_ticking();
    tap_ok(in_callback_done && in_callback_good, "test_registers_of_a_callback_survive_interrupts");
    tap_ok(good, "test_registers_of_main_survive_interrupts_of_a_callback");
}

// Else two pieces of code that take turns could both believe to have been alone with the word.
static void test_reservation(void)
{
    static volatile uint32_t word;
    bool works = false, survives = false;
    if (strcmp(board.name, "icicle") == 0) {
        tap_skip("test_a_reservation_is_kept_without_interrupts", "this hart has no LR and SC");
        tap_skip("test_a_reservation_does_not_survive_an_interrupt", "this hart has no LR and SC");
        return;
    }
    irq_mask();
    for (unsigned i = 0; i < TRIES && !works; i++)
        works = reservation_kept(&word, false);
    irq_unmask();
    start_ticking(false);
    for (unsigned i = 0; i < TRIES; i++)
        survives |= reservation_kept(&word, true);
    stop_ticking();
    tap_ok(works, "test_a_reservation_is_kept_without_interrupts");
    tap_ok(!survives, "test_a_reservation_does_not_survive_an_interrupt");
}

int main(void)
{
    tap_plan(6);
    test_interrupts();
    test_callbacks();
    test_interrupts_of_a_callback();
    test_reservation();
    return tap_done();
}
