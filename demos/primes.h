// Counts primes, one short slice of numbers at a time: work for a main loop, with a result that can
// be checked. At the end of a round it begins again at 0, so it never runs out of work.
#pragma once

#include <stdint.h>

enum {
    PRIMES_SLICE = 65536,       // Numbers looked at by one step, in well under a millisecond.
    PRIMES_MOST_SLICES = 65535, // In one round; the last number is still below 2^32.
    PRIMES_BASE = 6542,         // Primes below 65536, the root of 2^32.
};

struct primes {
    uint32_t slices; // In one round.
    uint32_t below;  // Of this round, the numbers smaller than this have been looked at.
    uint32_t rounds; // Complete ones.
    uint64_t found;  // Primes in all rounds.

    // The sieve: odd numbers only, composite[i] is the number below + 2 * i + 1.
    uint8_t composite[PRIMES_SLICE / 2];
    uint16_t base[PRIMES_BASE]; // The odd primes below 65536.
    uint32_t next[PRIMES_BASE]; // Index in the coming slice of the next multiple of base[i].
    unsigned base_count;
    unsigned base_active; // So many of them are small enough to have multiples to cross out.
};

// Begins at 0. slices: steps in one round, 1 to PRIMES_MOST_SLICES.
// Context: main | callback, as all of these.
void primes_start(struct primes *primes, uint32_t slices);

// Looks at the next PRIMES_SLICE numbers.
void primes_step(struct primes *primes);

// What primes->found must be by now, counted in an entirely different way. The further the sieve
// has come, the longer it takes: up to a second or so. Only one call at a time.
uint64_t primes_expected(const struct primes *primes);

// The number of primes smaller than n, found without looking at the numbers between the root of n
// and n. Only one call at a time.
uint32_t primes_below(uint32_t n);
