// The end by _exit(): streams are left as they are and no function runs; I/O in flight comes to
// rest.
// share: yes
// sd: 8M
#include "tests/target/exit.h"

int main(void)
{
    if (!leave_unfinished())
        return 0;
    _exit(0);
}
