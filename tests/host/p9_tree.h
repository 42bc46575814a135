// The state of the 9P2000.L server of p9_model.h, and its tree.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "drivers/exchange.h"
#include "tests/host/fake/core.h"

enum {
    P9M_NODES = 48,
    P9M_DATA = 40000,
    P9M_FIDS = 256,
    P9M_PENDING = 64,
    P9M_MESSAGE = 1 << 16,
    P9M_NAME = 300,
    P9M_HEADER = 7,
};

struct p9m_node {
    bool used;
    struct p9m_node *parent;
    char name[P9M_NAME];
    uint32_t mode;
    size_t size;
    uint8_t *data; // A link's target too.
};

struct p9m_fid {
    struct p9m_node *node;
    bool open;
};

// What is done wrongly to one message.
enum p9m_fault {
    P9M_NONE,
    P9M_REFUSED,   // Rlerror, nothing done.
    P9M_TRANSPORT, // Done, but no reply: the device fails.
    P9M_CUT,       // Done; the reply ends early.
    P9M_TYPE,
    P9M_TAG,
    P9M_SIZE,
    P9M_LONGER, // A byte too many.
    P9M_COUNT,  // The first number of the body is too large.
    P9M_FAULTS,
};

static struct {
    struct device channel;
    struct p9m_node nodes[P9M_NODES]; // The first is the root.
    uint8_t data[P9M_NODES][P9M_DATA];
    struct p9m_fid fids[P9M_FIDS];
    struct exchange *pending[P9M_PENDING];
    unsigned pending_count;
    uint32_t msize;                // The most that it agrees to.
    const char *version;           // What it answers.
    unsigned messages;             // Served.
    unsigned fault_at;             // This message, from 1 on,
    enum p9m_fault fault;          // is answered so;
    uint32_t fault_errno;          // by Rlerror with this.
    unsigned fault_type;           // What that message was.
    unsigned wrong;                // Messages that no client may send.
    unsigned types[256];           // How often each was asked.
    unsigned walk_most;            // Names that a Twalk gets at most.
    unsigned readdir_most;         // Entries in a reply.
    bool by_path;                  // An open file's size is set by its name, as in QEMU 7.2;
    bool status_by_path;           // its status is of what has the name.
    bool only_dots;                // A directory never ends, and has nothing in it.
    void (*before)(unsigned type); // Somebody else who changes the tree.
    void (*after)(unsigned type);  // What changes a reply.
    size_t claim;                  // Bytes that the device says have come, if not 0.
} p9m;

// ---- The tree ----

static inline bool p9m_is_held(const struct p9m_node *node)
{
    bool held = false;
    for (unsigned i = 0; i < P9M_FIDS; i++)
        held |= p9m.fids[i].node == node;
    return held;
}

static inline struct p9m_node *p9m_make(struct p9m_node *parent, const char *name, uint32_t mode)
{
    unsigned i = 0;
    while (i < P9M_NODES && (p9m.nodes[i].used || p9m_is_held(&p9m.nodes[i])))
        i++;
    if (i == P9M_NODES)
        return NULL;
    p9m.nodes[i] = (struct p9m_node){ .used = true, .mode = mode, .data = p9m.data[i] };
    p9m.nodes[i].parent = parent ? parent : &p9m.nodes[i];
    snprintf(p9m.nodes[i].name, P9M_NAME, "%s", name);
    return &p9m.nodes[i];
}

static inline struct p9m_node *p9m_file(struct p9m_node *parent, const char *name, uint32_t mode,
                                        const char *text)
{
    struct p9m_node *node = p9m_make(parent, name, mode);
    node->size = strlen(text);
    memcpy(node->data, text, node->size);
    return node;
}

static inline struct p9m_node *p9m_find(struct p9m_node *parent, const char *name)
{
    if (strcmp(name, "..") == 0)
        return parent->parent;
    for (unsigned i = 1; i < P9M_NODES; i++) {
        struct p9m_node *node = &p9m.nodes[i];
        if (node->used && node->parent == parent && strcmp(node->name, name) == 0)
            return node;
    }
    return NULL;
}

static inline bool p9m_empty(const struct p9m_node *directory)
{
    for (unsigned i = 1; i < P9M_NODES; i++)
        if (p9m.nodes[i].used && p9m.nodes[i].parent == directory)
            return false;
    return true;
}
