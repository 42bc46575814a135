// ADMA2 descriptor tables (SD Host Controller Specification 3.00, 1.13).
// The 32-bit descriptor only: a controller that is told a shorter address would move bytes to the
// wrong place in silence, so everything beyond 32 bits is refused here.

#include "drivers/sd/adma2.h"

#include <errno.h>

enum { SECTOR_BYTES = 512, ADDRESS_ALIGNMENT = 4, MAP_EXTRA_PIECES = DMA_PIECES - 1 };

int adma2_init(struct adma2_table *table, const struct sdhci_settings *settings)
{
    table->piece_bytes = settings && settings->piece_bytes ? settings->piece_bytes
                                                           : ADMA2_PIECE_MAX;
    table->lead = settings ? settings->lead_nops : 0;
    table->stride = 1u + (settings ? settings->nops_between : 0);
    if (table->piece_bytes > ADMA2_PIECE_MAX || table->piece_bytes % SECTOR_BYTES != 0)
        return -EINVAL;
    for (unsigned i = 0; i < ADMA2_ENTRIES; i++) {
        table->entries[i].length_attributes = ADMA2_NOP;
        table->entries[i].address = 0;
    }
    return 0;
}

size_t adma2_capacity(const struct adma2_table *table)
{
    size_t places = (ADMA2_ENTRIES - table->lead - 1) / table->stride + 1;
    // A bounced head and tail take a descriptor each besides those of the body.
    return (places - MAP_EXTRA_PIECES) * table->piece_bytes;
}

static inline int adma2_check(const struct dma_piece *piece)
{
    if (piece->address % ADDRESS_ALIGNMENT != 0)
        return -EFAULT;
    // In halves: where an address has 32 bits, nothing is left of it, at no cost.
    uintptr_t last = piece->address + piece->size - 1;
    if (last >> 16 >> 16 != 0)
        return -EFAULT;
    return 0;
}

static inline void adma2_write(struct adma2_descriptor *entry, uint32_t address, uint32_t bytes)
{
    // 65536 loses its only bit in the shift, which is how the standard writes it.
    entry->length_attributes = bytes << ADMA2_LENGTH_SHIFT | ADMA2_TRANSFER;
    entry->address = address;
}

inline int adma2_build(struct adma2_table *table, const struct dma_piece *pieces, unsigned count)
{
    struct adma2_descriptor *entry = table->entries + table->lead;
    const unsigned stride = table->stride;
    const uint32_t most = table->piece_bytes;

    do {
        if (adma2_check(pieces) != 0)
            return -EFAULT;
        uint32_t address = (uint32_t)pieces->address;
        uint32_t left = (uint32_t)pieces->size;
        for (; left > most; left -= most, address += most, entry += stride)
            adma2_write(entry, address, most);
        adma2_write(entry, address, left);
        entry += stride;
        pieces++;
    } while (--count > 0);
    struct adma2_descriptor *last = entry - stride;
    last->length_attributes |= ADMA2_END;
    return (int)(last + 1 - table->entries);
}

size_t adma2_bytes_before(const struct adma2_table *table, uint32_t address)
{
    uint32_t distance = address - (uint32_t)(uintptr_t)table->entries;
    size_t executed = distance / sizeof table->entries[0];
    size_t bytes = 0;

    if (distance > sizeof table->entries)
        return 0; // Outside the table: the register says nothing that we understand.
    for (size_t i = table->lead; i < executed; i += table->stride) {
        uint32_t length = table->entries[i].length_attributes >> ADMA2_LENGTH_SHIFT;
        bytes += length ? length : ADMA2_PIECE_MAX;
        if (table->entries[i].length_attributes & ADMA2_END)
            break;
    }
    return bytes;
}
