// Programs for Linux include this one now and then; what it is for is in <sys/features.h>.
#pragma once

#include <sys/features.h>
