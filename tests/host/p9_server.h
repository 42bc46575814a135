// The messages of p9_model.h, one function each. What is asked is read by `in`, the answer written
// to `out`; a result other than 0 is Rlerror's number.
#pragma once

#include "tests/host/p9_tree.h"

struct p9m_bytes {
    uint8_t bytes[P9M_MESSAGE];
    size_t at, size;
};
static struct p9m_bytes p9m_in, p9m_out;

static inline uint64_t p9m_get(unsigned bytes)
{
    uint64_t value = 0;
    if (p9m_in.at + bytes > p9m_in.size) {
        p9m.wrong++;
        return 0;
    }
    memcpy(&value, p9m_in.bytes + p9m_in.at, bytes);
    p9m_in.at += bytes;
    return value;
}

static inline const char *p9m_get_name(void)
{
    static char names[2][P9M_NAME];
    static unsigned turn;
    char *name = names[turn++ % 2];
    size_t length = p9m_get(2);
    if (length >= P9M_NAME || p9m_in.at + length > p9m_in.size) {
        p9m.wrong++;
        return "";
    }
    memcpy(name, p9m_in.bytes + p9m_in.at, length);
    name[length] = 0;
    p9m_in.at += length;
    p9m.wrong += strchr(name, '/') != NULL;
    return name;
}

static inline void p9m_put(uint64_t value, unsigned bytes)
{
    memcpy(p9m_out.bytes + p9m_out.size, &value, bytes);
    p9m_out.size += bytes;
}

static inline void p9m_put_bytes(const void *bytes, size_t size)
{
    memcpy(p9m_out.bytes + p9m_out.size, bytes, size);
    p9m_out.size += size;
}

static inline void p9m_put_qid(const struct p9m_node *node)
{
    p9m_put(S_ISDIR(node->mode) ? 0x80 : S_ISLNK(node->mode) ? 0x02 : 0, 1);
    p9m_put(0, 4);
    p9m_put((uint64_t)(node - p9m.nodes) + 1000, 8);
}

// A fid that must be there.
static inline struct p9m_fid *p9m_get_fid(void)
{
    static struct p9m_fid none;
    uint32_t number = (uint32_t)p9m_get(4);
    if (number >= P9M_FIDS || !p9m.fids[number].node) {
        p9m.wrong++;
        none = (struct p9m_fid){ &p9m.nodes[0], false };
        return &none;
    }
    return &p9m.fids[number];
}

static inline int p9m_version(void)
{
    uint32_t msize = (uint32_t)p9m_get(4);
    p9m.wrong += strcmp(p9m_get_name(), "9P2000.L") != 0;
    memset(p9m.fids, 0, sizeof p9m.fids);
    p9m_put(msize < p9m.msize ? msize : p9m.msize, 4);
    p9m_put(strlen(p9m.version), 2);
    p9m_put_bytes(p9m.version, strlen(p9m.version));
    return 0;
}

static inline int p9m_attach(void)
{
    uint32_t fid = (uint32_t)p9m_get(4);
    p9m.wrong += p9m_get(4) != UINT32_MAX || fid >= P9M_FIDS || p9m.fids[fid].node;
    p9m_get_name();
    p9m_get_name();
    p9m.wrong += p9m_get(4) != UINT32_MAX;
    p9m.fids[fid % P9M_FIDS].node = &p9m.nodes[0];
    p9m_put_qid(&p9m.nodes[0]);
    return 0;
}

static inline int p9m_walk(void)
{
    struct p9m_fid *fid = p9m_get_fid();
    uint32_t number = (uint32_t)p9m_get(4);
    struct p9m_node *node = fid->node;
    unsigned names = (unsigned)p9m_get(2), got = 0;
    struct p9m_fid *new = &p9m.fids[number % P9M_FIDS];
    int error = 0;
    // An open fid may be walked from by no names: QEMU lets it, walk(5) does not.
    p9m.wrong += (fid->open && names > 0) || names > 16 || number >= P9M_FIDS ||
                 (new != fid &&new->node);
    size_t count_at = p9m_out.size;
    p9m_put(0, 2);
    for (unsigned i = 0; i < names; i++) {
        const char *name = p9m_get_name();
        struct p9m_node *next = error || !S_ISDIR(node->mode) ? NULL : p9m_find(node, name);
        if (!error && !next)
            error = S_ISDIR(node->mode) ? ENOENT : ENOTDIR;
        if (error || got == p9m.walk_most)
            continue;
        node = next;
        got++;
        p9m_put_qid(node);
    }
    if (names > 0 && got == 0)
        return error;
    memcpy(p9m_out.bytes + count_at, &got, 2);
    if (got == names)
        *new = (struct p9m_fid){ node, false };
    return 0;
}

