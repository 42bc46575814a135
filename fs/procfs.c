// /proc texts. A text is a function that prints lines; the lines before the reader's offset are
// printed and not kept, so no text has to be stored and none has a limit. Only the line that was
// given last is, for who reads on inside it. All of it happens inside submit, with interrupts
// masked: some microseconds for a line, tens for a long text.
#include "fs/procfs.h"

#include <errno.h>

#include "aio/core.h"
#include "arch/assert.h"
#include "arch/format.h"
#include "dma/dma.h"
#include "drivers/device.h"
#include "fs/aio_limit.h"
#include "fs/fixed.h"
#include "fs/mount.h"
#include "irq/callback.h"
#include "irq/clock.h"
#include "irq/irq.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { LINE_LIMIT = 256, NS_PER_US = 1000, US_PER_S = 1000000 };

// The line that a reader was given last, perhaps in part, and where it lies in what he has read.
struct begun_line {
    uint64_t start; // Bytes.
    unsigned number;
    size_t length; // 0: there is none.
    char bytes[LINE_LIMIT];
};

// Where a text goes: the part of it that was asked for.
struct print {
    struct begun_line *begun;
    char line[LINE_LIMIT]; // Being printed:
    size_t length;         // so much of it is there,
    unsigned number;       // the how manieth of the text it is.
    unsigned skip_lines;   // Lines of the text that lie before the part,
    uint64_t skip;         // and bytes behind these.
    uint64_t offset;       // In what is read, of the next byte of the part.
    uint8_t *to;
    size_t room; // Bytes of the part still missing.
    bool given;  // Some of it has been given.
    bool over;   // It takes no more lines.
};

struct text {
    struct device device; // First: submit() gets from it to the text.
    void (*write)(struct print *print);
    void (*set)(uint32_t number); // What writing a number to it does; NULL: it is read-only.
    struct begun_line begun;
};

// Gives a line's bytes from `from` on, as many as there is room for.
static void give(struct print *print, const char *line, size_t length, size_t from)
{
    size_t end = length - from <= print->room ? length : from + print->room;
    for (size_t i = from; i < end; i++)
        *print->to++ = (uint8_t)line[i];
    print->room -= end - from;
    print->offset += end - from;
    print->given |= end > from;
    print->over = end < length || print->room == 0;
}

// A line is complete. It is given as a whole, unless the reader's buffer takes no line at all.
static void end_line(struct print *print)
{
    struct begun_line *begun = print->begun;
    if (print->skip >= print->length) {
        print->skip -= print->length;
        return;
    }
    if (print->given && print->length > print->room) {
        print->over = true;
        return;
    }
    size_t from = (size_t)print->skip;
    print->skip = 0;
    begun->start = print->offset - from;
    begun->number = print->number;
    begun->length = print->length;
    for (size_t i = 0; i < print->length; i++)
        begun->bytes[i] = print->line[i];
    give(print, print->line, print->length, from);
}

