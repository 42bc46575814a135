// Pipes and pairs of sockets under random reads, writes, cancels and closes, against a model: what
// is read is what was written, in order, less what was cancelled or cut short; and every request
// ends.
// sources: fs/pipe.c fs/socket.c fs/channel.c fs/ring.c
// sources: aio/*.c drivers/device.c
#include "fs/pipe.h"
#include "fs/socket.h"
#include "tests/host/stream_model.h"

enum { ROUNDS = 150, STEPS = 300, SIDE = 6, BUFFER = 24000, WRITES = STEPS + 1, LIMIT = 3000 };

// What a write put in: the text from its number on. `there` bytes of it have been promised.
struct written {
    size_t there;
    bool sent; // It has been completed without an error.
};

struct slot {
    struct io_request request; // First.
    unsigned number;           // Of the write.
    bool cancelled;            // io_cancel() has said that it will be.
    uint8_t buffer[BUFFER];
};

static struct slot readers[SIDE], writers[SIDE];
static struct written writes[WRITES];
static unsigned write_count, cursor; // The write that is being read,
static size_t place;                 // and how far.
static bool messages;
static size_t most; // Bytes of a request.
static const char *fault;
static unsigned long bytes_read, cancelled, refused, cut;

static void fail(const char *what)
{
    if (!fault)
        fault = what;
}

static uint8_t byte_of(unsigned number, size_t i)
{
    return text_at(number * 30011u + i);
}

static void write_done(struct io_request *request)
{
    struct slot *slot = (struct slot *)request;
    writes[slot->number].there = request->moved;
    writes[slot->number].sent = request->result >= 0;
    cancelled += slot->cancelled;
    cut += request->result > 0 && (size_t)request->result < request->size;
    if (slot->cancelled && (request->result != -ECANCELED || request->moved != 0))
        fail("a cancelled write has not been cancelled");
    if (messages && request->result >= 0 && (size_t)request->result != request->size)
        fail("a message has been torn");
}

static void check_bytes(const struct slot *slot, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        while (cursor < write_count && place == writes[cursor].there) {
            cursor++;
            place = 0;
        }
        if (cursor == write_count || slot->buffer[i] != byte_of(cursor, place))
            fail("what was read is not what was written");
        place++;
    }
}

static void check_message(const struct slot *slot, size_t size)
{
    while (cursor < write_count && !writes[cursor].sent)
        cursor++;
    if (cursor == write_count)
        return size == 0 ? (void)0 : fail("a message nobody sent");
    size_t whole = writes[cursor].there, wanted = slot->request.size;
    if (size != (whole < wanted ? whole : wanted))
        fail("a message's size");
    for (size_t i = 0; i < size; i++)
        if (slot->buffer[i] != byte_of(cursor, i))
            fail("a message's bytes");
    cursor++;
}

static void read_done(struct io_request *request)
{
    struct slot *slot = (struct slot *)request;
    cancelled += slot->cancelled;
    if (slot->cancelled && (request->result != -ECANCELED || request->moved != 0))
        fail("a cancelled read has not been cancelled");
    if (request->result < 0)
        return;
    bytes_read += (size_t)request->result;
    if (messages && request->size > 0)
        check_message(slot, (size_t)request->result);
    else
        check_bytes(slot, (size_t)request->result);
}

static size_t random_size(void)
{
    return random_number() % (random_number() % 4 ? 50 : most);
}

static void start_read(struct device *device, struct slot *slot)
{
    if (io_in_flight(&slot->request))
        return;
    slot->request.flags = random_number() % 3 ? 0 : IO_NONBLOCK;
    slot->request.done = read_done;
    slot->cancelled = false;
    refused += start(device, &slot->request, IO_READ, slot->buffer, random_size()) != 0;
}

static void start_write(struct device *device, struct slot *slot)
{
    if (io_in_flight(&slot->request) || write_count == WRITES)
        return;
    size_t size = random_size();
    for (size_t i = 0; i < size; i++)
        slot->buffer[i] = byte_of(write_count, i);
    slot->request.flags = random_number() % 3 ? 0 : IO_NONBLOCK;
    slot->request.done = write_done;
    slot->number = write_count;
    slot->cancelled = false;
    writes[write_count] = (struct written){ .there = size };
    if (start(device, &slot->request, IO_WRITE, slot->buffer, size) == 0)
        write_count++;
    else
        refused++;
}

