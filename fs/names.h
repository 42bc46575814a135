// Names in a path: one after another, with '/' between them. Paths are texts of a known size, or
// end with a zero before.
#pragma once

#include <stdbool.h>
#include <stddef.h>

// Bytes of the name that a text of at most so many begins with.
static inline size_t name_length(const char *text, size_t size)
{
    size_t length = 0;
    while (length < size && text[length] && text[length] != '/')
        length++;
    return length;
}

// Is it "."?
static inline bool name_is_here(const char *name, size_t length)
{
    return length == 1 && name[0] == '.';
}

// Is it ".."?
static inline bool name_is_above(const char *name, size_t length)
{
    return length == 2 && name[0] == '.' && name[1] == '.';
}

// Result: a path's length without its last name and the '/' before that.
static inline size_t names_above(const char *path, size_t length)
{
    while (length > 0 && path[--length] != '/')
        ;
    return length;
}
