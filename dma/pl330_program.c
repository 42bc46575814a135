// The PL330 assembler. How a copy is cut into bursts:
//
// - A beat is as wide as source and destination are aligned to each other (8 bytes where both are,
// single bytes at
//   worst), so every beat is aligned on both sides. The controller could shift unaligned beats
//   through its FIFO, but then loads and stores no longer come in pairs of equal size (DDI 0424
//   B.3), and a channel that is killed between them leaves bytes behind.
// - A few single bytes bring both addresses to a multiple of the beat; a few more end what is left.
// - No burst crosses a 4 KiB page on either side (AXI specification, A3.4.1). Between two pages'
// borders of source and
//   destination the same pattern of bursts comes again with every page, so whole pages are a loop.
// - Each load is followed by the store of the same bytes: the FIFO is empty between the pairs.

#include "dma/pl330_program.h"

#include <errno.h>

#include "arch/assert.h"

// Opcodes (DDI 0424 4.3).
enum {
    DMAEND = 0x00,
    DMALD = 0x04,
    DMAST = 0x08,
    DMARMB = 0x12,
    DMAWMB = 0x13,
    DMALP = 0x20, // | counter << 1
    DMASEV = 0x34,
    DMAWFE = 0x36,
    DMALPEND = 0x38, // | counter << 2; a loop begun by DMALP, unconditional
    DMAMOV = 0xbc,

    LOOP_COUNTER_DMALP = 1,
    LOOP_COUNTER_DMALPEND = 2,
    EVENT_SHIFT = 3,
    LOOP_ITERATIONS = 256, // The counter has 8 bits and holds iterations - 1.
    LOOP_JUMP = 255,       // Bytes that DMALPEND can jump back.
};

// The channel control register (DDI 0424 3.3.15); cache bits and endian swap stay 0: no buffering
// on the way, so a store is answered by memory itself, before DMAWMB lets the program go on.
enum {
    CCR_SRC_INC = 1 << 0,
    CCR_SRC_BURST_SIZE = 1,
    CCR_SRC_BURST_LEN = 4,
    CCR_SRC_NONSECURE = 1 << 9, // AXI ARPROT[1]
    CCR_DST_INC = 1 << 14,
    CCR_DST_BURST_SIZE = 15,
    CCR_DST_BURST_LEN = 18,
    CCR_DST_NONSECURE = 1 << 23,
};

enum { AXI_PAGE = 4096 };

void pl330_begin(struct pl330_program *program, uint8_t *bytes, size_t limit,
                 const struct pl330_port *port)
{
    program->bytes = bytes;
    program->limit = limit;
    program->size = 0;
    program->overflow = false;
    program->port.beat_bytes = port->beat_bytes;
    program->port.nonsecure = port->nonsecure;
    program->control = 0;
}

static void emit(struct pl330_program *program, uint8_t byte)
{
    if (program->size < program->limit)
        program->bytes[program->size++] = byte;
    else
        program->overflow = true;
}

static void emit_pair(struct pl330_program *program, unsigned opcode, unsigned operand)
{
    emit(program, (uint8_t)opcode);
    emit(program, (uint8_t)operand);
}

void pl330_dmamov(struct pl330_program *program, enum pl330_register to, uint32_t value)
{
    emit_pair(program, DMAMOV, to);
    for (unsigned shift = 0; shift < 32; shift += 8)
        emit(program, (uint8_t)(value >> shift));
}

void pl330_dmald(struct pl330_program *program)
{
    emit(program, DMALD);
}

void pl330_dmast(struct pl330_program *program)
{
    emit(program, DMAST);
}

void pl330_dmarmb(struct pl330_program *program)
{
    emit(program, DMARMB);
}

void pl330_dmawmb(struct pl330_program *program)
{
    emit(program, DMAWMB);
}

void pl330_dmasev(struct pl330_program *program, unsigned event)
{
    emit_pair(program, DMASEV, event << EVENT_SHIFT);
}

void pl330_dmawfe(struct pl330_program *program, unsigned event)
{
    emit_pair(program, DMAWFE, event << EVENT_SHIFT);
}

void pl330_dmaend(struct pl330_program *program)
{
    emit(program, DMAEND);
}

size_t pl330_dmalp(struct pl330_program *program, unsigned counter, unsigned iterations)
{
    assert(iterations >= 1 && iterations <= LOOP_ITERATIONS);
    emit_pair(program, DMALP | counter << LOOP_COUNTER_DMALP, iterations - 1);
    return program->size;
}

void pl330_dmalpend(struct pl330_program *program, unsigned counter, size_t body)
{
    assert(program->size - body <= LOOP_JUMP);
    emit_pair(program, DMALPEND | counter << LOOP_COUNTER_DMALPEND,
              (unsigned)(program->size - body));
}

// How the bytes of one copy or fill travel.
struct shape {
    unsigned beat_shift; // A beat is 1 << beat_shift bytes, as the control register counts it too.
    bool source_fixed;   // A fill: every beat reads the pattern again.
};

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t control_word(const struct pl330_program *program, struct shape shape,
                             unsigned beats)
{
    uint32_t size = shape.beat_shift;
    uint32_t word = CCR_DST_INC | size << CCR_DST_BURST_SIZE | (beats - 1) << CCR_DST_BURST_LEN |
                    size << CCR_SRC_BURST_SIZE | (beats - 1) << CCR_SRC_BURST_LEN;
    if (!shape.source_fixed)
        word |= CCR_SRC_INC;
    if (program->port.nonsecure)
        word |= CCR_SRC_NONSECURE | CCR_DST_NONSECURE;
    return word;
}

