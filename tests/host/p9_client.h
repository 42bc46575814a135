// Calls and requests to p9fs for its host suites, each served to its end, and counts of what must
// never leak.
#pragma once

#include <stdlib.h>

#include "fs/p9fs_internal.h"
#include "tests/host/p9_model.h"
#include "tests/tap.h"

static struct {
    struct device *fs;
    unsigned completions;
    bool backwards; // The server answers the newest first.
} client;

static inline void client_done(struct io_request *request)
{
    (void)request;
    client.completions++;
}

static inline void client_fresh(void)
{
    p9m_fresh();
    client.fs = p9fs_init(&p9m.channel);
    client.completions = 0;
}

// Submits, serves, and must be told exactly once.
static inline ssize_t client_do(struct device *device, struct io_request *request)
{
    unsigned before = client.completions;
    request->done = client_done;
    int error = io_submit(device, request);
    if (error)
        return error;
    p9m_run(client.backwards);
    if (client.completions != before + 1 || request->state != IO_IDLE) {
        printf("Bail out! a request completed %u times\n", client.completions - before);
        exit(1);
    }
    return request->result;
}

static inline struct fs_call client_call(enum fs_operation operation, const char *path)
{
    size_t length = strlen(path);
    return (struct fs_call){ .request.op = IO_CALL,
                             .operation = operation,
                             .path = path,
                             .to = path,
                             .directory = length > 0 && path[length - 1] == '/' };
}

// A path with '/' at its end is given as fs_call wants it, without.
static inline struct fs_call client_by_path(enum fs_operation operation, const char *path,
                                            const char *to, int flags, uint32_t mode)
{
    static char clean[8192];
    struct fs_call call = client_call(operation, path);
    snprintf(clean, sizeof clean, "%s", path);
    if (call.directory)
        clean[strlen(clean) - 1] = 0;
    call.path = clean;
    call.to = to;
    call.flags = flags;
    call.mode = mode;
    call.request.result = client_do(client.fs, &call.request);
    return call;
}

static inline int client_open(const char *path, int flags, struct device **device)
{
    struct fs_call call = client_by_path(FS_OPEN, path, NULL, flags, 0640);
    *device = call.device;
    return (int)call.request.result;
}

// An open that must work.
static inline struct device *client_must_open(const char *path, int flags)
{
    struct device *device;
    if (client_open(path, flags, &device) == 0)
        return device;
    printf("Bail out! %s does not open\n", path);
    exit(1);
}

static inline int client_status(const char *path, struct fs_status *status)
{
    struct fs_call call = client_by_path(FS_STATUS, path, NULL, 0, 0);
    *status = call.status;
    return (int)call.request.result;
}

static inline int client_simple(enum fs_operation operation, const char *path)
{
    return (int)client_by_path(operation, path, NULL, 0, 0750).request.result;
}

static inline int client_rename(const char *path, const char *to)
{
    return (int)client_by_path(FS_RENAME, path, to, 0, 0).request.result;
}

static inline ssize_t client_move(struct device *device, enum io_op op, uint64_t offset,
                                  void *buffer, size_t size)
{
    struct io_request request = { .op = op, .offset = offset, .buffer = buffer, .size = size };
    return client_do(device, &request);
}

static inline void client_close(struct device *device)
{
    io_close(device);
    p9m_run(client.backwards);
}

// Nothing is open and nothing under way: only the root's fid is known to the server.
static inline bool client_is_clean(void)
{
    bool clean = p9m_fids_known() <= 1 && p9m.wrong == 0 && p9m.pending_count == 0;
    for (unsigned i = 0; i < P9_CALLS; i++)
        clean &= p9fs.chains[i].request == NULL;
    for (unsigned i = 0; i < P9_TRANSFERS; i++)
        clean &= p9fs.transfers[i].request == NULL;
    for (unsigned i = 0; i < P9_FILES; i++)
        clean &= !p9fs.files[i].used;
    for (unsigned i = 0; i < P9_DIRECTORIES; i++)
        clean &= !p9fs.directories[i].used;
    unsigned free = 0;
    for (const struct p9_transfer *t = p9fs.free; t; t = t->next)
        free++;
    return clean && free == P9_TRANSFERS && !p9fs.priorities && !p9fs.queues[P9_APPENDS].head &&
           !p9fs.appender && !p9fs.waiting;
}
