// What the demonstration has to say to a person: numbers that can be read, and what went wrong.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { NUMBER_BYTES = 32 };

// Writes 1234567 as 1,234,567. Result: text.
const char *grouped(uint64_t number, char text[NUMBER_BYTES]);

// Prints one line on standard error, after what standard output has to say. Result: false, so that
// a check that fails can end with it.
__attribute__((format(printf, 1, 2))) bool wrong(const char *format, ...);
