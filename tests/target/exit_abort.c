// The end by abort(): streams are left as they are and no function runs; I/O in flight comes to
// rest.
// share: yes
// sd: 8M
// exit: 134
#include "tests/target/exit.h"

int main(void)
{
    if (!leave_unfinished())
        abort();
    abort();
}
