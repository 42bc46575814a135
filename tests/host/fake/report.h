// Kernel messages (arch/report.h), for host tests: counted, and the last one kept.
#pragma once

#include <stdio.h>
#include <string.h>

#include "arch/report.h"

static struct {
    unsigned count;
    char last[320];
} fake_reports;

void report(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(fake_reports.last, sizeof fake_reports.last, format, arguments);
    va_end(arguments);
    fake_reports.count++;
}

// There has been one message since `since`, and it says this.
static inline bool fake_reported_once(unsigned since, const char *what)
{
    return fake_reports.count == since + 1 && strstr(fake_reports.last, what);
}
