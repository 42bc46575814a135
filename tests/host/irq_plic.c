// The PLIC's driver over a model of the chip, with the gateways that the specification describes (a
// source that was claimed does not come again before its completion, and a completion counts only
// where the source is enabled), and of the hart's own interrupts.
// sources: irq/plic.c
#include "irq/plic.h"

#include <errno.h>
#include <string.h>

#include "arch/hardware.h"
#include "arch/mmio.h"
#include "irq/controller.h"
#include "tests/tap.h"

enum {
    BASE = 0xc000000,
    MSIP = 0x2000000,
    SOURCES = 187,
    CONTEXTS = 3,
    CONTEXT = 1, // Ours.

    PRIORITY = 0,
    ENABLE = 0x2000,
    ENABLE_STRIDE = 0x80,
    THRESHOLD = 0x200000,
    CLAIM = 4, // Behind the threshold.
    CONTEXT_STRIDE = 0x1000,

    SSIP = 1 << 1,
    MSIP_BIT = 1 << 3,
    STIP = 1 << 5,
    MTIP = 1 << 7,
    SEIP = 1 << 9,
    MEIP = 1 << 11,
};

static struct {
    uint32_t priority[PLIC_HART];
    bool pending[PLIC_HART], claimed[PLIC_HART], enabled[CONTEXTS][PLIC_HART];
    uint32_t threshold[CONTEXTS];
    bool msip, mtip;
    unsigned long mip, mie, hart_has; // mip: the bits that software writes.
    bool withdraw; // What is pending goes away between the looks at mip and at the claim register.
} chip;
static const char *complaint; // The first rule that was broken.

static void rule(bool kept, const char *broken)
{
    if (!kept && !complaint)
        complaint = broken;
}

// Result: the source that a claim answers with; 0: none.
static unsigned best(unsigned context)
{
    unsigned found = 0;
    for (unsigned n = SOURCES - 1; n > 0; n--)
        if (chip.pending[n] && !chip.claimed[n] && chip.enabled[context][n] &&
            chip.priority[n] > 0 && chip.priority[n] >= chip.priority[found])
            found = n;
    return found;
}

static unsigned claim_read(unsigned context)
{
    if (chip.withdraw)
        memset(chip.pending, 0, sizeof chip.pending);
    chip.withdraw = false;
    unsigned n = best(context);
    chip.claimed[n] = n != 0;
    chip.pending[n] = false;
    return n;
}

uint32_t fake_read(uintptr_t address, unsigned bytes)
{
    rule(bytes == 4 && address == BASE + THRESHOLD + CONTEXT * CONTEXT_STRIDE + CLAIM,
         "a read of another register than our claim");
    return claim_read(CONTEXT);
}

static void enable_write(uintptr_t offset, uint32_t value)
{
    unsigned context = (unsigned)offset / ENABLE_STRIDE, first = offset % ENABLE_STRIDE * 8;
    rule(context == CONTEXT && first < SOURCES, "an enable register that is not ours");
    for (unsigned n = first; n < first + 32 && context < CONTEXTS; n++)
        chip.enabled[context][n] = value >> n % 32 & 1 && n > 0 && n < SOURCES;
}

static void context_write(uintptr_t offset, uint32_t value)
{
    rule(offset / CONTEXT_STRIDE == CONTEXT, "the threshold or the claim of somebody else");
    if (offset % CONTEXT_STRIDE == CLAIM) {
        rule(value > 0 && value < SOURCES, "a completion of no source");
        if (value < SOURCES && chip.enabled[CONTEXT][value])
            chip.claimed[value] = false;
    } else {
        rule(offset % CONTEXT_STRIDE == 0, "a write of no register");
        chip.threshold[CONTEXT] = value;
    }
}

void fake_write(uintptr_t address, unsigned bytes, uint32_t value)
{
    uintptr_t offset = address - BASE;
    rule(bytes == 4, "registers have 32 bits");
    if (address == MSIP)
        chip.msip = value & 1;
    else if (offset >= THRESHOLD)
        context_write(offset - THRESHOLD, value);
    else if (offset >= ENABLE)
        enable_write(offset - ENABLE, value);
    else if (offset / 4 > 0 && offset / 4 < SOURCES)
        chip.priority[offset / 4] = value & 7;
    else
        rule(false, "a priority of no source");
}

unsigned long fake_csr_read(const char *name)
{
    if (strcmp(name, "mie") == 0)
        return chip.mie;
    rule(strcmp(name, "mip") == 0, "a read of another CSR");
    unsigned n = best(CONTEXT);
    bool external = n != 0 && chip.priority[n] > chip.threshold[CONTEXT];
    return chip.mip | (chip.msip ? MSIP_BIT : 0) | (chip.mtip ? MTIP : 0) | (external ? MEIP : 0);
}

void fake_csr_write(const char *name, unsigned long value)
{
    if (strcmp(name, "mie") == 0)
        chip.mie = value & chip.hart_has;
    else if (strcmp(name, "mip") == 0)
        chip.mip = value & chip.hart_has & (SSIP | STIP | SEIP);
    else
        rule(false, "a write of another CSR");
}

