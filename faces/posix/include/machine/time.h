// clock() and times() count microseconds, as POSIX has it, on each CPU; newlib's own says 100 on
// ARM.
#pragma once

#define _CLOCKS_PER_SEC_ 1000000
