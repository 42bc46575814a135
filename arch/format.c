// A small printf. Numbers are written backwards into a buffer of their own, then padded to the
// width.
#include "arch/format.h"

#include <stdbool.h>
#include <stdint.h>

struct output {
    char *text;
    size_t size, length;
};

// What stands between '%' and its letter.
struct conversion {
    bool left, zeros;
    unsigned width;
    unsigned longs; // 0: int, 1: long or size_t, 2: long long.
    char letter;
};

static void put(struct output *output, char byte)
{
    if (output->length + 1 < output->size)
        output->text[output->length++] = byte;
}

static void put_padded(struct output *output, const struct conversion *conversion, const char *text,
                       size_t length)
{
    size_t padding = conversion->width > length ? conversion->width - length : 0;
    if (!conversion->left)
        for (; padding > 0; padding--)
            put(output, conversion->zeros ? '0' : ' ');
    for (size_t i = 0; i < length; i++)
        put(output, text[i]);
    for (; padding > 0; padding--)
        put(output, ' ');
}

static void put_text(struct output *output, const struct conversion *conversion, const char *text)
{
    size_t length = 0;
    if (!text)
        text = "(null)";
    while (text[length])
        length++;
    put_padded(output, conversion, text, length);
}

// Divides by 10 without a 64-bit division from libgcc, which would take some hundred instructions
// on ARM.
static uint64_t divide_by_10(uint64_t value, unsigned *remainder)
{
    uint64_t quotient = 0;
    uint64_t rest = 0;
    for (int shift = 48; shift >= 0; shift -= 16) {
        uint32_t part = (uint32_t)(rest << 16) | (uint32_t)((value >> shift) & 0xffff);
        quotient |= (uint64_t)(part / 10) << shift;
        rest = part % 10;
    }
    *remainder = (unsigned)rest;
    return quotient;
}

static void put_number(struct output *output, const struct conversion *conversion, uint64_t value,
                       bool hex, bool negative)
{
    char digits[24];
    size_t at = sizeof digits;
    do {
        unsigned digit = value & 15;
        value = hex ? value >> 4 : divide_by_10(value, &digit);
        digits[--at] = "0123456789abcdef"[digit];
    } while (value != 0);
    if (negative)
        digits[--at] = '-';
    put_padded(output, conversion, &digits[at], sizeof digits - at);
}

static const char *parse(const char *format, struct conversion *conversion)
{
    *conversion = (struct conversion){ 0 };
    for (; *format == '-' || *format == '0'; format++) {
        if (*format == '-')
            conversion->left = true;
        else
            conversion->zeros = true;
    }
    for (; *format >= '0' && *format <= '9'; format++)
        conversion->width = conversion->width * 10 + (unsigned)(*format - '0');
    for (; *format == 'l' || *format == 'z'; format++)
        conversion->longs++;
    conversion->letter = *format;
    return *format ? format + 1 : format;
}

size_t format_list(char *text, size_t size, const char *format, va_list arguments)
{
    struct output output = { text, size, 0 };
    while (*format) {
        struct conversion conversion;
        if (*format != '%') {
            put(&output, *format++);
            continue;
        }
        format = parse(format + 1, &conversion);
        if (conversion.letter == 's') {
            put_text(&output, &conversion, va_arg(arguments, const char *));
        } else if (conversion.letter == 'c') {
            put(&output, (char)va_arg(arguments, int));
        } else if (conversion.letter == 'p') {
            put_number(&output, &conversion, (uintptr_t)va_arg(arguments, void *), true, false);
        } else if (conversion.letter == 'd') {
            int64_t value = conversion.longs == 0   ? va_arg(arguments, int)
                            : conversion.longs == 1 ? va_arg(arguments, long)
                                                    : va_arg(arguments, long long);
            put_number(&output, &conversion, value < 0 ? -(uint64_t)value : (uint64_t)value, false,
                       value < 0);
        } else if (conversion.letter == 'u' || conversion.letter == 'x') {
            uint64_t value = conversion.longs == 0   ? va_arg(arguments, unsigned)
                             : conversion.longs == 1 ? va_arg(arguments, unsigned long)
                                                     : va_arg(arguments, unsigned long long);
            put_number(&output, &conversion, value, conversion.letter == 'x', false);
        } else {
            put(&output, conversion.letter ? conversion.letter : '%');
        }
    }
    if (size > 0)
        text[output.length] = '\0';
    return output.length;
}

size_t format_text(char *text, size_t size, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    size_t length = format_list(text, size, format, arguments);
    va_end(arguments);
    return length;
}
