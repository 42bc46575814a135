// newlib's <inttypes.h> leaves PRIu64 and its like out unless <sys/types.h> came before.
#pragma once

#include_next <inttypes.h>
#include <sys/types.h>
