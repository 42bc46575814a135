// One direction between two ends.
//
// Everything that moves or ends a request happens in turn(), at isr level; the others store what
// they were told and ask for a turn. So it never runs inside itself, and a done() that it calls may
// submit, cancel or close: it looks again at what is there after that, and the memory stays the
// channel's for as long as it is working.
#include "fs/channel.h"

#include <errno.h>

#include "arch/assert.h"
#include "arch/container.h"
#include "arch/cpu.h"
#include "arch/smaller.h"

// --- Writing ---

static size_t room(const struct channel *channel)
{
    return channel->limit > channel->ring.used ? channel->limit - channel->ring.used : 0;
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
    return room(channel) >= (is_atomic(channel, size) ? size : 1);
}

// A message's room was there when it began, whatever has become of the limit since.
static bool message_moves(const struct channel *channel)
{
    return channel->messages && channel->writer.begun;
}

static void move_in(struct channel *channel)
{
    struct channel_side *writer = &channel->writer;
    if (!message_moves(channel) && !writer_moves(channel))
        return;
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

static void move_out(struct channel *channel)
{
    struct channel_side *reader = &channel->reader;
    const struct io_request *request = reader->request;
    if (!request || request->size == 0 || !has_data(channel))
        return;
    if (channel->messages && !reader->begun) {
        uint32_t header;
        ring_take(&channel->ring, &header, sizeof header);
        channel->message_left = header;
    }
    size_t there = channel->messages ? channel->message_left : channel->ring.used;
    size_t piece = smaller(smaller(there, request->size - reader->moved), CHANNEL_PIECE);
    ring_take(&channel->ring, (char *)request->buffer + reader->moved, piece);
    reader->moved += piece;
    reader->begun = true;
    channel->message_left -= channel->messages ? piece : 0;
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
static void turn(struct irq_work *work)
{
    struct channel *channel = container_of(work, struct channel, work);
    struct io_request *written = NULL, *read = NULL;
    ssize_t write_result = 0, read_result = 0;
    channel->again = false;
    move_in(channel);
    move_out(channel);
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
        irq_defer(&channel->work);
}

static void turn_soon_locked(struct channel *channel)
{
    channel->again = true;
    if (channel->working)
        return;
    channel->working = true;
    irq_defer(&channel->work);
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
    assert(!channel->working);
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
    channel->work.run = turn;
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
    if (side->begun) // A read, and what is atomic, waits for nobody any more.
        return side == &channel->reader || is_atomic(channel, request->size) ? -EALREADY : -EBUSY;
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
