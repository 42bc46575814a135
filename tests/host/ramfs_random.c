// The RAM file system against a plain model, for tens of thousands of random steps: with many
// requests in flight, and with a memory that is too small and writes that are cut short.
//
// In flight, the model does each operation when it is submitted; a file system that keeps the order
// of submission in each file then agrees, whatever the engine does first. Memory is 0xa5 where
// nobody has written, so a byte that should be zero and is not shows itself.
// sources: fs/ramfs.c fs/ramfs_tree.c fs/ramfs_blocks.c fs/ramfs_queue.c fs/ramfs_io.c
// sources: dma/dma.c aio/*.c
#include "tests/host/ramfs_machine.h"

enum {
    FILES = 7,
    FILE_BLOCKS = 12,
    FILE_BYTES = FILE_BLOCKS * BLOCK,
    PENDING = 40,
    TRANSFER_BYTES = 3 * BLOCK,
    STEPS = 20000,
    CUT_STEPS = 4000,
    SETTLE_EVERY = 500,
    CUT_BYTES = 768 << 10,
};

// A file that is open; its name, where it has one, is its number in the list.
static struct model {
    struct device *device;
    bool linked;
    size_t size;
    uint8_t bytes[FILE_BYTES];
    bool written[FILE_BLOCKS]; // A block has been taken.
    unsigned in_flight, openings;
} models[FILES];

static struct pending {
    struct fs_call call; // Its request alone, for reads and writes.
    struct model *model;
    bool busy, cancelled;
    ssize_t result; // Expected.
    uint64_t place; // Of an append.
    uint8_t bytes[TRANSFER_BYTES], expected[TRANSFER_BYTES];
} pending[PENDING];

static uint64_t state;
static unsigned wrong, completed;

// xorshift64: the same numbers everywhere.
static unsigned random_below(size_t limit)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)((state >> 11) % limit);
}

static void check(bool right, const char *what)
{
    if (!right && wrong++ < 5)
        tap_note("wrong: %s", what);
}

static const char *name_of(const struct model *model)
{
    static const char *names[FILES] = { "0", "1", "2", "3", "4", "5", "6" };
    return names[model - models];
}

// ---- The model

static void model_truncate(struct model *model, size_t size)
{
    if (size < model->size)
        memset(model->bytes + size, 0, model->size - size);
    for (size_t block = (size + BLOCK - 1) / BLOCK; block < FILE_BLOCKS; block++)
        model->written[block] = false;
    model->size = size;
}

static void model_write(struct model *model, const uint8_t *bytes, size_t size, size_t offset)
{
    memcpy(model->bytes + offset, bytes, size);
    for (size_t i = offset; i < offset + size; i = (i / BLOCK + 1) * BLOCK)
        model->written[i / BLOCK] = true;
    if (size > 0 && offset + size > model->size)
        model->size = offset + size;
}

static unsigned model_blocks(void)
{
    unsigned blocks = 0;
    for (unsigned i = 0; i < FILES; i++)
        for (unsigned b = 0; models[i].device && b < FILE_BLOCKS; b++)
            blocks += models[i].written[b];
    return blocks;
}

static void check_contents(struct model *model)
{
    static uint8_t bytes[FILE_BYTES + 1];
    ssize_t size = read_at(model->device, bytes, sizeof bytes, 0);
    check(size == (ssize_t)model->size && status_of(model->device).size == model->size,
          "a file's size");
    check(size >= 0 && memcmp(bytes, model->bytes, (size_t)size) == 0, "a file's bytes");
}

static void check_blocks(void)
{
    struct ramfs_space space = ramfs_space(fs);
    check(space.blocks_free + model_blocks() == space.blocks, "blocks that are free");
}

static void open_model(struct model *model)
{
    model->device = open_file(name_of(model), O_RDWR | O_CREAT);
    model->linked = true;
    model->openings = 1;
    check(model->device != NULL, "an opening");
}

static void close_model(struct model *model)
{
    for (; model->openings > 0; model->openings--)
        io_close(model->device);
}

static void unlink_model(struct model *model)
{
    check(by_path(FS_UNLINK, name_of(model), NULL) == 0, "an unlinking");
    model->linked = false;
}

static void start_anew(size_t bytes, uint64_t seed)
{
    memset(models, 0, sizeof models);
    memset(pending, 0, sizeof pending);
    machine_reset(bytes);
    state = seed;
    wrong = completed = 0;
    for (unsigned i = 0; i < FILES; i++)
        open_model(&models[i]);
}

