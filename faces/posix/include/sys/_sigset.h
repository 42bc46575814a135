// newlib's sigset_t has a bit for each of 32 signals at most; ours for 64.
#pragma once

typedef unsigned long long __sigset_t;
