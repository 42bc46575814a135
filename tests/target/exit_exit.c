// The end by exit(): streams are written out, functions run, I/O in flight comes to rest.
// share: yes
// sd: 8M
#include "tests/target/exit.h"

int main(void)
{
    if (!leave_unfinished())
        return 0;
    exit(0);
}
