// Requests for an SD card over the modelled controller, made as the core would make them, and fresh
// machines for each test.
#pragma once

#include "tests/host/fake/requests.h"
#include "tests/host/sdhci_model.h"
#include "tests/tap.h"

static void model_submit(struct io_request *request)
{
    fake_start(&model_sd->device, request, model_sd->device.ops->submit);
}

static int model_cancel(struct io_request *request)
{
    return fake_cancel(&model_sd->device, request);
}

// Lets everything happen until the request is done. False: it never is.
static bool model_run(struct io_request *request)
{
    for (unsigned steps = 0; request->state != IO_IDLE; steps++)
        if (steps == MODEL_FOREVER || !model_step())
            return false;
    return true;
}

// One whole request. Result: the request's.
static long model_do(enum io_op op, uint64_t offset, void *buffer, size_t size, size_t *moved)
{
    struct io_request request = { .op = op, .offset = offset, .buffer = buffer, .size = size };
    model_submit(&request);
    if (!model_run(&request)) {
        printf("Bail out! a request never completed\n");
        exit(1);
    }
    if (moved)
        *moved = request.moved;
    return (long)request.result;
}

// A fresh machine: no request so far, the card unknown to the driver. Zero knobs, a pattern on the
// card.
static void model_new(void)
{
    static struct hardware hardware;
    static struct sd_card *cards;
    static unsigned machines; // Devices are never forgotten, so each machine has a card and a name
                              // of its own.
    static char names[MODEL_MACHINES][8];

    if (!cards) {
        size_t size = MODEL_LOW_MEMORY + MODEL_MACHINES * sizeof *cards;
        void *low = mmap(NULL, size, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
        if (low == MAP_FAILED || machines == MODEL_MACHINES)
            abort();
        model_memory = low;
        cards = (struct sd_card *)(model_memory + MODEL_LOW_MEMORY);
    }
    memset(&model, 0, sizeof model);
    fake_clock_reset();
    fake_line_free(MODEL_IRQ);
    fake_reports.count = 0;
    memset(model_memory, 0, MODEL_LOW_MEMORY);
    model.adma_error_at = -1;
    for (size_t i = 0; i < MODEL_CARD_BYTES; i++)
        model.card[i] = (uint8_t)(i * 7 + i / SD_SECTOR_BYTES * 13);
    model_set(SDHCI_CAPABILITIES, SDHCI_CAPABILITY_ADMA2);
    model_sd = &cards[machines];
    snprintf(names[machines], sizeof names[0], "sd%u", machines);
    hardware = (struct hardware){ .name = names[machines++],
                                  .clock_hz = 50000000,
                                  .irqs = { MODEL_IRQ } };
    hardware.settings = model_settings;
    if (sd_card_attach(model_sd, &hardware, MODEL_BASE) != 0)
        abort();
    fake_log.count = 0;
}
