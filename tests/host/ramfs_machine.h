// A machine for the RAM file system: the real core and the real dma.c, over an engine that moves as
// many bytes as the test says, on any of its channels.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "dma/engine.h"
#include "fs/call.h"
#include "fs/ramfs.h"
#include "tests/host/fake/core.h"
#include "tests/tap.h"

enum { CHANNELS = 3, MACHINE_BYTES = 8 << 20, BLOCK = RAMFS_BLOCK_BYTES };

// ---- The engine

static struct {
    struct dma_transfer *transfer;
    unsigned segment;
    size_t offset, moved;
    bool stopping;
} channels[CHANNELS];
static size_t understated;    // So many bytes fewer than it has moved an engine that is stopped
                              // tells.
static bool engine_breaks;    // The next transfer that ends does so with -EIO.
static int terminate_answer;  // What the engine says when it is asked to stop.
static unsigned most_running; // Transfers that ran at a time.

static void engine_start(struct dma_engine *engine, unsigned channel, struct dma_transfer *transfer)
{
    channels[channel].transfer = transfer;
    channels[channel].segment = 0;
    channels[channel].offset = channels[channel].moved = 0;
    channels[channel].stopping = false;
    if (engine->statistics.running > most_running)
        most_running = engine->statistics.running;
}

static int engine_terminate(struct dma_engine *engine, unsigned channel)
{
    (void)engine;
    channels[channel].stopping = terminate_answer == 0;
    return terminate_answer;
}

static const struct dma_engine_ops engine_ops = { engine_start, engine_terminate, NULL };
// It cannot fill: nothing here may ask it to.
static const struct dma_capabilities engine_can = { .name = "fake",
                                                    .channels = CHANNELS,
                                                    .address_mask = UINTPTR_MAX };
static const struct hardware engine_hardware = { .name = "dma0" };
static struct dma_engine engine = { .ops = &engine_ops,
                                    .capabilities = &engine_can,
                                    .hardware = &engine_hardware };

static void channel_move(unsigned channel, size_t bytes)
{
    const struct dma_transfer *transfer = channels[channel].transfer;
    while (bytes > 0 && channels[channel].segment < transfer->segment_count) {
        const struct dma_segment *segment = &transfer->segments[channels[channel].segment];
        size_t offset = channels[channel].offset, size = segment->size - offset;
        if (size > bytes)
            size = bytes;
        memcpy((char *)segment->destination + offset, (const char *)segment->source + offset, size);
        channels[channel].offset += size;
        channels[channel].moved += size;
        bytes -= size;
        dma_skip_finished(transfer, &channels[channel].segment, &channels[channel].offset);
    }
}

static void channel_end(unsigned channel, int status, size_t moved)
{
    size_t size = channels[channel].transfer->size;
    fake_enter_isr();
    channels[channel].transfer = NULL;
    dma_transfer_done(&engine, channel, status, size - moved);
    fake_leave_isr();
}

// Moves some bytes on a channel, and raises its interrupt where that ends the transfer. Result:
// false: the channel is idle.
static bool channel_step(unsigned channel, size_t bytes)
{
    if (!channels[channel].transfer)
        return false;
    size_t size = channels[channel].transfer->size;
    channel_move(channel, bytes);
    size_t moved = channels[channel].moved;
    if (channels[channel].stopping || engine_breaks) {
        int status = channels[channel].stopping ? -ECANCELED : -EIO;
        engine_breaks = false;
        channel_end(channel, status, moved > understated ? moved - understated : 0);
    } else if (moved == size) {
        channel_end(channel, 0, moved);
    }
    return true;
}

// Everything comes to its end.
static void settle(void)
{
    for (bool busy = true; busy;) {
        busy = fake_run_round();
        for (unsigned i = 0; i < CHANNELS; i++)
            busy |= channel_step(i, SIZE_MAX);
    }
}

// ---- Calls and requests

static _Alignas(64) uint8_t memory[MACHINE_BYTES];
static struct device *fs;