// Prints a line or a part of one; '\n' ends it.
__attribute__((format(printf, 2, 3))) static void print_line(struct print *print,
                                                             const char *format, ...)
{
    if (print->over)
        return;
    va_list arguments;
    va_start(arguments, format);
    print->length += format_list(print->line + print->length, sizeof print->line - print->length,
                                 format, arguments);
    va_end(arguments);
    if (print->line[print->length - 1] != '\n')
        return;
    if (print->number >= print->skip_lines)
        end_line(print);
    print->number++;
    print->length = 0;
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

enum { AIO_NUMBERS = 5 };

static void count_device(const struct device *device, uint64_t numbers[AIO_NUMBERS])
{
    const struct io_lane *lanes = device->lanes;
    numbers[0] = count_queued(&lanes[0]) + count_queued(&lanes[1]);
    numbers[1] = (uint64_t)lanes[0].in_flight + lanes[1].in_flight;
    numbers[2] = device->statistics.completed + numbers[0] + numbers[1];
    numbers[3] = device->statistics.completed;
    numbers[4] = device->statistics.refused;
}

static void print_counts(struct print *print, const char *name, const uint64_t *numbers)
{
    print_line(print, "%s", name);
    print_numbers(print, numbers, AIO_NUMBERS);
    print_line(print, "\n");
}

// Prints a device's line and adds it to the total.
static void print_device(struct print *print, const struct device *device, uint64_t *total)
{
    uint64_t numbers[AIO_NUMBERS];
    count_device(device, numbers);
    print_counts(print, device->name, numbers);
    for (unsigned i = 0; i < AIO_NUMBERS; i++)
        total[i] += numbers[i];
}

static void write_aio(struct print *print)
{
    struct io_totals gone = io_totals_of_released();
    uint64_t total[AIO_NUMBERS] = { 0, 0, gone.completed, gone.completed, gone.refused };
    for (const struct device *d = device_first(); d != NULL; d = d->next)
        print_device(print, d, total);
    for (const struct device *d = io_open_first(); d != NULL; d = d->open_next)
        print_device(print, d, total);
    print_counts(print, "total", total);
}

static void write_mounts(struct print *print)
{
    const char *name;
    for (unsigned i = 0; (name = mount_name(i)) != NULL; i++)
        print_line(print, "/%s %s\n", name, mount_device(i)->name);
}

static void write_uptime(struct print *print)
{
    unsigned long long us = clock_now_ns() / NS_PER_US;
    print_line(print, "%llu.%06llu\n", us / US_PER_S, us % US_PER_S);
}

static void write_aio_reserved(struct print *print)
{
    print_line(print, "%u\n", (unsigned)aio_limit_reserved());
}

static void write_aio_most(struct print *print)
{
    print_line(print, "%u\n", (unsigned)aio_limit_most());
}

static struct text texts[] = {
    { .device.name = "proc/interrupts", .write = write_interrupts },
    { .device.name = "proc/dma", .write = write_dma },
    { .device.name = "proc/aio", .write = write_aio },
    { .device.name = "proc/uptime", .write = write_uptime },
    { .device.name = "proc/mounts", .write = write_mounts },
};
static struct text limits[] = {
    { .device.name = "proc/sys/fs/aio-nr", .write = write_aio_reserved },
    { .device.name = "proc/sys/fs/aio-max-nr", .write = write_aio_most, .set = aio_limit_set_most },
};
static struct fixed_folder proc, proc_sys, proc_sys_fs;

static bool is_digit(char character)
{
    return character >= '0' && character <= '9';
}

// Result: 0 and the number that the text is, perhaps with an end of line; or -EINVAL.
static int parse(const char *text, size_t size, uint32_t *number)
{
    size_t length = 0;
    *number = 0;
    for (; length < size && is_digit(text[length]); length++)
        if (__builtin_mul_overflow(*number, 10u, number) ||
            __builtin_add_overflow(*number, (uint32_t)(text[length] - '0'), number))
            return -EINVAL;
    bool ends = length == size || (length + 1 == size && text[length] == '\n');
    return length > 0 && ends ? 0 : -EINVAL;
}

static ssize_t text_set(const struct text *text, const struct io_request *request)
{
    uint32_t number;
    int error = text->set ? parse(request->buffer, request->size, &number) : -EROFS;
    if (error)
        return error;
    text->set(number);
    return (ssize_t)request->size;
}

// A reader who goes on where the last one stopped is given the rest of the line that was begun, and
// then the lines behind that, by their number: what lies before has perhaps become longer.
static void go_on(struct print *print)
{
    const struct begun_line *begun = print->begun;
    uint64_t into = print->offset - begun->start;
    if (print->offset < begun->start || into > begun->length || begun->length == 0)
        return;
    print->skip = 0;
    print->skip_lines = begun->number + 1;
    give(print, begun->bytes, begun->length, (size_t)into);
}

static ssize_t text_get(struct text *text, const struct io_request *request)
{
    struct print print = { .begun = &text->begun,
                           .skip = request->offset,
                           .offset = request->offset,
                           .to = request->buffer,
                           .room = request->size };
    if (request->offset > 0)
        go_on(&print);
    if (!print.over)
        text->write(&print);
    return (ssize_t)(request->size - print.room);
}

static void procfs_submit(struct device *device, struct io_request *request)
{
    struct text *text = (struct text *)device; // Its first member.
    ssize_t result = 0;
    if (request->op == IO_READ)
        result = text_get(text, request);
    else if (request->op == IO_WRITE)
        result = text_set(text, request);
    device_complete(request, result);
}

static const struct device_ops procfs_ops = { .submit = procfs_submit };

// Result: the last name of a path.
static const char *last_name(const char *path)
{
    const char *name = path;
    for (; *path; path++)
        if (*path == '/')
            name = path + 1;
    return name;
}

static bool text_entry(struct text *text, struct fixed_entry *entry)
{
    entry->name = last_name(text->device.name);
    entry->device = &text->device;
    return true;
}

static bool folder_entry(struct fixed_folder *folder, struct fixed_entry *entry)
{
    entry->name = last_name(folder->device.name);
    entry->device = &folder->device;
    return true;
}

static bool proc_entry(unsigned index, struct fixed_entry *entry)
{
    if (index < COUNT(texts))
        return text_entry(&texts[index], entry);
    return index == COUNT(texts) && folder_entry(&proc_sys, entry);
}

static bool proc_sys_entry(unsigned index, struct fixed_entry *entry)
{
    return index == 0 && folder_entry(&proc_sys_fs, entry);
}

static bool proc_sys_fs_entry(unsigned index, struct fixed_entry *entry)
{
    return index < COUNT(limits) && text_entry(&limits[index], entry);
}

static void text_register(struct text *text)
{
    struct device *device = &text->device;
    device->ops = &procfs_ops;
    device->kind = DEVICE_FILE;
    device->read_only = text->set == NULL;
    device->lanes[0].depth = 1;
    int error = device_register(device);
    assert(error == 0);
}

struct device *procfs_init(void)
{
    for (unsigned i = 0; i < COUNT(texts); i++)
        text_register(&texts[i]);
    for (unsigned i = 0; i < COUNT(limits); i++)
        text_register(&limits[i]);
    fixed_folder_init(&proc, "proc", proc_entry, -EACCES);
    fixed_folder_init(&proc_sys, "proc/sys", proc_sys_entry, -EACCES);
    fixed_folder_init(&proc_sys_fs, "proc/sys/fs", proc_sys_fs_entry, -EACCES);
    return &proc.device;
}