static inline int p9m_open(void)
{
    struct p9m_fid *fid = p9m_get_fid();
    uint32_t flags = (uint32_t)p9m_get(4);
    p9m.wrong += fid->open || !(S_ISDIR(fid->node->mode) || S_ISREG(fid->node->mode));
    if (flags & 01000)
        fid->node->size = 0;
    fid->open = true;
    p9m_put_qid(fid->node);
    p9m_put(4096, 4);
    return 0;
}

static inline int p9m_create(void)
{
    struct p9m_fid *fid = p9m_get_fid();
    const char *name = p9m_get_name();
    p9m_get(4);
    uint32_t mode = (uint32_t)p9m_get(4);
    p9m.wrong += fid->open || p9m_get(4) != UINT32_MAX;
    if (!S_ISDIR(fid->node->mode))
        return ENOTDIR;
    if (p9m_find(fid->node, name))
        return EEXIST;
    struct p9m_node *node = p9m_make(fid->node, name, S_IFREG | mode);
    if (!node)
        return ENOSPC;
    *fid = (struct p9m_fid){ node, true };
    p9m_put_qid(node);
    p9m_put(4096, 4);
    return 0;
}

// What has the name of a node now; NULL: nothing has.
static inline struct p9m_node *p9m_by_name(struct p9m_node *node)
{
    return node == &p9m.nodes[0] ? node : p9m_find(node->parent, node->name);
}

static inline int p9m_getattr(void)
{
    const struct p9m_fid *fid = p9m_get_fid();
    bool by_path = fid->open ? p9m.status_by_path : p9m.by_path;
    const struct p9m_node *node = by_path ? p9m_by_name(fid->node) : fid->node;
    if (!node || (!node->used && (!p9m.by_path || !fid->open)))
        return ENOENT;
    p9m_put(p9m_get(8), 8);
    p9m_put_qid(node);
    p9m_put(node->mode, 4);
    p9m_put(0, 8);
    p9m_put(node->used, 8);
    p9m_put(0, 8);
    p9m_put(node->size, 8);
    p9m_put(4096, 8);
    for (unsigned i = 0; i < 3; i++)
        p9m_put(0, 8);
    p9m_put(1234567890, 8);
    p9m_put(5, 8);
    for (unsigned i = 0; i < 6; i++)
        p9m_put(0, 8);
    return 0;
}

static inline int p9m_setattr(void)
{
    struct p9m_node *node = p9m_get_fid()->node;
    node = p9m.by_path ? p9m_by_name(node) : node;
    p9m.wrong += p9m_get(4) != 0x8;
    for (unsigned i = 0; i < 3; i++)
        p9m_get(4);
    uint64_t size = p9m_get(8);
    for (unsigned i = 0; i < 4; i++)
        p9m_get(8);
    if (!node)
        return ENOENT;
    if (size > P9M_DATA)
        return EFBIG;
    if (size > node->size)
        memset(node->data + node->size, 0, size - node->size);
    node->size = size;
    return 0;
}

static inline int p9m_readlink(void)
{
    const struct p9m_node *node = p9m_get_fid()->node;
    if (!S_ISLNK(node->mode))
        return EINVAL;
    p9m_put(node->size, 2);
    p9m_put_bytes(node->data, node->size);
    return 0;
}

// Cookies: 1 and 2 behind "." and "..", then a node's number and 2.
static inline int p9m_readdir(void)
{
    const struct p9m_fid *fid = p9m_get_fid();
    uint64_t offset = p9m_get(8);
    size_t count = p9m_get(4), at = p9m_out.size;
    unsigned entries = 0;
    p9m.wrong += !fid->open || !S_ISDIR(fid->node->mode);
    p9m_put(0, 4);
    offset = p9m.only_dots ? 0 : offset;
    for (uint64_t i = offset; i < P9M_NODES + 1 && entries < p9m.readdir_most; i++) {
        const struct p9m_node *node = i < 2 ? fid->node : &p9m.nodes[i - 1];
        const char *name = i == 0 ? "." : i == 1 ? ".." : node->name;
        if (i >= 2 && (!node->used || node->parent != fid->node))
            continue;
        if (p9m_out.size - at - 4 + 24 + strlen(name) > count)
            break;
        p9m_put_qid(node);
        p9m_put(i + 1, 8);
        p9m_put((node->mode & S_IFMT) >> 12, 1);
        p9m_put(strlen(name), 2);
        p9m_put_bytes(name, strlen(name));
        entries++;
    }
    uint32_t bytes = (uint32_t)(p9m_out.size - at - 4);
    memcpy(p9m_out.bytes + at, &bytes, 4);
    return 0;
}

