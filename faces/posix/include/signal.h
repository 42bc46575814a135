// All of it is in <sys/signal.h>, which other headers include.
#pragma once

#include <sys/signal.h>
