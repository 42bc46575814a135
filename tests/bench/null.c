// What the core itself costs, on a device that does nothing: it holds what it is given and, at
// every software interrupt, completes the oldest. One request's way is io_submit(), the interrupt,
// done, the callback level, and the callback, which submits the request anew.
//
// N requests are outstanding, once all with the device, and once one with the device and the others
// waiting in the core: the cost must not grow with N. Nothing here depends on time, so the figures
// are the same in every run.
#include <stdio.h>

#include "aio/core.h"
#include "tests/target/instructions.h"

enum { MOST = 4096, COUNTED = 4096, BYTES = 64, KINDS = 5 };

static const unsigned outstanding[KINDS] = { 1, 8, 64, 512, MOST };

static struct null_device {
    struct device device;
    struct io_request *oldest, *newest; // Linked by next.
    struct irq_work interrupt;
} null;

static struct io_request requests[MOST];
static uint8_t buffer[BYTES];
static unsigned callbacks, lost;
static bool again;

static void null_submit(struct device *device, struct io_request *request)
{
    (void)device;
    request->next = NULL;
    if (null.oldest)
        null.newest->next = request;
    else
        null.oldest = request;
    null.newest = request;
}

static void null_complete_oldest(struct irq_work *work)
{
    (void)work;
    struct io_request *request = null.oldest;
    null.oldest = request->next;
    device_complete(request, BYTES);
}

static void on_callback(struct callback *notify)
{
    struct io_request *request = request_of(notify);
    callbacks++;
    if (again)
        lost += io_submit(&null.device, request) != 0;
}

static void fill(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        requests[i] = (struct io_request){
            .op = IO_READ, .buffer = buffer, .size = BYTES, .notify.run = on_callback
        };
        lost += io_submit(&null.device, &requests[i]) != 0;
    }
}

static void complete(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        irq_defer(&null.interrupt);
}

// What a span of COUNTED requests costs with so many outstanding, of which the device holds `held`
// at most.
static uint32_t cost(unsigned count, unsigned held)
{
    null.device.lanes[0].depth = (uint16_t)held;
    again = true;
    fill(count);
    complete(count); // Every request has been around once.
    unsigned callbacks_before = callbacks;
    uint32_t begun = count_now();
    complete(COUNTED);
    uint32_t ended = count_now();
    lost += COUNTED - (callbacks - callbacks_before);
    again = false;
    complete(count);
    lost += null.oldest != NULL;
    return instructions(begun, ended);
}

// Printed when all is counted: what is printed costs interrupts too.
static void print(const char *where, const uint32_t *costs)
{
    for (unsigned i = 0; i < KINDS; i++)
        printf("null where=%s outstanding=%u requests=%d instructions=%u\n", where, outstanding[i],
               (int)COUNTED, (unsigned)costs[i]);
}

int main(void)
{
    static const struct device_ops ops = { .submit = null_submit };
    uint32_t in_device[KINDS], in_core[KINDS];
    null.device = (struct device){ .name = "null", .ops = &ops };
    null.interrupt.run = null_complete_oldest;
    for (unsigned i = 0; i < KINDS; i++) {
        in_device[i] = cost(outstanding[i], outstanding[i]);
        in_core[i] = cost(outstanding[i], 1);
    }
    print("device", in_device);
    print("core", in_core);
    if (lost)
        printf("null: not every request came back\n");
    return lost != 0;
}