static inline int p9m_read(void)
{
    const struct p9m_fid *fid = p9m_get_fid();
    uint64_t offset = p9m_get(8);
    size_t count = p9m_get(4);
    p9m.wrong += !fid->open || count + 24 > p9m.msize;
    if (offset > fid->node->size)
        offset = fid->node->size;
    if (count > fid->node->size - offset)
        count = fid->node->size - offset;
    p9m_put(count, 4);
    p9m_put_bytes(fid->node->data + offset, count);
    return 0;
}

static inline int p9m_write(void)
{
    const struct p9m_fid *fid = p9m_get_fid();
    uint64_t offset = p9m_get(8);
    size_t count = p9m_get(4);
    p9m.wrong += !fid->open || count != p9m_in.size - p9m_in.at || count + 23 > p9m.msize;
    if (offset >= P9M_DATA)
        return ENOSPC;
    if (count > P9M_DATA - offset)
        count = P9M_DATA - offset;
    if (offset > fid->node->size)
        memset(fid->node->data + fid->node->size, 0, offset - fid->node->size);
    memcpy(fid->node->data + offset, p9m_in.bytes + p9m_in.at, count);
    if (offset + count > fid->node->size)
        fid->node->size = offset + count;
    p9m_put(count, 4);
    p9m_in.at = p9m_in.size;
    return 0;
}

static inline int p9m_fsync(void)
{
    p9m_get_fid();
    p9m_get(4);
    return 0;
}

static inline int p9m_mkdir(void)
{
    struct p9m_fid *fid = p9m_get_fid();
    const char *name = p9m_get_name();
    uint32_t mode = (uint32_t)p9m_get(4);
    p9m_get(4);
    if (p9m_find(fid->node, name))
        return EEXIST;
    const struct p9m_node *node = p9m_make(fid->node, name, S_IFDIR | mode);
    if (!node)
        return ENOSPC;
    p9m_put_qid(node);
    return 0;
}

static inline int p9m_unlink(void)
{
    struct p9m_fid *fid = p9m_get_fid();
    struct p9m_node *node = p9m_find(fid->node, p9m_get_name());
    uint32_t flags = (uint32_t)p9m_get(4);
    p9m.wrong += flags & ~0x200u;
    if (!S_ISDIR(fid->node->mode))
        return ENOTDIR;
    if (!node)
        return ENOENT;
    if (S_ISDIR(node->mode) != (flags == 0x200))
        return flags ? ENOTDIR : EISDIR;
    if (flags && !p9m_empty(node))
        return ENOTEMPTY;
    node->used = false;
    return 0;
}

static inline int p9m_rename(void)
{
    struct p9m_node *from = p9m_get_fid()->node;
    struct p9m_node *node = p9m_find(from, p9m_get_name());
    struct p9m_node *to = p9m_get_fid()->node;
    const char *name = p9m_get_name();
    struct p9m_node *old = p9m_find(to, name);
    if (!node)
        return ENOENT;
    if (old && old != node)
        old->used = false;
    node->parent = to;
    snprintf(node->name, P9M_NAME, "%s", name);
    return 0;
}

// After a reply that could not be understood, a client may clunk what it does not know to be there.
static inline int p9m_clunk(void)
{
    uint32_t number = (uint32_t)p9m_get(4);
    if (number >= P9M_FIDS || !p9m.fids[number].node) {
        p9m.wrong += p9m.fault_at == 0;
        return EBADF;
    }
    p9m.fids[number] = (struct p9m_fid){ NULL, false };
    return 0;
}

static inline int p9m_dispatch(unsigned type)
{
    static int (*const messages[256])(void) = {
        [12] = p9m_open,    [14] = p9m_create,  [22] = p9m_readlink, [24] = p9m_getattr,
        [26] = p9m_setattr, [40] = p9m_readdir, [50] = p9m_fsync,    [72] = p9m_mkdir,
        [74] = p9m_rename,  [76] = p9m_unlink,  [100] = p9m_version, [104] = p9m_attach,
        [110] = p9m_walk,   [116] = p9m_read,   [118] = p9m_write,   [120] = p9m_clunk,
    };
    if (type >= 256 || !messages[type]) {
        p9m.wrong++;
        return EOPNOTSUPP;
    }
    p9m.types[type]++;
    if (p9m.before)
        p9m.before(type);
    int error = messages[type]();
    p9m.wrong += !error && p9m_in.at != p9m_in.size;
    return error;
}
