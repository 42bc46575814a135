// An assembler for PL330 programs (ARM DDI 0424, chapter 4): copies, fills, pauses and the end,
// written into a buffer.
//
// Pure: it touches no register and no memory but the caller's buffer. A program that does not fit
// is never written past the buffer's end; pl330_finish() says so. Scatter-gather is several copies
// in one program.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PL330_BEATS = 16, // In one burst, at most: AXI3's limit and ours.

    // The longest code that pl330_copy() and pl330_fill() write for up to 1 MiB, and for at most 64
    // bytes.
    PL330_COPY_BYTES = 192,
    PL330_SHORT_COPY_BYTES = 80,
    PL330_PAUSE_BYTES = 3,
    PL330_FINISH_BYTES = 4,
};

// What the controller at hand can do.
struct pl330_port {
    unsigned beat_bytes; // The widest beat: 1, 2, 4, 8 or 16; PL330_BEATS of these fit into a
                         // channel's share of the data FIFO.
    bool nonsecure;      // The channels run in the Non-secure state, and so must their accesses.
};

struct pl330_program {
    uint8_t *bytes;
    size_t limit; // Of bytes.
    size_t size;  // Bytes written so far.
    bool overflow;
    struct pl330_port port;
    uint32_t control; // What the channel control register holds at this place of the program, 0:
                      // not known.
};

// Begins an empty program in the caller's buffer of limit bytes.
// Context: any.
void pl330_begin(struct pl330_program *program, uint8_t *bytes, size_t limit,
                 const struct pl330_port *port);

// Adds the copy of size bytes between buffers of any alignment. They must not overlap.
// Context: any.
void pl330_copy(struct pl330_program *program, uint32_t destination, uint32_t source,
                uint32_t size);

// Adds a fill: destination becomes the pattern's bytes over and over. pattern: address of
// port.beat_bytes equal bytes, aligned to as many, which stay where they are until the program has
// ended.
// Context: any.
void pl330_fill(struct pl330_program *program, uint32_t destination, uint32_t pattern,
                uint32_t size);

// Adds a stop until the event is sent: once everything before it has been stored.
// Result: offset in the program of the waiting instruction.
// Context: any.
size_t pl330_pause(struct pl330_program *program, unsigned event);

// Adds the removal of an event that has been sent but waited for by nobody.
// Context: any.
void pl330_drain(struct pl330_program *program, unsigned event);

// Adds the end: once everything has been stored, sends the event and stops.
// Result: 0, or -ENOSPC: the program did not fit and must not run.
// Context: any.
int pl330_finish(struct pl330_program *program, unsigned event);

// The single instructions, for tests and for programs of another kind.
// Context: any.
enum pl330_register { PL330_SAR = 0, PL330_CCR = 1, PL330_DAR = 2 };
void pl330_dmamov(struct pl330_program *program, enum pl330_register to, uint32_t value);
void pl330_dmald(struct pl330_program *program);
void pl330_dmast(struct pl330_program *program);
void pl330_dmarmb(struct pl330_program *program);
void pl330_dmawmb(struct pl330_program *program);
void pl330_dmasev(struct pl330_program *program, unsigned event);
void pl330_dmawfe(struct pl330_program *program, unsigned event);
void pl330_dmaend(struct pl330_program *program);
// counter: 0 or 1; iterations: 1 … 256.
// Result: where the loop's body begins, for pl330_dmalpend().
size_t pl330_dmalp(struct pl330_program *program, unsigned counter, unsigned iterations);
void pl330_dmalpend(struct pl330_program *program, unsigned counter, size_t body);
