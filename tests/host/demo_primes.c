// The demonstration's two ways of counting primes, against the published values and one another.
// sources: demos/primes.c
#include <stddef.h>

#include "demos/primes.h"
#include "tests/host/fake/cpu_arch.h"
#include "tests/tap.h"

static struct primes primes;

// The number of primes up to powers of ten is OEIS A006880; primes_below() stops just before n.
static void test_formula_agrees_with_published_counts(void)
{
    static const struct {
        uint32_t n, primes;
    } published[] = {
        { 10, 4 },
        { 100, 25 },
        { 1000, 168 },
        { 10000, 1229 },
        { 100000, 9592 },
        { 1000000, 78498 },
        { 10000000, 664579 },
        { 100000000, 5761455 },
        { 65536, PRIMES_BASE },
        { 1000000000, 50847534 },
        { 4000000000, 189961812 },
    };
    unsigned wrong = 0;
    for (size_t i = 0; i < sizeof published / sizeof *published; i++)
        wrong += primes_below(published[i].n) != published[i].primes;
    tap_equal(wrong, 0, "test_primes_below_agrees_with_published_counts");
}

static bool is_prime(uint32_t n)
{
    for (uint32_t d = 2; d * d <= n; d++) {
        if (n % d == 0)
            return false;
    }
    return n >= 2;
}

// Small values are where roots and limits are off by one.
static void test_formula_at_every_small_number(void)
{
    enum { SMALL = 3000 };
    unsigned wrong = 0;
    uint32_t counted = 0;
    for (uint32_t n = 0; n <= SMALL; n++) {
        wrong += primes_below(n) != counted;
        counted += is_prime(n);
    }
    tap_equal(wrong, 0, "test_primes_below_is_exact_at_every_small_number");
}

static void test_sieve_after_every_slice(void)
{
    enum { SLICES = 400 };
    unsigned wrong = 0;
    primes_start(&primes, PRIMES_MOST_SLICES);
    for (uint32_t i = 0; i < SLICES; i++) {
        primes_step(&primes);
        wrong += primes.below != (i + 1) * PRIMES_SLICE;
        wrong += primes.found != primes_expected(&primes);
    }
    tap_equal(wrong, 0, "test_sieve_and_formula_agree_after_every_slice");
    tap_equal((long long)primes.base_count, PRIMES_BASE - 1, "test_base_is_complete");
}

static void test_rounds(void)
{
    enum { SLICES = 3, STEPS = 10 };
    uint32_t expected = 3 * primes_below(SLICES * PRIMES_SLICE) + primes_below(PRIMES_SLICE);
    primes_start(&primes, SLICES);
    for (uint32_t i = 0; i < STEPS; i++)
        primes_step(&primes);
    tap_equal(primes.rounds, 3, "test_a_round_ends_at_its_limit");
    tap_equal((long long)primes.found, expected, "test_found_goes_on_over_rounds");
    tap_equal((long long)primes_expected(&primes), expected, "test_expected_goes_on_over_rounds");
}

// A sieve that lost one mark must not go unnoticed.
static void test_wrong_count_is_seen(void)
{
    primes_start(&primes, PRIMES_MOST_SLICES);
    primes_step(&primes);
    primes.next[0]++;
    primes_step(&primes);
    tap_ok(primes.found != primes_expected(&primes), "test_expected_sees_a_wrong_count");
}

int main(void)
{
    tap_plan(8);
    test_formula_agrees_with_published_counts();
    test_formula_at_every_small_number();
    test_sieve_after_every_slice();
    test_rounds();
    test_wrong_count_is_seen();
    return tap_done();
}