// Closes and unlinks everything, in any order.
static void end_all(void)
{
    for (unsigned i = 0; i < FILES; i++) {
        bool unlink_first = random_below(2) == 0;
        if (unlink_first && models[i].linked)
            unlink_model(&models[i]);
        close_model(&models[i]);
        if (!unlink_first && models[i].linked)
            unlink_model(&models[i]);
    }
    check(all_is_free(), "all blocks and inodes free in the end");
}

// ---- Many in flight

static void on_pending_done(struct io_request *request)
{
    struct pending *entry = (struct pending *)request;
    completed++;
    entry->busy = false;
    entry->model->in_flight--;
    if (entry->cancelled && request->result == -ECANCELED)
        check(memcmp(entry->bytes, entry->expected, request->moved) == 0, "a cancelled read");
    else
        check(request->result == entry->result, "a result");
    if (request->op == IO_READ && request->result > 0)
        check(memcmp(entry->bytes, entry->expected, (size_t)request->result) == 0, "bytes read");
    if (request->flags & IO_APPEND)
        check(request->offset == entry->place, "where an append went");
}

static void submit_pending(struct pending *entry, struct device *device)
{
    entry->busy = true;
    entry->model->in_flight++;
    entry->call.request.buffer = entry->bytes;
    entry->call.request.done = on_pending_done;
    check(io_submit(device, &entry->call.request) == 0, "a submit");
}

static void random_read(struct pending *entry, struct model *model)
{
    size_t offset = random_below(FILE_BYTES), size = random_below(TRANSFER_BYTES);
    size_t there = offset < model->size ? model->size - offset : 0;
    entry->call.request.op = IO_READ;
    entry->call.request.offset = offset;
    entry->call.request.size = size;
    entry->result = (ssize_t)(size < there ? size : there);
    memcpy(entry->expected, model->bytes + offset, (size_t)entry->result);
    submit_pending(entry, model->device);
}

static void random_write(struct pending *entry, struct model *model)
{
    bool append = random_below(3) == 0;
    size_t offset = append ? model->size : random_below(FILE_BYTES);
    size_t size = random_below(random_below(4) ? TRANSFER_BYTES : 300);
    if (size > FILE_BYTES - offset)
        size = FILE_BYTES - offset;
    memset(entry->bytes, (int)random_below(256), size);
    for (size_t i = 0; i < size; i += 50)
        entry->bytes[i] = (uint8_t)random_below(256);
    entry->call.request.op = IO_WRITE;
    entry->call.request.flags = append ? IO_APPEND : 0;
    entry->call.request.offset = append ? 7 : offset;
    entry->call.request.size = size;
    entry->result = (ssize_t)size;
    entry->place = offset;
    model_write(model, entry->bytes, size, offset);
    submit_pending(entry, model->device);
}

static void random_truncate(struct pending *entry, struct model *model)
{
    entry->call.request.op = IO_CALL;
    // What waits in the core for the file's lane would be overtaken by an opening.
    bool opening = model->linked && model->in_flight < RAMFS_IN_FLIGHT && random_below(3) == 0;
    entry->call.operation = opening ? FS_OPEN : FS_TRUNCATE;
    entry->call.path = name_of(model);
    entry->call.flags = O_RDWR | O_TRUNC;
    model->openings += opening;
    entry->call.size = opening ? 0 : random_below(FILE_BYTES);
    entry->result = 0;
    model_truncate(model, (size_t)entry->call.size);
    submit_pending(entry, opening ? fs : model->device);
}

static void random_cancel(void)
{
    struct pending *entry = &pending[random_below(PENDING)];
    if (!entry->busy || entry->call.request.op != IO_READ)
        return;
    entry->cancelled = true;
    io_cancel(&entry->call.request);
}

// Loses its name, or is closed with whatever is in flight; another file takes its place.
static void random_end(struct model *model)
{
    if (model->linked && random_below(2)) {
        unlink_model(model);
        return;
    }
    if (model->in_flight > 0)
        return; // on_pending_done() would count for the new one.
    if (model->linked)
        unlink_model(model);
    close_model(model);
    memset(model, 0, sizeof *model);
    open_model(model);
}

