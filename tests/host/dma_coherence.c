// Bounce lines and cache maintenance over a simulated cache: the CPU and the device each see memory
// of their own, and only maintenance (or bad luck: an eviction, an early fetch) carries bytes from
// one to the other.
// sources: dma/coherence.c
#include "dma/coherence.h"

#include <string.h>

#include "tests/host/fake/event_log.h"
#include "tests/tap.h"

enum { LINE = CPU_CACHE_LINE_MAX, ARENA = 1024, GUARD = 256 };

// What the CPU sees, and the same addresses as the device sees them.
static struct {
    _Alignas(LINE) uint8_t buffer[ARENA];
    struct dma_bounce bounce;
} cpu;
static uint8_t ram[sizeof cpu];

static size_t place(uintptr_t address)
{
    return address - (uintptr_t)&cpu;
}

static void lines_clean(size_t from, size_t size)
{
    size_t end = (from + size + LINE - 1) / LINE * LINE;
    from = from / LINE * LINE;
    memcpy(ram + from, (uint8_t *)&cpu + from, end - from);
}

static void lines_drop(size_t from, size_t size)
{
    size_t end = (from + size + LINE - 1) / LINE * LINE;
    from = from / LINE * LINE;
    memcpy((uint8_t *)&cpu + from, ram + from, end - from);
}

void fake_event(enum fake_event event, uintptr_t address, uint64_t size)
{
    fake_log_add(event, address, size);
    if (event == FAKE_CLEAN || event == FAKE_CLEAN_INVALIDATE)
        lines_clean(place(address), (size_t)size);
    if (event == FAKE_INVALIDATE || event == FAKE_CLEAN_INVALIDATE)
        lines_drop(place(address), (size_t)size);
}

static uint8_t old_byte(size_t i)
{
    return (uint8_t)(i * 3 + 1);
}

static uint8_t new_byte(size_t i)
{
    return (uint8_t)(i * 5 + 128);
}

static void arena_reset(void)
{
    for (size_t i = 0; i < ARENA; i++)
        cpu.buffer[i] = old_byte(i);
    memset(&cpu.bounce, 0x77, sizeof cpu.bounce);
    memset(ram, 0xcc, sizeof ram); // Nothing has been written back yet.
    fake_log.count = 0;
}

// The device writes the first moved bytes of what it was told.
static bool device_writes(const struct dma_map *map, size_t moved)
{
    size_t done = 0, total = 0;
    for (unsigned i = 0; i < map->count; i++) {
        const struct dma_piece *piece = &map->pieces[i];
        total += piece->size;
        for (size_t j = 0; j < piece->size && done < moved; j++, done++)
            ram[place(piece->address) + j] = new_byte(done);
    }
    return total == map->size;
}

// What can happen while the device works: a neighbour stores into its bytes of the shared lines,
// those dirty lines are evicted, and the CPU fetches lines of the buffer early.
static void meanwhile(size_t start, size_t size)
{
    for (size_t i = GUARD; i < start; i++)
        cpu.buffer[i] = (uint8_t)~old_byte(i);
    for (size_t i = start + size; i < ARENA - GUARD; i++)
        cpu.buffer[i] = (uint8_t)~old_byte(i);
    size_t head_line = start / LINE * LINE, tail_line = (start + size) / LINE * LINE;
    if (start % LINE != 0)
        lines_clean(head_line, LINE);
    if ((start + size) % LINE != 0)
        lines_clean(tail_line, LINE);
    size_t first = (start + LINE - 1) / LINE * LINE;
    if (first + LINE <= start + size)
        lines_drop(first, LINE);
    lines_drop(place((uintptr_t)&cpu.bounce), sizeof cpu.bounce);
}

static bool buffer_is_right(size_t start, size_t size, size_t moved)
{
    for (size_t i = GUARD; i < ARENA - GUARD; i++) {
        bool inside = i >= start && i < start + size;
        uint8_t right = !inside             ? (uint8_t)~old_byte(i)
                        : i < start + moved ? new_byte(i - start)
                                            : old_byte(i);
        if (cpu.buffer[i] != right) {
            tap_note("start %zu size %zu moved %zu: byte %zu is %02x, not %02x", start, size, moved,
                     i, cpu.buffer[i], right);
            return false;
        }
    }
    return true;
}