static void cancel(struct slot *slot)
{
    if (!io_in_flight(&slot->request))
        return;
    int error = io_cancel(&slot->request);
    slot->cancelled |= error == 0;
    if (error == -EBUSY && slot->request.op == IO_READ)
        fail("a read says that it cannot be cancelled");
}

static void step(struct device *reader, struct device *writer)
{
    unsigned which = random_number() % SIDE;
    switch (random_number() % 8) {
    case 0:
    case 1:
        start_read(reader, &readers[which]);
        break;
    case 2:
    case 3:
        start_write(writer, &writers[which]);
        break;
    case 4:
        cancel(random_number() % 2 ? &readers[which] : &writers[which]);
        break;
    default:
        fake_run_one();
    }
}

static void end_all(struct slot *slots)
{
    for (unsigned i = 0; i < SIDE; i++)
        cancel(&slots[i]);
    fake_run_all();
}

static void must_be_over(const struct slot *slots)
{
    for (unsigned i = 0; i < SIDE; i++)
        if (io_in_flight(&slots[i].request))
            fail("a request has not ended");
}

// The writer is closed first: its reader gets all the rest, then 0.
static void close_writer_first(struct device *reader, struct device *writer)
{
    end_all(readers);
    end_all(writers);
    io_close(writer); // What has begun goes on.
    struct slot *slot = &readers[0];
    do {
        slot->request.flags = 0;
        slot->cancelled = false;
        start(reader, &slot->request, IO_READ, slot->buffer, BUFFER);
        fake_run_all();
        if (io_in_flight(&slot->request))
            return fail("the end does not come");
    } while (slot->request.result > 0 || (messages && cursor < write_count));
    while (cursor < write_count && place == writes[cursor].there) {
        cursor++;
        place = 0;
    }
    if (cursor < write_count)
        fail("not everything has been read");
    io_close(reader);
    fake_run_all();
}

// The reader is closed first: whoever writes ends by that.
static void close_reader_first(struct device *reader, struct device *writer)
{
    end_all(readers);
    io_close(reader);
    fake_run_all();
    must_be_over(writers);
    if (write_now(writer, "x", 1) != (messages ? -ECONNREFUSED : -EPIPE))
        fail("a write that nobody can read");
    io_close(writer);
    fake_run_all();
}

static void play(struct device *reader, struct device *writer)
{
    write_count = cursor = 0;
    place = 0;
    for (unsigned i = 0; i < STEPS; i++)
        step(reader, writer);
    if (random_number() % 2)
        close_writer_first(reader, writer);
    else
        close_reader_first(reader, writer);
    must_be_over(readers);
    must_be_over(writers);
}

static void told(const char *name)
{
    tap_ok(!fault, name);
    if (fault)
        tap_note("%s", fault);
    tap_note("%lu bytes read, %lu cancelled, %lu refused, %lu cut", bytes_read, cancelled, refused,
             cut);
    tap_ok(bytes_read > 100000 && cancelled > 100 && refused > 100,
           "test_and_everything_has_happened_meanwhile");
    fault = NULL;
    bytes_read = cancelled = refused = cut = 0;
}

static void test_pipes(void)
{
    most = BUFFER;
    for (unsigned i = 0; i < ROUNDS && !fault; i++) {
        struct device *reader, *writer;
        if (pipe_create(&reader, &writer) != 0)
            return fail("pipes are not given back");
        play(reader, writer);
    }
    told("test_pipe_under_random_reads_writes_cancels_and_closes");
}

static void test_sockets(bool datagrams)
{
    messages = datagrams;
    most = datagrams ? LIMIT + 300 : BUFFER;
    for (unsigned i = 0; i < ROUNDS && !fault; i++) {
        struct device *ends[2];
        if (socket_pair_create(datagrams, ends) != 0)
            return fail("sockets are not given back");
        if (datagrams)
            socket_set_send_limit_locked(socket_of(ends[i % 2]), LIMIT);
        play(ends[1 - i % 2], ends[i % 2]);
    }
    told(datagrams ? "test_datagram_socket_under_the_same" : "test_stream_socket_under_the_same");
}

int main(void)
{
    tap_plan(6);
    test_pipes();
    test_sockets(false);
    test_sockets(true);
    return tap_done();
}
