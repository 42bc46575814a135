// Counts primes with the sieve of Eratosthenes, slice by slice, and once more with Legendre's
// formula as a check.
//
// A composite number below 2^32 has a prime factor below 65536, so it is enough to cross out the
// multiples of the 6541 odd primes down there. Each remembers where it has to go on in the next
// slice, so nothing is ever computed twice.
#include "primes.h"

#include <string.h>

enum { HALF_SLICE = PRIMES_SLICE / 2, ROOT_LIMIT = 65536 };

// Marks every prime'th odd number from index on. Result: the index of the next one, in the slice
// after this.
static uint32_t cross_out(uint8_t composite[HALF_SLICE], uint32_t index, uint32_t prime)
{
    for (; index < HALF_SLICE; index += prime)
        composite[index] = 1;
    return index - HALF_SLICE;
}

// The first slice reaches as far as the base has to: 65536.
static void find_base(struct primes *primes)
{
    memset(primes->composite, 0, HALF_SLICE);
    primes->base_count = 0;
    for (uint32_t number = 3; number < ROOT_LIMIT; number += 2) {
        if (primes->composite[number / 2])
            continue;
        primes->base[primes->base_count++] = (uint16_t)number;
        cross_out(primes->composite, number * number / 2, number);
    }
}

static void begin_round(struct primes *primes)
{
    primes->below = 0;
    primes->base_active = 0;
}

// A base prime gets work in the slice that holds its square: smaller multiples of it have a
// smaller factor too.
static void activate_base(struct primes *primes)
{
    uint32_t last = primes->below + (PRIMES_SLICE - 1);
    while (primes->base_active < primes->base_count) {
        uint32_t prime = primes->base[primes->base_active];
        if (prime * prime > last)
            break;
        primes->next[primes->base_active++] = (prime * prime - primes->below) / 2;
    }
}

void primes_start(struct primes *primes, uint32_t slices)
{
    primes->slices = slices;
    primes->rounds = 0;
    primes->found = 0;
    find_base(primes);
    begin_round(primes);
}

// Aligned to more than its size: QEMU runs a loop that lies across the border of two 4 KiB pages
// three to five times more slowly.
__attribute__((aligned(512))) void primes_step(struct primes *primes)
{
    memset(primes->composite, 0, HALF_SLICE);
    activate_base(primes);
    for (unsigned i = 0; i < primes->base_active; i++)
        primes->next[i] = cross_out(primes->composite, primes->next[i], primes->base[i]);

    // The first slice counts 1, which is no prime, and misses 2, which is one: that evens out.
    uint32_t crossed_out = 0;
    for (uint32_t i = 0; i < HALF_SLICE; i++)
        crossed_out += primes->composite[i];
    primes->found += HALF_SLICE - crossed_out;

    primes->below += PRIMES_SLICE;
    if (primes->below == primes->slices * PRIMES_SLICE) {
        primes->rounds++;
        begin_round(primes);
    }
}

uint64_t primes_expected(const struct primes *primes)
{
    uint64_t expected = primes_below(primes->below);
    if (primes->rounds > 0)
        expected += (uint64_t)primes->rounds * primes_below(primes->slices * PRIMES_SLICE);
    return expected;
}

static uint32_t square_root(uint32_t n)
{
    uint32_t root = 0;
    for (uint32_t bit = ROOT_LIMIT / 2; bit > 0; bit /= 2) {
        if ((root + bit) * (root + bit) <= n)
            root += bit;
    }
    return root;
}

// Legendre's formula, for all quotients of `last` at a time. count(v) begins as the number of
// integers from 2 to v; each prime p then takes away the multiples of p without a smaller factor,
// of which there are count(v / p) less the primes below p. Only values v = last / i ever occur:
// small[v] holds those up to the root, large[i] the others.
uint32_t primes_below(uint32_t n)
{
    static uint32_t small[ROOT_LIMIT], large[ROOT_LIMIT];
    if (n <= 2)
        return 0;
    uint32_t last = n - 1, root = square_root(last);
    for (uint32_t i = 1; i <= root; i++) {
        small[i] = i - 1;
        large[i] = last / i - 1;
    }
    for (uint32_t p = 2; p <= root; p++) {
        uint32_t primes_before = small[p - 1];
        if (small[p] == primes_before)
            continue; // Not a prime.
        uint32_t quotients = last / (p * p);
        for (uint32_t i = 1; i <= root && i <= quotients; i++) {
            uint32_t ip = i * p;
            large[i] -= (ip <= root ? large[ip] : small[last / ip]) - primes_before;
        }
        for (uint32_t v = root; v >= p * p; v--)
            small[v] -= small[v / p] - primes_before;
    }
    return large[1];
}
