// Physical memory protection on RISC-V, judged as the hart would: the suite keeps what is written
// to the sixteen regions' registers, with the locks as they work, and looks up who may do what at
// which address. An image as linker.ld lays it out, and two register windows, which need all the
// regions there are: a power of two in its place, and one that is not in its place.
// sources: arch/riscv/pmp.c
#include <stdlib.h>
#include <string.h>

#include "arch/cpu.h"
#include "arch/protection.h"
#include "tests/tap.h"

// Never touched: the addresses count.
__asm__(".bss\n"
        ".balign 4096\n"
        ".macro place name, bytes\n"
        ".global \\name\n"
        "\\name: .skip \\bytes\n"
        ".endm\n"
        "place before_ram, 0x4000\n"
        "place __text_start, 0x5000\n"
        "place __text_end, 0x2000\n"   // Constants.
        "place __rodata_end, 0x3000\n" // Data.
        "place __fault_stack_guard, 0x1000\n"
        "place __fault_stack_bottom, 0x2000\n"
        "place __isr_stack_guard, 0x1000\n"
        "place __isr_stack_bottom, 0x2000\n"
        "place __main_stack_guard, 0x10000\n"
        "place __main_stack_bottom, 0x100000\n"
        "place __callback_stack_guard, 0x10000\n"
        "place __callback_stack_bottom, 0x10000\n"
        "place __callback_stack_top, 0x8000\n"
        "place ram_end, 0x4000\n"
        ".text\n");

extern char ram_end[];
extern char __text_start[], __text_end[], __rodata_end[];
extern char __isr_stack_guard[], __isr_stack_bottom[], __fault_stack_guard[],
    __fault_stack_bottom[];
extern char __callback_stack_guard[], __callback_stack_bottom[], __callback_stack_top[];
extern char __main_stack_guard[], __main_stack_bottom[];

enum { REGIONS = 16, PAGE = 4096, MiB = 1 << 20 };

// --- The hart (Privileged Architecture, 3.7.1) ---

enum { R = 1, W = 2, X = 4, MATCH = 0x18, TOR = 0x08, NA4 = 0x10, NAPOT = 0x18, LOCKED = 0x80 };

static uint64_t addresses[REGIONS];
static uint8_t settings[REGIONS];
static unsigned lost_writes, cfg_writes;

static bool locked(unsigned n)
{
    bool by_next = n + 1 < REGIONS && settings[n + 1] & LOCKED && (settings[n + 1] & MATCH) == TOR;
    return settings[n] & LOCKED || by_next;
}

static void write_settings(unsigned first, uint64_t value)
{
    for (unsigned n = first; n < first + 8; n++, value >>= 8) {
        lost_writes += (settings[n] & LOCKED) != 0;
        if (!(settings[n] & LOCKED))
            settings[n] = (uint8_t)value;
    }
    cfg_writes++;
}

void fake_csr_write(const char *name, unsigned long value)
{
    if (strncmp(name, "pmpaddr", 7) == 0 && atoi(name + 7) < REGIONS) {
        unsigned n = (unsigned)atoi(name + 7);
        lost_writes += locked(n);
        if (!locked(n))
            addresses[n] = value & ((UINT64_C(1) << 54) - 1);
    } else if (strcmp(name, "pmpcfg0") == 0 || strcmp(name, "pmpcfg2") == 0) {
        write_settings(name[6] == '0' ? 0 : 8, value);
    } else {
        tap_note("a write of %s", name);
        lost_writes++;
    }
}

unsigned long fake_csr_read(const char *name)
{
    (void)name;
    return 0;
}

static bool holds(unsigned n, uint64_t address)
{
    uint64_t word = address >> 2, low = n > 0 ? addresses[n - 1] : 0;
    switch (settings[n] & MATCH) {
    case TOR:
        return word >= low && word < addresses[n];
    case NA4:
        return word == addresses[n];
    case NAPOT: {
        // The trailing ones and the 0 above them are not compared.
        uint64_t any = addresses[n] ^ (addresses[n] + 1);
        return (word & ~any) == (addresses[n] & ~any);
    }
    default:
        return false;
    }
}

