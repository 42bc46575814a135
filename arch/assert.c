// The end of a kernel that has found itself in the wrong.
#include "arch/assert.h"

#include "arch/cpu.h"
#include "arch/fault.h"
#include "arch/report.h"

_Noreturn void assertion_failed(const char *expression, const char *file, int line)
{
    static bool failed; // An assertion inside the report ends the machine at once.
    irq_save();
    if (!failed) {
        failed = true;
        report("\nassertion failed: %s (%s:%d), called from %p\n", expression, file, line,
               __builtin_return_address(0));
    }
    machine_exit(EXIT_ASSERTION);
}