// Whatever was in the memory must not be seen: it is 0xa5 everywhere. bytes: at most MACHINE_BYTES.
static inline void machine_reset(size_t bytes)
{
    while (io_open_first()) // What a test has left open must not stay in the core's list.
        io_close(io_open_first());
    if (!dma_engine_find(NULL))
        dma_engine_register(&engine);
    fake_clock.look_ns = 1;
    memset(memory, 0xa5, sizeof memory);
    understated = 0;
    terminate_answer = 0;
    fs = ramfs_init(memory, bytes);
}

// Asks and waits. Result: the call's.
static inline int ask(struct device *device, struct fs_call *call)
{
    call->request.op = IO_CALL;
    int error = io_submit(device, &call->request);
    settle();
    return error ? error : (int)call->request.result;
}

static inline int by_path(enum fs_operation operation, const char *path, const char *to)
{
    struct fs_call call = { .operation = operation, .path = path, .to = to, .mode = 0700 };
    return ask(fs, &call);
}

static inline int open_error(const char *path, int flags)
{
    struct fs_call call = { .operation = FS_OPEN, .path = path, .flags = flags, .mode = 0640 };
    return ask(fs, &call);
}

// Result: the device, or NULL.
static inline struct device *open_file(const char *path, int flags)
{
    struct fs_call call = { .operation = FS_OPEN, .path = path, .flags = flags, .mode = 0640 };
    return ask(fs, &call) ? NULL : call.device;
}

static inline struct fs_status status_of(struct device *file)
{
    struct fs_call call = { .operation = FS_FILE_STATUS };
    ask(file, &call);
    return call.status;
}

static inline int truncate_to(struct device *file, uint64_t size)
{
    struct fs_call call = { .operation = FS_TRUNCATE, .size = size };
    return ask(file, &call);
}

static inline ssize_t transfer(struct device *file, enum io_op op, void *buffer, size_t size,
                               uint64_t offset)
{
    struct io_request request = { .op = op, .buffer = buffer, .size = size, .offset = offset };
    int error = io_submit(file, &request);
    settle();
    return error ? error : request.result;
}

static inline ssize_t write_at(struct device *file, const void *bytes, size_t size, uint64_t offset)
{
    return transfer(file, IO_WRITE, (void *)(uintptr_t)bytes, size, offset);
}

static inline ssize_t read_at(struct device *file, void *buffer, size_t size, uint64_t offset)
{
    return transfer(file, IO_READ, buffer, size, offset);
}

static inline bool are_all(const uint8_t *bytes, uint8_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != value)
            return false;
    return true;
}

// Everything is free but the root's inode.
static inline bool all_is_free(void)
{
    struct ramfs_space space = ramfs_space(fs);
    return space.blocks_free == space.blocks && space.inodes_free + 1 == space.inodes;
}

// ---- Requests in flight

enum { SMALL = 512 << 10, BUFFER = 6 * BLOCK, REQUESTS = 64 };

static uint8_t out[BUFFER], in[BUFFER];
static struct io_request requests[REQUESTS];
static unsigned order[REQUESTS], done_count;

static inline void on_done(struct io_request *request)
{
    order[done_count++] = (unsigned)(request - requests);
}

// Submits without waiting.
static inline void submit(unsigned i, struct device *file, enum io_op op, void *buffer, size_t size,
                          uint64_t offset)
{
    requests[i] = (struct io_request){
        .op = op, .buffer = buffer, .size = size, .offset = offset, .done = on_done
    };
    io_submit(file, &requests[i]);
}

static inline unsigned running(void)
{
    return dma_statistics(&engine).running;
}

// A file with nothing in it, in a file system with nothing else in it.
static inline struct device *fresh_file(size_t bytes)
{
    machine_reset(bytes);
    memset(in, 0x77, sizeof in);
    for (size_t i = 0; i < sizeof out; i++)
        out[i] = (uint8_t)(i * 7 + i / 251 + 1);
    done_count = most_running = 0;
    return open_file("file", O_RDWR | O_CREAT);
}

static inline unsigned blocks_taken(void)
{
    struct ramfs_space space = ramfs_space(fs);
    return space.blocks - space.blocks_free;
}
