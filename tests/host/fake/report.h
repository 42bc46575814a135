// Kernel messages (arch/report.h), for host tests: counted, and the last one kept.
#pragma once

#include <stdio.h>

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
