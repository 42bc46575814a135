// printf() and scanf() know the formats of C99 and POSIX that programs written for other systems
// use; newlib has them when it is built for them (tools/make-newlib). newlib's small variant does
// not.
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "tests/tap.h"

// gcc checks formats against arguments at compile time; these are for the library.
static void prints(const char *expected, const char *test, const char *text)
{
    tap_ok(strcmp(text, expected) == 0, test);
    if (strcmp(text, expected) != 0)
        tap_note("got \"%s\"", text);
}

static char text[128];
static wchar_t wide[128];

static void test_printing(void)
{
    snprintf(text, sizeof text, "%zu %zd %zx", (size_t)5, (ssize_t)-6, sizeof(char));
    prints("5 -6 1", "test_printf_knows_z", text);
    snprintf(text, sizeof text, "%jd %ju %td", INTMAX_MIN, UINTMAX_MAX, (ptrdiff_t)-4);
    prints("-9223372036854775808 18446744073709551615 -4", "test_printf_knows_j_and_t", text);
    snprintf(text, sizeof text, "%hhd %hhu %hd", (signed char)-1, (unsigned char)255, (short)-2);
    prints("-1 255 -2", "test_printf_knows_hh", text);
    snprintf(text, sizeof text, "%" PRIu64 " %" PRId8 " %" PRIxPTR, UINT64_C(1) << 40, (int8_t)-8,
             (uintptr_t)0xabc);
    prints("1099511627776 -8 abc", "test_printf_knows_the_formats_of_inttypes", text);
    snprintf(text, sizeof text, "%a %.3f %g %e", 1.5, 2.0625, 1e-7, 12345.678);
    prints("0x1.8p+0 2.062 1e-07 1.234568e+04", "test_printf_knows_a_f_g_and_e", text);
    snprintf(text, sizeof text, "%2$s %1$d", 7, "seven:"); // POSIX.
    prints("seven: 7", "test_printf_knows_numbered_arguments", text);
    swprintf(wide, sizeof wide / sizeof wide[0], L"%zu %ls", (size_t)9, L"wide");
    tap_ok(wcscmp(wide, L"9 wide") == 0, "test_wprintf_knows_z");
}

static void test_scanning(void)
{
    size_t size = 0;
    intmax_t largest = 0;
    ptrdiff_t distance = 0;
    signed char small = 0;
    int8_t eight = 0;
    uint64_t sixty_four = 0;
    float real = 0;
    tap_equal(
        sscanf("17 -9000000000 -3 100", "%zu %jd %td %hhd", &size, &largest, &distance, &small), 4,
        "test_scanf_knows_z_j_t_and_hh");
    tap_ok(size == 17 && largest == -9000000000 && distance == -3 && small == 100,
           "test_scanf_stores_them_in_their_sizes");
    tap_ok(sscanf("5 1099511627776", "%" SCNd8 " %" SCNu64, &eight, &sixty_four) == 2 &&
               eight == 5 && sixty_four == UINT64_C(1) << 40,
           "test_scanf_knows_the_formats_of_inttypes");
    tap_ok(sscanf("0.25", "%f", &real) == 1 && real == 0.25f, "test_scanf_knows_f");
}

int main(void)
{
    tap_plan(11);
    test_printing();
    test_scanning();
    return tap_done();
}
