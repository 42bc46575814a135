// Physical memory protection (Privileged Architecture, 3.7): sixteen regions, of which the first
// that holds an address decides. All are locked, so that they bind machine mode too.
//
// RAM takes a row of regions that end where the next one begins (TOR): text, constants, data, and a
// closed one under each stack. Register windows come first; the last region closes everything else,
// page zero with it. No region is smaller than 4 KiB: QEMU looks up every single access to a page
// that has several.
#include "arch/assert.h"
#include "arch/cpu.h"
#include "arch/protection.h"

enum { REGIONS = 16, REGIONS_PER_CSR = 8, PAGE_BYTES = 4096 };

enum {
    PMP_R = 1 << 0,
    PMP_W = 1 << 1,
    PMP_X = 1 << 2,
    PMP_TOR = 1 << 3,
    PMP_NAPOT = 3 << 3,
    PMP_LOCKED = 1 << 7,
    PMP_NONE = 0,
    PMP_ADDRESS_SHIFT = 2, // Addresses count words.
};

extern char __text_start[], __text_end[], __rodata_end[];
extern char __isr_stack_guard[], __isr_stack_bottom[], __fault_stack_guard[],
    __fault_stack_bottom[];
extern char __callback_stack_guard[], __callback_stack_bottom[];
extern char __main_stack_guard[], __main_stack_bottom[];

static uint64_t addresses[REGIONS];
static uint8_t settings[REGIONS];
static unsigned used;

static void region(uint64_t address, unsigned setting)
{
    assert(used < REGIONS);
    addresses[used] = address >> PMP_ADDRESS_SHIFT;
    settings[used] = (uint8_t)(setting | PMP_LOCKED);
    used++;
}

// From the end of the region before up to here.
static void up_to(const char *end, unsigned access)
{
    assert((uintptr_t)end % PAGE_BYTES == 0);
    region((uintptr_t)end, PMP_TOR | access);
}

// A power of two in its place takes one region: the lowest bits of the address tell the size, a 0
// and, below it, a 1 for each doubling from 8 bytes up. Any other window takes two.
static void window(const struct memory_range *range)
{
    if ((range->size & (range->size - 1)) == 0 && (range->base & (range->size - 1)) == 0) {
        region(range->base | (range->size / 2 - 1), PMP_NAPOT | PMP_R | PMP_W);
    } else {
        region(range->base, PMP_NONE);
        region(range->base + range->size, PMP_TOR | PMP_R | PMP_W);
    }
}

static uint64_t packed_settings(unsigned first)
{
    uint64_t packed = 0;
    for (unsigned i = 0; i < REGIONS_PER_CSR; i++)
        packed |= (uint64_t)settings[first + i] << 8 * i;
    return packed;
}

// A CSR's number is part of the instruction. Addresses first: a locked region's cannot be written.
static void write_regions(void)
{
    csr_write(pmpaddr0, addresses[0]);
    csr_write(pmpaddr1, addresses[1]);
    csr_write(pmpaddr2, addresses[2]);
    csr_write(pmpaddr3, addresses[3]);
    csr_write(pmpaddr4, addresses[4]);
    csr_write(pmpaddr5, addresses[5]);
    csr_write(pmpaddr6, addresses[6]);
    csr_write(pmpaddr7, addresses[7]);
    csr_write(pmpaddr8, addresses[8]);
    csr_write(pmpaddr9, addresses[9]);
    csr_write(pmpaddr10, addresses[10]);
    csr_write(pmpaddr11, addresses[11]);
    csr_write(pmpaddr12, addresses[12]);
    csr_write(pmpaddr13, addresses[13]);
    csr_write(pmpaddr14, addresses[14]);
    csr_write(pmpaddr15, addresses[15]);
    csr_write(pmpcfg0, packed_settings(0));
    csr_write(pmpcfg2, packed_settings(REGIONS_PER_CSR));
}

void protection_init(const struct memory_range *ram, const struct memory_range *mmio)
{
    for (; mmio->size != 0; mmio++)
        window(mmio);
    region((uintptr_t)__text_start, PMP_NONE); // Off: only where the next one begins.
    up_to(__text_end, PMP_R | PMP_X);
    up_to(__rodata_end, PMP_R);
    up_to(__fault_stack_guard, PMP_R | PMP_W);
    up_to(__fault_stack_bottom, PMP_NONE);
    up_to(__isr_stack_guard, PMP_R | PMP_W);
    up_to(__isr_stack_bottom, PMP_NONE);
    up_to(__main_stack_guard, PMP_R | PMP_W);
    up_to(__main_stack_bottom, PMP_NONE);
    up_to(__callback_stack_guard, PMP_R | PMP_W);
    up_to(__callback_stack_bottom, PMP_NONE);
    region(ram->base + ram->size, PMP_TOR | PMP_R | PMP_W);
    region(UINT64_MAX, PMP_NAPOT | PMP_NONE); // Everything.
    write_regions();
}
