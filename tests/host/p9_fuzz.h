// /host led by a string of bytes: calls and requests of all kinds, and replies to them that are
// honest, mutated or made up, in any order. Whatever comes, each request completes exactly once,
// nothing is written but where it may be, and no slot is lost.
#pragma once

#include "tests/host/fuzz.h"
#include "tests/host/p9_client.h"

enum {
    FUZZ_OPEN = 6,
    FUZZ_CALLS = 12,
    FUZZ_BUFFER = 6000,
    FUZZ_GUARD = 64,
    FUZZ_GUARD_BYTE = 0xc7
};

struct fuzz_call {
    struct fs_call call; // First; a read or write uses its request alone.
    bool under_way;
    struct fs_entry entry;
    uint8_t before[FUZZ_GUARD], buffer[FUZZ_BUFFER], after[FUZZ_GUARD];
};

static struct {
    struct device *open[FUZZ_OPEN];
    struct fuzz_call calls[FUZZ_CALLS];
    unsigned lies; // Of 256 replies so many are spoiled.
    unsigned completed, succeeded, opened, spoiled;
} fuzz;

static void fuzz_keep(struct device *device)
{
    for (unsigned i = 0; i < FUZZ_OPEN; i++)
        if (!fuzz.open[i]) {
            fuzz.open[i] = device;
            return;
        }
    io_close(device);
}

static void fuzz_done(struct io_request *request)
{
    struct fuzz_call *call = (struct fuzz_call *)request; // Its first member's first.
    assert(call->under_way);
    call->under_way = false;
    fuzz.completed++;
    fuzz.succeeded += request->result >= 0;
    assert(request->result <= FUZZ_BUFFER && request->result > -1000);
    for (unsigned i = 0; i < FUZZ_GUARD; i++)
        assert(call->before[i] == FUZZ_GUARD_BYTE && call->after[i] == FUZZ_GUARD_BYTE);
    if (request->op != IO_CALL || request->result < 0)
        return;
    if (call->call.operation == FS_NEXT_ENTRY && request->result == 1)
        assert(memchr(call->entry.name, 0, sizeof call->entry.name) && call->entry.name[0]);
    if (call->call.operation == FS_OPEN) {
        fuzz.opened++;
        fuzz_keep(call->call.device);
    }
}

// One that is not under way, ready for a request; NULL: there is none.
static struct fuzz_call *fuzz_free(void)
{
    for (unsigned i = 0; i < FUZZ_CALLS; i++) {
        struct fuzz_call *call = &fuzz.calls[i];
        if (call->under_way)
            continue;
        memset(call, 0, sizeof *call);
        memset(call->before, FUZZ_GUARD_BYTE, FUZZ_GUARD);
        memset(call->after, FUZZ_GUARD_BYTE, FUZZ_GUARD);
        call->call.entry = &call->entry;
        call->call.request.done = fuzz_done;
        return call;
    }
    return NULL;
}

static void fuzz_submit(struct device *device, struct fuzz_call *call)
{
    call->under_way = true;
    assert(io_submit(device, &call->call.request) == 0);
}

static const char *fuzz_path(void)
{
    static const char *const paths[] = {
        "file",
        "folder",
        "folder/deep/file",
        "link/file",
        "loop",
        "",
        "new",
        "folder/new",
        "folder/deep/up",
        "nothing/at/all",
        "fifo",
        "out",
        "dangling",
        "a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r/s/t/u/v/w/x/y/z",
        "link/new",
        "link",
    };
    return paths[fuzz_byte() % (sizeof paths / sizeof paths[0])];
}

// ---- The client's steps ----

static void fuzz_by_path(void)
{
    static const int flags[] = { O_RDONLY,
                                 O_RDWR,
                                 O_RDWR | O_CREAT,
                                 O_RDWR | O_CREAT | O_EXCL,
                                 O_WRONLY | O_TRUNC,
                                 O_RDONLY | O_DIRECTORY,
                                 O_WRONLY | O_CREAT | O_APPEND,
                                 O_ACCMODE };
    struct fuzz_call *call = fuzz_free();
    if (!call)
        return;
    unsigned choice = fuzz_byte();
    call->call.request.op = choice == 255 ? IO_OPEN : choice == 254 ? IO_FLUSH : IO_CALL;
    call->call.operation = choice % 2 ? FS_OPEN : (enum fs_operation)(choice / 2 % 8);
    call->call.path = fuzz_path();
    call->call.to = fuzz_path();
    call->call.directory = fuzz_byte() % 8 == 0;
    call->call.flags = flags[fuzz_byte() % (sizeof flags / sizeof flags[0])];
    fuzz_submit(client.fs, call);
}

static void fuzz_on_file(void)
{
    struct device *device = fuzz.open[fuzz_byte() % FUZZ_OPEN];
    struct fuzz_call *call = device ? fuzz_free() : NULL;
    if (!call)
        return;
    struct io_request *request = &call->call.request;
    unsigned choice = fuzz_byte();
    request->op = choice % 2 ? IO_READ : choice % 4 ? IO_WRITE : IO_CALL;
    if (choice % 32 == 31)
        request->op = choice % 64 == 63 ? IO_FLUSH : IO_OPEN;
    request->flags = fuzz_byte() % 4 == 0 ? IO_APPEND : 0;
    request->buffer = call->buffer;
    request->size = fuzz_byte() * 256u % (FUZZ_BUFFER + 1);
    request->offset = fuzz_byte() * 64u;
    if (request->offset == 255 * 64)
        request->offset = UINT64_MAX - 100;
    static const enum fs_operation operations[] = { FS_FILE_STATUS, FS_TRUNCATE, FS_NEXT_ENTRY,
                                                    FS_NEXT_ENTRY, FS_OPEN };
    call->call.operation = operations[fuzz_byte() % 5];
    call->call.path = "file";
    if (call->call.operation == FS_OPEN && request->op == IO_CALL)
        call->call.operation = FS_MKDIR; // As wrong here, but opens nothing.
    call->call.size = fuzz_byte() * 32u;
    call->call.cookie = fuzz_byte() % 8;
    fuzz_submit(device, call);
}

