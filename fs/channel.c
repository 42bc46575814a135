// One direction between two ends.
//
// Everything that moves or ends a request happens in turn(), at isr level; the others store what
// they were told and ask for a turn. So it never runs inside itself, and a done() that it calls may
// submit, cancel or close: it looks again at what is there after that. The memory stays the
// channel's meanwhile, since new channels are made at other levels only.
#include "fs/channel.h"

#include <errno.h>

#include "arch/assert.h"
#include "arch/container.h"
#include "arch/cpu.h"
#include "arch/smaller.h"

// --- Writing ---

// Bytes beside its own that each write takes in the ring.
static size_t header_size(const struct channel *channel)
{
    return channel->messages ? CHANNEL_HEADER : 0;
}

// Bytes that the ring takes before writers begin to wait, headers among them.
static size_t room(const struct channel *channel)
{
    size_t most = channel->limit + header_size(channel);
    return most > channel->ring.used ? most - channel->ring.used : 0;
}

static bool fits(const struct channel *channel, size_t size)
{
    return room(channel) >= size + header_size(channel);
}

// Does a write go in as a whole?
static bool is_atomic(const struct channel *channel, size_t size)
{
    return channel->messages || size <= channel->atomic;
}

// May the writer move on now?
static bool writer_moves(const struct channel *channel)
{
    const struct channel_side *writer = &channel->writer;
    if (!writer->request || channel->refusal)
        return false;
    size_t size = writer->request->size;
    return fits(channel, is_atomic(channel, size) ? size : 1);
}

// A message's room was there when it began, whatever has become of the limit since.
static bool message_moves(const struct channel *channel)
{
    return channel->messages && channel->writer.begun;
}

// Result: bytes.
static size_t move_in(struct channel *channel)
{
    struct channel_side *writer = &channel->writer;
    if (!message_moves(channel) && !writer_moves(channel))
        return 0;
    const struct io_request *request = writer->request;
    size_t piece = smaller(request->size - writer->moved, CHANNEL_PIECE);
    if (channel->messages && !writer->begun) {
        uint32_t header = (uint32_t)request->size;
        ring_put(&channel->ring, &header, sizeof header);
    } else if (!channel->messages) {
        piece = smaller(piece, room(channel));
    }
    ring_put(&channel->ring, (const char *)request->buffer + writer->moved, piece);
    writer->moved += piece;
    writer->begun = true;
    if (channel->messages && writer->moved == request->size)
        channel->message_count++;
    return piece;
}

static bool is_too_large(const struct channel *channel, const struct io_request *request)
{
    return channel->messages && request->size > channel->limit;
}

// Is the writer's request over? Then *result says how.
static bool writer_over(const struct channel *channel, ssize_t *result)
{
    const struct channel_side *writer = &channel->writer;
    const struct io_request *request = writer->request;
    if (!request)
        return false;
    *result = (ssize_t)writer->moved;
    if (writer->moved == request->size && (writer->begun || !channel->messages))
        return true;
    if (message_moves(channel))
        return false;
    int error = channel->refusal                      ? channel->refusal
                : is_too_large(channel, request)      ? -EMSGSIZE
                : writer_moves(channel)               ? 0
                : (request->flags & IO_NONBLOCK) != 0 ? -EAGAIN
                                                      : 0;
    if (writer->moved == 0)
        *result = error;
    return error != 0;
}

// --- Reading ---

static bool has_data(const struct channel *channel)
{
    return channel->messages ? channel->message_count > 0 : channel->ring.used > 0;
}

// Result: bytes.
static size_t move_out(struct channel *channel)
{
    struct channel_side *reader = &channel->reader;
    struct io_request *request = reader->request;
    if (!request || request->size == 0 || !has_data(channel))
        return 0;
    if (channel->messages && !reader->begun) {
        uint32_t header;
        ring_take(&channel->ring, &header, sizeof header);
        channel->message_left = header;
        request->offset = header;
    }
    size_t there = channel->messages ? channel->message_left : channel->ring.used;
    size_t piece = smaller(smaller(there, request->size - reader->moved), CHANNEL_PIECE);
    ring_take(&channel->ring, (char *)request->buffer + reader->moved, piece);
    reader->moved += piece;
    reader->begun = true;
    channel->message_left -= channel->messages ? piece : 0;
    return piece;
}

// Is a read that has begun over?
static bool read_enough(const struct channel *channel)
{
    const struct channel_side *reader = &channel->reader;
    if (reader->moved == reader->request->size)
        return true;
    return channel->messages ? channel->message_left == 0
                             : channel->ring.used == 0 && !writer_moves(channel);
}

// Is the reader's request over? Then *result says how.
static bool reader_over(const struct channel *channel, ssize_t *result)
{
    const struct channel_side *reader = &channel->reader;
    if (!reader->request)
        return false;
    *result = (ssize_t)reader->moved;
    if (reader->request->size == 0)
        return true;
    if (reader->begun)
        return read_enough(channel);
    if (has_data(channel) || writer_moves(channel) || message_moves(channel))
        return false;
    if (channel->ended)
        return true;
    *result = -EAGAIN;
    return (reader->request->flags & IO_NONBLOCK) != 0;
}

// What is left of a message that was longer than the buffer is thrown away.
static void message_end(struct channel *channel)
{
    if (!channel->messages || !channel->reader.begun)
        return;
    ring_drop(&channel->ring, channel->message_left);
    channel->message_count--;
}