// --- The kernel around it ---

static unsigned initialised;
static bool quiet_at_init;

void irq_init(void)
{
    initialised++;
    quiet_at_init = (fake_csr_read("mip") & chip.mie) == 0;
}

static unsigned published, raised; // The places of these two events, counted from 1.
static unsigned events;

void fake_event(enum fake_event event, uintptr_t address, uint64_t value)
{
    events++;
    if (event == FAKE_PUBLISH)
        published = events;
    if (event == FAKE_WRITE && address == MSIP && value == 1)
        raised = events;
}

// What the dispatcher does. Result: the interrupt's number; 0: the CPU was not interrupted.
static unsigned take(void)
{
    if ((fake_csr_read("mip") & chip.mie) == 0)
        return 0;
    unsigned irq = irq_controller_claim();
    if (irq < IRQ_LIMIT)
        irq_controller_complete(irq);
    return irq;
}

static struct plic_settings settings = { MSIP, SOURCES, CONTEXT };

static int start(void)
{
    extern const struct driver irq_plic;
    const struct hardware hardware = { "plic", &irq_plic, .base = BASE, .settings = &settings };
    return irq_plic.start(&hardware);
}

// --- Tests ---

static void test_too_many_sources(void)
{
    settings.sources = PLIC_HART + 1;
    tap_ok(start() == -EINVAL && initialised == 0 && !complaint,
           "test_plic_with_more_sources_than_there_are_numbers_is_refused");
    settings.sources = SOURCES;
}

// A boot loader has left everything on, and a source claimed.
static void test_start(void)
{
    bool masked = true, ours = true, others = false;
    for (unsigned n = 1; n < SOURCES; n++) {
        chip.priority[n] = 7;
        chip.pending[n] = chip.claimed[n] = true;
    }
    chip.threshold[CONTEXT] = 7;
    chip.msip = true;
    chip.hart_has = SSIP | MSIP_BIT | MTIP | SEIP | MEIP; // And no STIP.
    chip.mie = MSIP_BIT | MTIP | SSIP;
    tap_equal(start(), 0, "test_plic_starts");
    for (unsigned n = 1; n < SOURCES; n++) {
        masked &= chip.priority[n] == 0;
        ours &= chip.enabled[CONTEXT][n] && !chip.claimed[n];
        others |= chip.enabled[0][n] || chip.enabled[2][n];
    }
    tap_ok(masked && quiet_at_init && take() == 0, "test_plic_start_masks_every_source");
    tap_ok(ours, "test_plic_start_completes_what_was_claimed_before");
    tap_ok(!others, "test_plic_start_enables_nothing_for_other_contexts");
    tap_equal(chip.threshold[CONTEXT], 0, "test_plic_start_opens_the_threshold");
    tap_ok(!chip.msip && chip.mie == MEIP, "test_plic_start_masks_the_harts_own_interrupts");
    tap_equal(initialised, 1, "test_plic_start_says_that_interrupts_can_be_installed");
    memset(chip.pending, 0, sizeof chip.pending);
}

static void test_numbers(void)
{
    bool sources = !irq_controller_has(0);
    for (unsigned n = 1; n < PLIC_HART; n++)
        sources &= irq_controller_has(n) == (n < SOURCES);
    tap_ok(sources, "test_plic_has_the_boards_sources_and_no_other");
    bool hart = true;
    for (unsigned n = 0; n < 200; n++) {
        bool there = n < 12 && n != 11 && chip.hart_has >> n & 1;
        hart &= irq_controller_has(PLIC_HART + n) == there;
    }
    tap_ok(hart, "test_plic_has_the_harts_own_interrupts_that_are_there");
    tap_equal(irq_controller_software(), PLIC_HART + 3,
              "test_plic_software_interrupt_is_machine_modes_own");
}

static void test_every_source(void)
{
    bool good = true;
    for (unsigned n = 1; n < SOURCES; n++) {
        irq_controller_enable(n);
        chip.pending[n] = true;
        good &= take() == n && take() == 0;
        chip.pending[n] = true;
        good &= take() == n;
        irq_controller_disable(n);
        chip.pending[n] = true;
        good &= take() == 0;
        chip.pending[n] = false;
    }
    tap_ok(good, "test_plic_every_source_comes_under_its_number_again_and_again");
}

static void test_masking(void)
{
    chip.pending[90] = true;
    tap_equal(take(), 0, "test_plic_masked_source_does_not_come");
    irq_controller_enable(90);
    tap_equal(take(), 90, "test_plic_source_that_waited_comes_when_enabled");

    // The handler masks its own interrupt; the completion must reach the gateway all the same.
    chip.pending[90] = true;
    unsigned irq = irq_controller_claim();
    chip.pending[90] = true; // Again, meanwhile.
    bool early = take() != 0;
    irq_controller_disable(irq);
    irq_controller_complete(irq);
    bool masked = take() == 0;
    irq_controller_enable(irq);
    tap_ok(irq == 90 && !early, "test_plic_source_does_not_come_again_before_its_completion");
    tap_ok(masked && take() == 90, "test_plic_source_masked_while_it_is_served_is_not_lost");

    irq_controller_enable(7);
    chip.pending[90] = chip.pending[7] = true;
    unsigned first = take(), second = take();
    tap_ok(first + second == 97 && take() == 0, "test_plic_two_sources_at_once_both_come");
}

