// Page tables in the short-descriptor format (ARM ARM B3.5): sections of 1 MiB, pages of 4 KiB
// where a MiB is mixed. Memory is not shareable: one core runs the kernel, and a Cortex-A9 does not
// cache shareable memory unless it takes part in coherency with the others. A Cortex-A15 on silicon
// wants ACTLR.SMP set before its caches are switched on, also when it is alone (its TRM, ACTLR).
// QEMU's does without; nothing here sets it.
#include "arch/protection.h"

#include "arch/assert.h"
#include "arch/mmio.h"

enum {
    SECTION_BYTES = 1 << 20,
    PAGE_BYTES = 1 << 12,
    SECTIONS = 4096,
    PAGES = SECTION_BYTES / PAGE_BYTES,
    PAGE_TABLES = 16, // MiB of mixed contents: the image's parts and the stacks' guards.
};

// A mapping's properties, in the bits of a page descriptor; those of a section are derived from
// them.
enum {
    PAGE_XN = BIT(0),
    PAGE_SMALL = BIT(1),
    PAGE_B = BIT(2),
    PAGE_C = BIT(3),
    PAGE_AP_PRIVILEGED = BIT(4),
    PAGE_TEX0 = BIT(6),
    PAGE_AP_READ_ONLY = BIT(9),
    NORMAL = PAGE_SMALL | PAGE_TEX0 | PAGE_C | PAGE_B | PAGE_AP_PRIVILEGED, // Write-back,
                                                                            // write-allocate.
    MAP_NONE = 0,
    MAP_DATA = NORMAL | PAGE_XN,
    MAP_TEXT = NORMAL | PAGE_AP_READ_ONLY,
    MAP_CONSTANTS = NORMAL | PAGE_XN | PAGE_AP_READ_ONLY,
    MAP_DEVICE = PAGE_SMALL | PAGE_B | PAGE_AP_PRIVILEGED | PAGE_XN,
};

enum { SECTION = BIT(1), SECTION_XN = BIT(4), TABLE = BIT(0) };

extern char __text_start[], __text_end[], __rodata_start[], __rodata_end[];
extern char __isr_stack_guard[], __isr_stack_bottom[], __fault_stack_guard[],
    __fault_stack_bottom[];
extern char __callback_stack_guard[], __callback_stack_bottom[];
extern char __main_stack_guard[], __main_stack_bottom[];

static _Alignas(16384) uint32_t sections[SECTIONS];
static _Alignas(1024) uint32_t page_tables[PAGE_TABLES][PAGES];
static unsigned page_tables_used;

// The same properties stand in other bits of a section's descriptor (figures B3-4 and B3-5).
static uint32_t section_descriptor(uint32_t base, uint32_t page)
{
    if (page == MAP_NONE)
        return 0;
    uint32_t access = (page & 0x1f0) << 6 | (page & PAGE_AP_READ_ONLY) << 6;
    return base | SECTION | (page & PAGE_XN ? SECTION_XN : 0) | (page & (PAGE_B | PAGE_C)) | access;
}

// The page table of a MiB; one is made where a section was, with the section's properties on every
// page.
static uint32_t *page_table(uint32_t section, uint32_t properties_before)
{
    if ((sections[section] & 3) == TABLE)
        return (uint32_t *)(sections[section] & ~UINT32_C(0x3ff));
    assert(page_tables_used < PAGE_TABLES);
    uint32_t *table = page_tables[page_tables_used++];
    for (uint32_t page = 0; page < PAGES; page++)
        table[page] = properties_before
                          ? section * SECTION_BYTES + page * PAGE_BYTES + properties_before
                          : 0;
    sections[section] = (uint32_t)table | TABLE;
    return table;
}

// Maps [start, end), whole pages, over what was mapped as `before`.
static void map(uint32_t start, uint32_t end, uint32_t properties, uint32_t before)
{
    uint32_t address = start;
    while (address < end) {
        uint32_t section = address / SECTION_BYTES;
        if (address % SECTION_BYTES == 0 && end - address >= SECTION_BYTES) {
            sections[section] = section_descriptor(address, properties);
            address += SECTION_BYTES;
        } else {
            page_table(section, before)[address % SECTION_BYTES / PAGE_BYTES] = properties
                                                                                    ? address |
                                                                                          properties
                                                                                    : 0;
            address += PAGE_BYTES;
        }
    }
}

static void map_guard(const char *guard, const char *stack_bottom)
{
    map((uint32_t)guard, (uint32_t)stack_bottom, MAP_NONE, MAP_DATA);
}

static void mmu_enable(void)
{
    enum {
        SCTLR_M = BIT(0),
        SCTLR_A = BIT(1),
        SCTLR_C = BIT(2),
        SCTLR_Z = BIT(11),
        SCTLR_I = BIT(12)
    };
    uint32_t sctlr;
    __asm__ volatile("mcr p15, 0, %0, c8, c7, 0" ::"r"(0));        // TLBIALL
    __asm__ volatile("mcr p15, 0, %0, c7, c5, 0" ::"r"(0));        // ICIALLU
    __asm__ volatile("mcr p15, 0, %0, c7, c5, 6" ::"r"(0));        // BPIALL
    __asm__ volatile("mcr p15, 0, %0, c2, c0, 2" ::"r"(0));        // TTBCR: TTBR0 alone, short
                                                                   // descriptors.
    __asm__ volatile("mcr p15, 0, %0, c2, c0, 0" ::"r"(sections)); // TTBR0, walks not cached.
    __asm__ volatile("mcr p15, 0, %0, c3, c0, 0" ::"r"(1)); // DACR: domain 0 obeys the permissions.
    __asm__ volatile("dsb\n\tisb" ::: "memory");
    __asm__ volatile("mrc p15, 0, %0, c1, c0, 0" : "=r"(sctlr));
    sctlr = (sctlr & ~SCTLR_A) | SCTLR_M | SCTLR_C | SCTLR_Z | SCTLR_I;
    __asm__ volatile("mcr p15, 0, %0, c1, c0, 0\n\tisb" ::"r"(sctlr) : "memory");
}

void protection_init(const struct memory_range *ram, const struct memory_range *mmio)
{
    map(ram->base, ram->base + ram->size, MAP_DATA, MAP_NONE);
    for (; mmio->size != 0; mmio++)
        map(mmio->base, mmio->base + mmio->size, MAP_DEVICE, MAP_NONE);
    map((uint32_t)__text_start, (uint32_t)__text_end, MAP_TEXT, MAP_DATA);
    map((uint32_t)__rodata_start, (uint32_t)__rodata_end, MAP_CONSTANTS, MAP_DATA);
    map_guard(__isr_stack_guard, __isr_stack_bottom);
    map_guard(__fault_stack_guard, __fault_stack_bottom);
    map_guard(__callback_stack_guard, __callback_stack_bottom);
    map_guard(__main_stack_guard, __main_stack_bottom);
    mmu_enable();
}
