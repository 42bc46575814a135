// What the demonstration has to say to a person.
#include "say.h"

#include <stdarg.h>
#include <stdio.h>

const char *grouped(uint64_t number, char text[NUMBER_BYTES])
{
    char digits[NUMBER_BYTES];
    int count = snprintf(digits, sizeof digits, "%llu", (unsigned long long)number);
    int end = 0;
    for (int i = 0; i < count; i++) {
        if (i > 0 && (count - i) % 3 == 0)
            text[end++] = ',';
        text[end++] = digits[i];
    }
    text[end] = '\0';
    return text;
}

bool wrong(const char *format, ...)
{
    va_list arguments;
    fflush(stdout);
    va_start(arguments, format);
    fprintf(stderr, "overlap: ");
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    va_end(arguments);
    return false;
}
