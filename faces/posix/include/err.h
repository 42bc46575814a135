// Complaints on standard error, as on BSD and Linux: "program: text: what errno says".
#pragma once

#include <stdarg.h>

#ifdef __cplusplus
extern "C" {
#endif

// The ones ending in x leave errno out; err…() end the program with a status.
void warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void warnx(const char *format, ...) __attribute__((format(printf, 1, 2)));
void vwarn(const char *format, va_list arguments);
void vwarnx(const char *format, va_list arguments);
void err(int status, const char *format, ...) __attribute__((noreturn, format(printf, 2, 3)));
void errx(int status, const char *format, ...) __attribute__((noreturn, format(printf, 2, 3)));
void verr(int status, const char *format, va_list arguments) __attribute__((noreturn));
void verrx(int status, const char *format, va_list arguments) __attribute__((noreturn));

#ifdef __cplusplus
}
#endif
