// An SD card as a block device: requests of any offset, length and buffer, one at a time, as
// commands to the card.
//
// Whole sectors to or from a buffer on a word boundary are moved by ADMA2, up to host.transfer_most
// a command. What is left, parts of sectors and buffers that ADMA2 cannot address, goes through a
// bounce buffer of eight sectors; a write of part of a sector reads it first. The CPU copies those
// bytes at isr level, at most 4 KiB at a time.
//
// After an error or a cancelled transfer nobody knows what state the card is in: the next request
// brings it up anew.

#include <errno.h>

#include "arch/assert.h"
#include "arch/container.h"
#include "arch/cpu.h"
#include "drivers/sd/sd_card.h"
#include "drivers/sd/sd_protocol.h"

enum {
    ADMA_ALIGNMENT = 4,
    FLUSH_POLL_NS = 1000000,
    FLUSH_POLLS = 1000, // A second; a card may be busy for half of one (4.6.2.2).
};

static inline int sd_next(struct sd_card *card);

static inline struct sd_card *sd_card_of_device(struct device *device)
{
    return container_of(device, struct sd_card, device);
}

// The card is ready for the next submit before the core hears of the end: it comes from inside.
static void sd_finish(struct sd_card *card, ssize_t result)
{
    device_complete(card->request, result);
}

// A card that stopped answering is a failed device to the one who asked; -ETIMEDOUT would be his
// own deadline.
static void sd_fail(struct sd_card *card, int status)
{
    card->ready = false;
    sd_finish(card, status == -ETIMEDOUT ? -EIO : status);
}

static __attribute__((noinline)) void sd_unfinished(struct sd_card *card, int status, size_t bytes)
{
    card->request->moved += bytes;
    card->left -= bytes;
    if (status == 0)
        status = sd_next(card);
    if (status < 0)
        sd_fail(card, status);
}

// A transfer has ended after `bytes` of the request: it is through, broken, or goes on.
static inline void sd_go_on(struct sd_card *card, int status, size_t bytes)
{
    if (status == 0 && card->left == bytes) {
        unsigned counted = device_complete_isr(card->request, card->request->moved + bytes);
        device_lane_freed_isr(&card->device, &card->device.lanes[0], 1 - counted);
    } else {
        sd_unfinished(card, status, bytes);
    }
}

// ---- One transfer ----

static int sd_status_error(const struct sd_card *card, uint32_t status)
{
    if (status & SD_STATUS_WP_VIOLATION)
        return -EROFS;
    if (status & (SD_STATUS_OUT_OF_RANGE | SD_STATUS_ADDRESS_ERROR))
        return card->request->op == IO_WRITE ? -ENOSPC : -EIO;
    return -EIO;
}

// R1 of the running transfer, and that of the Auto CMD12 which has stopped it: the card may have
// run ahead over its end before that, which is no error (4.3.3).
static inline uint32_t sd_transfer_response(const struct sd_card *card)
{
    uint32_t status = sdhci_response(&card->host, 0);

    if (card->host.map.size > SD_SECTOR_BYTES)
        status |= sdhci_response(&card->host, 3) & ~SD_STATUS_OUT_OF_RANGE;
    return status;
}

// Leaves in host.moved how many bytes are known to have been moved all the same.
static __attribute__((noinline)) int sd_transfer_failed(struct sd_card *card, int status)
{
    if (status == 0) {
        status = sd_status_error(card, sd_transfer_response(card));
        card->host.moved = 0;
    }
    dma_unmap(&card->host.map, card->host.moved);
    return status;
}

// Takes the buffer back from the host and looks at what the card has said. *good: bytes known to
// have been moved.
static inline int sd_transfer_ended(struct sd_card *card, int status, size_t *good)
{
    if (status != 0 || (sd_transfer_response(card) & SD_STATUS_ERRORS) != 0) {
        status = sd_transfer_failed(card, status);
        *good = card->host.moved;
        return status;
    }
    *good = card->host.map.size;
    dma_unmap(&card->host.map, *good);
    return 0;
}

// Starts moving whole sectors between memory at address and where the request has got to, rounded
// down to a sector.
static inline int sd_transfer(struct sd_card *card, uintptr_t address, size_t bytes,
                              enum dma_direction direction, sdhci_done *done)
{
    struct io_request *request = card->request;
    uint32_t sector = (uint32_t)((request->offset + request->moved) >> SD_SECTOR_SHIFT);
    uint32_t command = direction == DMA_FROM_DEVICE ? SD_READ_SINGLE_BLOCK : SD_WRITE_BLOCK;

