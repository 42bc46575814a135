// Does the same work in turn and at once, and says what the difference is.
#pragma once

#include <stdbool.h>

#include "task.h"

// Reads the beginning of the disk and counts primes, several times in both ways, and prints a
// table. Result: false, after one line on standard error, where a read failed or results differ.
// Context: main.
bool compare_both_ways(const struct task *task);