// Result: what machine mode may do at the address, as bits R, W and X.
static unsigned allowed(uint64_t address)
{
    for (unsigned n = 0; n < REGIONS; n++)
        if (holds(n, address))
            return settings[n] & LOCKED ? settings[n] & (R | W | X) : R | W | X;
    return R | W | X; // No region: machine mode may do anything.
}

// --- Tests ---

// From start up to end: the first and the last bytes, and one of each page between.
static bool all(uint64_t start, uint64_t end, unsigned access)
{
    bool good = allowed(start) == access && allowed(end - 1) == access &&
                allowed(end - 8) == access;
    uint64_t step = (end - start) / 512 > PAGE ? (end - start) / 512 : PAGE;
    for (uint64_t address = start; address < end; address += step)
        good &= allowed(address) == access;
    if (!good)
        tap_note("%lx to %lx: %x at the start, %x at the end", (unsigned long)start,
                 (unsigned long)end, allowed(start), allowed(end - 1));
    return good;
}

static void is(const char *start, const char *end, unsigned access, const char *name)
{
    tap_ok(all((uintptr_t)start, (uintptr_t)end, access), name);
}

static void test_image(void)
{
    is(__text_start, __text_end, R | X, "test_text_is_executed_and_not_written");
    is(__text_end, __rodata_end, R, "test_constants_are_only_read");
    is(__rodata_end, __fault_stack_guard, R | W, "test_data_is_never_executed");
    is(__fault_stack_guard, __fault_stack_bottom, 0, "test_guard_below_the_fault_stack_is_closed");
    is(__fault_stack_bottom, __isr_stack_guard, R | W, "test_fault_stack_is_data");
    is(__isr_stack_guard, __isr_stack_bottom, 0, "test_guard_below_the_isr_stack_is_closed");
    is(__isr_stack_bottom, __main_stack_guard, R | W, "test_isr_stack_is_data");
    is(__main_stack_guard, __main_stack_bottom, 0, "test_guard_below_mains_stack_is_closed");
    is(__main_stack_bottom, __callback_stack_guard, R | W, "test_mains_stack_is_data");
    is(__callback_stack_guard, __callback_stack_bottom, 0,
       "test_guard_below_the_callback_stack_is_closed");
    is(__callback_stack_bottom, __callback_stack_top, R | W, "test_callback_stack_is_data");
    is(__callback_stack_top, ram_end, R | W, "test_heap_is_data_up_to_the_end_of_ram");
}

static const struct memory_range windows[] = { { 0x00100000, 256 * MiB },
                                               { 0x20000000, 2 * MiB },
                                               { 0, 0 } };

static void test_windows(void)
{
    tap_ok(all(0x00100000, 0x10100000, R | W),
           "test_window_at_any_address_is_open_and_not_executed");
    tap_ok(all(0x20000000, 0x20200000, R | W),
           "test_window_of_a_power_of_two_is_open_and_not_executed");
}

static void test_everything_else(void)
{
    uint64_t ram = (uintptr_t)__text_start, end = (uintptr_t)ram_end;
    tap_ok(all(0, PAGE, 0), "test_page_zero_is_closed");
    tap_ok(all(PAGE, 0x00100000, 0) && all(0x10100000, 0x20000000, 0) &&
               all(0x20200000, 0x20400000, 0) && all(0x20400000, ram, 0),
           "test_addresses_around_the_windows_are_closed");
    tap_ok(all(ram - 0x4000, ram, 0) && all(end, end + 0x4000, 0) && all(end, UINT64_C(1) << 56, 0),
           "test_addresses_around_ram_are_closed");
}

static void test_locks(void)
{
    bool every = true;
    for (unsigned n = 0; n < REGIONS; n++)
        every &= (settings[n] & LOCKED) != 0;
    tap_ok(every, "test_every_region_is_locked_and_so_binds_machine_mode");
    tap_ok(lost_writes == 0 && cfg_writes == 2, "test_nothing_is_written_to_a_locked_region");
}

int main(void)
{
    const struct memory_range ram = { (uintptr_t)__text_start,
                                      (uintptr_t)ram_end - (uintptr_t)__text_start };
    tap_plan(19);
    protection_init(&ram, windows);
    test_image();
    test_windows();
    test_everything_else();
    test_locks();
    return tap_done();
}