static bool from_device(size_t start, size_t size, size_t moved)
{
    struct dma_map map;
    arena_reset();
    dma_map(&map, (uintptr_t)cpu.buffer + start, size, DMA_FROM_DEVICE, false, &cpu.bounce);
    bool complete = device_writes(&map, moved / 2);
    meanwhile(start, size);
    device_writes(&map, moved);
    dma_unmap(&map, moved);
    return complete && buffer_is_right(start, size, moved);
}

static void test_bounce_lines_keep_neighbours(void)
{
    bool whole = true, cut = true;
    for (size_t start = GUARD; start < GUARD + 2 * LINE; start++) {
        for (size_t size = 0; size <= 257 && whole && cut; size++) {
            whole = from_device(start, size, size);
            cut = from_device(start, size, size / 3) && from_device(start, size, 0);
        }
    }
    tap_ok(whole, "test_neighbours_in_shared_lines_keep_what_they_store_meanwhile");
    tap_ok(cut, "test_bytes_that_were_not_moved_are_as_before");
}

static bool event_is(unsigned i, enum fake_event event, uintptr_t address, size_t size)
{
    return fake_log.entries[i].event == event && fake_log.entries[i].address == address &&
           fake_log.entries[i].value == size;
}

static void test_order(void)
{
    struct dma_map map;
    uintptr_t buffer = (uintptr_t)cpu.buffer + 512 - 10, body = (uintptr_t)cpu.buffer + 512;
    uintptr_t head = (uintptr_t)cpu.bounce.head, tail = (uintptr_t)cpu.bounce.tail;
    arena_reset();
    dma_map(&map, buffer, 10 + 128 + 5, DMA_FROM_DEVICE, false, &cpu.bounce);
    tap_ok(fake_log.count == 3 && event_is(0, FAKE_CLEAN_INVALIDATE, head, LINE) &&
               event_is(1, FAKE_CLEAN_INVALIDATE, body, 128) &&
               event_is(2, FAKE_CLEAN_INVALIDATE, tail, LINE),
           "test_destination_is_written_back_and_dropped_before");
    tap_ok(map.count == 3 && map.pieces[0].address == head + LINE - 10 &&
               map.pieces[0].size == 10 && map.pieces[1].address == body &&
               map.pieces[1].size == 128 && map.pieces[2].address == tail &&
               map.pieces[2].size == 5,
           "test_pieces_keep_their_alignment");
    fake_log.count = 0;
    dma_unmap(&map, map.size);
    tap_ok(fake_log.count == 4 && event_is(0, FAKE_CONSUME, 0, 0) &&
               event_is(1, FAKE_INVALIDATE, body, 128) &&
               event_is(2, FAKE_INVALIDATE, head, LINE) && event_is(3, FAKE_INVALIDATE, tail, LINE),
           "test_destination_is_dropped_after_a_barrier_once_the_device_is_quiet");
}

static void test_whole_lines_are_not_bounced(void)
{
    struct dma_map map;
    arena_reset();
    dma_map(&map, (uintptr_t)cpu.buffer + 256, 256, DMA_FROM_DEVICE, false, &cpu.bounce);
    tap_ok(map.count == 1 && map.pieces[0].address == (uintptr_t)cpu.buffer + 256 &&
               fake_log.count == 1,
           "test_whole_lines_go_straight_to_the_buffer");
}

static void test_to_device(void)
{
    struct dma_map map;
    arena_reset();
    dma_map(&map, (uintptr_t)cpu.buffer + 301, 99, DMA_TO_DEVICE, false, NULL);
    bool seen = memcmp(ram + 301, cpu.buffer + 301, 99) == 0;
    bool once = fake_log.count == 1 && event_is(0, FAKE_CLEAN, (uintptr_t)cpu.buffer + 301, 99);
    tap_ok(seen && once && map.count == 1 && map.pieces[0].size == 99,
           "test_source_is_written_back_once");
}

static void test_coherent(void)
{
    struct dma_map map;
    arena_reset();
    dma_map(&map, (uintptr_t)cpu.buffer + 301, 99, DMA_FROM_DEVICE, true, NULL);
    bool direct = map.count == 1 && map.pieces[0].address == (uintptr_t)cpu.buffer + 301 &&
                  fake_log.count == 0;
    dma_unmap(&map, 99);
    tap_ok(direct && fake_log.count == 1 && event_is(0, FAKE_CONSUME, 0, 0),
           "test_coherent_master_needs_a_barrier_and_nothing_else");
}

int main(void)
{
    tap_plan(8);
    test_bounce_lines_keep_neighbours();
    test_order();
    test_whole_lines_are_not_bounced();
    test_to_device();
    test_coherent();
    return tap_done();
}
