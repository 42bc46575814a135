// Kernel messages, one buffer's length each, to the sink that boot has chosen.
#include "arch/report.h"

#include "arch/cpu.h"
#include "arch/format.h"

enum { REPORT_LENGTH = 320 };

static void (*report_sink)(const char *text, size_t size);

void report_to(void (*sink)(const char *text, size_t size))
{
    report_sink = sink;
}

void report(const char *format, ...)
{
    char text[REPORT_LENGTH];
    va_list arguments;
    va_start(arguments, format);
    size_t length = format_list(text, sizeof text, format, arguments);
    va_end(arguments);
    if (!report_sink)
        return;
    uint32_t flags = irq_save();
    report_sink(text, length);
    irq_restore(flags);
}
