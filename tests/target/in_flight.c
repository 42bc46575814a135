// What main gets done while the card is read: iterations of an empty loop between submit's return
// and done(), exact under instruction counting. tests/tools/in_flight.t runs this twice and wants
// the same number. A virtio disk goes by the host's clock, so there nothing can be claimed
// (tests/target/virtio_held.c).
// qemu: -icount shift=0,sleep=off
// sd: 8M
#include <string.h>

#include "aio/core.h"
#include "tests/tap.h"
#include "tests/target/board_find.h"

enum { BLOCKS = 64, BLOCK_BYTES = 512, LEAST = 150 };

static _Alignas(64) char buffer[BLOCKS * BLOCK_BYTES];
static volatile bool done;

static void on_done(struct io_request *request)
{
    (void)request;
    done = true;
}

static unsigned iterations_in_flight(struct device *disk)
{
    static struct io_request request;
    unsigned iterations = 0;
    request = (struct io_request){
        .op = IO_READ, .buffer = buffer, .size = sizeof buffer, .done = on_done
    };
    done = false;
    io_submit(disk, &request);
    while (!done)
        iterations++;
    return iterations;
}

int main(void)
{
    struct device *disk = device_find(board.disk);
    struct io_request open = { .op = IO_OPEN };
    tap_plan(2);
    io_submit(disk, &open);
    tap_equal(io_wait(&open), 0, "test_card_is_ready");
    iterations_in_flight(disk); // The first read of a card may differ from the others.
    unsigned iterations = iterations_in_flight(disk);
    tap_note("figure: %u iterations of an empty loop in flight", iterations);
    if (strncmp(board.disk, "vd", 2) == 0)
        tap_skip("test_main_runs_on_while_64_blocks_are_read",
                 "this disk goes by the host's clock");
    else
        tap_ok(iterations >= LEAST, "test_main_runs_on_while_64_blocks_are_read");
    return tap_done();
}