    if (bytes > SD_SECTOR_BYTES)
        command += SD_MULTIPLE;
    dma_map(&card->host.map, address, bytes, direction, card->host.coherent, &card->lines);
    int error = sdhci_transfer(&card->host, command, sector << card->address_shift, done);
    if (error)
        dma_unmap(&card->host.map, 0);
    return error;
}

// ---- Straight to and from the buffer ----

static void sd_direct_done(struct sdhci *host, int status)
{
    struct sd_card *card = sd_card_of_host(host);
    size_t good;

    status = sd_transfer_ended(card, status, &good);
    sd_go_on(card, status, good);
}

static inline int sd_direct(struct sd_card *card, uintptr_t address)
{
    size_t bytes = card->left - card->left % SD_SECTOR_BYTES;
    enum dma_direction direction = card->request->op == IO_READ ? DMA_FROM_DEVICE : DMA_TO_DEVICE;

    if (bytes > card->host.transfer_most)
        bytes = card->host.transfer_most;
    return sd_transfer(card, address, bytes, direction, sd_direct_done);
}

// ---- Through the bounce buffer ----

// memcpy() of the C library uses NEON registers, which belong to the interrupted program.
static void sd_copy(uint8_t *to, const uint8_t *from, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        to[i] = from[i];
}

static uint8_t *sd_user_bytes(const struct sd_card *card)
{
    return (uint8_t *)card->request->buffer + card->request->moved;
}

// How many of the request's bytes are among the first `good` ones of the bounce buffer.
static size_t sd_bounced(const struct sd_card *card, size_t good)
{
    if (good <= card->skip)
        return 0;
    return good - card->skip < card->part ? good - card->skip : card->part;
}

static size_t sd_bounce_bytes(const struct sd_card *card)
{
    size_t bytes = card->skip + card->part + SD_SECTOR_BYTES - 1;
    return bytes - bytes % SD_SECTOR_BYTES;
}

static int sd_bounce_transfer(struct sd_card *card, enum dma_direction direction, sdhci_done *done)
{
    return sd_transfer(card, (uintptr_t)card->bounce, sd_bounce_bytes(card), direction, done);
}

static void sd_bounce_read_done(struct sdhci *host, int status)
{
    struct sd_card *card = sd_card_of_host(host);
    size_t good;

    status = sd_transfer_ended(card, status, &good);
    good = sd_bounced(card, good);
    sd_copy(sd_user_bytes(card), card->bounce + card->skip, good);
    sd_go_on(card, status, good);
}

static void sd_bounce_write_done(struct sdhci *host, int status)
{
    struct sd_card *card = sd_card_of_host(host);
    size_t good;

    status = sd_transfer_ended(card, status, &good);
    sd_go_on(card, status, sd_bounced(card, good));
}

static int sd_bounce_write(struct sd_card *card)
{
    sd_copy(card->bounce + card->skip, sd_user_bytes(card), card->part);
    return sd_bounce_transfer(card, DMA_TO_DEVICE, sd_bounce_write_done);
}

// The sectors around a part that is to be written are here.
static void sd_bounce_filled(struct sdhci *host, int status)
{
    struct sd_card *card = sd_card_of_host(host);
    size_t good;

    status = sd_transfer_ended(card, status, &good);
    if (status == 0)
        status = sd_bounce_write(card);
    if (status < 0)
        sd_fail(card, status);
}

static __attribute__((noinline)) int sd_bounce(struct sd_card *card, uintptr_t address, size_t skip)
{
    card->skip = skip;
    card->part = SD_BOUNCE_BYTES - skip;
    if (card->part > card->left)
        card->part = card->left;
    // Only up to the next sector where the rest can go straight.
    size_t to_sector = SD_SECTOR_BYTES - skip;
    if ((address + to_sector) % ADMA_ALIGNMENT == 0 && card->left >= to_sector + SD_SECTOR_BYTES)
        card->part = to_sector;

    if (card->request->op == IO_READ)
        return sd_bounce_transfer(card, DMA_FROM_DEVICE, sd_bounce_read_done);
    if (sd_bounce_bytes(card) == card->part)
        return sd_bounce_write(card);
    return sd_bounce_transfer(card, DMA_FROM_DEVICE, sd_bounce_filled);
}

// True while the transfer runs whose end is the end of the request.
static bool sd_runs_last(const struct sd_card *card)
{
    sdhci_done *done = card->host.done;

    if (done == sd_direct_done)
        return card->host.map.size == card->left;
    return (done == sd_bounce_read_done || done == sd_bounce_write_done) &&
           card->part == card->left;
}