// --- The line ---

static void take_turns(struct irq_work *work);

// The channels that wait for a turn, and the work that serves them.
static struct {
    struct channel *first, *last;
    bool deferred; // The work waits, or is under way.
    struct irq_work work;
} turns = { .work = { .run = take_turns } };

static void line_up(struct channel *channel)
{
    channel->next = NULL;
    if (turns.first)
        turns.last->next = channel;
    else
        turns.first = channel;
    turns.last = channel;
    if (!turns.deferred) {
        turns.deferred = true;
        irq_defer(&turns.work);
    }
}

static void leave_line(struct channel *channel)
{
    struct channel *before = NULL;
    for (struct channel *other = turns.first; other != channel; other = other->next)
        before = other;
    if (before)
        before->next = channel->next;
    else
        turns.first = channel->next;
    if (turns.last == channel)
        turns.last = before;
    channel->working = false;
}

static void turn_soon_locked(struct channel *channel)
{
    channel->again = true;
    if (channel->working)
        return;
    channel->working = true;
    line_up(channel);
}

// --- Turns ---

static struct io_request *side_take(struct channel_side *side)
{
    struct io_request *request = side->request;
    side->request = NULL;
    side->moved = 0;
    side->begun = false;
    return request;
}

static bool more_to_do(const struct channel *channel)
{
    ssize_t result;
    bool out = channel->reader.request && has_data(channel);
    return out || writer_moves(channel) || message_moves(channel) ||
           writer_over(channel, &result) || reader_over(channel, &result);
}

// Both requests are taken out before anybody is told: from then on done() may do as it likes.
// Result: bytes moved in and out.
static size_t turn(struct channel *channel)
{
    struct io_request *written = NULL, *read = NULL;
    ssize_t write_result = 0, read_result = 0;
    channel->again = false;
    size_t moved = move_in(channel);
    moved += move_out(channel);
    if (writer_over(channel, &write_result))
        written = side_take(&channel->writer);
    if (reader_over(channel, &read_result)) {
        message_end(channel);
        read = side_take(&channel->reader);
    }
    if (written)
        device_complete(written, write_result);
    if (read)
        device_complete(read, read_result);
    device_ready(channel->from);
    device_ready(channel->to);
    channel->working = channel->again || more_to_do(channel);
    if (channel->working)
        line_up(channel);
    return moved;
}

// Gives those that stand in the line a turn each, one at least, until enough has been moved.
static void take_turns(struct irq_work *work)
{
    const struct channel *last = turns.last; // Who lines up anew is behind it.
    const struct channel *served = NULL;
    size_t moved = 0;
    while (turns.first && served != last && moved < CHANNEL_PIECE) {
        struct channel *channel = turns.first;
        turns.first = channel->next;
        moved += turn(channel);
        served = channel;
    }
    turns.deferred = turns.first != NULL;
    if (turns.deferred)
        irq_defer(work);
}

// --- From outside ---

static void side_init(struct channel_side *side)
{
    side->request = NULL;
    side->moved = 0;
    side->begun = false;
}

void channel_init(struct channel *channel, struct device *from, struct device *to)
{
    uint32_t flags = irq_save();
    if (channel->working)
        leave_line(channel);
    irq_restore(flags);
    channel->ring.first = channel->ring.used = 0;
    channel->limit = RING_SIZE;
    channel->atomic = 0;
    channel->messages = false;
    channel->message_count = 0;
    channel->message_left = 0;
    side_init(&channel->writer);
    side_init(&channel->reader);
    channel->ended = false;
    channel->refusal = 0;
    channel->from = from;
    channel->to = to;
}

static int side_give(struct channel *channel, struct channel_side *side, struct io_request *request)
{
    assert(side->request == NULL);
    side->request = request;
    turn_soon_locked(channel);
    return 0;
}

int channel_read(struct channel *channel, struct io_request *request)
{
    return side_give(channel, &channel->reader, request);
}

int channel_write(struct channel *channel, struct io_request *request)
{
    return side_give(channel, &channel->writer, request);
}

int channel_cancel(struct channel *channel, const struct io_request *request)
{
    struct channel_side *side = channel->writer.request == request   ? &channel->writer
                                : channel->reader.request == request ? &channel->reader
                                                                     : NULL;
    if (!side)
        return -EALREADY;
    // A read that has begun, and what is atomic, waits for nobody any more.
    if (side->begun && (side == &channel->reader || is_atomic(channel, request->size)))
        return -EALREADY;
    if (side->begun && !(request->flags & IO_PARTIAL))
        return -EBUSY;
    side->request->moved = side->moved;
    device_complete(side_take(side), -ECANCELED);
    return 0;
}

void channel_end(struct channel *channel, int refusal)
{
    uint32_t flags = irq_save();
    channel->ended = true;
    channel->refusal = refusal;
    turn_soon_locked(channel);
    irq_restore(flags);
}

void channel_set_limit(struct channel *channel, size_t limit)
{
    uint32_t flags = irq_save();
    channel->limit = limit;
    turn_soon_locked(channel);
    irq_restore(flags);
}

bool channel_readable(const struct channel *channel)
{
    return channel->ended || has_data(channel);
}

bool channel_writable(const struct channel *channel, size_t size)
{
    return channel->refusal || room(channel) >= size;
}
