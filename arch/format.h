// Text for kernel messages and /proc: a printf without floating point, locale, allocation or libc.
#pragma once

#include <stdarg.h>
#include <stddef.h>

// Writes at most size - 1 bytes of text and a final zero. Knows %s %c %d %u %x %p and %%, with l,
// ll or z for longer numbers, a width, '-' for left and '0' for zero padding.
// Result: the length of the text that was written; what did not fit is cut.
// Context: any.
size_t format_list(char *text, size_t size, const char *format, va_list arguments);
size_t format_text(char *text, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
