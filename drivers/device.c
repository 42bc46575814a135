// The list of devices, and what all block devices share.
#include "drivers/device.h"

#include <errno.h>

static struct device *devices;

static bool same_name(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

ssize_t device_clamp(const struct device *device, const struct io_request *request)
{
    if (request->size == 0)
        return 0;
    if (request->offset >= device->size_bytes)
        return request->op == IO_WRITE ? -ENOSPC : 0;
    uint64_t left = device->size_bytes - request->offset;
    return (ssize_t)(request->size < left ? request->size : left);
}

int device_register(struct device *device)
{
    if (device_find(device->name))
        return -EEXIST;
    struct device **link = &devices;
    while (*link)
        link = &(*link)->next;
    device->next = NULL;
    *link = device;
    return 0;
}

struct device *device_find(const char *name)
{
    struct device *device = devices;
    while (device && !same_name(device->name, name))
        device = device->next;
    return device;
}

struct device *device_first(void)
{
    return devices;
}