static void test_spurious(void)
{
    chip.pending[90] = true;
    chip.withdraw = true;
    unsigned irq = irq_controller_claim();
    tap_ok(irq >= IRQ_LIMIT, "test_plic_claim_of_0_is_spurious");
    tap_ok(irq_controller_claim() >= IRQ_LIMIT, "test_plic_claim_of_nothing_is_spurious");
}

static void test_software(void)
{
    irq_controller_enable(PLIC_HART_SOFTWARE);
    tap_equal(take(), 0, "test_plic_software_interrupt_waits_to_be_raised");
    irq_controller_raise_software();
    tap_ok(published > 0 && published < raised,
           "test_plic_software_interrupt_is_raised_behind_a_barrier");
    unsigned irq = irq_controller_claim();
    irq_controller_raise_software(); // By its handler.
    irq_controller_complete(irq);
    tap_ok(irq == PLIC_HART_SOFTWARE && take() == PLIC_HART_SOFTWARE && take() == 0,
           "test_plic_software_interrupt_raised_by_its_handler_comes_once_more");
    irq_controller_raise_software();
    irq_controller_disable(PLIC_HART_SOFTWARE);
    bool masked = take() == 0;
    irq_controller_enable(PLIC_HART_SOFTWARE);
    tap_ok(masked && take() == PLIC_HART_SOFTWARE,
           "test_plic_masked_software_interrupt_comes_when_enabled");
}

static void test_timer(void)
{
    chip.mtip = true;
    bool masked = take() == 0;
    irq_controller_enable(PLIC_HART_TIMER);
    unsigned irq = take();
    bool stays = take() == irq; // It goes with its comparator only.
    irq_controller_disable(PLIC_HART_TIMER);
    bool again = take() == 0;
    irq_controller_enable(PLIC_HART + 1);
    irq_controller_set_pending(PLIC_HART + 1);
    bool other = take() == PLIC_HART + 1;
    irq_controller_disable(PLIC_HART + 1);
    tap_ok(masked && again, "test_plic_masked_timer_does_not_come");
    tap_ok(other, "test_plic_masked_timer_hides_no_other_interrupt");
    tap_ok(irq == PLIC_HART_TIMER && stays, "test_plic_timer_comes_as_long_as_it_is_met");
    irq_controller_enable(PLIC_HART_TIMER);
    irq_controller_enable(PLIC_HART_SOFTWARE);
    irq_controller_raise_software();
    chip.pending[90] = true;
    bool seen[IRQ_LIMIT + 1] = { false };
    for (unsigned i = 0; i < 3; i++) {
        irq = take();
        seen[irq < IRQ_LIMIT ? irq : IRQ_LIMIT] = true;
        if (irq == PLIC_HART_TIMER)
            chip.mtip = false;
    }
    tap_ok(seen[90] && seen[PLIC_HART_SOFTWARE] && seen[PLIC_HART_TIMER] && take() == 0,
           "test_plic_source_timer_and_software_interrupt_at_once_all_come");
}

static void test_set_pending(void)
{
    bool refused = true;
    for (unsigned irq = 0; irq < IRQ_LIMIT; irq++)
        if (irq != PLIC_HART + 1 && irq != PLIC_HART + 5 && irq != PLIC_HART + 9)
            refused &= !irq_controller_set_pending(irq) && !irq_controller_clear_pending(irq);
    tap_ok(refused && chip.mip == 0, "test_plic_cannot_make_a_devices_interrupt_pending");
    bool good = true;
    for (unsigned n = 1; n <= 9; n += 8) {
        irq_controller_enable(PLIC_HART + n);
        good &= irq_controller_set_pending(PLIC_HART + n) && take() == PLIC_HART + n;
        good &= take() == 0;
        good &= irq_controller_set_pending(PLIC_HART + n);
        good &= irq_controller_clear_pending(PLIC_HART + n) && take() == 0;
        irq_controller_disable(PLIC_HART + n);
        good &= irq_controller_set_pending(PLIC_HART + n) && take() == 0;
        good &= irq_controller_clear_pending(PLIC_HART + n);
    }
    tap_ok(good, "test_plic_spare_interrupts_of_the_hart_can_be_made_pending_and_come_once");
}

int main(void)
{
    tap_plan(30);
    test_too_many_sources();
    test_start();
    test_numbers();
    test_every_source();
    test_masking();
    test_spurious();
    test_software();
    test_timer();
    test_set_pending();
    tap_ok(!complaint, "test_plic_no_rule_of_the_chip_is_broken");
    if (complaint)
        tap_note("%s", complaint);
    return tap_done();
}