// Sets the shape of the following bursts, unless it is set already.
static void set_bursts(struct pl330_program *program, struct shape shape, unsigned beats)
{
    uint32_t control = control_word(program, shape, beats);
    if (program->control != control)
        pl330_dmamov(program, PL330_CCR, control);
    program->control = control;
}

static void burst(struct pl330_program *program)
{
    pl330_dmald(program);
    pl330_dmast(program);
}

static void bursts(struct pl330_program *program, uint32_t count)
{
    while (count > 0) {
        unsigned iterations = smaller(count, LOOP_ITERATIONS);
        count -= iterations;
        if (iterations == 1) {
            burst(program);
            continue;
        }
        size_t body = pl330_dmalp(program, 0, iterations);
        burst(program);
        pl330_dmalpend(program, 0, body);
    }
}

// Moves size bytes, a multiple of the beat, that lie within one page on either side: full bursts
// and a shorter one.
static void run(struct pl330_program *program, struct shape shape, uint32_t size)
{
    uint32_t beats = size >> shape.beat_shift;
    uint32_t full = beats / PL330_BEATS;
    unsigned rest = beats % PL330_BEATS;
    if (full > 0) {
        set_bursts(program, shape, PL330_BEATS);
        bursts(program, full);
    }
    if (rest > 0) {
        set_bursts(program, shape, rest);
        burst(program);
    }
}

static uint32_t until_page(uint32_t address)
{
    return AXI_PAGE - address % AXI_PAGE;
}

// Moves whole pages of the destination; the source's pages begin at another offset, or at the same.
static void pages(struct pl330_program *program, struct shape shape, uint32_t source,
                  unsigned count)
{
    uint32_t first = until_page(source);
    size_t body = pl330_dmalp(program, 1, count);
    program->control = 0; // From the second turn on it is what the body's end has left.
    run(program, shape, first);
    run(program, shape, AXI_PAGE - first);
    pl330_dmalpend(program, 1, body);
}

// Moves size bytes, a multiple of the beat as both addresses are.
static void bulk(struct pl330_program *program, struct shape shape, uint32_t destination,
                 uint32_t source, uint32_t size)
{
    while (size > 0) {
        uint32_t step = smaller(until_page(destination), until_page(source));
        unsigned whole = smaller(size / AXI_PAGE, LOOP_ITERATIONS);
        if (destination % AXI_PAGE == 0 && whole > 1) {
            pages(program, shape, source, whole);
            step = whole * AXI_PAGE;
        } else {
            step = smaller(step, size);
            run(program, shape, step);
        }
        destination += step;
        source += step;
        size -= step;
    }
}

// The widest beat that both addresses can be brought to, not wider than the whole.
static unsigned beat_shift(const struct pl330_program *program, uint32_t differing, uint32_t size)
{
    unsigned shift = (unsigned)__builtin_ctz(program->port.beat_bytes);
    while (shift > 0 && ((differing & ((1u << shift) - 1)) != 0 || size < 1u << shift))
        shift--;
    return shift;
}

// Head, bulk and tail. source moves in step with destination even for a fill, where only its pages'
// borders matter.
static void move(struct pl330_program *program, struct shape shape, uint32_t destination,
                 uint32_t source, uint32_t size)
{
    struct shape bytes = { .beat_shift = 0, .source_fixed = shape.source_fixed };
    uint32_t beat_mask = (1u << shape.beat_shift) - 1;
    uint32_t head = smaller(-destination & beat_mask, size);
    uint32_t middle = (size - head) & ~beat_mask;

    run(program, bytes, head);
    bulk(program, shape, destination + head, source + head, middle);
    run(program, bytes, size - head - middle);
}

void pl330_copy(struct pl330_program *program, uint32_t destination, uint32_t source, uint32_t size)
{
    struct shape shape = { beat_shift(program, destination ^ source, size), .source_fixed = false };
    pl330_dmamov(program, PL330_SAR, source);
    pl330_dmamov(program, PL330_DAR, destination);
    move(program, shape, destination, source, size);
}

void pl330_fill(struct pl330_program *program, uint32_t destination, uint32_t pattern,
                uint32_t size)
{
    struct shape shape = { beat_shift(program, 0, size), .source_fixed = true };
    assert((pattern & (program->port.beat_bytes - 1)) == 0); // Unaligned fixed bursts do not exist
                                                             // (DDI 0424 B.2.1).
    pl330_dmamov(program, PL330_SAR, pattern);
    pl330_dmamov(program, PL330_DAR, destination);
    move(program, shape, destination, destination, size);
}

size_t pl330_pause(struct pl330_program *program, unsigned event)
{
    pl330_dmawmb(program);
    size_t offset = program->size;
    pl330_dmawfe(program, event);
    return offset;
}

void pl330_drain(struct pl330_program *program, unsigned event)
{
    // Waiting for it takes an event away; sending it first makes sure that the wait ends.
    pl330_dmasev(program, event);
    pl330_dmawfe(program, event);
}

int pl330_finish(struct pl330_program *program, unsigned event)
{
    pl330_dmawmb(program);
    pl330_dmasev(program, event);
    pl330_dmaend(program);
    return program->overflow ? -ENOSPC : 0;
}