static void fuzz_close(void)
{
    unsigned i = fuzz_byte() % FUZZ_OPEN;
    if (fuzz.open[i])
        io_close(fuzz.open[i]);
    fuzz.open[i] = NULL;
}

static void fuzz_cancel(void)
{
    struct fuzz_call *call = &fuzz.calls[fuzz_byte() % FUZZ_CALLS];
    if (call->under_way)
        io_cancel(&call->call.request);
}

// ---- The server's steps ----

// Changes a reply somewhere, its length too, or makes one up; its header often stays right, or
// nothing would ever look at the rest.
static void fuzz_mutate(uint8_t *bytes, size_t *size, size_t room)
{
    unsigned changes = fuzz_byte() % 4, how = fuzz_byte();
    fuzz.spoiled++;
    if (how % 4 == 0)
        *size = fuzz_byte() % (room < 256 ? room + 1 : 256);
    if (how % 8 == 1)
        for (size_t i = 7; i < *size; i++)
            bytes[i] = (uint8_t)fuzz_byte();
    for (unsigned i = 0; i<changes && * size> 0; i++) {
        size_t at = how % 16 ? 7 + fuzz_byte() % 24 : fuzz_byte();
        bytes[at % *size] = (uint8_t)(how % 3 ? fuzz_byte() : 255 - fuzz_byte() % 2);
    }
    if (*size >= 4 && how % 16)
        memcpy(bytes, size, 4);
}

static void fuzz_complete(void *argument)
{
    struct exchange *exchange = argument;
    size_t size = p9m_out.size, room = 0;
    for (unsigned i = 0; i < exchange->in_count; i++)
        room += exchange->in[i].size;
    if (fuzz_byte() < fuzz.lies)
        fuzz_mutate(p9m_out.bytes, &size, room);
    p9m_out.size = size < room ? size : room;
    bool fits = p9m_scatter(exchange);
    assert(fits);
    ssize_t result = (ssize_t)size;
    if (fuzz.lies && fuzz_byte() == 0)
        result = fuzz_byte() % 2 ? -EIO : INT32_MAX;
    device_complete(&exchange->request, result);
}

static void fuzz_answer(void)
{
    if (p9m.pending_count == 0)
        return;
    unsigned type, tag;
    struct exchange *exchange = p9m_take(fuzz_byte() % p9m.pending_count, &type, &tag);
    p9m_answer(type, tag, false);
    fake_isr(fuzz_complete, exchange);
}

static void fuzz_step(void)
{
    static void (*const steps[])(void) = { fuzz_by_path, fuzz_on_file, fuzz_on_file, fuzz_answer,
                                           fuzz_answer,  fuzz_answer,  fuzz_answer,  fuzz_answer };
    unsigned choice = fuzz_byte();
    if (choice >= 250)
        (choice % 2 ? fuzz_close : fuzz_cancel)();
    else
        steps[choice % (sizeof steps / sizeof steps[0])]();
    fake_run_all();
}

// ---- From beginning to end ----

static void fuzz_tree(void)
{
    struct p9m_node *root = &p9m.nodes[0];
    struct p9m_node *folder = p9m_make(root, "folder", S_IFDIR | 0755);
    struct p9m_node *deep = p9m_make(folder, "deep", S_IFDIR | 0755);
    p9m_file(root, "file", S_IFREG | 0644, "contents")->size = 9000;
    p9m_file(deep, "file", S_IFREG | 0644, "more");
    p9m_make(root, "fifo", S_IFIFO | 0644);
    p9m_file(root, "link", S_IFLNK | 0777, "folder/deep");
    p9m_file(root, "loop", S_IFLNK | 0777, "loop");
    p9m_file(root, "out", S_IFLNK | 0777, "../x");
    p9m_file(root, "dangling", S_IFLNK | 0777, "folder/made");
    p9m_file(deep, "up", S_IFLNK | 0777, "../../file");
}

// Answers what is left, closes what is open, and counts.
static void fuzz_settle(void)
{
    for (unsigned rounds = 0; p9m.pending_count > 0 || fake_run_all(); rounds++) {
        assert(rounds < 20000); // Or it would go on for ever.
        fuzz_answer();
        fake_run_all();
    }
}

static void fuzz_end(void)
{
    fuzz_settle();
    for (unsigned i = 0; i < FUZZ_OPEN; i++) {
        if (fuzz.open[i])
            io_close(fuzz.open[i]);
        fuzz.open[i] = NULL;
    }
    fuzz_settle();
    for (unsigned i = 0; i < FUZZ_CALLS; i++)
        assert(!fuzz.calls[i].under_way);
    p9m.wrong = 0; // Who is lied to may ask for what is not there;
    memset(&p9m.fids[1], 0, sizeof p9m.fids - sizeof p9m.fids[0]); // and a clunk may have got lost.
    assert(client_is_clean());
}

// Runs all that the bytes say. Aborts when something does not hold.
static void fuzz_run(const uint8_t *input, size_t size)
{
    fuzz_begin(input, size);
    client_fresh();
    fuzz_tree();
    p9m.msize = 4096;
    p9m.fault_at = UINT32_MAX; // The server expects anything.
    p9m.walk_most = 1 + fuzz_byte() % 16;
    fuzz.lies = fuzz_byte() % 4 * 12;
    while (fuzz_goes_on())
        fuzz_step();
    fuzz_end();
}
