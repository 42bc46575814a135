// Assertions, for our own mistakes only: arguments, ownership, state. A device's failure is a
// result, never an assertion.
#pragma once

// Says what did not hold and where, and ends the machine with exit status 134.
// Context: any.
_Noreturn void assertion_failed(const char *expression, const char *file, int line);

#undef assert
#define assert(condition) ((condition) ? (void)0 : assertion_failed(#condition, __FILE__, __LINE__))