static void random_step(void)
{
    struct model *model = &models[random_below(FILES)];
    struct pending *entry = &pending[random_below(PENDING)];
    unsigned what = random_below(20);
    if (what < 11 && !entry->busy) {
        entry->call = (struct fs_call){ 0 };
        entry->model = model;
        entry->cancelled = false;
        if (what < 5)
            random_read(entry, model);
        else if (what < 10)
            random_write(entry, model);
        else
            random_truncate(entry, model);
    } else if (what == 11) {
        random_cancel();
    } else if (what == 12 && random_below(10) == 0) {
        random_end(model);
    } else if (what == 13) {
        fake_run_round();
    } else {
        channel_step(random_below(CHANNELS), random_below(2 * BLOCK));
    }
}

static void run_in_flight(uint64_t seed)
{
    start_anew(MACHINE_BYTES, seed);
    for (unsigned i = 1; i <= STEPS; i++) {
        random_step();
        if (i % SETTLE_EVERY)
            continue;
        settle();
        check_blocks();
        for (unsigned f = 0; f < FILES; f++)
            check_contents(&models[f]);
    }
    settle();
    end_all();
    tap_note("figure: seed %#llx: %u requests", (unsigned long long)seed, completed);
}

// ---- Too little memory, and writes cut short

// Adopts what a cut write has left behind its count: each byte is the old one or the new one.
static void adopt(struct model *model, const uint8_t *bytes, size_t offset, size_t moved,
                  size_t size)
{
    static uint8_t found[FILE_BYTES];
    read_at(model->device, found, sizeof found, 0);
    for (size_t i = offset + moved; i < offset + size && i < model->size; i++) {
        check(found[i] == model->bytes[i] || found[i] == bytes[i - offset],
              "a byte of a cut write");
        model->bytes[i] = found[i];
    }
}

static void cut_step(void)
{
    static uint8_t bytes[TRANSFER_BYTES];
    static struct io_request request;
    struct model *model = &models[random_below(FILES)];
    size_t offset = random_below(FILE_BYTES), size = random_below(TRANSFER_BYTES) + 1;
    if (size > FILE_BYTES - offset)
        size = FILE_BYTES - offset;
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(random_below(255) + 1);
    request = (struct io_request){
        .op = IO_WRITE, .buffer = bytes, .size = size, .offset = offset
    };
    io_submit(model->device, &request);
    fake_run_round();
    unsigned how = random_below(4);
    understated = random_below(2) ? random_below(BLOCK) : 0;
    if (how > 0)
        channel_step(0, random_below(size + BLOCK));
    if (how == 1)
        io_cancel(&request);
    engine_breaks = how == 2 && io_in_flight(&request);
    settle();
    bool full = request.result == -ENOSPC || (request.result >= 0 && (size_t)request.result < size);
    check(request.result == (ssize_t)size || request.result == -ECANCELED ||
              request.result == -EIO || full,
          "the result of a cut write");
    check(!full || ramfs_space(fs).blocks_free == 0, "ENOSPC only when nothing is free");
    model_write(model, bytes, request.moved, offset);
    adopt(model, bytes, offset, request.moved, size);
    check_contents(model);
}

static void run_cut(uint64_t seed)
{
    start_anew(CUT_BYTES, seed);
    unsigned fulls = 0;
    for (unsigned i = 0; i < CUT_STEPS; i++) {
        struct model *model = &models[random_below(FILES)];
        size_t size = random_below(FILE_BYTES);
        cut_step();
        fulls += ramfs_space(fs).blocks_free == 0;
        if (random_below(3) == 0) {
            check(truncate_to(model->device, size) == 0, "a truncation");
            model_truncate(model, size);
            check_contents(model);
        }
    }
    end_all();
    check(fulls > CUT_STEPS / 20, "often full");
    tap_note("figure: seed %#llx: %u times full", (unsigned long long)seed, fulls);
}

int main(void)
{
    static const uint64_t seeds[] = { 0x9e3779b97f4a7c15, 0x2545f4914f6cdd1d, 42 };
    tap_plan(6);
    for (unsigned i = 0; i < 3; i++) {
        run_in_flight(seeds[i]);
        tap_ok(wrong == 0, "test_random_requests_in_flight_agree_with_the_model");
        run_cut(seeds[i]);
        tap_ok(wrong == 0, "test_cut_writes_and_a_full_memory_agree_with_the_model");
    }
    return tap_done();
}
