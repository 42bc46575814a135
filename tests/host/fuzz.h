// A test led by a string of bytes: each says what happens next. Chance writes it in `make test`,
// libFuzzer in tests/fuzz. What has to hold whatever happens is asserted.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/assert.h"

enum { FUZZ_BYTES = 1500 }; // Of a string that chance writes, at most.

static struct {
    const uint8_t *at, *end;
} fuzz_input;

static inline void fuzz_begin(const uint8_t *input, size_t size)
{
    fuzz_input.at = input;
    fuzz_input.end = input + size;
}

static inline bool fuzz_goes_on(void)
{
    return fuzz_input.at < fuzz_input.end;
}

// The next byte; 0 behind the last one.
static inline unsigned fuzz_byte(void)
{
    return fuzz_goes_on() ? *fuzz_input.at++ : 0;
}

// Calls run() with strings of size random bytes, the same ones every time.
static inline void fuzz_random(void (*run)(const uint8_t *input, size_t size), uint32_t seed,
                               unsigned rounds, size_t size)
{
    static uint8_t input[FUZZ_BYTES];
    assert(size <= FUZZ_BYTES);
    while (rounds-- > 0) {
        for (size_t i = 0; i < size; i++) {
            seed = seed * UINT32_C(1664525) + UINT32_C(1013904223);
            input[i] = (uint8_t)(seed >> 24);
        }
        run(input, size);
    }
}
