// <poll.h> by its older name.
#pragma once

#include <poll.h>
