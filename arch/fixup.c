// The table of loads and stores that may fault, which the linker collects (linker.ld).
#include "arch/fixup.h"

struct fixup {
    uintptr_t access, otherwise;
};

extern const struct fixup __fixups_start[], __fixups_end[];

uintptr_t fixup_find(uintptr_t pc)
{
    for (const struct fixup *fixup = __fixups_start; fixup < __fixups_end; fixup++)
        if (fixup->access == pc)
            return fixup->otherwise;
    return 0;
}
