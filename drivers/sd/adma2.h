// ADMA2 descriptor tables: the list of memory pieces that an SDHCI walks through by itself during a
// transfer. A pure data structure; cleaning it out of the caches is the caller's. SD Host
// Controller Specification 3.00, 1.13.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/cpu.h"
#include "dma/coherence.h"
#include "drivers/sd/sd.h"

// The 32-bit form: 16 bits of length (0 means 65536) over 16 bits of attributes, then the address
// (figure 1-8).
struct adma2_descriptor {
    uint32_t length_attributes;
    uint32_t address;
};
_Static_assert(sizeof(struct adma2_descriptor) == 8, "as the controller reads it");
_Static_assert(offsetof(struct adma2_descriptor, address) == 4, "as the controller reads it");

enum {
    ADMA2_VALID = 0x01,    // The controller stops with an ADMA error at a descriptor without it.
    ADMA2_END = 0x02,      // The last of the table.
    ADMA2_NOP = 0x01,      // Valid and nothing else: skip this descriptor,
    ADMA2_TRANSFER = 0x21, // or move its length.
    ADMA2_LENGTH_SHIFT = 16,
    ADMA2_PIECE_MAX = 65536, // Bytes one descriptor can move.
    ADMA2_ENTRIES = 1344,    // Room for 1 MiB in pieces of 4 KiB with four NOPs after each.
};

// Where data descriptors stand is fixed by the layout, so the NOPs between them are written once.
struct adma2_table {
    uint32_t piece_bytes;
    unsigned lead;   // Index of the first data descriptor.
    unsigned stride; // From one data descriptor to the next.
    _Alignas(CPU_CACHE_LINE_MAX) struct adma2_descriptor entries[ADMA2_ENTRIES];
};

// Fills the table with NOPs and takes over the layout. Result: 0, or -EINVAL for a layout that
// cannot be.
// Context: boot.
int adma2_init(struct adma2_table *table, const struct sdhci_settings *settings);

// The most bytes a table can hold, whole sectors, however dma_map() cuts the buffer.
// Context: any.
size_t adma2_capacity(const struct adma2_table *table);

// Writes the descriptors for one piece or more, at most adma2_capacity() bytes in all.
// Result: entries used from the table's start, or -EFAULT: a piece lies beyond 32 bits or is not
// aligned to a word.
// Context: any.
int adma2_build(struct adma2_table *table, const struct dma_piece *pieces, unsigned count);

// The bytes that the descriptors before `address` move; address is what ADMA System Address holds.
// Context: any.
size_t adma2_bytes_before(const struct adma2_table *table, uint32_t address);
