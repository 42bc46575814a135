// Test Anything Protocol for suites on the host and on the target: `prove` reads it.
//     int main(void)
//     {
//         tap_plan(2);
//         tap_ok(1 + 1 == 2, "test_addition_is_exact");
//         tap_skip("test_sd_cancel", "this board has no SD card");
//         return tap_done();
//     }
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

static unsigned tap_count, tap_failures, tap_planned;

static inline void tap_plan(unsigned tests)
{
    tap_planned = tests;
    printf("1..%u\n", tests);
}

// One result; the name is the claim. Returns what it was given.
static inline bool tap_ok(bool passed, const char *name)
{
    printf("%sok %u - %s\n", passed ? "" : "not ", ++tap_count, name);
    tap_failures += !passed;
    return passed;
}

__attribute__((format(printf, 1, 2))) static inline void tap_note(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    printf("# ");
    vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
}

// Equal numbers; says both when they are not.
static inline bool tap_equal(long long got, long long expected, const char *name)
{
    if (!tap_ok(got == expected, name))
        tap_note("got %lld, expected %lld", got, expected);
    return got == expected;
}

// At most; says the figure in any case, so that a report shows it.
static inline bool tap_at_most(long long got, long long limit, const char *name)
{
    tap_ok(got <= limit, name);
    tap_note("figure: %s: %lld (limit %lld)", name, got, limit);
    return got <= limit;
}

static inline void tap_skip(const char *name, const char *why)
{
    printf("ok %u - %s # SKIP %s\n", ++tap_count, name, why);
}

// The suite's exit status: 0 when the plan was kept and nothing failed.
static inline int tap_done(void)
{
    fflush(stdout);
    return tap_failures != 0 || tap_count != tap_planned;
}

// Skips what the plan still holds. Result: as tap_done().
static inline int tap_skip_rest(const char *why)
{
    while (tap_count < tap_planned)
        tap_skip("the rest", why);
    return tap_done();
}
