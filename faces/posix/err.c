// err() and warn(), and the words that newlib lacks for errors.
#include <err.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faces/posix/posix.h"

// newlib's strerror() asks here about errors that it does not know, of which we have two. A
// program may have its own.
char *_user_strerror(int error, int internal, int *result);
__attribute__((weak)) char *_user_strerror(int error, int internal, int *result)
{
    (void)internal, (void)result;
    switch (error) {
    case ESTALE:
        return (char *)"Stale file handle";
    case EDQUOT:
        return (char *)"Disk quota exceeded";
    default:
        return NULL;
    }
}

static void complain(int error, const char *format, va_list arguments)
{
    fprintf(stderr, "%s: ", posix_program_name());
    if (format) {
        vfprintf(stderr, format, arguments);
        if (error)
            fputs(": ", stderr);
    }
    if (error)
        fputs(strerror(error), stderr);
    fputc('\n', stderr);
}

void vwarn(const char *format, va_list arguments)
{
    int error = errno;
    complain(error, format, arguments);
    errno = error;
}

void vwarnx(const char *format, va_list arguments)
{
    complain(0, format, arguments);
}

void verr(int status, const char *format, va_list arguments)
{
    vwarn(format, arguments);
    exit(status);
}

void verrx(int status, const char *format, va_list arguments)
{
    vwarnx(format, arguments);
    exit(status);
}

void warn(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vwarn(format, arguments);
    va_end(arguments);
}

void warnx(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vwarnx(format, arguments);
    va_end(arguments);
}

void err(int status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vwarn(format, arguments);
    va_end(arguments);
    exit(status);
}

void errx(int status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vwarnx(format, arguments);
    va_end(arguments);
    exit(status);
}