// Starts the next transfer of a read or write. Result: 0 or -EFAULT.
static inline int sd_next(struct sd_card *card)
{
    struct io_request *request = card->request;
    size_t skip = ((size_t)request->offset + request->moved) % SD_SECTOR_BYTES;
    uintptr_t address = (uintptr_t)request->buffer + request->moved;

    if (skip == 0 && address % ADMA_ALIGNMENT == 0 && card->left >= SD_SECTOR_BYTES)
        return sd_direct(card, address);
    return sd_bounce(card, address, skip);
}

// ---- Requests ----

static void sd_flush_waited(struct sdhci *host, int status);

// CMD13 also brings errors that the card found only after it had taken the data (4.10.1, "clear on
// read").
static void sd_flush_answered(struct sdhci *host, int status)
{
    struct sd_card *card = sd_card_of_host(host);
    uint32_t card_status = sdhci_response(host, 0);

    if (status < 0)
        sd_fail(card, status);
    else if (card_status & SD_STATUS_ERRORS)
        sd_fail(card, -EIO);
    else if (SD_STATUS_CURRENT_STATE(card_status) != SD_STATE_PROGRAMMING)
        sd_finish(card, 0);
    else if (++card->tries == FLUSH_POLLS)
        sd_fail(card, -EIO);
    else
        sdhci_wait(host, FLUSH_POLL_NS, sd_flush_waited);
}

static void sd_flush_waited(struct sdhci *host, int status)
{
    struct sd_card *card = sd_card_of_host(host);

    if (status < 0)
        sd_fail(card, status);
    else
        sdhci_send(host, SD_SEND_STATUS, card->address, sd_flush_answered);
}

static void sd_flush(struct sd_card *card)
{
    card->tries = 0;
    sdhci_send(&card->host, SD_SEND_STATUS, card->address, sd_flush_answered);
}

// Starts a read or write on a card that is ready. Result: 0: it ends by sd_finish(), or -errno:
// nothing was started, and the card is free again.
static inline int sd_move(struct sd_card *card, struct io_request *request)
{
    ssize_t bytes = device_clamp(&card->device, request);
    card->left = (size_t)bytes;
    int error = bytes > 0 ? sd_next(card) : (int)bytes;
    if (bytes == 0)
        sd_finish(card, 0);
    return error;
}

static void sd_up(struct sd_card *card, int status);

static void sd_submit(struct device *device, struct io_request *request)
{
    struct sd_card *card = sd_card_of_device(device);

    card->request = request; // The host asserts that no other one is being served.
    if (card->ready && request->op <= IO_WRITE) {
        device_complete_refused(request, sd_move(card, request));
        return;
    }
    // Opening is the moment to notice that the card has been taken out; other requests notice by
    // failing.
    if (!card->ready || (request->op == IO_OPEN && !sdhci_card_present(&card->host)))
        sd_card_bring_up(card, sd_up);
    else if (request->op == IO_FLUSH)
        sd_flush(card);
    else
        sd_finish(card, 0); // Opening asks for no more than a card that is up.
}

// Serves the request that has waited for the card.
static void sd_up(struct sd_card *card, int status)
{
    if (status < 0)
        sd_fail(card, status);
    else
        sd_submit(&card->device, card->request);
}

static int sd_cancel(struct device *device, struct io_request *request)
{
    struct sd_card *card = sd_card_of_device(device);

    assert(irq_masked());
    assert(card->request == request);
    if (sd_runs_last(card) && sdhci_has_finished(&card->host))
        return -EALREADY;
    sdhci_stop(&card->host, -ECANCELED);
    return 0;
}

static const struct device_ops sd_ops = { .submit = sd_submit, .cancel = sd_cancel };

int sd_card_attach(struct sd_card *card, const struct hardware *hardware, uintptr_t registers)
{
    int status = sdhci_init(&card->host, hardware, registers);
    if (status < 0)
        return status;
    card->device.name = hardware->name;
    card->device.ops = &sd_ops;
    card->device.kind = DEVICE_BLOCK;
    card->device.block_bytes = SD_SECTOR_BYTES;
    card->device.lanes[0].depth = 1;
    status = device_register(&card->device);
    if (status < 0)
        irq_remove(hardware->irqs[0]);
    return status;
}

static int sdhci_card_start(const struct hardware *hardware)
{
    static struct sd_card cards[SD_CARDS];
    static unsigned used;

    if (used == SD_CARDS)
        return -ENOMEM;
    return sd_card_attach(&cards[used++], hardware, hardware->base);
}

const struct driver sdhci_card = { .start = sdhci_card_start };
