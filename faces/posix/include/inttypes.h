// newlib's <inttypes.h> leaves PRIu64 and its like out unless <sys/types.h> came before.
#pragma once

#include <sys/types.h>

#include_next <inttypes.h>
