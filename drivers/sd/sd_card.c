// Bringing up an SD memory card: a list of commands, each sent when the one before has been
// answered. SD Physical Layer Simplified Specification 3.01, 4.2 (identification) and 4.3 (data
// transfer mode).
//
// SDSC, SDHC and SDXC at 3.3 V and default speed (25 MHz); no MMC, no SDIO. The SCR is not read:
// every SD memory card must know both bus widths (5.6), and nothing else in it is needed here.

#include "drivers/sd/sd_card.h"

#include <errno.h>

#include "drivers/sd/sd_protocol.h"

enum {
    DEFAULT_SPEED_HZ = 25000000,
    POWER_UP_RETRY_NS = 10000000, // Between two ACMD41s;
    POWER_UP_TRIES = 100,         // a card may take a second (4.2.3).
    AGAIN = 1,                    // Returned by a step's received(): wait, then send it once more.
};

struct step {
    uint32_t command;
    uint32_t argument;
    bool application; // Preceded by CMD55.
    bool addressed;   // The card's address is the argument.
    // Looks at the answer. status: of the command. Result: 0: go on, AGAIN, or -errno: give up.
    int (*received)(struct sd_card *card, int status);
    // Does something else in place of a command; ends in sd_step_done().
    void (*start)(struct sd_card *card);
};

static void sd_step_start(struct sd_card *card);

// Cards older than version 2.00 do not know CMD8 and stay silent; so does an empty socket.
static int sd_if_cond_received(struct sd_card *card, int status)
{
    card->version_2 = status == 0;
    if (status == -ETIMEDOUT)
        return 0;
    if (status == 0 && (sdhci_response(&card->host, 0) & 0xfff) != SD_IF_COND_3V3_PATTERN)
        return -EIO; // It does not like our voltage.
    return status;
}

static int sd_op_cond_received(struct sd_card *card, int status)
{
    uint32_t ocr = sdhci_response(&card->host, 0);

    if (status != 0)
        return status == -ETIMEDOUT ? -ENXIO : status;
    if (!(ocr & SD_OCR_POWERED_UP))
        return ++card->tries < POWER_UP_TRIES ? AGAIN : -ETIMEDOUT;
    card->address_shift = (ocr & SD_OCR_HIGH_CAPACITY) ? 0 : SD_SECTOR_SHIFT;
    return 0;
}

static int sd_relative_address_received(struct sd_card *card, int status)
{
    card->address = sdhci_response(&card->host, 0) >> SD_RCA_SHIFT << SD_RCA_SHIFT;
    return status;
}

static int sd_csd_received(struct sd_card *card, int status)
{
    uint32_t response[4];

    if (status != 0)
        return status;
    for (unsigned i = 0; i < 4; i++)
        response[i] = sdhci_response(&card->host, i);
    card->device.size_bytes = sd_csd_capacity(response);
    return card->device.size_bytes ? 0 : -EIO;
}

static int sd_status_received(struct sd_card *card, int status)
{
    if (status == 0 && sdhci_response(&card->host, 0) & SD_STATUS_ERRORS)
        return -EIO;
    return status;
}

static int sd_bus_width_received(struct sd_card *card, int status)
{
    status = sd_status_received(card, status);
    if (status == 0)
        sdhci_use_four_lines(&card->host);
    return status;
}

static void sd_step_done(struct sdhci *host, int status);

static void sd_full_speed(struct sd_card *card)
{
    sdhci_set_clock(&card->host, DEFAULT_SPEED_HZ, sd_step_done);
}

static const struct step steps[] = {
    { SD_GO_IDLE_STATE, 0, .received = NULL },
    { SD_SEND_IF_COND, SD_IF_COND_3V3_PATTERN, .received = sd_if_cond_received },
    { SD_APP_SEND_OP_COND, SD_OCR_2V7_3V6, .application = true, .received = sd_op_cond_received },
    { SD_ALL_SEND_CID, 0, .received = NULL },
    { SD_SEND_RELATIVE_ADDR, 0, .received = sd_relative_address_received },
    { .start = sd_full_speed },
    { SD_SEND_CSD, 0, .addressed = true, .received = sd_csd_received },
    { SD_SELECT_CARD, 0, .addressed = true, .received = sd_status_received },
    { SD_SET_BLOCKLEN, SD_SECTOR_BYTES, .received = sd_status_received },
    // The last: a board with one data line leaves it out.
    { SD_APP_SET_BUS_WIDTH, SD_BUS_FOUR_LINES, .application = true,
      .received = sd_bus_width_received },
};
enum { STEPS = sizeof steps / sizeof steps[0] };

static unsigned sd_step_count(const struct sd_card *card)
{
    return card->host.settings && card->host.settings->one_line ? STEPS - 1 : STEPS;
}

static void sd_brought_up(struct sd_card *card, int status)
{
    card->ready = status == 0;
    card->brought_up(card, status);
}

static void sd_waited(struct sdhci *host, int status)
{
    struct sd_card *card = sd_card_of_host(host);

    if (status < 0)
        sd_brought_up(card, status);
    else
        sd_step_start(card);
}

// Goes from one step to the next, to its repetition, or out.
static void sd_step_done(struct sdhci *host, int status)
{
    struct sd_card *card = sd_card_of_host(host);
    const struct step *step = &steps[card->step];

    if (step->received)
        status = step->received(card, status);
    if (status == AGAIN) {
        sdhci_wait(host, POWER_UP_RETRY_NS, sd_waited);
    } else if (status < 0) {
        sd_brought_up(card, status);
    } else if (++card->step == sd_step_count(card)) {
        sd_brought_up(card, 0);
    } else {
        sd_step_start(card);
    }
}

static void sd_step_send(struct sd_card *card)
{
    const struct step *step = &steps[card->step];
    uint32_t argument = step->addressed ? card->address : step->argument;

    // Only a host that says so is told of a capacity beyond 2 GiB, and only a version 2.00 card may
    // be asked.
    if (step->command == SD_APP_SEND_OP_COND && card->version_2)
        argument |= SD_OCR_HIGH_CAPACITY;
    sdhci_send(&card->host, step->command, argument, sd_step_done);
}

// CMD55 has been answered. Its status is not looked at: it still shows that a card of version 1
// rejected CMD8.
static void sd_prefix_done(struct sdhci *host, int status)
{
    struct sd_card *card = sd_card_of_host(host);

    if (status == -ETIMEDOUT)
        status = -ENXIO; // It did not answer CMD8 either: the socket is empty, or this is no SD
                         // memory card.
    if (status < 0)
        sd_brought_up(card, status);
    else
        sd_step_send(card);
}

static void sd_step_start(struct sd_card *card)
{
    const struct step *step = &steps[card->step];

    if (step->start)
        step->start(card);
    else if (step->application)
        sdhci_send(&card->host, SD_APP_CMD, card->address, sd_prefix_done);
    else
        sd_step_send(card);
}

static void sd_powered(struct sdhci *host, int status)
{
    struct sd_card *card = sd_card_of_host(host);

    if (status == 0 && !sdhci_card_present(host))
        status = -ENXIO;
    if (status < 0)
        sd_brought_up(card, status);
    else
        sd_step_start(card);
}

void sd_card_bring_up(struct sd_card *card, sd_card_done *done)
{
    card->ready = false;
    card->address = 0; // CMD55 before CMD3 goes to address 0.
    card->step = 0;
    card->tries = 0;
    card->brought_up = done;
    sdhci_power_up(&card->host, sd_powered);
}
