// The kernel's formatter against the C library's snprintf, over every conversion it knows.
// sources: arch/format.c
#include "arch/format.h"

#include <limits.h>
#include <string.h>

#include "arch/cpu.h"
#include "tests/tap.h"

#define AGREES(...)                                          \
    agrees(snprintf(expected, sizeof expected, __VA_ARGS__), \
           format_text(got, sizeof got, __VA_ARGS__))

static char expected[100], got[100];

static bool agrees(int expected_length, size_t length)
{
    return length == (size_t)expected_length && strcmp(got, expected) == 0;
}

int main(void)
{
    bool numbers = true;
    tap_plan(8);
    for (unsigned shift = 0; shift < 64; shift++) {
        unsigned long long value = 0x9e3779b97f4a7c15ull >> shift;
        numbers &= AGREES("%llu %llx %lld", value, value, (long long)value);
        numbers &= AGREES("%u %x %d", (unsigned)value, (unsigned)value, (int)value);
    }
    tap_ok(numbers, "test_numbers_of_every_size");
    tap_ok(AGREES("%d %lld %u", INT_MIN, LLONG_MIN, 0u), "test_the_extremes");
    tap_ok(AGREES("[%8u] [%-8u] [%08x] [%2u]", 42u, 42u, 42u, 12345u), "test_widths");
    tap_ok(AGREES("%s|%8s|%-8s|%c", "text", "text", "text", 'x'), "test_strings");
    tap_ok(AGREES("%p %zu 100%%", (void *)0x1234, sizeof got) || strcmp(got, "1234 100 100%") == 0,
           "test_pointers_are_hexadecimal");
    tap_equal((long long)format_text(got, 5, "%s", "too long"), 4, "test_what_does_not_fit_is_cut");
    tap_ok(strcmp(got, "too ") == 0, "test_a_cut_text_ends_with_a_zero");
    got[0] = 'x';
    tap_ok(format_text(got, 0, "text") == 0 && got[0] == 'x', "test_no_room_writes_nothing");
    return tap_done();
}
