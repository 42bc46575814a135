// /proc texts. A text is a function that prints lines; the lines before the reader's offset are
// printed and not kept, so no text has to be stored and none has a limit. All of it happens inside
// submit, with interrupts masked: some microseconds for a line, tens for a long text.
#include "fs/procfs.h"

#include <errno.h>

#include "arch/format.h"
#include "dma/dma.h"
#include "drivers/device.h"
#include "irq/callback.h"
#include "irq/clock.h"
#include "irq/irq.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { LINE_LIMIT = 192, NS_PER_US = 1000, US_PER_S = 1000000 };

// Where a text goes: the part of it that was asked for.
struct print {
    uint64_t skip; // Bytes of the text that still lie before the part.
    uint8_t *to;
    size_t room; // Bytes of the part still missing.
};

struct text {
    struct device device; // First: submit() gets from it to the text.
    void (*write)(struct print *print);
};

__attribute__((format(printf, 2, 3))) static void print_line(struct print *print,
                                                             const char *format, ...)
{
    char line[LINE_LIMIT];
    va_list arguments;
    va_start(arguments, format);
    size_t length = format_list(line, sizeof line, format, arguments);
    va_end(arguments);
    size_t skipped = print->skip < length ? (size_t)print->skip : length;
    print->skip -= skipped;
    for (size_t i = skipped; i < length && print->room > 0; i++, print->room--)
        *print->to++ = (uint8_t)line[i];
}

static void print_numbers(struct print *print, const uint64_t *numbers, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        print_line(print, " %llu", (unsigned long long)numbers[i]);
}

static void print_total(struct print *print, const char *name, uint64_t total)
{
    print_line(print, "%s: %llu\n", name, (unsigned long long)total);
}

static void write_interrupts(struct print *print)
{
    for (unsigned irq = 0; irq < IRQ_LIMIT; irq++) {
        struct irq_statistics one;
        if (irq_statistics(irq, &one) != 0 || one.name == NULL)
            continue;
        const uint64_t numbers[] = { one.count, clock_ticks_to_ns(one.longest_ticks),
                                     one.unhandled };
        print_line(print, "%u:", irq);
        print_numbers(print, numbers, COUNT(numbers));
        print_line(print, " %s\n", one.name);
    }
    struct irq_totals irqs = irq_totals();
    struct callback_totals callbacks = callback_totals();
    print_total(print, "taken", irqs.taken);
    print_total(print, "spurious", irqs.spurious);
    print_total(print, "callbacks", callbacks.run);
    print_total(print, "turns", callbacks.turns);
    print_total(print, "pauses", callbacks.pauses);
}

static void write_dma(struct print *print)
{
    const struct dma_engine *engine = NULL;
    while ((engine = dma_engine_next(engine)) != NULL) {
        struct dma_statistics s = dma_statistics(engine);
        const uint64_t numbers[] = { dma_capabilities(engine)->channels,
                                     s.running,
                                     s.queued,
                                     s.queued_most,
                                     s.submitted,
                                     s.completed,
                                     s.failed,
                                     s.terminated,
                                     s.bytes };
        print_line(print, "%s", dma_engine_name(engine));
        print_numbers(print, numbers, COUNT(numbers));
        print_line(print, "\n");
    }
}

static unsigned count_queued(const struct io_lane *lane)
{
    unsigned queued = 0;
    for (unsigned queue = 0; queue <= QUEUE_BEHIND; queue++) {
        const struct io_request *request = lane->queue[queue].head;
        for (; request != NULL; request = request->next)
            queued++;
    }
    return queued;
}

static void write_aio(struct print *print)
{
    for (const struct device *d = device_first(); d != NULL; d = d->next) {
        const struct io_lane *lanes = d->lanes;
        unsigned queued = count_queued(&lanes[0]) + count_queued(&lanes[1]);
        unsigned in_flight = (unsigned)lanes[0].in_flight + lanes[1].in_flight;
        const uint64_t numbers[] = { queued, in_flight,
                                     d->statistics.completed + queued + in_flight,
                                     d->statistics.completed, d->statistics.refused };
        print_line(print, "%s", d->name);
        print_numbers(print, numbers, COUNT(numbers));
        print_line(print, "\n");
    }
}

static void write_uptime(struct print *print)
{
    unsigned long long us = clock_now_ns() / NS_PER_US;
    print_line(print, "%llu.%06llu\n", us / US_PER_S, us % US_PER_S);
}

static struct text texts[] = {
    { .device.name = "proc/interrupts", .write = write_interrupts },
    { .device.name = "proc/dma", .write = write_dma },
    { .device.name = "proc/aio", .write = write_aio },
    { .device.name = "proc/uptime", .write = write_uptime },
};

static void procfs_submit(struct device *device, struct io_request *request)
{
    const struct text *text = (const struct text *)device; // Its first member.
    struct print print = { request->offset, request->buffer, request->size };
    if (request->op != IO_READ) {
        device_complete(request, request->op == IO_WRITE ? -EROFS : 0);
        return;
    }
    text->write(&print);
    device_complete(request, (ssize_t)(request->size - print.room));
}

static const struct device_ops procfs_ops = { .submit = procfs_submit };

int procfs_init(void)
{
    for (unsigned i = 0; i < COUNT(texts); i++) {
        struct device *device = &texts[i].device;
        device->ops = &procfs_ops;
        device->kind = DEVICE_BLOCK;
        device->block_bytes = 1;
        device->read_only = true;
        device->lanes[0].depth = 1;
        int error = device_register(device);
        if (error)
            return error;
    }
    return 0;
}
